"""Recordings of your own as clips: a folder of WAV files with a labels file in, the same clips as made ones out.

Called by `benchmarks/hearing.py --recordings FOLDER`. The folder holds `labels.csv` (with a header) or `labels.jsonl`;
a row names a file and who answered, and may say when they spoke:

    file,verdict,channel,onset_ms,greeting_end_ms,beep_at_ms,beep_hz,beep_ms,speaker,language

Only `file` and `verdict` are needed. A recording begins when the call was answered.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec

from voicewarden.model.action import AnswererVerdict
from voicewarden.model.error import ConfigError
from voicewarden.rehear.sides import read_side
from voicewarden.rehearsal.answers.clip import Beep, Clip, Label, Perturbation

VERDICTS: Final = get_args(AnswererVerdict)
LABEL_FILES: Final = ("labels.csv", "labels.jsonl")


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the labels file."""

    file: str
    verdict: AnswererVerdict
    channel: Annotated[int, msgspec.Meta(ge=0)] = 0
    onset_ms: int | None = None
    greeting_end_ms: int | None = None
    beep_at_ms: int | None = None
    beep_hz: int = 0
    beep_ms: int = 0
    speaker: str = ""
    language: str = "en"


def own_clips(folder: Path) -> Iterator[Clip]:
    """The recordings of a folder. Raises ConfigError for labels, RecordingRefused for sound that can't be used."""
    for number, row in _rows(folder):
        path = folder / row.file
        if not path.is_file():
            raise ConfigError(
                f"line {number} names a recording that is not there: {row.file}; put it into the folder or leave the "
                "line out",
                file=str(folder), field="file",
            )  # fmt: skip
        yield Clip(row.file, read_side(path, row.channel), _label(row))


def _label(row: Row) -> Label:
    beep = None if row.beep_at_ms is None else Beep(row.beep_hz, row.beep_at_ms, row.beep_ms)
    return Label(
        verdict=row.verdict, shape="own", family=row.file, voice=row.speaker, origin=row.speaker, language=row.language,
        split="test", perturbation=Perturbation(), onset_ms=row.onset_ms, greeting_end_ms=row.greeting_end_ms,
        beep=beep,
    )  # fmt: skip


def _rows(folder: Path) -> Iterator[tuple[int, Row]]:
    path = next((folder / name for name in LABEL_FILES if (folder / name).is_file()), None)
    if path is None:
        raise ConfigError(
            f"there are no labels: write {' or '.join(LABEL_FILES)} with at least file and verdict beside the "
            "recordings",
            file=str(folder),
        )  # fmt: skip
    for number, found in _lines(path):
        try:
            # Not strict: everything in a CSV file is text, and an empty field was left out.
            yield (
                number,
                msgspec.convert({key: value for key, value in found.items() if value != ""}, Row, strict=False),
            )
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"line {number} is no label ({error}); a verdict is one of {', '.join(VERDICTS)}, times are whole "
                "milliseconds",
                file=str(path),
            ) from None  # fmt: skip


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        yield from enumerate(csv.DictReader(text.splitlines()), start=2)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ConfigError(f"line {number} is no JSON object; write one a line", file=str(path))
        yield number, found

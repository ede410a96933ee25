"""Recordings with what was really said in them: a folder in, its labelled rows out. Called by `calibrate`.

The folder holds WAV files and a `labels.jsonl` or a `labels.csv` with a header. A row has

    file       a WAV file under the folder, one utterance or answer, one channel
    text       what was said in it, word for word
    call       optional: which call it is from; rows of one call are not independent. Default: a call of its own
    speaker    optional: who speaks. Default: unknown, which is one speaker
    purpose    optional: what it is an example of: decide (an answer to a question that asks for a yes), digits or names
    slot       optional, for digits and names: the part of the text that decides. Default: all of it
    question   optional, for decide: the question that was asked
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from voicewarden.model.error import ConfigError

LABEL_FILES: Final = ("labels.jsonl", "labels.csv")
Wanted = Literal["content", "decide", "digits", "names"]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recording and what was said in it."""

    file: str
    text: str
    call: str = ""
    speaker: str = ""
    purpose: Wanted = "content"
    slot: str = ""
    question: str = ""

    @property
    def unit(self) -> str:
        """The call that it belongs to."""
        return self.call or self.file


def labelled(folder: Path) -> list[Row]:
    """All rows of a folder's labels. Raises ConfigError for the first that can't be used."""
    path = next((folder / name for name in LABEL_FILES if (folder / name).is_file()), None)
    if path is None:
        raise ConfigError("there are no labels in the folder", file=str(folder), accepted=" or ".join(LABEL_FILES))
    rows = [_row(path, number, data) for number, data in _data(path)]
    if not rows:
        raise ConfigError("holds no row", file=str(path), accepted="a row for each recording")
    return rows


def _data(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError("can't be read", file=str(path), accepted="a file of UTF-8 text") from None
    if path.suffix == ".csv":
        reader = csv.DictReader(text.splitlines())
        for fields in reader:
            # What is empty in a table is not given; what has no column has the key None.
            yield reader.line_num, {key or "(no column)": value for key, value in fields.items() if value}
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, _json(path, number, line)


def _json(path: Path, number: int, line: str) -> Mapping[str, object]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"is no JSON: {error.msg}", file=str(path), line=number) from None
    if not isinstance(data, dict):
        raise ConfigError("is no JSON object", file=str(path), line=number, accepted='{"file": ..., "text": ...}')
    return data


def _row(path: Path, number: int, data: Mapping[str, object]) -> Row:
    try:
        row = msgspec.convert(data, Row)
    except msgspec.ValidationError as error:
        accepted = ", ".join(Row.__struct_fields__)
        raise ConfigError(f"is no row of labels: {error}", file=str(path), line=number, accepted=accepted) from None
    if not row.text.strip():
        what = "what was said is not given; leave the row out where nothing was said"
        raise ConfigError(what, file=str(path), line=number, field="text", accepted="the words that were said")
    inside = (path.parent / row.file).resolve().is_relative_to(path.parent.resolve())
    if not inside or not (path.parent / row.file).is_file():
        accepted = "a WAV file in the folder of the labels"
        raise ConfigError("this recording is not there", file=str(path), line=number, field="file", accepted=accepted)
    return row

"""The goals of consent reading on development data that is not part of the repository; skipped without it."""

import json
from pathlib import Path

import pytest

from voicewarden.reading.consent import read
from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Reader

YES = {"AFFIRM", "Yes", "yes"}


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"needs {name} in the folder that VOICEWARDEN_DEV_DATA names")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def is_yes(reader: Reader, row: dict[str, str]) -> bool:
    question = row.get("prompt", "Is that right?")
    return read(reader, question, tuple(row["text"].split())).kind == "explicit"


def test_direct_answers(reader: Reader, dev_data: Path) -> None:
    told = rows(dev_data, "consent_sgd_dev.jsonl")
    plain = [row for row in told if row["label"] == "AFFIRM" and "+" not in row["source"].rpartition("acts ")[2]]
    found = sum(is_yes(reader, row) for row in plain)
    false = sum(is_yes(reader, row) for row in told if row["label"] == "NEGATE")
    assert found >= 0.80 * len(plain)
    assert found >= 0.995 * (found + false)


@pytest.mark.parametrize("name", ["consent_sgd_dev.jsonl", "consent_circa_dev.jsonl", "consent_clinc.jsonl"])
def test_false_yes_and_false_opt_outs(reader: Reader, dev_data: Path, name: str) -> None:
    told = rows(dev_data, name)
    others = [row for row in told if row["label"] not in YES]
    assert sum(is_yes(reader, row) for row in others) <= 0.01 * len(others)
    heard = [signals(reader, tuple(row["text"].split())) for row in told]
    assert sum(any(signal.kind == "opt_out" for signal in one) for one in heard) <= 0.005 * len(told)

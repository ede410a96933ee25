"""Labels of recordings: what is read, and what is refused with its line."""

from pathlib import Path

import pytest

from voicewarden.model.error import ConfigError
from voicewarden.rehear.labelled import labelled


def folder(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_lines_of_json(tmp_path: Path) -> None:
    text = '{"file": "a.wav", "text": "yes", "purpose": "decide", "call": "c7"}\n\n{"file": "a.wav", "text": "no"}\n'
    first, second = labelled(folder(tmp_path, "labels.jsonl", text))
    assert (first.unit, first.purpose) == ("c7", "decide")
    assert (second.unit, second.purpose, second.speaker) == ("a.wav", "content", "")


def test_a_table(tmp_path: Path) -> None:
    (row,) = labelled(folder(tmp_path, "labels.csv", "file,text,speaker,slot\na.wav,it is two,eve,\n"))
    assert (row.text, row.speaker, row.slot) == ("it is two", "eve", "")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("labels.jsonl", "", "holds no row"),
        ("labels.jsonl", "{", "labels.jsonl:1"),
        ("labels.jsonl", "[]", "is no JSON object"),
        ("labels.jsonl", '{"file": "a.wav", "text": " "}', "field"),
        ("labels.jsonl", '{"file": "b.wav", "text": "x"}', "not there"),
        ("labels.jsonl", '{"file": "../a.wav", "text": "x"}', "not there"),
        ("labels.jsonl", '{"file": "a.wav", "text": "x", "purpose": "yes"}', "purpose"),
        ("labels.jsonl", '{"file": "a.wav", "text": "x", "txt": "y"}', "txt"),
        ("labels.csv", "file,text\na.wav\n", "text"),
        ("labels.csv", "file,text\na.wav,x,more\n", "no row of labels"),
        ("other.txt", "", "there are no labels"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, text: str, wanted: str) -> None:
    with pytest.raises(ConfigError) as error:
        labelled(folder(tmp_path, name, text))
    assert wanted in f"{error.value} {'field' if error.value.field else ''}"

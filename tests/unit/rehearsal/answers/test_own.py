"""Recordings of one's own: what a labels file may hold, and what is said about one that can't be used."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from voicewarden.model.error import ConfigError
from voicewarden.rehear.wav import RecordingRefused
from voicewarden.rehearsal.answers.clip import Beep
from voicewarden.rehearsal.answers.own import own_clips


def record(path: Path, rate_hz: int = 8_000, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(rate_hz)
        wav.writeframes(np.full(rate_hz * channels, 500, dtype="<i2").tobytes())


def test_a_csv_with_everything(tmp_path: Path) -> None:
    record(tmp_path / "a.wav", 16_000, 2)
    (tmp_path / "labels.csv").write_text(
        "\ufefffile,verdict,channel,onset_ms,greeting_end_ms,beep_at_ms,beep_hz,beep_ms,speaker\n"
        "a.wav,voicemail,1,100,700,800,1000,150,kim\n",
        encoding="utf-8",
    )
    (clip,) = own_clips(tmp_path)
    assert clip.pcm.size == 8_000
    assert (clip.name, clip.label.verdict, clip.label.origin) == ("a.wav", "voicemail", "kim")
    assert (clip.label.onset_ms, clip.label.greeting_end_ms) == (100, 700)
    assert clip.label.beep == Beep(1_000, 800, 150)


def test_a_jsonl_with_the_least(tmp_path: Path) -> None:
    record(tmp_path / "a.wav")
    (tmp_path / "labels.jsonl").write_text('\n{"file": "a.wav", "verdict": "human"}\n', encoding="utf-8")
    (clip,) = own_clips(tmp_path)
    assert clip.label.verdict == "human"
    assert clip.label.onset_ms is clip.label.greeting_end_ms is clip.label.beep is None


def test_empty_fields_were_left_out(tmp_path: Path) -> None:
    record(tmp_path / "a.wav")
    (tmp_path / "labels.csv").write_text("file,verdict,onset_ms\na.wav,human,\n", encoding="utf-8")
    (clip,) = own_clips(tmp_path)
    assert clip.label.onset_ms is None


@pytest.mark.parametrize(
    ("name", "labels", "says"),
    [
        ("labels.csv", "file,verdict\na.wav,person\n", r"line 2 is no label .* a verdict is one of human, voicemail"),
        ("labels.csv", "file\na.wav\n", "line 2 is no label"),
        ("labels.csv", "file,verdict,onset_ms\na.wav,human,soon\n", "whole milliseconds"),
        ("labels.csv", "file,verdict,channel\na.wav,human,-1\n", "line 2 is no label"),
        ("labels.csv", "file,verdict,mood\na.wav,human,glad\n", "line 2 is no label"),
        ("labels.csv", "file,verdict\nb.wav,human\n", "a recording that is not there: b.wav"),
        ("labels.jsonl", "no json\n", "line 1 is no JSON object"),
        ("labels.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("other.csv", "", r"there are no labels: write labels.csv or labels.jsonl"),
    ],
)
def test_labels_that_can_not_be_used(tmp_path: Path, name: str, labels: str, says: str) -> None:
    record(tmp_path / "a.wav")
    (tmp_path / name).write_text(labels, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        list(own_clips(tmp_path))


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    record(tmp_path / "a.wav")
    (tmp_path / "labels.csv").write_text("file,verdict,channel\na.wav,human,1\n", encoding="utf-8")
    with pytest.raises(RecordingRefused):
        list(own_clips(tmp_path))

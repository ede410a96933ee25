"""From labelled recordings to evidence: which words decide, and when they are wrong."""

import json
import wave
from pathlib import Path

import pytest
from tests.unit.rehear.spoken import release, voice
from typer.testing import CliRunner

from voicewarden.cli.main import app
from voicewarden.config.calibration_document import load_calibration
from voicewarden.model.event import Word
from voicewarden.rehear.calibrating import Heard, evidence, items_of, listen
from voicewarden.rehear.labelled import Row, Wanted
from voicewarden.rehear.wav import RecordingRefused
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import IDENTITY, Transcript


def heard(
    said: str, told: str, *permille: int | None, purpose: Wanted = "content", slot: str = "", call: str = "",
    speaker: str = "eve", suspect: bool = False,
) -> Heard:  # fmt: skip
    words = tuple(
        Word(text, sure, 100 * at, 100 * at + 90)
        for at, (text, sure) in enumerate(zip(told.split(), permille, strict=True))
    )
    return Heard(Row(f"{said}.wav", said, call, speaker, purpose, slot), words, suspect)


def found(purpose: Wanted, *told: Heard) -> list[tuple[int, bool]]:
    return [(item.permille, item.is_wrong) for item in items_of(told, release()).by_purpose[purpose]]


def test_each_word_is_right_or_wrong_by_itself() -> None:
    assert found("content", heard("book it now", "Book at now.", 900, 400, 800)) == [
        (900, False), (400, True), (800, False),
    ]  # fmt: skip


def test_a_word_of_unknown_confidence_is_no_item() -> None:
    assert found("content", heard("book it", "book it", 900, None)) == [(900, False)]


@pytest.mark.parametrize(
    ("said", "told", "permille", "wanted"),
    [
        ("yes, go ahead", "Yes, go ahead.", (700, 900, 950), [(900, False)]),
        ("guess", "Yes.", (480,), [(480, True)]),
        ("no", "No.", (900,), []),
        ("yes", "Yet.", (900,), []),
        ("yes, but at four", "Yes.", (800,), [(800, True)]),
    ],
)
def test_only_a_yes_that_was_heard_is_an_answer_to_judge(
    said: str, told: str, permille: tuple[int, ...], wanted: list[tuple[int, bool]]
) -> None:
    assert found("decide", heard(said, told, *permille, purpose="decide")) == wanted


def test_doubted_words_are_no_answer() -> None:
    assert found("decide", heard("yes", "Yes.", 900, purpose="decide", suspect=True)) == []


@pytest.mark.parametrize(
    ("told", "permille", "wanted"),
    [
        ("My number is 427.", (900, 900, 900, 610), [(610, False)]),
        ("My number is four two eleven", (900, 900, 900, 700, 610, 800), [(610, True)]),
        ("My number is four seven", (900, 900, 900, 700, 610), [(610, True)]),
        ("My number is", (900, 900, 900), []),
        ("My number is four two seven", (900, 900, 900, None, 610, 800), []),
    ],
)
def test_digits_are_as_sure_as_the_least_sure_of_them(
    told: str, permille: tuple[int | None, ...], wanted: list[tuple[int, bool]]
) -> None:
    said = heard("my number is four two seven", told, *permille, purpose="digits", slot="four two seven")
    assert found("digits", said) == wanted


def test_evidence_counts_one_item_a_call() -> None:
    told = [heard("yes", "Yes.", 900, purpose="decide", call=f"c{index % 60}") for index in range(120)]
    shown = evidence(items_of(told, release()), 50, 50)["decide"]
    assert (shown.items, shown.drawn, shown.needs, shown.threshold_permille) == (120, 60, 59, 10)
    short = evidence(items_of(told[:58], release()), 50, 50)["decide"]
    assert (short.drawn, short.threshold_permille, short.upper_permille) == (58, None, 1000)


def test_a_threshold_is_tried_on_other_speakers() -> None:
    told = [
        heard("yes", "Yes.", 900, purpose="decide", call=f"{who}{index}", speaker=who)
        for who in ("ann", "ben", "cem", "dot")
        for index in range(30)
    ]
    held = evidence(items_of(told, release()), 50, 50)["decide"].held_out
    assert held is not None
    assert (held.speakers, held.accepted, held.wrong) == (2, 60, 0)


class Knows:
    """A transcriber that hears the same word in everything."""

    identity = IDENTITY

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        words = (Word("Yes.", 930, 0, 200),)
        return Transcript("Yes.", words, -300, 20, 900, 10_000, False, 1, speech_ms or 0, ())


def recorded(path: Path, pcm: Samples, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(pcm.astype("<i2").tobytes())


def recordings(folder: Path, rows: int) -> Path:
    recorded(folder / "yes.wav", voice(600))
    row = {"file": "yes.wav", "text": "yes", "purpose": "decide"}
    lines = [json.dumps({**row, "call": f"c{index}", "speaker": f"s{index % 3}"}) for index in range(rows)]
    (folder / "labels.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_two_channels_are_refused(tmp_path: Path) -> None:
    recorded(tmp_path / "both.wav", voice(200), channels=2)
    with pytest.raises(RecordingRefused, match="has 2 channels"):
        listen(tmp_path, [Row("both.wav", "yes")], Knows(), release(), lambda: None)


def test_the_command_writes_a_calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicewarden.sensors.transcriber.Transcriber.load", lambda: Knows())
    out, plot = tmp_path / "new" / "calibration.json", tmp_path / "plot.svg"
    arguments = ["calibrate", str(recordings(tmp_path, 61)), "--out", str(out), "--plot", str(plot)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    calibration = load_calibration(out)
    assert calibration.purposes["decide"].threshold_permille == 10
    assert calibration.provisional
    assert "3 speakers" in (calibration.why or "")
    assert plot.read_text(encoding="utf-8").startswith("<svg")
    assert "at most 4.8 %" in done.output


def test_the_command_says_how_many_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicewarden.sensors.transcriber.Transcriber.load", lambda: Knows())
    done = CliRunner().invoke(app, ["calibrate", str(recordings(tmp_path, 5)), "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["word_error_permille"] == 0
    assert "at least 59" in told["lacking"][0]
    assert "there are 5 such calls" in told["lacking"][0]

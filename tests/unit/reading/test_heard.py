"""Signals that count at any time."""

from pathlib import Path

import msgspec
import pytest

from voicewarden.reading.heard import signals
from voicewarden.reading.lexicon import Lexicon, Reader

DATA = Path(__file__).with_name("data")


def wordings(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def kinds(reader: Reader, text: str) -> list[str]:
    return [signal.kind for signal in signals(reader, tuple(text.split()))]


def test_the_set_of_wordings_is_large() -> None:
    assert len(set(wordings("opt_out.txt"))) >= 200


@pytest.mark.parametrize("text", wordings("opt_out.txt"))
def test_opt_out(reader: Reader, text: str) -> None:
    assert "opt_out" in kinds(reader, text)


@pytest.mark.parametrize("text", wordings("not_opt_out.txt"))
def test_no_opt_out(reader: Reader, text: str) -> None:
    assert "opt_out" not in kinds(reader, text)


@pytest.mark.parametrize("line", wordings("signals.txt"))
def test_a_signal_is_among_those_found(reader: Reader, line: str) -> None:
    kind, _, text = line.partition(": ")
    found = kinds(reader, text)
    assert not found if kind == "none" else kind in found


def test_lists_that_an_older_lexicon_lacks_find_nothing(lexicon: Lexicon) -> None:
    names = ("minor", "not_minor", "distress", "not_distress", "not_wrong_person")
    kept = {name: value for name, value in msgspec.structs.asdict(lexicon).items() if name not in names}
    older = Reader(Lexicon(**kept))
    assert kinds(older, "I'm twelve and my mom just died") == []
    assert kinds(older, "stop calling me") == ["opt_out"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop.", ["stop_speaking"]),
        ("please stop talking", ["stop_speaking"]),
        ("I want to speak to a human", ["wants_person"]),
        ("Representative!", ["wants_person"]),
        ("can I talk to a real person please", ["wants_person"]),
        ("give me an operator", ["wants_person"]),
        ("I don't want to talk to a human", []),
        ("Are you a robot?", ["asks_if_ai"]),
        ("am I talking to a real person", ["asks_if_ai"]),
        ("is this a recording", ["asks_if_ai"]),
        ("Who is this?", ["asks_who"]),
        ("where are you calling from", ["asks_who"]),
        ("You have the wrong number.", ["wrong_person"]),
        ("there's no one here by that name", ["wrong_person"]),
        ("I don't want to be recorded", ["recording_objection"]),
        ("please stop recording", ["recording_objection"]),
        ("I don't mind being recorded", []),
        ("One moment, please.", ["hold_on"]),
        ("hang on", ["hold_on"]),
        ("let me check my calendar", ["hold_on"]),
        ("Pardon?", ["asks_repeat"]),
        ("What did you say?", ["asks_repeat"]),
        ("could you say that again", ["asks_repeat"]),
        ("Yes, book it.", []),
        ("", []),
    ],
)
def test_signals(reader: Reader, text: str, expected: list[str]) -> None:
    assert kinds(reader, text) == expected


def test_words_point_at_what_was_said(reader: Reader) -> None:
    (signal,) = signals(reader, ("Well,", "please", "stop", "calling", "me."))
    assert signal.words == (2, 3, 4)


def test_only_words_of_the_lexicon_are_remembered(lexicon: Lexicon) -> None:
    """What callers say is theirs: no name, number or address of one call stays behind for the next."""
    reader = Reader(lexicon)
    signals(reader, ("Hello,", "this", "is", "Anna", "Zwiebelkuchen.", "5550100", "7pm", "stop" + "." * 40))
    assert set(reader.words) == {"Hello,", "this", "is"}

"""Reasons to doubt a transcript."""

import pytest

from voicewarden.sensors.doubt import doubts


def found(text: str, speech_ms: int, no_speech: int | None = 50, compression: int | None = 900) -> tuple[str, ...]:
    return doubts(text, speech_ms=speech_ms, no_speech_permille=no_speech, compression_permille=compression)


@pytest.mark.parametrize(
    ("text", "speech_ms"),
    [
        ("", 0),
        ("Yes.", 160),
        ("No, no, no, no.", 900),
        ("Please stop calling me.", 1100),
        ("Thank you for watching my dog.", 2000),
    ],
)
def test_believable(text: str, speech_ms: int) -> None:
    assert found(text, speech_ms) == ()


def test_too_fast() -> None:
    assert found("Yes.", 0) == ("too_fast",)
    assert found("I would like to book a table for two people", 700) == ("too_fast",)


def test_loop() -> None:
    assert found("I am here. " * 3, 4000) == ("loop",)
    assert found("no " * 5, 2000) == ("loop",)
    assert found("a b c d e f", 2000, compression=2500) == ("loop",)


def test_boilerplate_counts_over_silence_only() -> None:
    assert found("Thanks for watching!", 1500) == ()
    assert found("Thanks for watching!", 1500, no_speech=900) == ("boilerplate",)
    assert found("Subtitles by someone", 0) == ("too_fast", "boilerplate")


def test_unknown_figures_raise_no_doubt() -> None:
    assert found("Thanks for watching!", 1500, no_speech=None, compression=None) == ()


@pytest.mark.parametrize(
    ("no_speech", "logprob", "wanted"),
    [(880, -1163, ("non_speech",)), (880, -400, ()), (300, -1163, ()), (None, -1163, ()), (880, None, ())],
)
def test_words_over_a_cough_are_guessed(no_speech: int | None, logprob: int | None, wanted: tuple[str, ...]) -> None:
    found = doubts(
        "Thank you.", speech_ms=900, no_speech_permille=no_speech, compression_permille=500, logprob_permille=logprob
    )
    assert found == wanted

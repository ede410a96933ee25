"""What a sentence claims, in one form however it is worded, and what grounds it."""

import pytest

from voicewarden.reading.claims import claims, ungrounded, values
from voicewarden.reading.lexicon import Reader
from voicewarden.reading.speakable import say_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $19.99 today.", ["price:19.99"]),
        ("nineteen ninety-nine dollars", ["price:19.99"]),
        ("nineteen dollars and ninety nine cents", ["price:19.99"]),
        ("It is $20.00 or 20 dollars.", ["price:20", "price:20"]),
        ("$1,200", ["price:1200"]),
        ("fifty cents", ["price:0.5"]),
        ("fifteen hundred people", ["number:1500"]),
        ("two thousand and five", ["number:2005"]),
        ("three slots", ["number:3"]),
        ("15% or fifteen percent or 15 per cent", ["percent:15", "percent:15", "percent:15"]),
        ("3 pm, 3 p.m. and three in the afternoon", ["time:15:00"] * 3),
        ("15:30 or half past three", ["time:15:30", "clock:3:30"]),
        ("quarter to four", ["clock:3:45"]),
        ("at noon", ["time:12:00"]),
        ("Tuesday the first of December", ["day:tuesday", "date:12-01"]),
        ("December 1st, 2026", ["date:2026-12-01"]),
        ("the twenty third of May", ["date:05-23"]),
        ("You may go on the fifth.", ["number:5"]),
        ("One moment. Press one. This one? First of all, one second.", []),
        ("We have one slot.", ["number:1"]),
        ("a hundred people, a quarter past three, a b", ["number:100", "clock:3:15"]),
        ("a", []),
        ("It is administratively impossible.", []),
        ("We are the cheapest.", ["superlative:the_cheapest"]),
        ("What works best for you?", []),
        ("Satisfaction guaranteed!", ["guarantee:guaranteed"]),
        ("This is your last chance.", ["scarcity:last_chance"]),
        ("", []),
    ],
)
def test_claims(reader: Reader, text: str, expected: list[str]) -> None:
    assert [claim.value for claim in claims(reader, text)] == expected


def test_offsets_are_those_of_the_text(reader: Reader) -> None:
    text = "It\u200b costs \uff041\uff19.99 today"
    (claim,) = claims(reader, text)
    assert text[claim.start : claim.end] == "\uff041\uff19.99"


@pytest.mark.parametrize(
    "said",
    [
        say_value("2026-12-01T15:00"), "three", "at three o'clock", "December first", "15:00", "3 pm", "on the first",
        "Tuesday", "in December", "12/1", "1 December 2026", "three in the afternoon",
    ],
)  # fmt: skip
def test_a_moment_grounds_every_way_to_say_it(reader: Reader, said: str) -> None:
    allowed = values(reader, "2026-12-01T15:00")
    assert claims(reader, said)
    assert ungrounded(reader, said, allowed) == ()


@pytest.mark.parametrize("said", ["Wednesday", "December 2nd", "at four", "3 am", "nine dollars", "15 percent", "2027"])
def test_a_moment_grounds_nothing_else(reader: Reader, said: str) -> None:
    allowed = values(reader, "2026-12-01T15:00")
    assert ungrounded(reader, said, allowed)


def test_a_fact_grounds_its_own_wording(reader: Reader) -> None:
    allowed = values(reader, "A cut is $19.99, satisfaction guaranteed.")
    assert ungrounded(reader, "Guaranteed, for nineteen ninety nine dollars.", allowed) == ()


def test_a_long_word_is_no_moment(reader: Reader) -> None:
    """Sixteen letters with a `t` where a written date and time have theirs."""
    assert values(reader, "administratively") == frozenset()

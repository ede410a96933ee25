"""Cutting a stream into units that can be gated and spoken."""

import pytest

from voicewarden.reading.sentence import Cutter, split
from voicewarden.reading.speakable import say_value


def streamed(text: str, cutter: Cutter) -> tuple[str, ...]:
    return (*(unit for char in text for unit in cutter.feed(char)), *cutter.flush())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello. How are you?", ("Hello.", "How are you?")),
        ("It costs 19.99 today. Really!", ("It costs 19.99 today.", "Really!")),
        ("Mr. Smith and Dr. Jones are here.", ("Mr. Smith and Dr. Jones are here.",)),
        ("See you at 3 p.m. on Tuesday.", ("See you at 3 p.m. on Tuesday.",)),
        ("Wait... what?", ("Wait...", "what?")),
        ('He said "yes." Then left.', ('He said "yes."', "Then left.")),
        ("No end", ("No end",)),
        ("  ", ()),
        ("", ()),
    ],
)
def test_split(text: str, sentences: tuple[str, ...]) -> None:
    assert split(text) == sentences
    assert streamed(text, Cutter()) == sentences


def test_stream_cuts_like_the_whole() -> None:
    text = "It is 19.99. Dr. Who comes at 5 p.m. today! Good, isn't it? Yes"
    assert streamed(text, Cutter()) == split(text)


def test_a_stream_waits_only_where_more_may_follow() -> None:
    assert Cutter().feed("It is 19. ") == ("It is 19.",)
    assert Cutter().feed("See you at 5 p.m. ") == ()


def test_first_unit_may_end_at_a_clause() -> None:
    units = streamed("Thank you for calling us today, how can I help? Yes, tell me.", Cutter(first_clause=True))
    assert units == ("Thank you for calling us today,", "how can I help?", "Yes, tell me.")


def test_a_long_sentence_is_cut_at_a_clause_or_a_space() -> None:
    units = streamed("this goes on and on, " * 20, Cutter(max_chars=60))
    assert all(len(unit) <= 60 for unit in units)
    assert " ".join(units) == ("this goes on and on, " * 20).strip()
    assert all(len(unit) <= 10 for unit in streamed("x" * 35, Cutter(max_chars=10)))


@pytest.mark.parametrize(
    ("value", "spoken"),
    [
        ("2026-12-01T15:00", "Tuesday the first of December at 3 pm"),
        ("2026-12-23T09:30:00", "Wednesday the twenty-third of December at 9:30 am"),
        ("2026-12-01", "Tuesday the first of December"),
        ("15:00", "3 pm"),
        ("00:05", "12:05 am"),
        ("haircut", "haircut"),
        ("2026-13-41T15:00", "2026-13-41T15:00"),
        ("25:00", "25:00"),
        ("", ""),
    ],
)
def test_say_value(value: str, spoken: str) -> None:
    assert say_value(value) == spoken

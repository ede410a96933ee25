"""Dates and times: pieces of a text in, canonical days and times out. Used by `reading.claims`.

Canonical forms: `date:12-01` (with the year in front if it was said), `month:december`, `day:tuesday`,
`time:15:00`, and `clock:3:00` for a time of twelve hours that does not say which half of the day it means.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.number import number_at

_HALVES = {"am": 0, "a.m": 0, "pm": 12, "p.m": 12}
_PARTS_OF_DAY = {"morning": 0, "afternoon": 12, "evening": 12, "night": 12}
NAMED_TIMES = {"noon": "time:12:00", "midday": "time:12:00", "midnight": "time:00:00"}
_ENDINGS = frozenset({"st", "nd", "rd", "th"})
_MODAL_MONTHS = frozenset({"may", "march"})
_BEFORE_MONTH = frozenset({"in", "of", "until", "by", "since", "during", "next", "last", "this", "from"})


class Moment(NamedTuple):
    """A date (`date`) or time of day (`time`) that pieces up to `end` (exclusive) tell."""

    kind: str
    value: str
    end: int


def moment_at(reader: Reader, parts: Sequence[str], at: int) -> Moment | None:
    """Read the date or time that starts at piece `at`."""
    word = parts[at]
    if word in reader.weekdays:
        return Moment("date", f"day:{reader.weekdays[word]}", at + 1)
    if word in NAMED_TIMES:
        return Moment("time", NAMED_TIMES[word], at + 1)
    return _written_date(word, at) or _date(reader, parts, at) or _time(reader, parts, at)


def weekday_of(reader: Reader, year: int, month: int, day: int) -> str:
    """Return the weekday's name of a date, empty if there is no such date."""
    try:
        return reader.weekday_names[date(year, month, day).weekday()]
    except (ValueError, IndexError):
        return ""


def ordinal_at(reader: Reader, parts: Sequence[str], at: int) -> tuple[int, int] | None:
    """Read `first`, `twenty third` or `3rd`; return its value and where it ends."""
    word = _word(parts, at)
    if word in reader.ordinals:
        return reader.ordinals[word], at + 1
    following = _word(parts, at + 1)
    if word.isdecimal() and len(word) <= 2 and following in _ENDINGS:
        return int(word), at + 2
    tens = reader.numbers.get(word, 0)
    ones = reader.ordinals.get(following, 10)
    return (tens + ones, at + 2) if tens in (20, 30) and ones < 10 else None


def _word(parts: Sequence[str], at: int) -> str:
    return parts[at] if 0 <= at < len(parts) else ""


def _written_date(word: str, at: int) -> Moment | None:
    """Read `2026-12-01` and `12/1/2026`; the day stands first only where the month can't."""
    if "/" in word:
        month, day, *year = (int(part) for part in word.split("/"))
        if month > 12:
            month, day = day, month
        front = f"{year[0] + (2000 if year[0] < 100 else 0)}-" if year else ""
        return Moment("date", f"date:{front}{month:02d}-{day:02d}", at + 1) if 1 <= month <= 12 and day <= 31 else None
    if len(word) == 10 and word[4:5] == "-":
        return Moment("date", f"date:{word}", at + 1)
    return None


def _date(reader: Reader, parts: Sequence[str], at: int) -> Moment | None:
    if reader.months.keys().isdisjoint(parts):
        return None
    month = reader.months.get(_word(parts, at))
    if month is not None:
        return _month_first(reader, parts, at, month)
    day = _day(reader, parts, at)
    if day is None:
        return None
    after = day[1] + (1 if _word(parts, day[1]) == "of" else 0)
    month = reader.months.get(_word(parts, after))
    if month is None:
        return None
    return _with_year(parts, after + 1, month, day[0])


def _month_first(reader: Reader, parts: Sequence[str], at: int, month: int) -> Moment | None:
    after = at + 1 + (1 if _word(parts, at + 1) == "the" else 0)
    day = _day(reader, parts, after)
    if day is not None:
        return _with_year(parts, day[1], month, day[0])
    word = _word(parts, at)
    if word in _MODAL_MONTHS and _word(parts, at - 1) not in _BEFORE_MONTH:
        return None
    return Moment("date", f"month:{reader.month_names[month]}", at + 1)


def _day(reader: Reader, parts: Sequence[str], at: int) -> tuple[int, int] | None:
    found = ordinal_at(reader, parts, at)
    if found is None:
        number = number_at(reader, parts, at)
        if number is None or not number.value.isdecimal() or len(number.value) > 2:
            return None
        found = int(number.value), number.end
    return found if 1 <= found[0] <= 31 else None


def _with_year(parts: Sequence[str], at: int, month: int, day: int) -> Moment:
    after = at + (1 if _word(parts, at) == "," else 0)
    year = _word(parts, after)
    if year.isdecimal() and len(year) == 4:
        return Moment("date", f"date:{year}-{month:02d}-{day:02d}", after + 1)
    return Moment("date", f"date:{month:02d}-{day:02d}", at)


def _time(reader: Reader, parts: Sequence[str], at: int) -> Moment | None:
    """Read `3 pm`, `15:00`, `three in the afternoon`, `half past three`, `three thirty pm`, `three o'clock`."""
    word = _word(parts, at)
    if word in ("half", "quarter") or (word == "a" and _word(parts, at + 1) == "quarter"):
        return _past(reader, parts, at + (2 if word == "a" else 1), 30 if word == "half" else 15)
    clock = word.split(":")
    if len(clock) == 2 and all(part.isdecimal() for part in clock):
        return _in_half(parts, at + 1, int(clock[0]), int(clock[1]), is_certain=True)
    number = number_at(reader, parts, at)
    if number is None or not number.value.isdecimal() or len(number.value) > 4:
        return None
    hour, minute, end = int(number.value), 0, number.end
    if number.is_spelled and hour > 12:
        return None
    more = number_at(reader, parts, end) if number.is_spelled else None
    if more is not None and more.is_spelled and more.value in ("10", "15", "20", "30", "40", "45", "50"):
        return _in_half(parts, more.end, hour, int(more.value), is_certain=False)
    return _in_half(parts, end, hour, minute, is_certain=False)


def _past(reader: Reader, parts: Sequence[str], at: int, minutes: int) -> Moment | None:
    direction = _word(parts, at)
    number = number_at(reader, parts, at + 1)
    if direction not in ("past", "after", "to", "till", "of") or number is None or number.value not in _HOURS:
        return None
    hour = int(number.value)
    if direction in ("to", "till", "of"):
        hour, minutes = (hour - 1 or 12), 60 - minutes
    return _in_half(parts, number.end, hour, minutes, is_certain=True)


_HOURS = frozenset(str(hour) for hour in range(1, 13))


def _in_half(parts: Sequence[str], at: int, hour: int, minute: int, *, is_certain: bool) -> Moment | None:
    """Place a clock reading in its half of the day; without a half it is a time only if nothing else it can be."""
    if hour > 24 or minute > 59:
        return None
    word, end = _word(parts, at), at
    if word in ("o'clock", "oclock"):
        is_certain, end = True, at + 1
        word = _word(parts, end)
    half = _HALVES.get(word)
    if half is None and word in ("a", "p") and _word(parts, end + 1) == "m":
        half, end = _HALVES[word + "m"], end + 1
    if half is not None:
        end += 1
    elif word in ("in", "at") or word in _PARTS_OF_DAY:
        after = end + (word == "in" or word == "at") + (_word(parts, end + 1) == "the")
        half = _PARTS_OF_DAY.get(_word(parts, after))
        end = after + 1 if half is not None else end
    if half is not None and 1 <= hour <= 12:
        if half == 12 and _word(parts, end - 1) == "night" and (hour == 12 or hour < 6):
            half = -12  # after midnight
        return Moment("time", f"time:{hour % 12 + max(half, 0):02d}:{minute:02d}", end)
    if not is_certain:
        return None
    if 1 <= hour <= 12:
        return Moment("time", f"clock:{hour}:{minute:02d}", end)
    return Moment("time", f"time:{hour % 24:02d}:{minute:02d}", end)

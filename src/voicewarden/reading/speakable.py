"""Speakable values: an argument such as `2026-12-01T15:00` in, the words that read it back out. No clock is needed."""

import re
from datetime import date

_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_TIME = re.compile(r"(\d{2}):(\d{2})(?::\d{2})?", re.ASCII)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = tuple("January February March April May June July August September October November December".split())
_ORDINALS = tuple(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth "
    "twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first".split()
)


def say_value(value: str) -> str:
    """Return how `value` is spoken: dates and times in words, everything else as it is."""
    moment = _MOMENT.fullmatch(value)
    if moment is not None:
        day = _day(int(moment[1]), int(moment[2]), int(moment[3]))
        time = _time(int(moment[4]), int(moment[5])) if moment[4] else ""
        if day and (time or not moment[4]):
            return f"{day} at {time}" if time else day
        return value
    clock = _TIME.fullmatch(value)
    return (_time(int(clock[1]), int(clock[2])) if clock else "") or value


def _day(year: int, month: int, day: int) -> str:
    try:
        weekday = date(year, month, day).weekday()
    except ValueError:
        return ""
    return f"{_WEEKDAYS[weekday]} the {_ORDINALS[day - 1]} of {_MONTHS[month - 1]}"


def _time(hour: int, minute: int) -> str:
    if hour > 23 or minute > 59:
        return ""
    half = "am" if hour < 12 else "pm"
    shown = hour % 12 or 12
    return f"{shown}:{minute:02d} {half}" if minute else f"{shown} {half}"

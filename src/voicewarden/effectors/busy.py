"""Which times a calendar takes up.

In: a calendar and a span of time. Out: the taken spans within it, recurrences expanded. Called by the booking effector.
Cancelled and transparent events take no time; a time without a zone is local.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]  # a dependency of icalendar, without types
from icalendar import Calendar, Component

Span = tuple[datetime, datetime]


def taken(calendar: Calendar, zone: ZoneInfo, since: datetime, until: datetime) -> tuple[Span, ...]:
    """The spans of all events that overlap the time from `since` to `until`, in order."""
    spans = (span for event in calendar.walk("VEVENT") for span in _spans(event, zone, since, until))
    return tuple(sorted(span for span in spans if span[0] < until and since < span[1]))


def _spans(event: Component, zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[Span]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return
    first = event.decoded("DTSTART")
    start = _moment(first, zone)
    length = _length(event, first, start, zone)
    rule = event.get("RRULE")
    if rule is None:
        yield start, start + length
        return
    left_out = {_moment(item.dt, zone) for item in _left_out(event)}
    series = rrulestr(rule.to_ical().decode(), dtstart=start)
    for begin in series.between(since - length, until, inc=True):
        if begin not in left_out:
            yield begin, begin + length


# Any: icalendar gives one group or a list of them, with dates inside, all without types.
def _left_out(event: Component) -> Iterator[Any]:
    found = event.get("EXDATE", [])
    for group in found if isinstance(found, list) else [found]:
        yield from group.dts


def _length(event: Component, first: date, start: datetime, zone: ZoneInfo) -> timedelta:
    if "DTEND" in event:
        return _moment(event.decoded("DTEND"), zone) - start
    if "DURATION" in event:
        length: timedelta = event.decoded("DURATION")
        return length
    return timedelta() if isinstance(first, datetime) else timedelta(days=1)


def _moment(value: date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time_of_day())
    return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)

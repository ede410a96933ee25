"""Books appointments in an iCalendar directory: the effector of `book`.

In: a grant over a service and a start. Out: *done* with the booking, or *refused* because the time is taken, outside
the opening hours or impossible. The booking's UID is the grant's id, so a grant books once however often it is tried.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Calendar, Component, Event

from voicewarden.effectors.act import act
from voicewarden.effectors.busy import taken
from voicewarden.effectors.calendar_store import CalendarStore, NotStored
from voicewarden.effectors.local_time import moment_of, text_of
from voicewarden.model.action import Arguments, Value
from voicewarden.model.decision import Grant
from voicewarden.model.error import ConfigError
from voicewarden.model.ports import Receipt, Spending

Clock = Callable[[], datetime]


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """When appointments can be had. Days count from Monday, 0."""

    zone: ZoneInfo
    minutes: Mapping[str, int]
    """How long each service takes."""
    opens: time = time(9)
    closes: time = time(18)
    days: frozenset[int] = frozenset(range(5))
    step_minutes: int = 30
    """Free times are offered at this distance from the opening."""


class Booking:
    """Books one appointment a grant; implements `model.ports.Effector`."""

    def __init__(self, store: CalendarStore, hours: Hours, *, earliest: Clock | None = None) -> None:
        """`earliest` gives the first moment that may be booked; without it the past may be, too (rehearsals)."""
        self._store = store
        self._hours = hours
        self._earliest = earliest

    async def spend(self, spending: Spending) -> Receipt:
        """Book what was granted."""
        grant = spending.grant

        async def book(args: Arguments) -> Receipt:
            # In a thread: it waits for a lock and for the disk. Its file is replaced whole, whatever happens meanwhile.
            return await asyncio.to_thread(self._book, grant, args)

        return await act(spending, book)

    def free(self, service: str, day: date) -> tuple[datetime, ...]:
        """Starts that are free for a service on a day; blocks on the disk."""
        return self._free(self._store.read(), self._length(service), day)

    def _book(self, grant: Grant, args: Arguments) -> Receipt:
        service, start = str(args.get("service", "")), moment_of(args.get("start"), self._hours.zone)
        if service not in self._hours.minutes or start is None:
            return Receipt("refused", {"invalid": "service" if service not in self._hours.minutes else "start"})
        end = start + self._length(service)
        booked: dict[str, Value] = {"service": service, "start": text_of(start), "end": text_of(end)}
        if self._earliest is not None and start < self._earliest():
            return Receipt("refused", {"past": True, **booked})
        if not self._is_open(start, end):
            return Receipt("refused", {"closed": True, **booked})
        free: list[str] = []

        def decide(calendar: Calendar) -> Component | None:
            if not taken(calendar, self._hours.zone, start, end):
                return _event(grant, service, start, end)
            free.extend(text_of(slot) for slot in self._free(calendar, end - start, start.date())[:_OFFERED])
            return None

        try:
            added = self._store.add(grant.id, decide)
        except (NotStored, ConfigError) as error:
            return Receipt("failed", {"why": str(error)})
        if added == "declined":
            return Receipt("refused", {"conflict": True, "free": ",".join(free), **booked})
        return Receipt("done", {"uid": grant.id, **booked})

    def _length(self, service: str) -> timedelta:
        if service not in self._hours.minutes:
            known = ", ".join(sorted(self._hours.minutes))
            raise ConfigError("this service can't be booked", field="service", accepted=known)
        return timedelta(minutes=self._hours.minutes[service])

    def _is_open(self, start: datetime, end: datetime) -> bool:
        hours = self._hours
        same_day = start.date() == end.date() and start.weekday() in hours.days
        return same_day and hours.opens <= start.time() and end.time() <= hours.closes

    def _free(self, calendar: Calendar, length: timedelta, day: date) -> tuple[datetime, ...]:
        slot = datetime.combine(day, self._hours.opens, self._hours.zone)
        closes = datetime.combine(day, self._hours.closes, self._hours.zone)
        busy = taken(calendar, self._hours.zone, slot, closes)
        earliest = None if self._earliest is None else self._earliest()
        found = []
        while slot + length <= closes:
            is_free = not any(begin < slot + length and slot < end for begin, end in busy)
            if is_free and self._is_open(slot, slot + length) and (earliest is None or slot >= earliest):
                found.append(slot)
            slot += timedelta(minutes=self._hours.step_minutes)
        return tuple(found)


_OFFERED: Final = 3


def _event(grant: Grant, service: str, start: datetime, end: datetime) -> Event:
    event = Event()
    event.add("summary", service)
    # UTC: a time with a zone's name would need that zone's rules in the file.
    event.add("dtstart", start.astimezone(UTC))
    event.add("dtend", end.astimezone(UTC))
    event.add("dtstamp", datetime.now(UTC))
    event.add("x-voicewarden-call", grant.call)
    return event

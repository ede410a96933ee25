"""Promises that a person calls back: the effector of `schedule_callback`.

In: a grant over `when`. Out: *done* once the task stands in the calendar directory, where people see it as a VTODO.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Todo

from voicewarden.effectors.act import act
from voicewarden.effectors.calendar_store import CalendarStore, NotStored
from voicewarden.effectors.local_time import moment_of
from voicewarden.model.action import Arguments
from voicewarden.model.decision import Grant
from voicewarden.model.error import ConfigError
from voicewarden.model.ports import Receipt, Spending


class Callback:
    """Notes one call-back a grant; implements `model.ports.Effector`."""

    def __init__(self, store: CalendarStore, slots: Mapping[str, str], zone: ZoneInfo) -> None:
        """`slots` maps what may be promised to how it is said; a slot that is a local time is the task's due time."""
        self._store = store
        self._slots = slots
        self._zone = zone

    async def spend(self, spending: Spending) -> Receipt:
        """Note what was granted."""
        grant = spending.grant

        async def note(args: Arguments) -> Receipt:
            return await asyncio.to_thread(self._note, grant, args)

        return await act(spending, note)

    def _note(self, grant: Grant, args: Arguments) -> Receipt:
        when = str(args.get("when", ""))
        if when not in self._slots:
            return Receipt("refused", {"invalid": "when"})

        def task(_: Calendar) -> Component:
            todo = Todo()
            todo.add("summary", f"Call back: {self._slots[when]}")
            todo.add("status", "NEEDS-ACTION")
            todo.add("dtstamp", datetime.now(UTC))
            todo.add("x-voicewarden-call", grant.call)
            due = moment_of(when, self._zone)
            if due is not None:
                todo.add("due", due.astimezone(UTC))
            return todo

        try:
            self._store.add(grant.id, task)
        except (NotStored, ConfigError) as error:
            return Receipt("failed", {"why": str(error)})
        return Receipt("done", {"uid": grant.id, "when": when})

"""A calendar directory: one iCalendar file (RFC 5545) that is replaced as a whole or not at all.

In: components with a UID of their own. Out: whether they were added. Called by the booking and call-back effectors, off
the event loop; several threads and processes may share a directory.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from icalendar import Calendar, Component

from voicewarden.model.error import ConfigError

_LOCK_WITHIN_S: Final = 10.0
_FILE: Final = "calendar.ics"

Added = Literal["added", "present", "declined"]


class NotStored(Exception):
    """The file could not be replaced; it is as it was before."""


class CalendarStore:
    """The calendar in one directory, which is made when it is missing."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self.path = self._directory / _FILE

    def read(self) -> Calendar:
        """The whole calendar as it stands. Raises ConfigError when the file is no calendar."""
        if not self.path.exists():
            return _empty()
        try:
            calendar = Calendar.from_ical(self.path.read_bytes())
        except (ValueError, OSError) as error:
            raise ConfigError(
                f"this calendar can't be read ({type(error).__name__})",
                file=str(self.path),
                accepted="an iCalendar file; restore it from a backup or move it away",
            ) from error
        if not isinstance(calendar, Calendar):
            raise ConfigError("this is no calendar", file=str(self.path), accepted="a VCALENDAR")
        return calendar

    def add(self, uid: str, decide: Callable[[Calendar], Component | None]) -> Added:
        """Add what `decide` makes of the calendar, unless `uid` is in it already or `decide` declines with None.

        Nobody else changes the file meanwhile. When this returns "added", the component is durable.
        Raises NotStored or ConfigError when nothing was changed, OSError when that is not certain.
        """
        with self._locked():
            calendar = self.read()
            if any(str(component.get("UID")) == uid for component in calendar.subcomponents):
                return "present"
            component = decide(calendar)
            if component is None:
                return "declined"
            component.add("uid", uid)
            calendar.add_component(component)
            self._replace(calendar.to_ical())
            return "added"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._directory / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotStored(error.strerror) from error
        try:
            give_up = time.monotonic() + _LOCK_WITHIN_S
            while not _lock(handle):
                if time.monotonic() >= give_up:
                    raise NotStored("another process holds the calendar")
                time.sleep(0.005)
            yield
        finally:
            os.close(handle)

    def _replace(self, data: bytes) -> None:
        temporary = self._directory / f".{_FILE}.{os.getpid()}"
        try:
            with open(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise NotStored(error.strerror) from error
        handle = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _empty() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//voicewarden//calendar//EN")
    calendar.add("version", "2.0")
    return calendar

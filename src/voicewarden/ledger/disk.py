"""How full the ledger's disk is, and what follows from it before it is full.

In: what the file system says, looked at every few seconds off the path of any call. Out: the ledger's restraint, a line
in the log where it changes, and word to whoever must end calls. Run by the server.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from voicewarden.ledger.pressure import FREE, Restraint
from voicewarden.ledger.store import Ledger

_LOG: Final = logging.getLogger(__name__)
_ROOM: Final = "calls are taken again"
_NO_CALLS: Final = "no new calls are taken; make room"
_NO_EFFECTS: Final = "nothing acts any more and running calls are ended; make room"


class Marks(NamedTuple):
    """Watermarks in percent of the file system, each with what happens from there on."""

    warn_percent: int = 80
    """People are told while there is time to make room."""
    no_calls_percent: int = 90
    """No new calls; running ones go on and act."""
    no_effects_percent: int = 95
    """No grant is spent any more; running calls say goodbye."""


class FileSystem(Protocol):
    """What `os.statvfs` returns, as far as it is looked at."""

    @property
    def f_blocks(self) -> int:
        """All blocks."""
        ...

    @property
    def f_bfree(self) -> int:
        """Free blocks."""
        ...

    @property
    def f_bavail(self) -> int:
        """Free blocks for those who are not root."""
        ...


class DiskWatch:
    """Watches the disk of one open ledger."""

    def __init__(
        self, ledger: Ledger, marks: Marks | None = None, *, look_at: Callable[[Path], FileSystem] = os.statvfs
    ) -> None:
        self._ledger = ledger
        self._marks = marks or Marks()
        self._look_at = look_at
        self._told = _ROOM
        self._warned = False

    def look(self) -> Restraint:
        """Look once, restrain the ledger accordingly, and say what is restrained now. Blocks on the disk."""
        used = used_percent(self._look_at(self._ledger.path.parent))
        self._warn(used)
        if used < self._marks.warn_percent:
            self._ledger.take_ballast()
        self._ledger.restrain(self._restraint(used))
        now = self._ledger.restraint_of_disk
        told = _NO_EFFECTS if now.effects else _NO_CALLS if now.calls else _ROOM
        if told != self._told:
            _LOG.log(logging.ERROR if now.calls else logging.WARNING, "the ledger's disk is %d %% full: %s", used, told)
            self._told = told
        return now

    async def run(self, every_s: float, *, no_effects: Callable[[str], None]) -> None:
        """Look for ever; `no_effects` is called when effects stop, with why, and not again until they were free."""
        stopped = False
        while True:
            try:
                found = await asyncio.to_thread(self.look)
            except OSError as error:
                _LOG.warning("the ledger's disk can't be looked at (%s); check it", error.strerror)
            else:
                if found.effects and not stopped:
                    no_effects(found.effects)
                stopped = bool(found.effects)
            await asyncio.sleep(every_s)

    def _restraint(self, used: int) -> Restraint:
        if used < self._marks.no_calls_percent:
            return FREE
        calls = f"the ledger's disk is {used} % full; make room"
        if used < self._marks.no_effects_percent:
            return Restraint(calls)
        return Restraint(calls, f"the grant is void: {calls}")

    def _warn(self, used: int) -> None:
        if used >= self._marks.warn_percent and not self._warned:
            _LOG.warning("the ledger's disk is %d %% full; make room before no more calls are taken", used)
        self._warned = used >= self._marks.warn_percent


def used_percent(found: FileSystem) -> int:
    """How full a file system is for those who are not root, as `df` says it."""
    used = found.f_blocks - found.f_bfree
    return -(-100 * used // max(1, used + found.f_bavail))

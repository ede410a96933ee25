"""The writer thread: takes queued work in order and commits it in groups.

In: batches of records and orders from `Backlog`. Out: what the store keeps, then the callbacks of whoever waits for it,
called from this thread. Started and stopped by `Ledger`.

1. A batch that somebody waits for is committed durably, any other is not: a durable commit makes everything before it
   durable, so what is durable is always a prefix of what was submitted.
2. What was not is made durable by a durable commit before it is 250 ms old.
3. Upkeep of the store comes after the answers, and waits while the queue is half full.
4. A disk without room is asked once more when ballast was thrown off: for records, and for no grant.
5. Any other failed write or sync is final. The kernel reports a lost page once only, so a retry would claim what is not
   true.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from voicewarden.ledger.backlog import Backlog, Batch, Entry
from voicewarden.ledger.port import Store
from voicewarden.ledger.pressure import NO_ROOM, UPKEEP_PERMILLE
from voicewarden.ledger.spent import Burn
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError, LedgerFull

_LOG: Final = logging.getLogger(__name__)
_DURABLE_WITHIN_S: Final = 0.2
"""Leaves 50 ms of the promised 250 ms to the disk."""


class Writer(threading.Thread):
    """The one user of a store; ends when the backlog is closed and empty, or at the first failure."""

    def __init__(self, path: Path, store: Store, backlog: Backlog, make_room: Callable[[], bool]) -> None:
        super().__init__(name="voicewarden-ledger", daemon=True)
        self._path = path
        self._store = store
        self._backlog = backlog
        self._make_room = make_room
        self._unsynced_since: float | None = None

    def run(self) -> None:
        """Write until there is nothing more to write."""
        try:
            while (batch := self._backlog.take(self._sync_due_at())) is not None:
                self._carry_out(batch)
        finally:
            self._end()

    def _sync_due_at(self) -> float | None:
        return None if self._unsynced_since is None else self._unsynced_since + _DURABLE_WITHIN_S

    def _carry_out(self, batch: Batch) -> None:
        due = self._sync_due_at()
        durable = batch.awaited or (due is not None and time.monotonic() >= due)
        try:
            results = self._commit(batch.entries, durable=durable)
        # Broad: whatever goes wrong here, a bug included, nothing may be claimed durable any more.
        except Exception as error:
            self._fail(error, batch)
            return
        self._unsynced_since = None if durable else self._unsynced_since or batch.oldest
        self._backlog.settle(batch)
        for entry, result in zip(batch.entries, results, strict=True):
            _answer(entry, result, None)
        if self._backlog.pressure_permille < UPKEEP_PERMILLE:  # 3
            self._tidy()

    def _commit(self, entries: list[Entry], *, durable: bool) -> list[bool | GrantRefused]:
        try:
            return self._store.commit(entries, durable=durable)
        except LedgerFull:
            if not self._make_room():
                raise
        spending = [isinstance(entry.order, Burn) for entry in entries]  # 4
        kept = [entry._replace(order=None) if burns else entry for entry, burns in zip(entries, spending, strict=True)]
        results = self._store.commit(kept, durable=durable)
        refused = GrantRefused(NO_ROOM.effects)
        return [refused if burns else result for result, burns in zip(results, spending, strict=True)]

    def _tidy(self) -> None:
        try:
            self._store.tidy()
        # Broad: as for a commit (5).
        except Exception as error:
            self._fail(error, None)

    def _end(self) -> None:
        try:
            self._store.close(failed=self._backlog.failure is not None)
        except LedgerError as error:
            self._fail(error, None)

    def _fail(self, error: Exception, batch: Batch | None) -> None:
        failure = error if isinstance(error, LedgerError) else _failure(self._path, error)
        for entry in self._backlog.fail(failure, batch):
            _answer(entry, False, failure)


def _answer(entry: Entry, result: bool | GrantRefused, failure: LedgerError | None) -> None:
    """Tell whoever waits; their mistake must not stop the writer."""
    waiting: Callable[[bool, Exception | None], None] | None = entry.on_done
    if waiting is None:
        return
    try:
        if isinstance(result, GrantRefused):
            waiting(False, result)
        else:
            waiting(result, failure)
    except Exception as error:
        _LOG.error("a callback of the ledger raised %s; callbacks must only hand the news on", type(error).__name__)


def _failure(path: Path, error: Exception) -> LedgerBroken:
    return LedgerBroken(
        f"{path}: the writer failed ({type(error).__name__}); nothing more is written: run `voicewarden ledger "
        "verify`, start again, and report it"
    )

"""The writer thread: takes queued work in order and commits it in groups.

In: batches of records and orders from `Backlog`. Out: rows on the disk, then the callbacks of whoever waits for them,
called from this thread. Started and stopped by `Ledger`.

1. A batch that somebody waits for is committed with synchronous=FULL, any other with NORMAL: a FULL commit makes the
   whole log before it durable, so what is durable is always a prefix of what was submitted.
2. What was committed with NORMAL is made durable by a FULL commit before it is 250 ms old.
3. A failed write or sync is final. The kernel reports a lost page once only, so a retry would claim what is not true.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from voicewarden.ledger.backlog import Backlog, Batch, Entry
from voicewarden.ledger.spent import carry_out
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import Record

_LOG: Final = logging.getLogger(__name__)
_DURABLE_WITHIN_S: Final = 0.2
"""Leaves 50 ms of the promised 250 ms to the disk."""

_REMEMBERED_STREAMS: Final = 4_096
_INSERT: Final = "INSERT INTO records(stream, seq, at_ms, kind, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ADVANCE: Final = "UPDATE streams SET next_seq = ?, hash = ? WHERE id = ?"
_OPEN_STREAM: Final = "INSERT INTO streams(name, next_seq, hash) VALUES (?, 0, '')"


class Writer(threading.Thread):
    """Owns the one writing connection; ends when the backlog is closed and empty, or at the first failure."""

    def __init__(self, path: Path, connection: apsw.Connection, backlog: Backlog) -> None:
        super().__init__(name="voicewarden-ledger", daemon=True)
        self._path = path
        self._connection = connection
        self._backlog = backlog
        self._full = True
        self._unsynced_since: float | None = None
        self._stream_ids: dict[str, int] = {}

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
        full = batch.awaited or (due is not None and time.monotonic() >= due)
        try:
            results = self._commit(batch.entries, full=full)
        # Broad: whatever goes wrong here, a bug included, nothing may be claimed durable any more.
        except Exception as error:
            self._fail(error, batch)
            return
        self._unsynced_since = None if full else self._unsynced_since or batch.oldest
        self._backlog.settle(batch)
        for entry, result in zip(batch.entries, results, strict=True):
            _answer(entry, result, None)

    def _commit(self, entries: list[Entry], *, full: bool) -> list[bool | GrantRefused]:
        if full is not self._full:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            self._full = full
        before = self._connection.total_changes()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._write([record for entry in entries for record in entry.records])
            results = [carry_out(self._connection, entry.order) for entry in entries]
            if full and not self._connection.total_changes() > before:
                # An empty commit syncs nothing; this row carries the sync of what went before.
                self._connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'syncs'")
            self._connection.execute("COMMIT")
        except BaseException:
            # The failure itself must be told, not that of undoing it.
            with contextlib.suppress(apsw.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        return results

    def _write(self, records: list[Record]) -> None:
        last: dict[int, Record] = {}
        rows = []
        for record in records:
            stream = self._stream_id(record.stream)
            last[stream] = record
            rows.append((stream, record.seq, record.at_ms, record.kind, record.body, record.prev_hash, record.hash))
        self._connection.executemany(_INSERT, rows)
        heads = [(record.seq + 1, record.hash, stream) for stream, record in last.items()]
        self._connection.executemany(_ADVANCE, heads)

    def _stream_id(self, name: str) -> int:
        found = self._stream_ids.get(name)
        if found is None:
            found = self._connection.execute("SELECT id FROM streams WHERE name = ?", (name,)).get
            if found is None:
                self._connection.execute(_OPEN_STREAM, (name,))
                found = self._connection.last_insert_rowid()
            if len(self._stream_ids) >= _REMEMBERED_STREAMS:
                self._stream_ids.clear()
            self._stream_ids[name] = found
        return found

    def _end(self) -> None:
        if self._backlog.failure is not None:
            # After a failed sync the log must stay as it is for whoever opens the ledger next and verifies it.
            self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        try:
            self._connection.close()
        except apsw.Error as error:
            self._fail(error, None)

    def _fail(self, error: Exception, batch: Batch | None) -> None:
        failure = _failure(self._path, error)
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


def _failure(path: Path, error: Exception) -> LedgerError:
    if isinstance(error, apsw.FullError):
        return LedgerFull(
            f"{path}: the disk is full and nothing more was written; make room, then start again "
            "(everything acknowledged before is safe)"
        )
    return LedgerBroken(
        f"{path}: a write failed ({type(error).__name__}) and is not retried, because a retry could hide a loss; "
        "check the disk, run `voicewarden ledger verify`, then start again"
    )

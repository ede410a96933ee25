"""Keeping records in SQLite: one transaction a commit, and the folding of the write-ahead log into the file.

In: groups of records and orders. Out: rows on the disk. Implements `port.Store` for the writer thread.

1. A durable commit is made with synchronous=FULL, any other with NORMAL: a FULL commit syncs the whole log, so what is
   durable is always a prefix of what was committed.
2. The log is folded into the file here and not by SQLite itself, which does it within a commit, where a grant waits for
   it, and keeps to itself when a sync fails there.
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from voicewarden.ledger.schema import open_writer
from voicewarden.ledger.sqlite_spent import carry_out
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerFull

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicewarden.ledger.port import Work
    from voicewarden.model.record import Record

FOLD_PAGES: Final = 1_000
"""Pages in the log (4 MB) from which on it is folded: SQLite's own figure."""
_REMEMBERED_STREAMS: Final = 4_096
_INSERT: Final = "INSERT INTO records(stream, seq, at_ms, kind, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ADVANCE: Final = "UPDATE streams SET next_seq = ?, hash = ? WHERE id = ?"
_OPEN_STREAM: Final = "INSERT INTO streams(name, next_seq, hash) VALUES (?, 0, '')"


class SqliteStore:
    """Owns the one writing connection of a ledger's file."""

    def __init__(self, path: Path, *, create: bool = True, vfs: str = "", fold_pages: int = FOLD_PAGES) -> None:
        """Open the file, making it when `create` allows that; raises LedgerError. `vfs` names an SQLite VFS."""
        self._path = path
        self._connection = open_writer(path, create=create, vfs=vfs)
        self._is_full = True
        self._stream_ids: dict[str, int] = {}
        self._fold_pages = fold_pages
        self._log_pages = 0
        self._folded_pages = 0
        self._connection.set_wal_hook(self._log_grew)

    def commit(self, work: "Sequence[Work]", *, durable: bool) -> list[bool | GrantRefused]:
        """Keep all of it or nothing; see `port.Store`."""
        try:
            return self._commit(work, durable=durable)
        except apsw.FullError as error:
            raise LedgerFull(
                f"{self._path}: the disk is full and nothing more was written; make room, then start again "
                "(everything acknowledged before is safe)"
            ) from error
        except apsw.Error as error:
            raise _broken(self._path, error) from error

    def tidy(self) -> None:
        """Fold a log that has grown into the file, as far as no reader holds it; then not before it has grown again."""
        if self._log_pages < self._folded_pages + self._fold_pages:
            return
        self._folded_pages = self._log_pages
        self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)

    def fold(self) -> None:
        """Write what a log holds that was left behind into the file, every page anew, and begin an empty one."""
        if not self._checkpoint(apsw.SQLITE_CHECKPOINT_TRUNCATE):
            self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)

    def _checkpoint(self, mode: int) -> bool:
        try:
            self._connection.wal_checkpoint(mode=mode)
        except (apsw.BusyError, apsw.FullError):
            return False  # the log keeps it all: a reader holds its end, or the file can't grow; the next turn goes on
        except apsw.Error as error:
            raise _broken(self._path, error) from error
        return True

    def close(self, *, failed: bool) -> None:
        """Let go of the file. After a failed sync the log stays as it is for whoever opens the ledger next."""
        try:
            if not failed:
                # Closing folds the log as well, and would not say that a sync has failed there.
                failed = True
                self._checkpoint(apsw.SQLITE_CHECKPOINT_PASSIVE)
                failed = False
        finally:
            self._close(keep_log=failed)

    def _close(self, *, keep_log: bool) -> None:
        try:
            if keep_log:
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            self._connection.close()
        except apsw.Error as error:
            raise _broken(self._path, error) from error

    def _log_grew(self, _: apsw.Connection, __: str, pages: int) -> int:
        if pages < self._log_pages:
            self._folded_pages = 0  # nobody held it, so it began anew
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _commit(self, work: "Sequence[Work]", *, durable: bool) -> list[bool | GrantRefused]:
        connection = self._connection
        if durable is not self._is_full:
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._is_full = durable
        before = connection.total_changes()
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._write([record for item in work for record in item.records])
            results = [carry_out(connection, item.order) for item in work]
            if durable and not connection.total_changes() > before:
                # An empty commit syncs nothing; this row carries the sync of what went before.
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'syncs'")
            connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        return results

    def _undo(self) -> None:
        # Streams that this transaction opened are gone with it.
        self._stream_ids.clear()
        # The failure itself must be told, not that of undoing it.
        with contextlib.suppress(apsw.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _write(self, records: "list[Record]") -> None:
        last: dict[int, Record] = {}
        rows = []
        for record in records:
            stream = self._stream_id(record.stream)
            last[stream] = record
            body = record.stored or record.body
            rows.append((stream, record.seq, record.at_ms, record.kind, body, record.prev_hash, record.hash))
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


def _broken(path: Path, error: apsw.Error) -> LedgerBroken:
    return LedgerBroken(
        f"{path}: a write failed ({type(error).__name__}) and is not retried, because a retry could hide a loss; "
        "check the disk, run `voicewarden ledger verify`, then start again"
    )

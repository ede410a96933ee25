"""Reading a ledger: streams, records, spent grants and blobs, while a writer may run in this or another process.

In: a path. Out: records as they were stored. Called by replay, reports, verify, contacts and the console. Only what was
committed is seen here.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import apsw

from voicewarden.ledger.blobs import blob_folder, get_blob
from voicewarden.ledger.schema import open_reader
from voicewarden.ledger.spent import counted
from voicewarden.model.error import LedgerBroken, LedgerError
from voicewarden.model.record import GENESIS, Record

_PAGE_RECORDS: Final = 500
_MOST: Final = 1_000_000
_LAST_CHARACTER: Final = "\U0010ffff"


class LedgerView:
    """A read-only view; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reading = threading.Lock()
        self._reader = open_reader(path)

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the streams that begin with `prefix`, in the order of their first record."""
        rows = self._rows(
            "SELECT name FROM streams WHERE name >= ?1 AND name < ?1 || ?2 ORDER BY id", prefix, _LAST_CHARACTER
        )
        return tuple(str(row[0]) for row in rows)

    def read_stream(self, stream: str) -> Iterator[Record]:
        """The records of a stream in order. Reads in pages, so that a slow reader never holds the log back."""
        found = self._rows("SELECT id FROM streams WHERE name = ?", stream)
        if not found:
            return
        after = -1
        while True:
            page = self._rows(
                "SELECT seq, at_ms, kind, body, prev_hash, hash FROM records WHERE stream = ? AND seq > ? "
                "ORDER BY seq LIMIT ?",
                found[0][0], after, _PAGE_RECORDS,
            )  # fmt: skip
            for row in page:
                yield Record(stream, *row)
            if len(page) < _PAGE_RECORDS:
                return
            after = page[-1][0]

    def head(self, stream: str) -> tuple[int, str]:
        """The next sequence number of a stream and the hash that its next record builds on."""
        rows = self._rows("SELECT next_seq, hash FROM streams WHERE name = ?", stream)
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, GENESIS)

    def spent(self, grant_id: str) -> bool:
        """Whether a grant was burnt."""
        return bool(self._rows("SELECT 1 FROM burns WHERE grant_id = ?", grant_id))

    def counted(self, keys: Sequence[str], since_unix_ms: int, *, most: int = _MOST, other_than: str = "") -> int:
        """Places taken since then under these keys in limits over a window, those of the call `other_than` left out;
        more than `most` are not looked for.
        """
        with self._reading, self._told():
            try:
                return counted(self._reader, keys, since_unix_ms, most=most, other_than=other_than)
            except apsw.SQLError:
                return 0  # a ledger of version 1, which nobody has opened for writing since: it has no such table

    @property
    def epoch(self) -> int:
        """The control epoch: no grant of an earlier one is spent. 0 until somebody raises it."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'epoch'")
        return int(rows[0][0]) if rows else 0

    def get_blob(self, sha: str) -> bytes:
        """The bytes stored under a SHA-256; blocks on the disk."""
        return get_blob(blob_folder(self.path), sha)

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """A connection that sees one state of the ledger for as long as it is held (verification)."""
        connection = open_reader(self.path)
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        with self._reading:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Any: a row is what the STRICT tables of schema.py declare; SQLite checked the types when it was written.
    def _rows(self, statement: str, *bindings: str | int) -> list[tuple]:  # type: ignore[type-arg]
        with self._reading, self._told():
            return list(self._reader.execute(statement, bindings))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite raises, as an error that says what to do."""
        try:
            yield
        except apsw.ConnectionClosedError as error:
            raise LedgerError(f"{self.path}: this ledger was closed; open it again") from error
        except apsw.Error as error:
            raise LedgerBroken(
                f"{self.path}: the ledger can't be read ({type(error).__name__}); run `voicewarden ledger verify`"
            ) from error

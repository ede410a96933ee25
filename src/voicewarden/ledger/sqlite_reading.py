"""Reading records from SQLite, while a writer may run in this or another process.

In: a path, and questions. Out: what was committed, or a `LedgerError` that says what to do. Implements `port.Reading`
and `port.Snapshot`; asked by `LedgerView`.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from voicewarden.ledger.port import Head, Place, Row
from voicewarden.ledger.schema import open_reader
from voicewarden.ledger.sqlite_spent import counted
from voicewarden.model.error import LedgerBroken, LedgerError
from voicewarden.model.record import GENESIS, Record

_LAST_CHARACTER: Final = "\U0010ffff"
_PAGE: Final = (
    "SELECT seq, at_ms, kind, body, prev_hash, records.hash FROM records JOIN streams ON streams.id = records.stream "
    "WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_ROW: Final = (
    "SELECT records.id, coalesce(name, ''), seq, at_ms, kind, body, prev_hash, records.hash FROM records "
    "LEFT JOIN streams ON streams.id = records.stream"
)


class SqliteReading:
    """A read-only connection that several threads share."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises LedgerError when it is none of ours."""
        self._path = path
        self._using = threading.Lock()
        self._connection = open_reader(path)

    def streams(self, prefix: str) -> tuple[str, ...]:
        """Names of the streams that begin with `prefix`, in the order of their first record."""
        rows = self._rows(
            "SELECT name FROM streams WHERE name >= ?1 AND name < ?1 || ?2 ORDER BY id", prefix, _LAST_CHARACTER
        )
        return tuple(str(row[0]) for row in rows)

    def page(self, stream: str, after_seq: int, at_most: int) -> list[Record]:
        """So many records of a stream behind `after_seq`, in order."""
        return [Record(stream, *row) for row in self._rows(_PAGE, stream, after_seq, at_most)]

    def head(self, stream: str) -> tuple[int, str]:
        """The next sequence number of a stream and the hash to build on."""
        rows = self._rows("SELECT next_seq, hash FROM streams WHERE name = ?", stream)
        return (int(rows[0][0]), str(rows[0][1])) if rows else (0, GENESIS)

    def spent(self, grant_id: str) -> bool:
        """Whether a grant was burnt."""
        return bool(self._rows("SELECT 1 FROM burns WHERE grant_id = ?", grant_id))

    def counted(self, keys: Sequence[str], since_unix_ms: int, *, most: int, other_than: str) -> int:
        """Places taken since then under these keys, those of the call `other_than` left out; at most `most`."""
        with self._using, self._told():
            try:
                return counted(self._connection, keys, since_unix_ms, most=most, other_than=other_than)
            except apsw.SQLError:
                return 0  # a ledger of version 1, which nobody has opened for writing since: it has no such table

    def epoch(self) -> int:
        """The control epoch; 0 until somebody raises it."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'epoch'")
        return int(rows[0][0]) if rows else 0

    @contextmanager
    def snapshot(self) -> Iterator["SqliteSnapshot"]:
        """One state of the ledger, on a connection of its own."""
        connection = open_reader(self._path)
        try:
            with self._told():
                connection.execute("BEGIN")
                yield SqliteSnapshot(connection)
        finally:
            connection.close()

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        with self._using:
            self._connection.close()

    # Any: a row is what the STRICT tables of schema.py declare; SQLite checked the types when it was written.
    def _rows(self, statement: str, *bindings: str | int) -> list[tuple]:  # type: ignore[type-arg]
        with self._using, self._told():
            return list(self._connection.execute(statement, bindings))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite raises, as an error that says what to do."""
        try:
            yield
        except apsw.ConnectionClosedError as error:
            raise LedgerError(f"{self._path}: this ledger was closed; open it again") from error
        except (apsw.Error, UnicodeDecodeError) as error:
            raise unreadable(self._path, error) from error


def unreadable(path: Path, error: apsw.Error | UnicodeDecodeError) -> LedgerBroken:
    """What SQLite raises for a file that was damaged, as an error that says what to do."""
    # What could not be decoded may be words of a caller.
    what = f": {error}" if isinstance(error, apsw.Error) else ""
    return LedgerBroken(
        f"{path}: the ledger can't be read ({type(error).__name__}{what}); run `voicewarden ledger verify`, check "
        "the disk, and restore from a backup"
    )


class SqliteSnapshot:
    """One state, for as long as its connection's transaction is open."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._has_places = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'counts'").get is not None

    def last(self) -> int:
        """Number of the last row, 0 for none."""
        return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM records").get)

    def rows(self, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """Rows with a number above `after`, up to `until`, in order."""
        end = self.last() if until is None else until
        for row in self._connection.execute(
            f"{_ROW} WHERE records.id > ? AND records.id <= ? ORDER BY records.id", (after, end)
        ):
            yield Row(*row)

    def row(self, stream: str, seq: int) -> Row | None:
        """One record of a stream."""
        for row in self._connection.execute(f"{_ROW} WHERE name = ? AND seq = ?", (stream, seq)):
            return Row(*row)
        return None

    def heads(self) -> Iterator[Head]:
        """Where every stream ends, in the order of their first records."""
        for row in self._connection.execute("SELECT name, next_seq, hash FROM streams ORDER BY id"):
            yield Head(*row)

    def burns(self) -> Iterator[tuple[str, str]]:
        """Every spent grant and the call that spent it."""
        for grant, call in self._connection.execute("SELECT grant_id, call FROM burns ORDER BY grant_id"):
            yield str(grant), str(call)

    def places(self) -> Iterator[Place]:
        """Every place that was taken in a limit; version 1 had none."""
        if not self._has_places:
            return
        for grant, call, key, unix_ms, back in self._connection.execute(
            "SELECT grant_id, call, key, unix_ms, given_back FROM counts ORDER BY grant_id, key"
        ):
            yield Place(grant, call, key, unix_ms, bool(back))

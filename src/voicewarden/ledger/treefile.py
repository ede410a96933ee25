"""The tree's own file beside the ledger, `ledger.db.tree`: tiles, checkpoints and the public keys that signed them.

In: leaf hashes and signed checkpoints, from the sequencer and whoever fetches co-signatures. Out: proofs in O(log n),
and the newest checkpoints. All of it but the signatures can be made again from the ledger. Of every minute the last
checkpoint is kept, and the last co-signed one: a proof needs no more, and a day stays below 3,000 of them.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import apsw

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import COSIGNATURE, VerifierKey
from voicewarden.ledger.schema import check_library, sync_directory
from voicewarden.ledger.tiles import Edge, Row, subtrees
from voicewarden.ledger.tree import HASH_BYTES, Subtree
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull

_APPLICATION_ID: Final = 0x56575431
_SCHEMA: Final = "1"
_BUSY_MS: Final = 5_000
_MINUTE_MS: Final = 60_000
_TABLES: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE tiles(level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY(level, number))
STRICT;
CREATE TABLE checkpoints(minute INTEGER NOT NULL, cosigned INTEGER NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
PRIMARY KEY(minute, cosigned)) STRICT, WITHOUT ROWID;
CREATE INDEX checkpoints_by_size ON checkpoints(size);
CREATE TABLE keys(key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""


class TreeFile:
    """The tree of one ledger; safe to use from several threads. One process writes: the one that writes the ledger."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self.path = path
        self._connection = connection
        self._using = threading.RLock()
        self.origin = str(self._one("SELECT value FROM meta WHERE key = 'origin'"))
        self._edge = Edge(self._stored_size(), self.tile)

    @classmethod
    def open(cls, ledger: Path, origin: str) -> Self:
        """Open for writing, making the file when there is none; an existing tree keeps its own origin."""
        check_library(apsw.sqlite_lib_version())
        path = tree_path(ledger)
        try:
            if not path.exists():
                _make(path, origin)
            connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            connection.set_busy_timeout(_BUSY_MS)
            connection.execute("PRAGMA mmap_size=0; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL").fetchall()
            return cls._checked(path, connection)
        except (OSError, apsw.Error) as error:
            raise _unusable(path, error) from error

    @classmethod
    def read(cls, ledger: Path) -> Self | None:
        """Open for reading; None when this ledger has no tree yet."""
        path = tree_path(ledger)
        if not path.is_file():
            return None
        try:
            connection = _open_read_only(path)
            # One state for as long as it is open, whatever a sequencer adds meanwhile.
            connection.execute("PRAGMA mmap_size=0; PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; BEGIN").fetchall()
            return cls._checked(path, connection)
        except apsw.Error as error:
            raise _unusable(path, error) from error

    @classmethod
    def _checked(cls, path: Path, connection: apsw.Connection) -> Self:
        marked = connection.execute("PRAGMA application_id").get
        schema = connection.execute("SELECT value FROM meta WHERE key = 'schema'").get
        if (marked, schema) != (_APPLICATION_ID, _SCHEMA):
            connection.close()
            raise LedgerError(f"{path}: this is no tree that this program knows; move it away, and it is made again")
        return cls(path, connection)

    @property
    def size(self) -> int:
        """How many records the tree holds."""
        return self._edge.size

    def root(self) -> bytes:
        """Root of the tree."""
        with self._using:
            return self._edge.root()

    def subtree(self) -> Subtree:
        """The complete subtrees of the tree, for proofs."""
        return subtrees(self.tile)

    def tile(self, level: int, number: int) -> bytes:
        """The hashes of a tile, as far as they go."""
        found = self._one("SELECT hashes FROM tiles WHERE level = ? AND number = ?", level, number)
        return found if isinstance(found, bytes) else b""

    def append(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes; durable when it returns. After an error the tree is as it was."""
        with self._using:
            try:
                with self._writing():
                    for leaf in leaves:
                        self._put(self._edge.append(leaf))
                    self._put(self._edge.rows())
            except LedgerError:
                self._edge = Edge(self._stored_size(), self.tile)
                raise

    def add_checkpoint(self, signed: SignedCheckpoint, unix_ms: int, keys: Sequence[VerifierKey]) -> None:
        """Keep a checkpoint that these keys signed; durable when it returns."""
        is_cosigned = any(key.algorithm == COSIGNATURE for key in keys)
        with self._writing():
            known = self._one(
                "SELECT note FROM checkpoints WHERE size = ? AND cosigned = ?", signed.checkpoint.size, is_cosigned
            )
            note = signed.note
            if isinstance(known, str) and (before := SignedCheckpoint.parse(known)).checkpoint == signed.checkpoint:
                note = before.note.with_signatures(note.signatures)
            self._connection.execute(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)",
                (unix_ms // _MINUTE_MS, is_cosigned, signed.checkpoint.size, note.raw),
            )
            self._connection.executemany("INSERT OR IGNORE INTO keys VALUES (?)", [(key.text,) for key in keys])

    def newest(self, *, cosigned: bool = False, holding: int = 0) -> SignedCheckpoint | None:
        """The newest checkpoint that holds so many records; None without one."""
        found = self._one(
            "SELECT note FROM checkpoints WHERE size >= ? AND cosigned >= ? ORDER BY size DESC, cosigned DESC LIMIT 1",
            holding, cosigned,
        )  # fmt: skip
        return SignedCheckpoint.parse(found) if isinstance(found, str) else None

    def checkpoints(self) -> list[str]:
        """Every checkpoint that is kept, the smallest first, as stored."""
        return [str(row[0]) for row in self._all("SELECT note FROM checkpoints ORDER BY size, cosigned")]

    def keys(self) -> list[VerifierKey]:
        """The public keys that this file names: its own word, worth no more than the file."""
        return [VerifierKey.parse(str(row[0])) for row in self._all("SELECT key FROM keys ORDER BY key")]

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        with self._using:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stored_size(self) -> int:
        row = self._all("SELECT number, length(hashes) FROM tiles WHERE level = 0 ORDER BY number DESC LIMIT 1")
        return row[0][0] * 256 + row[0][1] // HASH_BYTES if row else 0

    def _put(self, rows: Sequence[Row]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO tiles VALUES (?, ?, ?)", rows)

    def _one(self, statement: str, *bindings: int) -> object:
        rows = self._all(statement, *bindings)
        return rows[0][0] if rows else None

    # Any: a row is what the STRICT tables above declare.
    def _all(self, statement: str, *bindings: int) -> list[tuple]:  # type: ignore[type-arg]
        with self._using, self._told():
            return list(self._connection.execute(statement, bindings))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._using, self._told(), self._connection:
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except apsw.FullError as error:
            raise LedgerFull(f"{self.path}: the disk is full, so nothing is signed; make room") from error
        except apsw.BusyError as error:
            raise LedgerError(f"{self.path}: the tree is in use for too long; it is tried again") from error
        except apsw.Error as error:
            raise _unusable(self.path, error) from error


def tree_path(ledger: Path) -> Path:
    """Where the tree of a ledger is."""
    return ledger.with_name(ledger.name + ".tree")


def _make(path: Path, origin: str) -> None:
    """Make the file complete before it gets its name: whoever verifies meanwhile sees no tree, or a whole one."""
    draft = path.with_name(path.name + ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = apsw.Connection(str(draft), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    with connection:
        connection.execute(_TABLES)
        connection.execute("INSERT INTO meta VALUES ('schema', ?), ('origin', ?)", (_SCHEMA, origin))
    connection.close()
    os.replace(draft, path)
    sync_directory(path.parent)


def _open_read_only(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_MS)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        connection.close()
        # As for the ledger: on read-only media there is no shared memory, and without a log nobody writes.
        if path.with_name(path.name + "-wal").exists():
            raise
        address = path.absolute().as_uri() + "?immutable=1"
        connection = apsw.Connection(address, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    return connection


def _unusable(path: Path, error: Exception) -> LedgerBroken:
    return LedgerBroken(
        f"{path}: the tree can't be used ({type(error).__name__}); check the disk, or move the file away: it is made "
        "again from the ledger (checkpoints in it are lost then, those that the witness keeps are not)"
    )

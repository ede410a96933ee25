"""The file of keys beside a ledger: wrapped data keys, which of them were destroyed, and who holds which calls.

In: wrapped keys and orders to destroy them. Out: rows, durable when a method returns. It is a file of its own, so that
the ledger can be copied for years without the keys, whose copies have to be thrown away within weeks. Called by
`Vault`; safe to use from several threads, and from several processes.

What is deleted is overwritten with zeros, and the log is cut off behind it. A file system or a disk may keep old blocks
nevertheless; what they hold is wrapped.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from voicewarden.ledger.schema import sync_directory
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull

_APPLICATION_ID: Final = 0x56574B31
_SCHEMA: Final = "1"
_BUSY_MS: Final = 5_000
_CUT_TRIES: Final = 50
_TABLES: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE keys(stream TEXT NOT NULL, class TEXT NOT NULL, made_unix_ms INTEGER NOT NULL, wrapped_by TEXT NOT NULL,
wrapped BLOB NOT NULL, PRIMARY KEY(stream, class)) STRICT, WITHOUT ROWID;
CREATE TABLE destroyed(stream TEXT NOT NULL, class TEXT NOT NULL, made_unix_ms INTEGER NOT NULL,
unix_ms INTEGER NOT NULL, PRIMARY KEY(stream, class)) STRICT, WITHOUT ROWID;
CREATE TABLE holds(id INTEGER PRIMARY KEY, stream TEXT NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL,
unix_ms INTEGER NOT NULL, lifted_by TEXT, lifted_why TEXT, lifted_unix_ms INTEGER) STRICT;
CREATE TRIGGER keys_once BEFORE INSERT ON keys WHEN EXISTS (SELECT 1 FROM destroyed
WHERE stream = new.stream AND class = new.class) BEGIN SELECT RAISE(ABORT, 'its key was destroyed'); END;
CREATE TRIGGER keys_held BEFORE DELETE ON keys WHEN EXISTS (SELECT 1 FROM holds
WHERE stream = old.stream AND lifted_unix_ms IS NULL) BEGIN SELECT RAISE(ABORT, 'held'); END;
CREATE TRIGGER destroyed_keep BEFORE DELETE ON destroyed BEGIN SELECT RAISE(ABORT, 'destroyed is for good'); END;
CREATE TRIGGER holds_keep BEFORE DELETE ON holds BEGIN SELECT RAISE(ABORT, 'holds are kept'); END;
INSERT INTO meta VALUES ('schema', '{_SCHEMA}');
"""


class WrappedKey(NamedTuple):
    """A data key as it lies in the file."""

    stream: str
    content: str
    made_unix_ms: int
    wrapped_by: str
    wrapped: bytes


class KeptHold(NamedTuple):
    """Somebody needs the words of a call: its keys are not destroyed until the hold is lifted."""

    stream: str
    who: str
    reason: str
    unix_ms: int


def vault_path(ledger: Path) -> Path:
    """Where the keys of a ledger are."""
    return ledger.with_name(ledger.name + ".keys")


class VaultFile:
    """The open file."""

    def __init__(self, path: Path, *, create: bool, vfs: str = "") -> None:
        """Open it, making it when `create` allows; raises LedgerError when it is none of ours."""
        self.path = path
        self._using = threading.RLock()
        if create:
            _make(path)
        with self._told():
            self._connection = _connect(path, vfs)
            self._connection.set_busy_timeout(_BUSY_MS)
            for pragma in ("secure_delete=ON", "synchronous=FULL", "mmap_size=0", "trusted_schema=OFF"):
                self._connection.execute(f"PRAGMA {pragma}").fetchall()
            if create:
                self._connection.execute("PRAGMA journal_mode=WAL").fetchall()
                with self._connection:
                    if self._connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
                        self._connection.execute(_TABLES)
            known = self._connection.execute("PRAGMA application_id").get == _APPLICATION_ID
            if not known or self.meta("schema") != _SCHEMA:
                self._connection.close()
                raise LedgerError(f"{path}: this is no file of keys of this version; use the program that wrote it")

    def meta(self, key: str) -> str:
        """A note about the file itself; empty where there is none."""
        return next((str(row[0]) for row in self._rows("SELECT value FROM meta WHERE key = ?", key)), "")

    def note(self, key: str, value: str) -> None:
        """Keep a note about the file itself."""
        if self.meta(key) != value:
            self._rows("INSERT INTO meta VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2", key, value)

    def add(self, keys: Sequence[WrappedKey]) -> None:
        """Keep new keys, all or none. Raises LedgerError for a stream that has or had one."""
        with self._using, self._told():
            try:
                with self._connection:
                    self._connection.executemany("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", keys)
            except apsw.ConstraintError as error:
                raise LedgerError("a call of this id has keys or had some; begin it under another id") from error

    def get(self, stream: str, content: str) -> WrappedKey | None:
        """The key of a class of a stream."""
        rows = self._rows("SELECT * FROM keys WHERE stream = ? AND class = ?", stream, content)
        return WrappedKey(*rows[0]) if rows else None

    def all(self, *, content: str = "", made_before_unix_ms: int | None = None) -> list[WrappedKey]:
        """All keys, or those of a class, or those made before a time; the oldest first."""
        before = 2**62 if made_before_unix_ms is None else made_before_unix_ms
        rows = self._rows(
            "SELECT * FROM keys WHERE (?1 = '' OR class = ?1) AND made_unix_ms < ?2 "
            "ORDER BY made_unix_ms, stream, class", content, before,
        )  # fmt: skip
        return [WrappedKey(*row) for row in rows]

    def wrappers(self) -> set[str]:
        """Ids of the keys under which data keys lie."""
        return {str(row[0]) for row in self._rows("SELECT DISTINCT wrapped_by FROM keys")}

    def replace(self, keys: Sequence[WrappedKey]) -> None:
        """Keep the same data keys under another wrapping."""
        with self._using, self._told(), self._connection:
            for key in keys:
                self._rows(
                    "UPDATE keys SET wrapped_by = ?, wrapped = ? WHERE stream = ? AND class = ?",
                    key.wrapped_by, key.wrapped, key.stream, key.content,
                )  # fmt: skip

    def is_destroyed(self, stream: str, content: str) -> bool:
        """Whether a key of this stream was destroyed."""
        return bool(self._rows("SELECT 1 FROM destroyed WHERE stream = ? AND class = ?", stream, content))

    def destroy(self, keys: Sequence[tuple[str, str]], unix_ms: int) -> int:
        """Destroy keys by stream and class, all or none; those that are gone count as destroyed. Returns how many there
        were. Raises LedgerError for one that is held.
        """
        gone = 0
        with self._using, self._told():
            try:
                with self._connection:
                    for stream, content in keys:
                        self._rows(
                            "INSERT OR IGNORE INTO destroyed SELECT stream, class, made_unix_ms, ? FROM keys "
                            "WHERE stream = ? AND class = ?", unix_ms, stream, content,
                        )  # fmt: skip
                        self._rows("DELETE FROM keys WHERE stream = ? AND class = ?", stream, content)
                        gone += self._connection.changes()
            except apsw.ConstraintError as error:
                raise LedgerError(
                    "a legal hold keeps these words; see `voicewarden ledger hold --list`, and lift it first"
                ) from error
            if gone:
                self._cut_log()
        return gone

    def hold(self, stream: str, who: str, reason: str, unix_ms: int) -> None:
        """Keep the keys of a stream from being destroyed."""
        self._rows("INSERT INTO holds(stream, who, reason, unix_ms) VALUES (?, ?, ?, ?)", stream, who, reason, unix_ms)

    def lift(self, stream: str, who: str, reason: str, unix_ms: int) -> bool:
        """Lift every hold on a stream; False where there was none."""
        with self._using:
            self._rows(
                "UPDATE holds SET lifted_by = ?, lifted_why = ?, lifted_unix_ms = ? "
                "WHERE stream = ? AND lifted_unix_ms IS NULL", who, reason, unix_ms, stream,
            )  # fmt: skip
            return self._connection.changes() > 0

    def holds(self, stream: str = "") -> list[KeptHold]:
        """The holds that stand, of one stream or of all."""
        rows = self._rows(
            "SELECT stream, who, reason, unix_ms FROM holds WHERE lifted_unix_ms IS NULL AND (?1 = '' OR stream = ?1) "
            "ORDER BY id", stream,
        )  # fmt: skip
        return [KeptHold(*row) for row in rows]

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        with self._using:
            self._connection.close()

    def _cut_log(self) -> None:
        """Fold the log into the file and cut it off, so that no old page stays in it."""
        for _ in range(_CUT_TRIES):
            busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]
            if not busy:
                return
            time.sleep(0.1)
        raise LedgerError(
            f"{self.path}: the keys are destroyed, but a reader keeps their old pages in the log; end it and run the "
            "command again"
        )

    # Any: a row is what the STRICT tables above declare.
    def _rows(self, statement: str, *bindings: str | int | bytes) -> list[tuple]:  # type: ignore[type-arg]
        with self._using, self._told():
            return list(self._connection.execute(statement, bindings))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite raises, as an error that says what to do."""
        try:
            yield
        except apsw.ConstraintError:
            raise  # told by whoever broke the constraint
        except apsw.FullError as error:
            raise LedgerFull(f"{self.path}: the disk is full and no key was written; make room") from error
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise LedgerBroken(f"{self.path}: the keys can't be read; restore the file from its backup") from error
        except apsw.Error as error:
            raise LedgerError(
                f"{self.path}: the keys can't be used ({type(error).__name__}); check the file and its folder"
            ) from error


def _connect(path: Path, vfs: str) -> apsw.Connection:
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs or None)
    if path.with_name(path.name + "-wal").exists():
        return apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs or None)
    # On read-only media SQLite can't make its shared memory file. Without a log nobody writes: read as it is.
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    return apsw.Connection(path.absolute().as_uri() + "?immutable=1", flags=flags)


def _make(path: Path) -> None:
    if path.is_file():
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        sync_directory(path.parent)
    except OSError as error:
        raise LedgerError(f"{path}: the file of keys can't be made ({error.strerror}); give write access") from error

"""The ledger's file: its tables, its version, and how a connection to it is opened.

In: a path. Out: an apsw connection that is ready for use, or a `LedgerError` that says what to do. Called by the writer
and by every read-only view.
"""

import os
from pathlib import Path
from typing import Final

import apsw

from voicewarden.model.error import LedgerError

SCHEMA_VERSION: Final = 2
_OLDEST_VERSION: Final = 1
"""A ledger of this version is brought up to date when it is opened for writing, and can be read as it is."""
OLDEST_SQLITE: Final = (3, 51, 3)
"""Older libraries can corrupt a write-ahead log that is read and checkpointed at once (the WAL-reset bug)."""
_APPLICATION_ID: Final = 0x56574C31
_BUSY_MS: Final = 5_000

_TABLES: Final = f"""
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE streams(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, next_seq INTEGER NOT NULL, hash TEXT NOT NULL)
STRICT;
CREATE TABLE records(id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
kind TEXT NOT NULL, body BLOB NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE(stream, seq)) STRICT;
CREATE TABLE burns(grant_id TEXT PRIMARY KEY, call TEXT NOT NULL, epoch INTEGER NOT NULL, at_ms INTEGER NOT NULL)
STRICT, WITHOUT ROWID;
CREATE TRIGGER records_keep_update BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER records_keep_delete BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER burns_keep_update BEFORE UPDATE ON burns BEGIN SELECT RAISE(ABORT, 'a burn is for good'); END;
CREATE TRIGGER burns_keep_delete BEFORE DELETE ON burns BEGIN SELECT RAISE(ABORT, 'a burn is for good'); END;
CREATE TRIGGER streams_keep_delete BEFORE DELETE ON streams BEGIN SELECT RAISE(ABORT, 'streams only grow'); END;
CREATE TRIGGER streams_keep_update BEFORE UPDATE ON streams WHEN new.next_seq < old.next_seq OR new.name <> old.name
BEGIN SELECT RAISE(ABORT, 'streams only grow'); END;
INSERT INTO meta VALUES ('schema', {_OLDEST_VERSION}), ('syncs', 0);
"""
_UPGRADE: Final = """
CREATE TABLE counts(grant_id TEXT NOT NULL, key TEXT NOT NULL, call TEXT NOT NULL, unix_ms INTEGER NOT NULL,
given_back INTEGER NOT NULL DEFAULT 0 CHECK (given_back IN (0, 1)), PRIMARY KEY(grant_id, key)) STRICT, WITHOUT ROWID;
CREATE INDEX counts_by_key ON counts(key, unix_ms) WHERE given_back = 0;
CREATE INDEX counts_by_call ON counts(call, key, unix_ms) WHERE given_back = 0;
CREATE TRIGGER counts_keep_delete BEFORE DELETE ON counts BEGIN SELECT RAISE(ABORT, 'counts are kept'); END;
CREATE TRIGGER counts_keep_update BEFORE UPDATE ON counts WHEN new.key <> old.key OR new.unix_ms <> old.unix_ms
OR new.grant_id <> old.grant_id OR new.call <> old.call OR new.given_back < old.given_back
BEGIN SELECT RAISE(ABORT, 'a place can be given back, once, and nothing else'); END;
INSERT INTO meta VALUES ('epoch', 0);
UPDATE meta SET value = 2 WHERE key = 'schema';
"""
"""From version 1 to 2: the places that grants take in limits over a window, and the control epoch."""


def check_library(version: str) -> None:
    """Raise LedgerError when this SQLite is too old to be trusted with a write-ahead log."""
    if tuple(int(part) for part in version.split(".")[:3]) < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        raise LedgerError(
            f"SQLite {version} can corrupt a write-ahead log; the ledger needs {wanted} or newer: "
            "install a newer apsw, which brings its own SQLite"
        )


def open_writer(path: Path, *, create: bool, vfs: str = "") -> apsw.Connection:
    """Open the one writing connection, making the file and its tables when `create` allows it."""
    check_library(apsw.sqlite_lib_version())
    _make_file(path, create=create)
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs or None)
        connection.set_busy_timeout(_BUSY_MS)
        _set(connection, "mmap_size=0", "synchronous=FULL", "trusted_schema=OFF")
        if connection.execute("PRAGMA journal_mode=WAL").get != "wal":
            connection.close()
            raise LedgerError(f"{path}: this file system offers no write-ahead log; put the ledger on a local disk")
        if connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
            with connection:
                connection.execute(_TABLES)
    except apsw.Error as error:
        raise _unusable(path, error, "written") from error
    _bring_up_to_date(connection, path)
    return connection


def _bring_up_to_date(connection: apsw.Connection, path: Path) -> None:
    if check_schema(connection, path) == SCHEMA_VERSION:
        return
    try:
        with connection:
            connection.execute(_UPGRADE)
    except apsw.Error as error:
        connection.close()
        raise _unusable(path, error, "brought up to date") from error


def open_reader(path: Path) -> apsw.Connection:
    """Open a connection that can only read; a writer in another process may go on."""
    check_exists(path)
    try:
        connection = open_plainly(path)
        _set(connection, "mmap_size=0", "query_only=ON", "trusted_schema=OFF")
    except apsw.Error as error:
        raise _unusable(path, error, "read") from error
    check_schema(connection, path)
    return connection


def check_exists(path: Path) -> None:
    """Raise LedgerError when there is no file to open."""
    if not path.is_file():
        raise LedgerError(f"{path}: there is no ledger here; name an existing ledger file")


def check_schema(connection: apsw.Connection, path: Path) -> int:
    """The version of a ledger; raises LedgerError unless the file is one that this program knows."""
    try:
        marked = connection.execute("PRAGMA application_id").get
        version = connection.execute("SELECT value FROM meta WHERE key = 'schema'").get
    except apsw.Error as error:
        connection.close()
        raise _unusable(path, error, "read") from error
    if marked == _APPLICATION_ID and isinstance(version, int) and _OLDEST_VERSION <= version <= SCHEMA_VERSION:
        return version
    connection.close()
    if marked != _APPLICATION_ID:
        raise LedgerError(f"{path}: this is an SQLite file but no ledger; name another file")
    raise LedgerError(
        f"{path}: the ledger has schema {version}, this program knows {_OLDEST_VERSION} to {SCHEMA_VERSION}; "
        "use the program that wrote it"
    )


def open_plainly(path: Path) -> apsw.Connection:
    """Open an SQLite file for reading, whatever it is, on read-only media, too; raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_MS)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").get  # noqa: B018
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        connection.close()
        # On read-only media SQLite can't make its shared memory file. Without a log nobody writes: read as it is.
        if path.with_name(path.name + "-wal").exists():
            raise
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(path.absolute().as_uri() + "?immutable=1", flags=flags)
    return connection


def _make_file(path: Path, *, create: bool) -> None:
    if path.is_file():
        return
    if not create:
        check_exists(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What callers said is in it: only the owner may read. SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        sync_directory(path.parent)
    except OSError as error:
        raise LedgerError(
            f"{path}: the ledger can't be created ({error.strerror}); name a place that this user may write"
        ) from error


def sync_directory(directory: Path) -> None:
    """Make a new or renamed entry of a directory durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unusable(path: Path, error: apsw.Error, verb: str) -> LedgerError:
    return LedgerError(
        f"{path}: the ledger can't be {verb} ({type(error).__name__}: {error}); "
        "check that the file is a ledger, that its folder is writable and that the disk has room"
    )


def _set(connection: apsw.Connection, *pragmas: str) -> None:
    """Each by itself and to its end: of several in one text only those before the first row would run."""
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()

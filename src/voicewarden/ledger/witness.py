"""A witness (c2sp.org/tlog-witness): co-signs a checkpoint only if it continues the last one that it signed.

In: the body of an `add-checkpoint` request. Out: a status and a text. It has its own key and its own store, one
directory, and belongs on another machine than the log. Served by `witness_server.py`. The checks, in order:

1. the request is well formed (400), its log is known (404), and a key of that log signed it (403);
2. the old size is not above the new one (400) and is what was signed last (409, with that size);
3. the proof shows that what was signed last is the beginning (422).

INVARIANT: 2 and 3, the new record and its sync are one transaction, so that of two updates at once one sees the other
(test_witness.py, test_of_two_updates_at_once_one_wins).
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Self

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import COSIGNATURE, ED25519, SignerKey, VerifierKey, decode64, is_key_name, sign
from voicewarden.ledger.proof import is_consistent
from voicewarden.ledger.schema import check_library, sync_directory
from voicewarden.model.error import LedgerBroken, LedgerError

_STORE: Final = "witness.db"
_KEY: Final = "witness.key"
_BUSY_MS: Final = 5_000
_MOST_LINES: Final = 63
_TABLES: Final = """
PRAGMA application_id = 0x56575731;
CREATE TABLE logs(key TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE latest(origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL)
STRICT, WITHOUT ROWID;
CREATE TABLE seen(origin TEXT NOT NULL, minute INTEGER NOT NULL, size INTEGER NOT NULL, note TEXT NOT NULL,
PRIMARY KEY(origin, minute)) STRICT, WITHOUT ROWID;
"""


class Reply(NamedTuple):
    """What goes back over HTTP."""

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


class Request(NamedTuple):
    """A request to co-sign: `path` proves that the first `old` records are those that were signed last."""

    old: int
    path: tuple[bytes, ...]
    signed: SignedCheckpoint

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request; raises LedgerError when it is not well formed."""
        try:
            head, found, raw = body.decode("utf-8").partition("\n\n")
            first, *lines = head.split("\n")
            word, _, number = first.partition(" ")
            old = int(number)
            path = tuple(map(decode64, lines))
        except ValueError as error:
            raise LedgerError("the request is not well formed") from error
        if word != "old" or str(old) != number or old < 0 or not found or len(lines) > _MOST_LINES:
            raise LedgerError("the request is not well formed: it begins with `old SIZE` and at most 63 hashes")
        return cls(old, path, SignedCheckpoint.parse(raw))


class Witness:
    """A key and what was signed with it; safe to use from several threads, and from several processes."""

    def __init__(self, directory: Path, key: SignerKey, unix_s: Callable[[], int]) -> None:
        self.key = key
        self._unix_s = unix_s
        self._path = directory / _STORE
        self._using = threading.Lock()
        self._failed = False
        self._connection = _open_store(self._path)

    @classmethod
    def open(cls, directory: Path, *, name: str = "", unix_s: Callable[[], int] = lambda: int(time.time())) -> Self:
        """Open a witness, making its store and key at its first start. `name` counts then only."""
        check_library(apsw.sqlite_lib_version())
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _own_key(directory, name)
            return cls(directory, key, unix_s)
        except (OSError, apsw.Error) as error:
            raise LedgerError(
                f"{directory}: the witness's store can't be opened ({type(error).__name__}); name a folder of its own "
                "that it may write"
            ) from error

    def trust(self, key: VerifierKey) -> None:
        """Co-sign for the log of this key from now on; after a rotation, for its new key too."""
        if key.algorithm != ED25519:
            raise LedgerError("this is not the key of a log; `voicewarden ledger checkpoint --json` prints it")
        with self._transaction():
            self._connection.execute("INSERT OR IGNORE INTO logs VALUES (?, ?)", (key.text, key.name))

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer a request; the co-signature is in the store before it is in the reply."""
        try:
            request = Request.parse(body)
        except LedgerError as error:
            return Reply(400, f"{error}\n")
        checkpoint = request.signed.checkpoint
        keys = self._keys(checkpoint.origin)
        if not keys:
            return Reply(404, "this log is not known here\n")
        try:
            request.signed.demand_signed(keys)  # 1
        except LedgerBroken:
            return Reply(403, "no key of this log signed it\n")
        if request.old > checkpoint.size:  # 2
            return Reply(400, "the old size is above the new one\n")
        try:
            with self._transaction():
                return self._update(request)
        except apsw.Error as error:
            # As in the ledger: after a failed write nobody knows what is on the disk, so nothing more is signed.
            self._failed = self._failed or not isinstance(error, apsw.FullError | apsw.BusyError)
            return Reply(503, "the store can't be written\n")

    def newest(self, origin_hash: str) -> Reply:
        """The newest co-signed checkpoint of the log whose origin has this SHA-256 (hex)."""
        for origin, note in self._rows("SELECT origin, note FROM latest"):
            if sha256(str(origin).encode()).hexdigest() == origin_hash:
                return Reply(200, str(note))
        return Reply(404, "nothing was signed for this log\n")

    def close(self) -> None:
        """Release the store."""
        with self._using:
            self._connection.close()

    def _update(self, request: Request) -> Reply:
        checkpoint, note = request.signed
        rows = list(self._connection.execute("SELECT size, root FROM latest WHERE origin = ?", (checkpoint.origin,)))
        size, root = rows[0] if rows else (0, b"")
        if request.old != size:
            return Reply(409, f"{size}\n", "text/x.tlog.size")
        is_continued = (
            is_consistent(size, root, checkpoint.size, checkpoint.root, request.path) if size else not request.path
        )
        if not is_continued:  # 3
            return Reply(422, "it does not continue what was signed before\n")
        now = self._unix_s()
        signature = sign(checkpoint.text, self.key, unix_s=now)
        raw = note.with_signatures((signature,)).raw
        self._connection.execute(
            "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?)",
            (checkpoint.origin, checkpoint.size, checkpoint.root, raw),
        )
        self._connection.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (checkpoint.origin, now // 60, checkpoint.size, raw)
        )
        return Reply(200, signature.line)

    def _keys(self, origin: str) -> list[VerifierKey]:
        rows = self._rows("SELECT key FROM logs WHERE origin = ?", origin)
        return [VerifierKey.parse(str(row[0])) for row in rows]

    # Any: a row is what the STRICT tables above declare.
    def _rows(self, statement: str, *bindings: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._using:
            return list(self._connection.execute(statement, bindings))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._using:
            if self._failed:
                raise apsw.IOError("a write failed before")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


class WitnessStore(NamedTuple):
    """What a witness's directory holds, for verification: its key, the keys of logs, and every checkpoint kept."""

    key: VerifierKey
    logs: Sequence[VerifierKey]
    checkpoints: Sequence[SignedCheckpoint]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the store; the witness may be running. Raises LedgerError when it is none."""
        try:
            key = SignerKey.parse((directory / _KEY).read_text(encoding="utf-8")).public
            connection = apsw.Connection(str(directory / _STORE), flags=apsw.SQLITE_OPEN_READONLY)
            connection.set_busy_timeout(_BUSY_MS)
            logs = [VerifierKey.parse(str(row[0])) for row in connection.execute("SELECT key FROM logs ORDER BY key")]
            rows = connection.execute(
                "SELECT note, size FROM seen UNION SELECT note, size FROM latest ORDER BY 2"
            ).fetchall()
            connection.close()
        except (OSError, apsw.Error) as error:
            raise LedgerError(f"{directory}: this is no store of a witness ({type(error).__name__})") from error
        return cls(key, logs, [SignedCheckpoint.parse(str(row[0])) for row in rows])


def _open_store(path: Path) -> apsw.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        sync_directory(path.parent)
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_BUSY_MS)
    # A rollback journal: the store is one file at any time, which is easier to keep and to copy than two.
    connection.execute("PRAGMA mmap_size=0; PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA").fetchall()
    with connection:
        if connection.execute("SELECT count(*) FROM sqlite_schema").get == 0:
            connection.execute(_TABLES)
    return connection


def _own_key(directory: Path, name: str) -> SignerKey:
    path = directory / _KEY
    if path.exists():
        if path.stat().st_mode & 0o077:
            raise LedgerError(f"{path}: others may read the witness's key; look whether it leaked, then run chmod 600")
        return SignerKey.parse(path.read_text(encoding="utf-8"))
    if (directory / _STORE).exists():
        raise LedgerError(f"{path}: the key of this witness is gone; restore it from a backup")
    name = name or f"witness.local/{secrets.token_hex(4)}"
    if not is_key_name(name):
        raise LedgerError("the name of a witness has no spaces and no plus sign, such as example.com/witness")
    key = SignerKey(name, COSIGNATURE, Ed25519PrivateKey.generate())
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(key.secret_text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    sync_directory(directory)
    return key

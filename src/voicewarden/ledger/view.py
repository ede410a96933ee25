"""Reading a ledger: streams, records, spent grants and blobs, while a writer may run in this or another process.

In: a path. Out: records, with what was sealed opened where the keys are at hand (`vault.py`). Called by replay,
reports, verify, contacts and the console. Only what was committed is seen here.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Self

import apsw

from voicewarden.ledger.blobs import blob_folder, get_blob
from voicewarden.ledger.port import Reading, Snapshot
from voicewarden.ledger.schema import open_reader
from voicewarden.ledger.sealing import is_sealed_blob
from voicewarden.ledger.sqlite_reading import SqliteReading, unreadable
from voicewarden.ledger.vault import Vault
from voicewarden.model.content import is_sealed
from voicewarden.model.error import ContentSealed, LedgerError
from voicewarden.model.record import Record

_LOG: Final = logging.getLogger(__name__)

_PAGE_RECORDS: Final = 500
_MOST: Final = 1_000_000
NO_KEY: Final = "name the folder of keys with VOICEWARDEN_KEYS_DIR, if the keys were not destroyed"
"""What to do about something that is sealed."""


class LedgerView:
    """A read-only view; safe to use from several threads."""

    def __init__(self, path: Path, reading: Reading | None = None) -> None:
        """Read the file at `path`, or through another `reading` what belongs there."""
        self.path = path
        self._reading = reading or SqliteReading(path)
        self._vault: Vault | None = None
        self.is_sealing = False
        """Whether keys were given that new calls are sealed with."""
        self._finding = threading.Lock()

    @property
    def vault(self) -> Vault | None:
        """The keys of what was said, for reading unless `seal_with` gave others; None where nothing was sealed."""
        with self._finding:
            if self._vault is None:
                self._vault = Vault.find(self.path)
            return self._vault

    def seal_with(self, vault: Vault) -> None:
        """Use these keys from now on; they are closed with the ledger."""
        with self._finding:
            old, self._vault = self._vault, vault
            self.is_sealing = True
        if old is not None:
            old.close()

    def streams(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the streams that begin with `prefix`, in the order of their first record."""
        return self._reading.streams(prefix)

    def read_stream(self, stream: str) -> Iterator[Record]:
        """The records of a stream in order. Reads in pages, so that a slow reader never holds the log back.

        What was sealed is opened, `stored` being the bytes as written; without its key it stays as it is written.
        """
        after, opened = -1, None
        while page := self._reading.page(stream, after, _PAGE_RECORDS):
            for record in page:
                if is_sealed(record.body):
                    opened = opened or self._opened(stream)
                    yield opened(record)
                else:
                    yield record
            if len(page) < _PAGE_RECORDS:
                return
            after = page[-1].seq

    def head(self, stream: str) -> tuple[int, str]:
        """The next sequence number of a stream and the hash that its next record builds on."""
        return self._reading.head(stream)

    def spent(self, grant_id: str) -> bool:
        """Whether a grant was burnt."""
        return self._reading.spent(grant_id)

    def counted(self, keys: Sequence[str], since_unix_ms: int, *, most: int = _MOST, other_than: str = "") -> int:
        """Places taken since then under these keys in limits over a window, those of the call `other_than` left out;
        more than `most` are not looked for.
        """
        return self._reading.counted(keys, since_unix_ms, most=most, other_than=other_than)

    @property
    def epoch(self) -> int:
        """The control epoch: no grant of an earlier one is spent. 0 until somebody raises it."""
        return self._reading.epoch()

    def get_blob(self, sha: str) -> bytes:
        """The bytes stored under a SHA-256; blocks on the disk."""
        return get_blob(blob_folder(self.path), sha)

    def get_recording(self, call: str, sha: str) -> bytes:
        """The sound of a call that is stored under a SHA-256, opened. Raises ContentSealed without its key."""
        vault, stream = self.vault, f"call:{call}"
        if vault is not None and vault.is_destroyed(stream, "audio"):
            raise ContentSealed(f"the recording of call {call} was erased; `voicewarden ledger verify` says when")
        blob = self.get_blob(sha)
        if not is_sealed_blob(blob):
            return blob
        key = None if vault is None else vault.audio(stream)
        if key is None:
            raise ContentSealed(f"the recording of call {call} is sealed; {NO_KEY}")
        return key.open(blob)

    def state(self) -> AbstractContextManager[Snapshot]:
        """All records, heads, burns and places of one moment, for as long as it is held."""
        return self._reading.snapshot()

    @contextmanager
    def snapshot(self) -> Iterator[apsw.Connection]:
        """An SQLite connection that sees one state of the ledger for as long as it is held (verification)."""
        connection = open_reader(self.path)
        try:
            connection.execute("BEGIN")
            yield connection
        except (apsw.Error, UnicodeDecodeError) as error:
            raise unreadable(self.path, error) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Release the file; closing twice is no error."""
        self._reading.close()
        with self._finding:
            vault, self._vault = self._vault, None
        if vault is not None:
            vault.close()

    def _opened(self, stream: str) -> Callable[[Record], Record]:
        try:
            key = None if self.vault is None else self.vault.words(stream)
        except LedgerError as error:
            # Structure can be read without keys: a broken file of them must not take that away.
            _LOG.warning("what was said in calls stays sealed: %s", error)
            key = None
        return _as_it_is if key is None else key.opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _as_it_is(record: Record) -> Record:
    return record

"""The ledger: the one writer of a ledger file, and everything a reader can do.

In: records chained by whoever owns their stream, burns, blobs. Out: the promise that they are durable, given by a
callback from the writer thread. Called by the runtime, the contacts room and the control plane; `awaiting.py` has the
same for asyncio.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from voicewarden.ledger.backlog import CAPACITY_RECORDS, Backlog, OnDone
from voicewarden.ledger.ballast import Ballast
from voicewarden.ledger.blobs import blob_folder, put_blob
from voicewarden.ledger.lock import WriterLock
from voicewarden.ledger.port import Reading, Store
from voicewarden.ledger.pressure import FREE, NO_ROOM, Restraint, of_queue
from voicewarden.ledger.recovery import Recovered, log_was_left, recover
from voicewarden.ledger.schema import check_exists
from voicewarden.ledger.spent import Burn, Claim, Fence, GiveBack
from voicewarden.ledger.sqlite_reading import SqliteReading
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.ledger.view import LedgerView
from voicewarden.ledger.writer import Writer
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError
from voicewarden.model.record import Record, RecordKind, make_record

_LOG: Final = logging.getLogger(__name__)
OnDurable = Callable[[Exception | None], None]
_CLOSE_WITHIN_S: Final = 30.0
CONTROL_STREAM: Final = "control"
"""What happened to the ledger and around it, rather than in a call."""


class Ledger(LedgerView):
    """The single writer. Submitting takes microseconds; a thread of its own does the writing."""

    def __init__(
        self, path: Path, lock: WriterLock, store: Store, reading: Reading, capacity: int = CAPACITY_RECORDS,
        *, ballast: Ballast | None = None,
    ) -> None:  # fmt: skip
        """Write into `store` and read from `reading`, of which both keep the ledger at `path`."""
        super().__init__(path, reading)
        self.recovered: Recovered | None = None
        """What was looked at because the last writer had not closed this ledger."""
        self._lock = lock
        self._ballast = ballast
        self._disk = FREE
        self._is_out_of_room = False
        self._backlog = Backlog(reading.head, capacity)
        self._writer = Writer(path, store, self._backlog, self._make_room)
        self._writer.start()

    @classmethod
    def open(
        cls, path: str | Path, *, create: bool = True, capacity: int = CAPACITY_RECORDS, vfs: str = "",
        ballast_bytes: int = 0,
    ) -> "Ledger":  # fmt: skip
        """Open for writing; raises LedgerError when another process writes, and LedgerBroken when a ledger that was not
        closed does not hold. `vfs` names an SQLite VFS (fault tests); `ballast_bytes` are kept free for the last words.
        """
        place = Path(path)
        if create:
            _make_folder(place.parent)
        else:
            check_exists(place)
        lock = WriterLock(place)
        try:
            return cls._of_file(place, lock, create=create, capacity=capacity, vfs=vfs, ballast_bytes=ballast_bytes)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _of_file(
        cls, path: Path, lock: WriterLock, *, create: bool, capacity: int, vfs: str, ballast_bytes: int
    ) -> "Ledger":
        was_left = log_was_left(path)
        store = SqliteStore(path, create=create, vfs=vfs)
        recovered = None
        with ExitStack() as undo:
            undo.callback(store.close, failed=True)
            reading = SqliteReading(path)
            undo.callback(reading.close)
            if was_left:
                recovered = recover(path, reading)
                store.fold()
                _LOG.info("the ledger had not been closed; heads, tail and last checkpoint hold: %s", recovered)
            undo.pop_all()
        ballast = Ballast(path, ballast_bytes) if ballast_bytes else None
        ledger = cls(path, lock, store, reading, capacity, ballast=ballast)
        ledger.recovered = recovered
        ledger.take_ballast()
        return ledger

    @staticmethod
    def read(path: str | Path) -> LedgerView:
        """Open for reading only; a writer may run meanwhile."""
        return LedgerView(Path(path))

    @property
    def broken(self) -> bool:
        """Whether a write failed: nothing is written any more and nothing may act."""
        return self._backlog.failure is not None

    @property
    def pressure_permille(self) -> int:
        """How full the queue is; what follows from it stands in `pressure.py`."""
        return self._backlog.pressure_permille

    @property
    def restraint(self) -> Restraint:
        """What must not be done now for want of room, in the queue or on the disk."""
        disk = self.restraint_of_disk
        return disk if disk.calls else of_queue(self.pressure_permille)

    @property
    def restraint_of_disk(self) -> Restraint:
        """What must not be done for want of room on the disk."""
        return NO_ROOM if self._is_out_of_room else self._disk

    def restrain(self, restraint: Restraint) -> None:
        """Say what the disk does not allow from here on; see `disk.py`, which looks at it."""
        self._disk = restraint

    def take_ballast(self) -> None:
        """Take up the ballast's room again; what was forbidden because it had been given up is free then. Blocks."""
        if self._ballast is not None and self._ballast.make():
            self._is_out_of_room = False

    def submit(self, records: Sequence[Record], *, on_durable: OnDurable | None = None) -> None:
        """Queue records in order; `on_durable(error)` comes from the writer thread, None for the error being success.

        Without records, `on_durable` tells when all that was submitted before is durable. Raises LedgerFull when the
        queue is full and LedgerBroken after a failed write or for a record that does not continue its stream.
        """
        self._backlog.put(records, None, None if on_durable is None else _without_result(on_durable))

    def append(
        self, stream: str, at_ms: int, kind: RecordKind, body: bytes, *, on_durable: OnDurable | None = None
    ) -> Record:
        """Chain one record behind the stream's head and submit it; for streams that several writers share."""
        with self._backlog.locked():
            seq, last = self._backlog.head(stream)
            record = make_record(stream, seq, at_ms, kind, body, last)
            self.submit((record,), on_durable=on_durable)
        return record

    def head(self, stream: str) -> tuple[int, str]:
        """The next sequence number and the hash to build on, records that are still queued included."""
        return self._backlog.head(stream)

    def submit_burn(
        self, grant_id: str, call: str, epoch: int, at_ms: int, *, claims: Sequence[Claim] = (), on_done: OnDone
    ) -> None:
        """Spend a grant and take the places it claims, all or nothing; `on_done(first, error)` comes from the writer
        thread once that is durable. The error is GrantRefused for a limit that is full or an epoch that is over; the
        same is raised here where the disk has no room for what would follow.
        """
        if why := self.restraint_of_disk.effects:
            raise GrantRefused(why)
        self._backlog.put((), Burn(grant_id, call, epoch, at_ms, tuple(claims)), on_done)

    def burn(
        self, grant_id: str, call: str, epoch: int, at_ms: int, *, claims: Sequence[Claim] = (),
        timeout_s: float = 10.0,
    ) -> bool:  # fmt: skip
        """Spend a grant and wait until that is durable; False when it was spent before. Blocks. Raises GrantRefused."""
        answer = _Answer()
        self.submit_burn(grant_id, call, epoch, at_ms, claims=claims, on_done=answer)
        return answer.wait(timeout_s)

    def give_back(self, grant_id: str) -> None:
        """Queue that a burnt grant gives its places back, behind the receipt that says so; the grant stays spent."""
        self._backlog.put((), GiveBack(grant_id), None)

    def raise_epoch(self, epoch: int, *, timeout_s: float = 10.0) -> None:
        """From here on no grant of an earlier epoch is spent, whoever holds it. Durable when it returns; blocks."""
        answer = _Answer()
        self._backlog.put((), Fence(epoch), answer)
        answer.wait(timeout_s)

    def flush(self, timeout_s: float = 10.0) -> None:
        """Wait until everything submitted so far is durable. Blocks; raises LedgerError when it takes longer."""
        answer = _Answer()
        self._backlog.put((), None, answer)
        answer.wait(timeout_s)

    def put_blob(self, data: bytes) -> str:
        """Store bytes durably under their SHA-256, which is returned. Blocks on the disk."""
        return put_blob(blob_folder(self.path), data)

    def close(self) -> None:
        """Write what is queued, then let go of the file; raises LedgerError when that fails. May be called twice."""
        known = self.broken
        self._backlog.close()
        # Readers go first: the last connection to close is the one that folds the log into the file.
        super().close()
        self._writer.join(_CLOSE_WITHIN_S)
        if self._writer.is_alive():
            raise LedgerError(
                f"{self.path}: the last records were not written within {_CLOSE_WITHIN_S:.0f} s; check the disk"
            )
        self._lock.release()
        if self._backlog.failure is not None and not known:
            raise self._backlog.failure

    def _make_room(self) -> bool:
        """The writer found the disk full: give up the ballast for the last records of running calls."""
        if self._ballast is None or not self._ballast.throw_off():
            return False
        self._is_out_of_room = True
        _LOG.error("%s: the disk is full; the ballast was given up, and nothing acts any more: make room", self.path)
        note = canonical_bytes({"note": "disk_full", "ballast_bytes": self._ballast.size_bytes})
        try:
            self.append(CONTROL_STREAM, time.time_ns() // 1_000_000, "note", note)
        except LedgerError:
            _LOG.error("%s: that the disk was full could not be noted", self.path)
        return True


class _Answer:
    """Turns a callback of the writer thread into something a thread can wait for."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._result = False
        self._error: Exception | None = None

    def __call__(self, result: bool, error: Exception | None) -> None:
        self._result, self._error = result, error
        self._given.set()

    def wait(self, timeout_s: float) -> bool:
        if not self._given.wait(timeout_s):
            raise LedgerBroken(f"the ledger gave no answer within {timeout_s:g} s; check the disk it is on")
        if self._error is not None:
            raise self._error
        return self._result


def _without_result(on_durable: OnDurable) -> OnDone:
    return lambda _, error: on_durable(error)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"{folder}: the ledger's folder can't be made ({error.strerror}); name a place that this user may write"
        ) from error

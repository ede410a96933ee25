"""The bounded queue between whoever submits and the writer thread.

In: records (checked to continue their stream) and orders, from any thread, in microseconds. Out: batches, to the
writer. Holds what the writer has not committed yet and the head of every stream that was written lately.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, NoReturn

from voicewarden.ledger.spent import Order
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import Record

CAPACITY_RECORDS: Final = 8_192
_BATCH_RECORDS: Final = 1_024
_GATHER_S: Final = 0.02
"""How long records that nobody waits for gather before a commit: saves thousands of commits a second."""
_DOZES: Final = 50
"""So many waits of `_GATHER_S` without work, and the writer sleeps until it is woken. Before that, records that nobody
waits for need not wake it: waking a thread costs the caller ten times what queueing does."""
_REMEMBERED_STREAMS: Final = 4_096

OnDone = Callable[[bool, Exception | None], None]
Head = tuple[int, str]


class Entry(NamedTuple):
    """One submission: records or an order, and who wants to know when it is durable."""

    records: tuple[Record, ...]
    order: Order | None
    on_done: OnDone | None


class Batch(NamedTuple):
    """What is committed together; `oldest` is the monotonic time of its first submission."""

    entries: list[Entry]
    awaited: bool
    oldest: float
    records: int


class Backlog:
    """First in, first out; refuses when it is full, closed or the writer has failed."""

    def __init__(self, committed_head: Callable[[str], Head], capacity: int = CAPACITY_RECORDS) -> None:
        self._committed_head = committed_head
        self._capacity = capacity
        self._lock = threading.RLock()
        """That of `_change`; where nobody is waited for it is taken by itself, which is quicker."""
        self._change = threading.Condition(self._lock)
        self._entries: deque[Entry] = deque()
        self._heads: dict[str, Head] = {}
        self._uncommitted = 0
        self._oldest = 0.0
        self._pressing = False
        self._asleep = False
        self._closed = False
        self._refuses = False
        self.failure: LedgerError | None = None

    @property
    def pressure_permille(self) -> int:
        """How full the queue is; 1000 refuses."""
        return self._uncommitted * 1000 // self._capacity if self._capacity else 1000

    def locked(self) -> threading.Condition:
        """Hold this to read a head and submit its next record as one step."""
        return self._change

    def head(self, stream: str) -> Head:
        """The head of a stream, what is still queued included."""
        with self._lock:
            found = self._heads.get(stream)
            if found is None:
                # Unknown here means that nothing of it is queued: the file has the truth.
                found = self._heads[stream] = self._committed_head(stream)
            return found

    def put(self, records: Sequence[Record], order: Order | None, on_done: OnDone | None) -> None:
        """Queue work behind what is queued; all of it or nothing."""
        with self._lock:
            if self._refuses:
                self._refuse()
            count = len(records) + (order is not None)
            if self._uncommitted + count > self._capacity:
                raise LedgerFull(
                    f"the ledger's queue holds {self._uncommitted} of {self._capacity} records and {count} more do not "
                    "fit; the disk is too slow for this load: take fewer calls or use a faster disk"
                )
            if records:
                self._advance(records)
            if not self._entries:
                self._oldest = time.monotonic()
            self._entries.append(Entry(tuple(records), order, on_done))
            self._uncommitted += count
            is_pressing = not self._pressing and (on_done is not None or self._uncommitted >= _BATCH_RECORDS)
            if self._asleep or is_pressing:
                self._asleep = False
                self._pressing = self._pressing or is_pressing
                self._change.notify()

    def take(self, due_at: float | None) -> Batch | None:
        """The next batch; an empty awaited one at `due_at` (monotonic), None when all is done."""
        with self._change:
            if self.failure is not None:
                return None
            if self._wait_for_work(due_at):
                return self._cut()
            # Closed with nothing left to sync, or the time to sync has come.
            return None if due_at is None else Batch([], True, due_at, 0)

    def settle(self, batch: Batch) -> None:
        """A batch is committed."""
        with self._change:
            self._uncommitted -= batch.records
            if not self._uncommitted and len(self._heads) > _REMEMBERED_STREAMS:
                self._heads.clear()

    def fail(self, failure: LedgerError, batch: Batch | None) -> list[Entry]:
        """Refuse everything from now on; returns what was not written."""
        with self._change:
            self.failure = self.failure or failure
            self._refuses = True
            lost = [*(batch.entries if batch else ()), *self._entries]
            self._entries.clear()
            return lost

    def close(self) -> None:
        """Take nothing more; what is queued is still written."""
        with self._change:
            self._closed = self._refuses = True
            self._change.notify()

    def _refuse(self) -> NoReturn:
        if self.failure is not None:
            # A fresh error for every caller: one shared exception would collect all their tracebacks.
            raise type(self.failure)(str(self.failure))
        raise LedgerError("the ledger was closed; open it again to write")

    def _advance(self, records: Sequence[Record]) -> None:
        """INVARIANT: what is queued continues its chains (test_backlog.py, test_a_gap_is_refused)."""
        moved: dict[str, Head] = {}
        stream, seq, last = "", 0, ""
        for record in records:
            if record.stream != stream:
                stream = record.stream
                seq, last = moved.get(stream) or self._heads.get(stream) or self.head(stream)
            if record.seq != seq or record.prev_hash != last:
                raise LedgerBroken(
                    f"record {record.seq} does not continue stream {stream}, whose next record is {seq}; "
                    "one writer a stream: take the head from the ledger and chain from it"
                )
            seq, last = seq + 1, record.hash
            moved[stream] = seq, last
        self._heads.update(moved)

    def _wait_for_work(self, due_at: float | None) -> bool:
        """Wait until a batch is worth committing; False when there is none and a sync or the end is due."""
        dozes = 0
        while True:
            now = time.monotonic()
            if self._entries:
                left = self._oldest + _GATHER_S - now
                if self._pressing or self._closed or left <= 0:
                    return True
            elif self._closed or (due_at is not None and due_at <= now):
                return False
            else:
                left = _GATHER_S
            self._asleep = not self._entries and due_at is None and dozes >= _DOZES
            self._change.wait(None if self._asleep else left)
            self._asleep = False
            dozes += 1

    def _cut(self) -> Batch:
        entries: list[Entry] = []
        count = 0
        awaited = False
        while self._entries and count < _BATCH_RECORDS:
            entry = self._entries.popleft()
            entries.append(entry)
            count += len(entry.records) + (entry.order is not None)
            awaited = awaited or entry.on_done is not None
        if not self._entries:
            self._pressing = False
        return Batch(entries, awaited, self._oldest, count)

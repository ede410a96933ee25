"""The bounded queue between whoever submits and the writer thread.

In: records (checked to continue their stream) and burns, from any thread, in microseconds. Out: batches, to the writer.
Holds what the writer has not committed yet and the head of every stream that was written lately.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import Record

CAPACITY_RECORDS: Final = 8_192
_BATCH_RECORDS: Final = 1_024
_LINGER_S: Final = 0.005
"""How long records that nobody waits for may gather before a commit: saves thousands of commits a second."""
_REMEMBERED_STREAMS: Final = 4_096

OnDone = Callable[[bool, Exception | None], None]
Head = tuple[int, str]


class Burn(NamedTuple):
    """A grant to be spent for good."""

    grant_id: str
    call: str
    epoch: int
    at_ms: int


class Entry(NamedTuple):
    """One submission: records or a burn, and who wants to know when it is durable."""

    records: tuple[Record, ...]
    burn: Burn | None
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
        self._change = threading.Condition(threading.RLock())
        self._entries: deque[Entry] = deque()
        self._heads: dict[str, Head] = {}
        self._uncommitted = 0
        self._oldest = 0.0
        self._awaited = False
        self._idle = False
        self._closed = False
        self.failure: LedgerError | None = None

    @property
    def pressure_permille(self) -> int:
        """How full the queue is; 1000 refuses."""
        return self._uncommitted * 1000 // self._capacity

    def locked(self) -> threading.Condition:
        """Hold this to read a head and submit its next record as one step."""
        return self._change

    def head(self, stream: str) -> Head:
        """The head of a stream, what is still queued included."""
        with self._change:
            found = self._heads.get(stream)
            if found is None:
                # Unknown here means that nothing of it is queued: the file has the truth.
                found = self._heads[stream] = self._committed_head(stream)
            return found

    def put(self, records: Sequence[Record], burn: Burn | None, on_done: OnDone | None) -> None:
        """Queue work behind what is queued; all of it or nothing."""
        with self._change:
            self._check_open()
            count = len(records) + (burn is not None)
            if self._uncommitted + count > self._capacity:
                raise LedgerFull(
                    f"the ledger's queue holds {self._uncommitted} of {self._capacity} records and {count} more do not "
                    "fit; the disk is too slow for this load: take fewer calls or use a faster disk"
                )
            self._advance(records)
            if not self._entries:
                self._oldest = time.monotonic()
            self._entries.append(Entry(tuple(records), burn, on_done))
            self._uncommitted += count
            urgent = on_done is not None and not self._awaited
            self._awaited = self._awaited or urgent
            if self._idle or urgent:
                self._change.notify()

    def take(self, due_at: float | None) -> Batch | None:
        """The next batch; an empty awaited one at `due_at` (monotonic), None when all is done."""
        with self._change:
            if self.failure is not None:
                return None
            if not self._wait_for_work(due_at):
                # Closed with nothing left to sync, or the time to sync has come.
                return None if due_at is None else Batch([], True, due_at, 0)
            if not self._awaited:
                self._change.wait_for(self._is_pressing, _LINGER_S)
            return self._cut()

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
            lost = [*(batch.entries if batch else ()), *self._entries]
            self._entries.clear()
            return lost

    def close(self) -> None:
        """Take nothing more; what is queued is still written."""
        with self._change:
            self._closed = True
            self._change.notify()

    def _check_open(self) -> None:
        if self.failure is not None:
            # A fresh error for every caller: one shared exception would collect all their tracebacks.
            raise type(self.failure)(str(self.failure))
        if self._closed:
            raise LedgerError("the ledger was closed; open it again to write")

    def _advance(self, records: Sequence[Record]) -> None:
        """INVARIANT: what is queued continues its chains (test_backlog.py, test_a_gap_is_refused)."""
        moved: dict[str, Head] = {}
        for record in records:
            seq, last = moved.get(record.stream) or self.head(record.stream)
            if record.seq != seq or record.prev_hash != last:
                raise LedgerBroken(
                    f"record {record.seq} does not continue stream {record.stream}, whose next record is {seq}; "
                    "one writer a stream: take the head from the ledger and chain from it"
                )
            moved[record.stream] = (seq + 1, record.hash)
        self._heads.update(moved)

    def _wait_for_work(self, due_at: float | None) -> bool:
        while not self._entries:
            left = None if due_at is None else due_at - time.monotonic()
            if self._closed or (left is not None and left <= 0):
                return False
            self._idle = True
            self._change.wait(left)
            self._idle = False
        return True

    def _is_pressing(self) -> bool:
        return self._awaited or self._closed

    def _cut(self) -> Batch:
        entries: list[Entry] = []
        count = 0
        awaited = False
        while self._entries and count < _BATCH_RECORDS:
            entry = self._entries.popleft()
            entries.append(entry)
            count += len(entry.records) + (entry.burn is not None)
            awaited = awaited or entry.on_done is not None
        if not self._entries:
            self._awaited = False
        return Batch(entries, awaited, self._oldest, count)

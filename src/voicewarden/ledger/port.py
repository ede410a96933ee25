"""The port of the ledger: what it asks of whatever keeps its records (SQLite here; a server of databases may follow).

In: groups of records and orders to be kept, all or nothing, and questions about what is kept. Out: answers, and errors
of `model.error` alone. Asked by the writer thread (`Store`), by `LedgerView` (`Reading`) and by whoever verifies
(`Snapshot`). tests/unit/ledger/test_contract.py holds what every implementation must pass:

1. A commit is kept whole or not at all, and everything committed before a durable one is durable with it.
2. What was committed is seen by every reading that asks afterwards; nothing else is.
3. Rows are numbered from 1 without a gap in the order of their commits: the tree over all records relies on it.
4. A store that failed is not asked again. Nothing that it said before becomes untrue by that.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from voicewarden.ledger.spent import Order
from voicewarden.model.error import GrantRefused
from voicewarden.model.record import Record


class Work(Protocol):
    """One submission: records that continue their streams, or an order, or neither."""

    @property
    def records(self) -> Sequence[Record]:
        """Records in the order of their chains."""
        ...

    @property
    def order(self) -> Order | None:
        """A grant to be spent, a place to be given back, an epoch to be raised."""
        ...


class Row(NamedTuple):
    """A record and its number in the store; `body` is as stored."""

    number: int
    stream: str
    seq: int
    at_ms: int
    kind: str
    body: bytes
    prev_hash: str
    hash: str


class Head(NamedTuple):
    """Where a stream ends: the next sequence number and the hash to build on."""

    stream: str
    next_seq: int
    hash: str


class Place(NamedTuple):
    """A place that a burnt grant took in a limit over a window."""

    grant: str
    call: str
    key: str
    unix_ms: int
    is_given_back: bool


class Store(Protocol):
    """Keeps; used by one thread."""

    def commit(self, work: Sequence[Work], *, durable: bool) -> list[bool | GrantRefused]:
        """Keep all of it or nothing, one answer for each: see `spent.py`. Raises LedgerFull for want of room, with
        nothing kept, and LedgerBroken for anything else, after which nobody knows.
        """
        ...

    def tidy(self) -> None:
        """Do upkeep that nobody has to wait for; raises LedgerError when it fails, which is as final as a commit's."""
        ...

    def close(self, *, failed: bool) -> None:
        """Let go; after a failure everything is left as it is, for whoever opens it next and verifies it."""
        ...


class Snapshot(Protocol):
    """One state of the store, however long it is looked at."""

    def last(self) -> int:
        """Number of the last row, 0 for none."""
        ...

    def rows(self, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """Rows with a number above `after`, up to `until`, in order; those whose stream is unknown have no name."""
        ...

    def row(self, stream: str, seq: int) -> Row | None:
        """One record of a stream."""
        ...

    def heads(self) -> Iterator[Head]:
        """Where every stream ends, in the order of their first records."""
        ...

    def burns(self) -> Iterator[tuple[str, str]]:
        """Every spent grant and the call that spent it."""
        ...

    def places(self) -> Iterator[Place]:
        """Every place that was taken in a limit."""
        ...


class Reading(Protocol):
    """Reads what was committed; safe to use from several threads while a writer goes on."""

    def streams(self, prefix: str) -> tuple[str, ...]:
        """Names of the streams that begin with `prefix`, in the order of their first record."""
        ...

    def page(self, stream: str, after_seq: int, at_most: int) -> list[Record]:
        """So many records of a stream behind `after_seq`, in order."""
        ...

    def head(self, stream: str) -> tuple[int, str]:
        """The next sequence number of a stream and the hash to build on; 0 and GENESIS for an unknown one."""
        ...

    def spent(self, grant_id: str) -> bool:
        """Whether a grant was burnt."""
        ...

    def counted(self, keys: Sequence[str], since_unix_ms: int, *, most: int, other_than: str) -> int:
        """Places taken since then under these keys, those of the call `other_than` left out; at most `most`."""
        ...

    def epoch(self) -> int:
        """The control epoch: no grant of an earlier one is spent."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """One state of all of it."""
        ...

    def close(self) -> None:
        """Let go; closing twice is no error."""
        ...

"""A ledger's store without a disk: everything that is kept is an immutable state, and a commit puts the next in place.

It passes the same contract as SQLite (tests/unit/ledger/test_contract.py); what a process forgets, it forgets.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from voicewarden.ledger.port import Head, Place, Row, Work
from voicewarden.ledger.spent import Burn, Claim, Fence, GiveBack, Order, epoch_is_over, limit_is_full
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import GENESIS, Record


class _State(NamedTuple):
    """Everything that is kept at one moment."""

    rows: tuple[Row, ...] = ()
    heads: tuple[Head, ...] = ()
    burns: tuple[tuple[str, str], ...] = ()
    places: tuple[Place, ...] = ()
    epoch: int = 0


class MemoryStore:
    """Store and reading in one; `room` is how many rows fit."""

    def __init__(self, *, room: int = 1_000_000) -> None:
        self._state = _State()
        self._room = room
        self._closed = False

    def commit(self, work: Sequence[Work], *, durable: bool) -> list[bool | GrantRefused]:
        """Keep all of it or nothing."""
        draft = _Draft(self._state)
        answers = []
        for item in work:
            for record in item.records:
                draft.add(record)
        for item in work:
            answers.append(draft.carry_out(item.order))
        if len(draft.rows) > self._room:
            raise LedgerFull("no room is left in memory; take a larger one")
        self._state = draft.state()
        return answers

    def tidy(self) -> None:
        """Nothing to do."""

    def close(self, *, failed: bool = False) -> None:
        """Answer no more."""
        self._closed = True

    def streams(self, prefix: str) -> tuple[str, ...]:
        """Names of the streams that begin with `prefix`."""
        return tuple(head.stream for head in self._kept.heads if head.stream.startswith(prefix))

    def page(self, stream: str, after_seq: int, at_most: int) -> list[Record]:
        """So many records of a stream."""
        rows = sorted(
            (row for row in self._kept.rows if row.stream == stream and row.seq > after_seq), key=lambda row: row.seq
        )
        return [Record(*row[1:]) for row in rows[:at_most]]  # type: ignore[arg-type]

    def head(self, stream: str) -> tuple[int, str]:
        """Where a stream ends."""
        return next((head[1:] for head in self._kept.heads if head.stream == stream), (0, GENESIS))

    def spent(self, grant_id: str) -> bool:
        """Whether a grant was burnt."""
        return any(grant == grant_id for grant, _ in self._kept.burns)

    def counted(self, keys: Sequence[str], since_unix_ms: int, *, most: int, other_than: str) -> int:
        """Places that are taken."""
        return _counted(self._kept.places, keys, since_unix_ms, most, other_than)

    def epoch(self) -> int:
        """The control epoch."""
        return self._kept.epoch

    @contextmanager
    def snapshot(self) -> Iterator["MemorySnapshot"]:
        """One state."""
        yield MemorySnapshot(self._kept)

    @property
    def _kept(self) -> _State:
        if self._closed:
            raise LedgerError("this ledger was closed; open it again")
        return self._state


class MemorySnapshot:
    """One state, looked at."""

    def __init__(self, state: _State) -> None:
        self._state = state

    def last(self) -> int:
        """Number of the last row."""
        return len(self._state.rows)

    def rows(self, after: int = 0, until: int | None = None) -> Iterator[Row]:
        """Rows in order."""
        yield from self._state.rows[after:until]

    def row(self, stream: str, seq: int) -> Row | None:
        """One record of a stream."""
        return next((row for row in self._state.rows if (row.stream, row.seq) == (stream, seq)), None)

    def heads(self) -> Iterator[Head]:
        """Where every stream ends."""
        yield from self._state.heads

    def burns(self) -> Iterator[tuple[str, str]]:
        """Spent grants."""
        yield from sorted(self._state.burns)

    def places(self) -> Iterator[Place]:
        """Places that were taken."""
        yield from sorted(self._state.places)


class _Draft:
    """The next state, before it is put in place."""

    def __init__(self, state: _State) -> None:
        self.rows = list(state.rows)
        self._heads = {head.stream: head for head in state.heads}
        self._burns = dict(state.burns)
        self._places = list(state.places)
        self._epoch = state.epoch

    def state(self) -> _State:
        """What it has become."""
        heads, burns = tuple(self._heads.values()), tuple(self._burns.items())
        return _State(tuple(self.rows), heads, burns, tuple(self._places), self._epoch)

    def add(self, record: Record) -> None:
        """Keep a record at the end of its stream, and nowhere else."""
        if any((row.stream, row.seq) == (record.stream, record.seq) for row in self.rows):
            raise LedgerBroken("this record is there already; one writer a stream")
        body = record.stored or record.body
        self.rows.append(
            Row(
                len(self.rows) + 1, record.stream, record.seq, record.at_ms, record.kind, body, record.prev_hash,
                record.hash,
            )
        )  # fmt: skip
        self._heads[record.stream] = Head(record.stream, record.seq + 1, record.hash)

    def carry_out(self, order: Order | None) -> bool | GrantRefused:
        """The four steps of `spent.py`."""
        match order:
            case Burn():
                return self._burn(order)
            case GiveBack(grant):
                self._places = [
                    place._replace(is_given_back=True) if place.grant == grant else place for place in self._places
                ]
            case Fence(epoch):
                self._epoch = max(self._epoch, epoch)
        return True

    def _burn(self, burn: Burn) -> bool | GrantRefused:
        if burn.epoch < self._epoch:  # 1
            return epoch_is_over()
        if burn.grant_id in self._burns:  # 2
            return False
        for claim in burn.claims:  # 3
            if claim.at_most is not None and self._taken(claim, claim.at_most) >= claim.at_most:
                return limit_is_full(claim)
        self._burns[burn.grant_id] = burn.call  # 4
        known = {(place.grant, place.key) for place in self._places}
        for claim in burn.claims:
            if (burn.grant_id, claim.keys[0]) not in known:
                known.add((burn.grant_id, claim.keys[0]))
                self._places.append(Place(burn.grant_id, burn.call, claim.keys[0], claim.unix_ms, False))
        return True

    def _taken(self, claim: Claim, most: int) -> int:
        return _counted(self._places, claim.keys, claim.since_unix_ms, most, "")


def _counted(places: Sequence[Place], keys: Sequence[str], since_unix_ms: int, most: int, other_than: str) -> int:
    found = [
        place
        for key in keys
        for place in places
        if place.key == key and place.unix_ms > since_unix_ms and not place.is_given_back
    ]
    return min(most, sum(not other_than or place.call != other_than for place in found))

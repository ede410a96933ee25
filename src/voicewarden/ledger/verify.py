"""Verification: does the ledger still say what was written into it?

In: a ledger or a read-only view. Out: every problem with its place, and notes on grants whose outcome nobody knows.
Called by `voicewarden ledger verify`, by start-up after a failure and by tests. One pass over one snapshot:

1. each record continues its stream: the sequence has no gap and no repeat, and `prev_hash` is the hash before it;
2. its hash covers the bytes as they are stored, which are never encoded again for this;
3. its body is canonical JSON;
4. a grant belongs to its stream and stands behind one allow of its own for the same action and arguments;
5. each stream ends where the table of heads says it ends: a cut tail leaves the chain itself intact.

Whoever may write the file can also rewrite chain and heads together; only a copy of a head elsewhere shows that.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import canonical_bytes, check_profile
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.record import GENESIS, chain_hash


class Problem(NamedTuple):
    """Something that is not as it was written; `call` is the stream's name without `call:`, `seq` -1 for all of it."""

    call: str
    seq: int
    what: str


class Verification(NamedTuple):
    """The result: `problems` make it not ok, `notes` are for a person to settle (grants without a receipt)."""

    ok: bool
    records: int
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


def verify(ledger: LedgerView) -> Verification:
    """Check everything that is committed; a writer may go on meanwhile. Holds one snapshot for as long as it takes."""
    streams: dict[int, _Stream] = {}
    orphans: list[Problem] = []
    count = 0
    with ledger.snapshot() as connection:
        for number, name, next_seq, last in connection.execute("SELECT id, name, next_seq, hash FROM streams"):
            streams[number] = _Stream(name, next_seq, last)
        rows = connection.execute("SELECT stream, seq, at_ms, kind, body, prev_hash, hash FROM records ORDER BY id")
        for number, seq, at_ms, kind, body, prev_hash, stored in rows:
            count += 1
            stream = streams.get(number)
            if stream is None:
                orphans.append(Problem("", seq, "belongs to no stream"))
            else:
                stream.check(seq, at_ms, kind, body, prev_hash, stored)
        burnt = {str(row[0]) for row in connection.execute("SELECT grant_id FROM burns")}
    for stream in streams.values():
        stream.check_end()
    problems = (*orphans, *(problem for stream in streams.values() for problem in stream.problems))
    notes = tuple(note for stream in streams.values() for note in stream.notes(burnt))
    return Verification(not problems, count, problems, notes)


class _Stream:
    """One stream as it is walked: what must come next, and what was wrong so far."""

    def __init__(self, name: str, next_seq: int, last: str) -> None:
        self.name = name
        self.call = name.removeprefix("call:")
        self.problems: list[Problem] = []
        self._end = (next_seq, last)
        self._seq = 0
        self._hash = GENESIS
        self._allowed: dict[tuple[str, str], int] = {}
        self._grants: dict[str, Grant] = {}
        self._receipts: set[str] = set()

    def check(self, seq: int, at_ms: int, kind: str, body: bytes, prev_hash: str, stored: str) -> None:
        """Check one record and go on from it as it is stored, so that one change is one finding."""
        if seq != self._seq:  # 1
            self._find(seq, f"comes where {self._seq} should be: a record was removed, repeated or moved")
        elif prev_hash != self._hash:
            self._find(seq, "does not follow the record before it")
        if chain_hash(self.name, seq, at_ms, kind, body, prev_hash) != stored:  # 2
            self._find(seq, "its bytes are not those that were written")
        self._seq, self._hash = seq + 1, stored
        try:
            value = _DECODE(body)
            if canonical_bytes(value) != body:  # 3
                self._find(seq, "its body is not canonical JSON")
            elif _LONG_NUMBER in body.translate(_DIGITS):
                check_profile(value)
            self._follow(seq, kind, body, value)  # 4
        except (ValueError, TypeError, msgspec.MsgspecError):
            self._find(seq, "its body is not canonical JSON of its kind")

    def check_end(self) -> None:
        """Check that the last record is the one that the table of heads knows."""
        if (self._seq, self._hash) != self._end:  # 5
            self._find(-1, f"ends before record {self._seq}, its head says {self._end[0]}: the tail was cut or added")

    def notes(self, burnt: set[str]) -> Iterator[Problem]:
        """Grants without a receipt: spent, so that their outcome is UNKNOWN, or never spent."""
        for grant in self._grants.values():
            if grant.id in self._receipts:
                continue
            if grant.id in burnt:
                yield Problem(self.call, grant.seq, f"grant {grant.id} ({grant.action}) has no receipt: UNKNOWN")
            elif not grant.escape:  # those lie ready in every call and are rarely needed
                yield Problem(self.call, grant.seq, f"grant {grant.id} ({grant.action}) was never spent")

    # Any: the decoded JSON of a body; what it must be is checked here.
    def _follow(self, seq: int, kind: str, body: bytes, value: Any) -> None:
        if kind == "decision":
            decision = _DECISION(body)
            if decision.verdict == "allow":
                key = (decision.action, decision.digest)
                self._allowed[key] = self._allowed.get(key, 0) + 1
        elif kind == "grant":
            self._check_grant(seq, _GRANT(body))
        elif kind == "event" and value.get("event") == "ReceiptReturned":
            self._receipts.add(value["grant"])

    def _check_grant(self, seq: int, grant: Grant) -> None:
        if grant.call != self.call or grant.seq != seq:
            self._find(seq, f"grant {grant.id} belongs to another place")
        if grant.id in self._grants:
            self._find(seq, f"grant {grant.id} was minted twice")
        key = (grant.action, grant.digest)
        left = self._allowed.get(key, 0)
        if not left:
            self._find(seq, f"grant {grant.id} ({grant.action}) has no allow of its own before it")
        self._allowed[key] = max(0, left - 1)
        self._grants[grant.id] = grant

    def _find(self, seq: int, what: str) -> None:
        self.problems.append(Problem(self.call, seq, what))


def _no_floats(_: str) -> None:
    raise ValueError("a float has no canonical form")


_DECODE: Final = msgspec.json.Decoder(float_hook=_no_floats).decode
_DECISION: Final = msgspec.json.Decoder(Decision).decode
_GRANT: Final = msgspec.json.Decoder(Grant).decode
_DIGITS: Final = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_LONG_NUMBER: Final = b"0" * 16
"""Sixteen digits in a row may be an integer beyond 2^53; anything shorter need not be looked at. (A regular expression
costs ten times as much here.)"""

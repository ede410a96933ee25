"""Verification: does the ledger still say what was written into it?

In: a ledger or a read-only view. Out: every problem with its place, and notes on grants whose outcome nobody knows.
Called by `voicewarden ledger verify`, by backups and by tests. One pass over one snapshot:

0. the files are whole, or nothing that they hold can be relied on (`damage.py`);
1. each record continues its stream: the sequence has no gap and no repeat, and `prev_hash` is the hash before it;
2. its hash covers the bytes as they are stored, which are never encoded again for this;
3. its body is canonical JSON;
4. a grant belongs to its stream and stands behind one allow of its own for the same action and arguments;
5. each stream ends where the table of heads says it ends: a cut tail leaves the chain itself intact;
6. each place that is taken in a limit belongs to a burnt grant of the same call, and was given back only where a
   receipt says that nothing happened;
7. what is sealed is sealed as a whole call is; where its key is at hand, it opens and its clear part says the same;
8. the tree over all records, its checkpoints and those that were kept elsewhere fit the records (`treecheck.py`).

Whoever may write the files can rewrite chains, heads and tree together; only a checkpoint that was kept elsewhere, by a
witness, shows that. What came after the last one is the open window, which is told as a note. No key is needed: what
was erased verifies as before, and a note says that it was.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import apsw
import msgspec

from voicewarden.ledger.damage import damage
from voicewarden.ledger.forgetting import CONTROL, read_forgotten
from voicewarden.ledger.sealcheck import SealedStream, seal_notes
from voicewarden.ledger.treecheck import Misfit, TreeCheck, TreeState
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import canonical_bytes, check_profile
from voicewarden.model.content import readable
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.record import GENESIS, chain_hash


class Problem(NamedTuple):
    """Something that is not as it was written; `call` is the stream's name without `call:`, `seq` -1 for all of it."""

    call: str
    seq: int
    what: str
    id: int = 0
    """Number of the record in the file, 0 when none is meant; of a missing record, where it would stand."""


class Verification(NamedTuple):
    """The result: `problems` make it not ok, `notes` are for a person to settle (grants without a receipt)."""

    ok: bool
    records: int
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


def verify(ledger: LedgerView, tree: TreeCheck | None = None) -> Verification:
    """Check everything that is committed; a writer may go on meanwhile. Holds one snapshot for as long as it takes.

    `tree` says what to compare with beside the tree's own file; what it found is in its `state` afterwards.
    """
    # Opened before the snapshot: a sequencer that goes on only adds what the snapshot has.
    tree = tree or TreeCheck.open(ledger.path)
    damaged = tuple(Problem("", -1, what) for what in damage(ledger.path))  # 0
    try:
        found = _walk(ledger, tree)
    # Broad: a damaged page may hand out anything.
    except Exception:
        if not damaged:
            raise
        return Verification(False, 0, damaged)
    return found._replace(ok=found.ok and not damaged, problems=(*damaged, *found.problems))


def _walk(ledger: LedgerView, tree: TreeCheck) -> Verification:
    """Everything that the records say, in one pass."""
    take = tree.check if tree.is_needed else None
    streams: dict[int, _Stream] = {}
    orphans: list[Problem] = []
    control: list[bytes] = []
    count = 0
    with ledger.snapshot() as connection:
        for number, name, next_seq, last in connection.execute("SELECT id, name, next_seq, hash FROM streams"):
            streams[number] = _Stream(name, next_seq, last, ledger.vault)
        rows = connection.execute("SELECT id, stream, seq, at_ms, kind, body, prev_hash, hash FROM records ORDER BY id")
        for row, number, seq, at_ms, kind, body, prev_hash, stored in rows:
            count += 1
            stream = streams.get(number)
            if stream is None:
                orphans.append(Problem("", seq, "belongs to no stream", row))
            else:
                stream.check(row, seq, at_ms, kind, body, prev_hash, stored)
                if stream.name == CONTROL:
                    control.append(body)
            if take is not None:
                take(row, stored)
        burnt = {str(grant): str(call) for grant, call in connection.execute("SELECT grant_id, call FROM burns")}
        places = _places(connection)
        misfits = [_placed(connection, misfit) for misfit in tree.finish()]  # 8
    for stream in streams.values():
        stream.check_end()
    calls = {stream.name: stream for stream in streams.values()}
    odd, kept = _check_places(places, burnt, calls)  # 6
    problems = (*orphans, *(problem for stream in streams.values() for problem in stream.problems), *odd, *misfits)
    unsettled = (note for stream in streams.values() for note in stream.notes(burnt))
    sealed = [stream.name for stream in streams.values() if stream.sealed.is_sealed]
    told = [Problem(note.call, -1, note.what) for note in seal_notes(sealed, read_forgotten(control), ledger.vault)]
    notes = (*unsettled, *kept, *told, *_open_window(tree.state, count))
    return Verification(not problems, count, problems, notes)


def _placed(connection: apsw.Connection, misfit: Misfit) -> Problem:
    """A misfit of the tree with the stream and number of the record that stands there, if one does."""
    found = list(
        connection.execute(
            "SELECT name, seq FROM records JOIN streams ON streams.id = records.stream WHERE records.id = ?",
            (misfit.row,),
        )
    )
    name, seq = found[0] if found else ("", -1)
    return Problem(str(name).removeprefix("call:"), int(str(seq)), misfit.what, misfit.row)


def _open_window(state: TreeState | None, count: int) -> Iterator[Problem]:
    if state is None:
        return
    if not state.trusted:
        what = "signatures were checked with keys that the tree's file names itself; pass those that you were given"
        yield Problem("", -1, what)
    if state.cosigned < 0:
        yield Problem("", -1, f"no co-signed checkpoint: no witness can show a change or a cut of {count} records")
    elif state.open_records:
        what = f"{state.open_records} records from here on came after the last co-signed checkpoint ({_at(state)})"
        yield Problem("", -1, what, state.cosigned + 1)


def _at(state: TreeState) -> str:
    try:
        return datetime.fromtimestamp(state.cosigned_unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"at the unix time {state.cosigned_unix_s}"


class _Place(NamedTuple):
    grant: str
    call: str
    given_back: bool


def _places(connection: apsw.Connection) -> list[_Place]:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'counts'").get is None:
        return []  # version 1 had none
    rows = connection.execute("SELECT DISTINCT grant_id, call, given_back FROM counts ORDER BY grant_id, call")
    return [_Place(str(grant), str(call), bool(back)) for grant, call, back in rows]


def _check_places(
    places: Iterable[_Place], burnt: Mapping[str, str], calls: Mapping[str, "_Stream"]
) -> tuple[list[Problem], list[Problem]]:
    problems, notes = [], []
    for place in places:
        stream = calls.get(f"call:{place.call}")
        seq, outcome = (-1, "") if stream is None else stream.outcome(place.grant)
        nothing_happened = outcome in ("refused", "failed")
        if burnt.get(place.grant) != place.call:
            what = f"grant {place.grant} takes a place in a limit and was not burnt by this call"
            problems.append(Problem(place.call, seq, what))
        elif place.given_back and not nothing_happened:
            what = f"grant {place.grant} gave its place in a limit back, yet no receipt says that nothing happened"
            problems.append(Problem(place.call, seq, what))
        elif nothing_happened and not place.given_back:
            notes.append(Problem(place.call, seq, f"grant {place.grant} keeps its place in a limit: nothing happened"))
    return problems, notes


class _Stream:
    """One stream as it is walked: what must come next, and what was wrong so far."""

    def __init__(self, name: str, next_seq: int, last: str, vault: Vault | None) -> None:
        self.name = name
        self.sealed = SealedStream(name, vault)
        self.call = name.removeprefix("call:")
        self.problems: list[Problem] = []
        self._end = (next_seq, last)
        self._row = 0
        self._seq = 0
        self._hash = GENESIS
        self._allowed: dict[tuple[str, str], int] = {}
        self._grants: dict[str, Grant] = {}
        self._receipts: dict[str, str] = {}

    def check(self, row: int, seq: int, at_ms: int, kind: str, body: bytes, prev_hash: str, stored: str) -> None:
        """Check one record and go on from it as it is stored, so that one change is one finding."""
        self._row = row
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
            self._follow(seq, kind, readable(kind, body), value)  # 4
            if misfit := self.sealed.check(seq, kind, body, value):  # 7
                self._find(seq, misfit)
        except (ValueError, TypeError, msgspec.MsgspecError):
            self._find(seq, "its body is not canonical JSON of its kind")

    def check_end(self) -> None:
        """Check that the last record is the one that the table of heads knows."""
        self._row = 0
        if (self._seq, self._hash) != self._end:  # 5
            self._find(-1, f"ends before record {self._seq}, its head says {self._end[0]}: the tail was cut or added")

    def outcome(self, grant: str) -> tuple[int, str]:
        """Where a grant was minted, -1 for nowhere, and what its receipt says, empty without one."""
        minted = self._grants.get(grant)
        return (-1 if minted is None else minted.seq), self._receipts.get(grant, "")

    def notes(self, burnt: Container[str]) -> Iterator[Problem]:
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
            self._receipts[str(value.get("grant"))] = str(value.get("outcome"))

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
        self.problems.append(Problem(self.call, seq, what, self._row))


def _no_floats(_: str) -> None:
    raise ValueError("a float has no canonical form")


_DECODE: Final = msgspec.json.Decoder(float_hook=_no_floats).decode
_DECISION: Final = msgspec.json.Decoder(Decision).decode
_GRANT: Final = msgspec.json.Decoder(Grant).decode
_DIGITS: Final = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_LONG_NUMBER: Final = b"0" * 16
"""Sixteen digits in a row may be an integer beyond 2^53; anything shorter need not be looked at. (A regular expression
costs ten times as much here.)"""

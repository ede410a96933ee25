"""Structural replay: what can still be checked of a call whose words are sealed and whose key is not here, or gone.

In: the records of a call as they are written. Out: the first thing that does not fit, if any, and how many events
there are. No step can be taken without what was said, so this is no replay: it shows that the record is whole and that
nothing was done without permission, not that the decisions were the right ones. Called by exact replay.

1. the chain is whole, over the bytes that are written;
2. none of it is open: one key opens all of a call, so that anything else was put in;
3. it begins with CallStarted of this call, its times never go back, and no grant follows CallEnded;
4. each grant belongs to its place and stands behind an allow of its own, for the same action and arguments;
5. each order to spend, and each receipt, is of a grant that was minted before;
6. each sentence of the model that is spoken stands behind an allow to speak it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from voicewarden.model.content import CONTENT, is_sealed, shape_of
from voicewarden.model.record import GENESIS, Record, chain_hash


class Misfit(NamedTuple):
    """The first record that does not fit, and what should have been there."""

    seq: int
    expected: str


class Structure(NamedTuple):
    """What was found."""

    events: int
    misfit: Misfit | None


def check_structure(records: Sequence[Record]) -> Structure:
    """Check a call by what stays readable of it."""
    seen = _Seen()
    last = GENESIS
    for seq, record in enumerate(records):
        chained = chain_hash(record.stream, seq, record.at_ms, record.kind, record.stored or record.body, last)
        if (record.seq, record.prev_hash, record.hash) != (seq, last, chained):  # 1
            return Structure(seen.events, Misfit(seq, "a record that continues the chain"))
        last = record.hash
        expected = seen.take(record)
        if expected:
            return Structure(seen.events, Misfit(seq, expected))
    return Structure(seen.events, None)


class _Seen:
    """What was read so far."""

    def __init__(self) -> None:
        self.events = 0
        self._at_ms = 0
        self._ended = False
        self._sayable: set[str] = set()
        self._allowed: Counter[tuple[str, str]] = Counter()
        self._minted: set[str] = set()

    def take(self, record: Record) -> str:
        """Take the next record; what should have been there instead, empty when it fits."""
        try:
            # Any: the readable members of a body.
            value: dict[str, Any] = msgspec.json.decode(record.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return "canonical JSON"
        shape = shape_of(record.kind, value)
        self.events += record.kind == "event"
        if record.stored or (shape is not None and CONTENT[shape] is not None and not is_sealed(record.body)):  # 2
            return "a record that no key opens, like the others of the call"
        expected = self._order(record, value) or self._grants(record, value)
        self._at_ms = record.at_ms
        return expected

    def _order(self, record: Record, value: dict[str, Any]) -> str:
        tag = value.get("event")
        begins = tag == "CallStarted" and value.get("call") == record.stream.removeprefix("call:")
        if (record.seq == 0) is not begins:  # 3
            return "the one CallStarted of this call, and at its beginning"
        if record.at_ms < self._at_ms:
            return f"a time of {self._at_ms} ms or later"
        if self._ended and record.kind == "grant":
            return "no grant, because the call had ended"
        self._ended = self._ended or tag == "CallEnded"
        return ""

    def _grants(self, record: Record, value: dict[str, Any]) -> str:
        grant = value.get("grant")
        match record.kind, value.get("event") or value.get("directive"):
            case "decision", _ if value.get("verdict") == "allow":
                self._allowed[_asked(value)] += 1
                if value.get("action") == "speak":
                    self._sayable.add(str(value.get("request")))
            case "grant", _:
                return self._mint(record, value)
            case ("directive", "SpendGrant") | ("event", "ReceiptReturned") if grant not in self._minted:  # 5
                return "a grant that was minted before"
            case "directive", "Speak" if value.get("purpose") == "model" and value.get("sentence") not in self._sayable:
                return "an allow to speak it, before it"  # 6
        return ""

    def _mint(self, record: Record, value: dict[str, Any]) -> str:
        key = _asked(value)
        is_here = (value.get("call"), value.get("seq")) == (record.stream.removeprefix("call:"), record.seq)
        if not is_here or str(value.get("id")) in self._minted or not self._allowed[key]:  # 4
            return "a grant of this place, behind an allow of its own"
        self._allowed[key] -= 1
        self._minted.add(str(value.get("id")))
        return ""


def _asked(value: dict[str, Any]) -> tuple[str, str]:
    return str(value.get("action")), str(value.get("digest"))

"""The records of one call, decoded as far as they can be, with everything odd about them said in words.

In: records of a stream. Out: `Entries`. Never raises for what a record holds: a report shows what is there and says
what is missing; of a sealed record whose key is not here it shows what stays readable. Used by the call report.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from voicewarden.model.content import is_sealed, readable
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import Directive
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record, chain_hash
from voicewarden.replay.keyed import hide_keyed

_DECODERS: Final[dict[str, msgspec.json.Decoder[Event | Decision | Shadowed | Grant | Directive]]] = {
    "event": msgspec.json.Decoder(Event),
    "decision": msgspec.json.Decoder(Decision),
    "shadow": msgspec.json.Decoder(Shadowed),
    "grant": msgspec.json.Decoder(Grant),
    "directive": msgspec.json.Decoder(Directive),
}


class Entry(msgspec.Struct, frozen=True):
    """A record and what it holds; `value` is None where that can't be read."""

    record: Record
    value: Event | Decision | Shadowed | Grant | Directive | None
    is_hidden: bool = False
    """Digits of a keyed number are hidden in `value`: what is shown must come from there, not from the record."""

    @property
    def seq(self) -> int:
        """Sequence number of the record."""
        return self.record.seq


class Entries(msgspec.Struct, frozen=True):
    """All records of a call."""

    items: tuple[Entry, ...]
    by_seq: dict[int, Entry]
    problems: tuple[str, ...]
    """What is wrong with the stream, in words."""

    @property
    def started(self) -> CallStarted | None:
        """How the call began, if the stream has its beginning."""
        first = self.items[0].value if self.items else None
        return first if isinstance(first, CallStarted) else None


def read_entries(records: Iterable[Record]) -> Entries:
    """Decode records and check their chain."""
    stored = tuple(records)
    values = [_decode(record) for record in stored]
    items = tuple(
        Entry(record, shown, is_hidden=shown is not value)
        for record, value, shown in zip(stored, values, hide_keyed(values), strict=True)
    )
    problems = list(_problems(items))
    return Entries(items, {item.seq: item for item in items}, tuple(problems))


def _decode(record: Record) -> Event | Decision | Shadowed | Grant | Directive | None:
    decoder = _DECODERS.get(record.kind)
    if decoder is None:
        return None
    try:
        return decoder.decode(readable(record.kind, record.body))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _problems(items: tuple[Entry, ...]) -> Iterable[str]:
    if not items:
        yield "The ledger holds no record of this call."
        return
    if not isinstance(items[0].value, CallStarted):
        yield "The stream does not begin with CallStarted: agent, stage and release are not known."
    if any(is_sealed(item.record.body) for item in items):
        yield "What was said is sealed, and its key is not here or was destroyed: only the structure can be shown."
    unread = [item.seq for item in items if item.value is None and item.record.kind != "note"]
    if unread:
        yield f"{len(unread)} records can't be read by this version (the first is record {unread[0]})."
    broken = _first_break(items)
    if broken is not None:
        yield f"The hash chain is broken at record {broken}: what follows may have been changed, removed or reordered."


def _first_break(items: tuple[Entry, ...]) -> int | None:
    last, expected = GENESIS, 0
    for item in items:
        kept = item.record
        made = chain_hash(kept.stream, kept.seq, kept.at_ms, kept.kind, kept.stored or kept.body, last)
        if kept.seq != expected or kept.prev_hash != last or kept.hash != made:
            return kept.seq
        last, expected = kept.hash, expected + 1
    return None

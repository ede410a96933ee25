"""Turns one step into chained records: the event first, then its outputs in order.

In: the stream's name and last hash, the event, the outputs. Out: records. Live calls and replay both use this, so that
equal steps give equal bytes. A live call may seal what it writes; replay compares what was sealed.
"""

from collections.abc import Callable, Sequence
from typing import Final

from voicewarden.kernel.draft import Output
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.event import Event
from voicewarden.model.record import Record, RecordKind, make_record

_KINDS: Final[dict[type, RecordKind]] = {Decision: "decision", Grant: "grant", Shadowed: "shadow"}
"""What is written down under a kind of its own; everything else that a step puts out is a directive."""

Seal = Callable[[RecordKind, int, Event | Output, bytes], bytes]
"""From kind, number, value and canonical body to the body that is written down; called once a record, in order."""


def kind_of(output: Output) -> RecordKind:
    """Under which kind an output is written down."""
    return _KINDS.get(type(output), "directive")


def records_of(
    stream: str, seq: int, prev_hash: str, event: Event, outputs: Sequence[Output], at_ms: int,
    seal: Seal | None = None,
) -> list[Record]:  # fmt: skip
    """Records of one step; `seq` is the event's sequence number."""
    body = canonical_bytes(event)
    if seal is not None:
        body = seal("event", seq, event, body)
    record = make_record(stream, seq, at_ms, "event", body, prev_hash)
    records = [record]
    for output in outputs:
        seq += 1
        kind = kind_of(output)
        body = canonical_bytes(output)
        if seal is not None:
            body = seal(kind, seq, output, body)
        record = make_record(stream, seq, at_ms, kind, body, record.hash)
        records.append(record)
    return records

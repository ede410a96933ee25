"""Turns one step into chained records: the event first, then its outputs in order.

In: the stream's name and last hash, the event, the outputs. Out: records. Live calls and replay both use this, so that
equal steps give equal bytes.
"""

from collections.abc import Sequence
from typing import Final

from voicewarden.kernel.draft import Output
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.event import Event
from voicewarden.model.record import Record, RecordKind, make_record

_KINDS: Final[dict[type, RecordKind]] = {Decision: "decision", Grant: "grant", Shadowed: "shadow"}
"""What is written down under a kind of its own; everything else that a step puts out is a directive."""


def records_of(
    stream: str, seq: int, prev_hash: str, event: Event, outputs: Sequence[Output], at_ms: int
) -> list[Record]:
    """Records of one step; `seq` is the event's sequence number."""
    record = make_record(stream, seq, at_ms, "event", canonical_bytes(event), prev_hash)
    records = [record]
    for output in outputs:
        seq += 1
        kind = _KINDS.get(type(output), "directive")
        record = make_record(stream, seq, at_ms, kind, canonical_bytes(output), record.hash)
        records.append(record)
    return records

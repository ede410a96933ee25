"""Exact replay: the recorded events of a call through `kernel.step`, compared byte for byte with what was recorded.

In: records of a stream and the release they name. Out: a `Replayed` with the first record that differs, if any.
Called by `voicewarden replay`, by tests over golden calls and by the demo.
"""

from collections.abc import Callable, Iterable

import msgspec

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled, decode_release
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerError
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record

_EVENTS = msgspec.json.Decoder(Event)


class Difference(msgspec.Struct, frozen=True):
    """The first record that replay would have written differently."""

    call: str
    seq: int
    recorded: str
    replayed: str


class Replayed(msgspec.Struct, frozen=True):
    """What became of one call."""

    call: str
    events: int
    difference: Difference | None = None
    note: str = ""


class Releases:
    """Compiled releases by hash, read from the ledger's blobs once each."""

    def __init__(self, load: Callable[[str], bytes]) -> None:
        self._load = load
        self._compiled: dict[str, Compiled] = {}

    def get(self, name: str) -> Compiled:
        """The release of this hash. Raises LedgerError when the ledger does not hold it."""
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = Compiled(decode_release(self._load(name)))
            if known.hash != name:
                raise LedgerError(f"release {name[:12]} does not have the content that its name promises")
        return known


def replay_call(records: Iterable[Record], releases: Releases) -> Replayed:
    """Replay one call's stream."""
    stored = list(records)
    call = stored[0].stream.removeprefix("call:") if stored else ""
    first = _event_of(stored[0]) if stored else None
    if not isinstance(first, CallStarted):
        return Replayed(call, 0, Difference(call, 0, "no CallStarted", ""), "the stream has no beginning")
    release = releases.get(first.release)
    state: State = EMPTY
    last_hash = GENESIS
    position = events = 0
    while position < len(stored):
        record = stored[position]
        event = _event_of(record)
        if event is None:
            found = f"{record.kind} {record.body.decode(errors='replace')}"
            return Replayed(call, events, Difference(call, record.seq, found, "an event, or nothing"))
        taken = step(release, state, event)
        again = records_of(
            record.stream, state.seq, last_hash, event, taken.outputs, max(event.at_ms, state.now_ms)
        )
        for offset, made in enumerate(again):
            kept = stored[position + offset] if position + offset < len(stored) else None
            if kept != made:
                return Replayed(call, events, _difference(call, made, kept))
        position += len(again)
        events += 1
        last_hash, state = again[-1].hash, taken.state
    return Replayed(call, events)


def _event_of(record: Record) -> Event | None:
    """The event of a record, None when it is none or can't be read."""
    if record.kind != "event":
        return None
    try:
        event: Event = _EVENTS.decode(record.body)
        return event
    except msgspec.DecodeError:
        return None


def _difference(call: str, made: Record, kept: Record | None) -> Difference:
    recorded = "nothing" if kept is None else f"{kept.kind} {kept.body.decode(errors='replace')}"
    return Difference(call, made.seq, recorded, f"{made.kind} {made.body.decode()}")


def replay_ledger(
    ledger: LedgerView, *, calls: tuple[str, ...] = (), each: Callable[[Replayed], None] | None = None
) -> tuple[Replayed, ...]:
    """Replay all calls of a ledger, or some; `each` is told of every call as it is done."""
    releases = Releases(ledger.get_blob)
    streams = tuple(f"call:{call}" for call in calls) or ledger.streams("call:")
    results = []
    for stream in streams:
        result = replay_call(ledger.read_stream(stream), releases)
        results.append(result)
        if each is not None:
            each(result)
    return tuple(results)

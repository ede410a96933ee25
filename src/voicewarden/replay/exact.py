"""Exact replay: the recorded events of a call through `kernel.step`, compared byte for byte with what was recorded.

In: records of a stream and the release they name. Out: a `Replayed` with the first record that differs, if any. Bodies
are compared as they read, the chain goes over the bytes as they are stored, which differ where content was sealed.
Called by `voicewarden replay`, what-if, golden calls and the demo.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from voicewarden.kernel.records import kind_of, records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import is_sealed
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record, chain_hash
from voicewarden.replay.release_blob import compile_blob
from voicewarden.replay.structural import check_structure
from voicewarden.replay.upcaster import UPCASTERS, Upcasters

_EVENTS: Final = msgspec.json.Decoder(Event)
Watch = Callable[[Compiled, State, Event, Step], None]
"""Is shown every step that came out as recorded: the release, the state before, the event, and what it led to."""


class Difference(msgspec.Struct, frozen=True):
    """The first record that replay would have written differently."""

    call: str
    seq: int
    found: Record | None
    """What the ledger holds; None where it holds nothing."""
    expected: Record | None
    """What replay would have written; None where that can't be known."""
    what: str = ""
    """What was expected or found, where there is no record of it."""

    @property
    def recorded(self) -> str:
        """What the ledger holds, in one line."""
        if self.found is not None:
            return _told(self.found)
        return self.what if self.expected is None else "nothing"

    @property
    def replayed(self) -> str:
        """What this program would have written, in one line."""
        if self.expected is not None:
            return _told(self.expected)
        return "" if self.found is None else self.what


class Replayed(msgspec.Struct, frozen=True):
    """What became of one call."""

    call: str
    events: int
    difference: Difference | None = None
    note: str = ""
    """Why it could not be replayed at all, or what is missing."""
    sealed: bool = False
    """What was said is sealed, and its key is not here: no step can be taken, only structure was checked."""

    @property
    def ok(self) -> bool:
        """Nothing differs, as far as it could be looked at."""
        return self.difference is None and not self.note


class Releases:
    """Compiled releases by hash, read from the ledger's blobs once each."""

    def __init__(self, load: Callable[[str], bytes], made: dict[str, Compiled] | None = None) -> None:
        """`made` holds what was compiled before, for other ledgers too: a hash names the same release everywhere."""
        self._load = load
        self._made = {} if made is None else made
        self._compiled: dict[str, Compiled] = {}

    def get(self, name: str) -> Compiled:
        """The release of this hash. Raises LedgerError when the ledger does not hold it."""
        known = self._compiled.get(name)
        if known is None:
            known = self._compiled[name] = self._compile(name)
        return known

    def blob(self, name: str) -> bytes:
        """The bytes of this hash, as they are stored. Raises LedgerError when the ledger does not hold them."""
        return self._load(name)

    def _compile(self, name: str) -> Compiled:
        data = self._load(name)
        known = self._made.get(name)
        if known is None:
            known = self._made[name] = compile_blob(name, data)
        return known


def replay_call(
    records: Iterable[Record], releases: Releases, *, watch: Watch | None = None, upcasters: Upcasters = UPCASTERS
) -> Replayed:
    """Replay one call's stream, up to the first difference."""
    stored = list(records)
    call = stored[0].stream.removeprefix("call:") if stored else ""
    if stored and is_sealed(stored[0].body):
        return _closed(call, stored)
    first = _event_of(stored[0], upcasters) if stored else None
    if not isinstance(first, CallStarted):
        beginning = Difference(call, 0, None, None, "no CallStarted")
        return Replayed(call, 0, beginning, "the stream has no beginning")
    release = releases.get(first.release)
    # One part after another over the whole call: its code and tables then stay in the processor's cache.
    sound = _sound(stored)
    steps = _steps(release, [_event_of(record, upcasters) for record in stored])
    state, position = EMPTY, 0
    for count, (event, taken) in enumerate(steps):
        end = position + 1 + len(taken.outputs)
        if end > sound or not _is_as_written(stored, position, event, taken):
            difference = _difference(call, stored, position, event, taken, upcasters)
            if difference is not None:
                return Replayed(call, count, difference)
        if watch is not None:
            watch(release, state, event, taken)
        position, state = end, taken.state
    if position < len(stored):
        record = stored[position]
        return Replayed(call, len(steps), Difference(call, record.seq, record, None, "an event, or nothing"))
    return Replayed(call, len(steps))


def _steps(release: Compiled, events: Sequence[Event | None]) -> list[tuple[Event, Step]]:
    """All steps of a call, from one event to the next behind the outputs of the one before; ends where none stands."""
    steps: list[tuple[Event, Step]] = []
    state, position = EMPTY, 0
    while position < len(events):
        event = events[position]
        if event is None:
            break
        taken = step(release, state, event)
        steps.append((event, taken))
        position, state = position + 1 + len(taken.outputs), taken.state
    return steps


def _closed(call: str, stored: Sequence[Record]) -> Replayed:
    """A call that begins with what no key here opens: only its structure can be looked at."""
    found = check_structure(stored)
    if found.misfit is None:
        return Replayed(call, found.events, sealed=True)
    seq, expected = found.misfit
    return Replayed(call, found.events, Difference(call, seq, stored[seq], None, expected))


def _sound(stored: Sequence[Record]) -> int:
    """How many records stand in one whole chain from the beginning on; it goes over the bytes that are stored."""
    stream, last_hash = stored[0].stream, GENESIS
    for seq, record in enumerate(stored):
        if (record.stream, record.seq, record.prev_hash) != (stream, seq, last_hash):
            return seq
        last_hash = chain_hash(stream, seq, record.at_ms, record.kind, record.stored or record.body, last_hash)
        if record.hash != last_hash:
            return seq
    return len(stored)


def _is_as_written(stored: Sequence[Record], position: int, event: Event, taken: Step) -> bool:
    """Whether a step leads to the records from here on, byte for byte; that many are there, in a whole chain."""
    at_ms = taken.state.now_ms
    record = stored[position]
    if record.body != canonical_bytes(event) or record.at_ms != at_ms:
        return False
    for output in taken.outputs:
        position += 1
        record = stored[position]
        if record.body != canonical_bytes(output) or record.kind != kind_of(output) or record.at_ms != at_ms:
            return False
    return True


def _event_of(record: Record, upcasters: Upcasters) -> Event | None:
    """The event of a record, None when it is none or can't be read."""
    if record.kind != "event":
        return None
    event = _decoded(record.body)
    if event is None and (body := upcasters.today("event", record.body)) is not None:
        event = _decoded(body)
    return event


def _decoded(body: bytes) -> Event | None:
    try:
        event: Event = _EVENTS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return event


def _difference(
    call: str, stored: Sequence[Record], position: int, event: Event, taken: Step, upcasters: Upcasters
) -> Difference | None:
    """The first record from here on that is not what the step leads to, older shapes taken for what they are today."""
    last_hash = stored[position - 1].hash if position else GENESIS
    made = records_of(stored[position].stream, position, last_hash, event, taken.outputs, taken.state.now_ms)
    for expected in made:
        found = stored[expected.seq] if expected.seq < len(stored) else None
        if found is None or not _same(found, expected, last_hash, upcasters):
            return Difference(call, expected.seq, found, _as_stored(expected, found, last_hash))
        last_hash = found.hash
    return None


def _same(found: Record, expected: Record, last_hash: str, upcasters: Upcasters) -> bool:
    """Equal, or equal but for a shape that is older; the chain always goes over the bytes that are stored."""
    head = (found.stream, found.seq, found.at_ms, found.kind)
    if head != (expected.stream, expected.seq, expected.at_ms, expected.kind) or found.prev_hash != last_hash:
        return False
    if found.body != expected.body and upcasters.today(found.kind, found.body) != expected.body:
        return False
    return found.hash == chain_hash(*head, found.stored or found.body, last_hash)


def _as_stored(expected: Record, found: Record | None, last_hash: str) -> Record:
    """What replay would have written, sealed as it was found where only the chain differs."""
    if found is None or not found.stored or found.body != expected.body:
        return expected
    digest = chain_hash(expected.stream, expected.seq, expected.at_ms, expected.kind, found.stored, last_hash)
    return msgspec.structs.replace(expected, hash=digest, stored=found.stored)


def _told(record: Record) -> str:
    return f"{record.kind} {record.body.decode(errors='replace')}"


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

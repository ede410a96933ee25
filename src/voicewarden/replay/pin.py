"""Pinning: a recorded call becomes a golden call, with what identifies people taken out.

In: a call's records and its releases. Out: a `Pinned` with records made by the same step, which decide as the recorded
ones did; or the words without which they would not. Called by `voicewarden pin`.
"""

import secrets
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.ledger.view import NO_KEY
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import Speak, StartTimer
from voicewarden.model.error import ContentSealed, LedgerError
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record, make_record
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.redaction import Redactor

_KEY_BYTES: Final = 32
_MOST_NEEDED: Final = 40
Trace = tuple[object, ...]


class Pinned(msgspec.Struct, frozen=True):
    """A call that is ready to be stored."""

    records: tuple[Record, ...]
    release: bytes
    decisions: int
    replaced: int
    """How many different words and numbers were replaced."""
    left: tuple[str, ...] = ()
    """Words of the caller that stayed as they were, for a person to look at."""
    needed: tuple[str, ...] = ()
    """Words that could not be replaced: without them something would be decided otherwise."""


def pin_call(
    records: Iterable[Record], releases: Releases, name: str, *, redact: bool = True, keep: Iterable[str] = ()
) -> Pinned:
    """A recorded call under another name. `redact=False` keeps all that was said; `keep` names single words that stay.

    Raises LedgerError for a call that does not replay.
    """
    stored = list(records)
    release, events, trace = _replayed(stored, releases)
    blob = releases.blob(release.hash)
    decisions = sum(record.kind == "decision" for record in stored)
    if not redact:
        return Pinned(tuple(_open(stored)), blob, decisions, 0)
    started = events[0]
    call = started.call if isinstance(started, CallStarted) else ""
    redaction = _Redaction(release, events, trace, call, f"pinned-{name}", frozenset(keep))
    made, redactor = redaction.run(())
    needed: tuple[str, ...] = ()
    if made is None:
        needed = redaction.needed(tuple(redactor.replaced))
        made, redactor = redaction.run(needed)
    if made is None:
        raise LedgerError(
            "the call can't be redacted: even with all its words it decides otherwise under another id; "
            "store it as it is (--keep-words)"
        )
    return Pinned(tuple(made), blob, decisions, len(redactor.replaced), tuple(redactor.left), needed)


def _open(stored: Sequence[Record]) -> list[Record]:
    """The records as they read, in a chain of their own where they were sealed."""
    made: list[Record] = []
    for record in stored:
        last = made[-1].hash if made else GENESIS
        made.append(make_record(record.stream, record.seq, record.at_ms, record.kind, record.body, last))
    return made


def _replayed(stored: Sequence[Record], releases: Releases) -> tuple[Compiled, list[Event], list[Trace]]:
    events: list[Event] = []
    traces: list[Trace] = []
    governing: list[Compiled] = []

    def watch(release: Compiled, state: State, event: Event, taken: Step) -> None:
        governing[:] = [release]
        events.append(event)
        traces.append(_trace(taken))

    replayed = replay_call(stored, releases, watch=watch)
    if replayed.sealed:
        raise ContentSealed(f"what was said in call {replayed.call} is sealed, so that it can't be a test; {NO_KEY}")
    if replayed.difference is not None or not governing:
        raise LedgerError(
            f"call {replayed.call} does not replay to what was recorded, so that it can't be a test; "
            "look at it with `voicewarden replay`"
        )
    return governing[0], events, traces


class _Redaction:
    """One call and the attempts to redact it."""

    def __init__(
        self, release: Compiled, events: Sequence[Event], trace: Sequence[Trace], call: str, name: str,
        keep: frozenset[str],
    ) -> None:  # fmt: skip
        self._release = release
        self._events = events
        self._trace = trace
        self._call, self._name = call, name
        self._keep = keep
        self._key = secrets.token_bytes(_KEY_BYTES)

    def run(self, kept: Sequence[str]) -> tuple[list[Record] | None, Redactor]:
        """The redacted call, None where it decides otherwise; and who knows what was replaced."""
        redactor = Redactor(self._release, self._call, self._name, self._key, self._keep.union(kept))
        events = [redactor.event(event) for event in self._events]
        return self._made(events), redactor

    def _made(self, events: Sequence[Event]) -> list[Record] | None:
        records: list[Record] = []
        state = EMPTY
        for event, trace in zip(events, self._trace, strict=True):
            taken = step(self._release, state, event)
            if _trace(taken) != trace:
                return None
            last = records[-1].hash if records else GENESIS
            records += records_of(f"call:{self._name}", state.seq, last, event, taken.outputs, taken.state.now_ms)
            state = taken.state
        return records

    def needed(self, replaced: Sequence[str]) -> tuple[str, ...]:
        """The words that have to stay, found one by one: the first without which it goes wrong, and so on."""
        needed: list[str] = []
        while len(needed) < _MOST_NEEDED and self.run(needed)[0] is None:
            low, high = 0, len(replaced)
            while low < high:
                middle = (low + high) // 2
                if self.run((*needed, *replaced[:middle]))[0] is None:
                    low = middle + 1
                else:
                    high = middle
            if not 0 < low <= len(replaced) or replaced[low - 1] in needed:
                return tuple(replaced)
            needed.append(replaced[low - 1])
        return tuple(needed)


def _trace(taken: Step) -> Trace:
    """What a step decided and ordered, apart from words, digests and ids that a redacted call has others of."""
    return tuple(_told(item) for item in taken.outputs)


def _told(item: object) -> object:
    match item:
        case Decision():
            rules = tuple((reason.rule, reason.verdict, reason.evidence) for reason in item.reasons)
            return "decision", item.seq, item.at_ms, item.verdict, item.would, rules
        case Shadowed():
            return "shadow", item.seq, item.source, item.verdict, item.active
        case Grant():
            return "grant", item.seq, item.action, bool(item.confirmed), item.escape
        case Speak():
            return "speak", item.sentence, item.purpose, item.line
        case StartTimer():
            return "timer", item.due_ms
        case _:
            return type(item).__name__

"""Whole steps on the events of calls: reduction, decisions, records, chain, and the seals of the grants they mint.

In: a release and events. Out: one series for each way of looking at them. Reading language is counted apart: what a
caller said, and what the model wants to say. Called by `run` and `benchmarks/gate_latency.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.gate import Request, decide
from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.model.event import ActionRequested, CallerSpoke, CallerTurnEnded, Event, SentenceProposed
from voicewarden.model.record import GENESIS
from voicewarden.rehearsal.bench.samples import CLOCK, Series
from voicewarden.runtime.seal import SEAL_BYTES, Sealer

Moment = tuple[State, Event]
STREAM: Final = "call:bench"
_CALLER: Final = (CallerSpoke, CallerTurnEnded)
_WARM_ROUNDS: Final = 3


@dataclass(slots=True)
class Steps:
    """The series of steps, each with records, chain and seals."""

    others: Series = field(default_factory=lambda: Series("step"))
    """All events but those that read language."""
    caller: Series = field(default_factory=lambda: Series("reading the caller"))
    agent: Series = field(default_factory=lambda: Series("reading the agent"))
    all: Series = field(default_factory=lambda: Series("every event"))
    bare: Series = field(default_factory=lambda: Series("step without records"))
    worded: Series = field(default_factory=lambda: Series("request decided, reasons in words"))
    kinds: dict[str, Series] = field(default_factory=dict)
    events: int = 0
    calls: int = 0
    rounds: int = 0


def moments(compiled: Compiled, calls: Sequence[Sequence[Event]]) -> list[Moment]:
    """Every event with the state that it met."""
    found: list[Moment] = []
    for events in calls:
        state = EMPTY
        for event in events:
            found.append((state, event))
            state = step(compiled, state, event).state
    return found


def time_steps(
    compiled: Compiled, calls: Sequence[Sequence[Event]], seconds: float, tick: Callable[[], None] = lambda: None
) -> Steps:
    """Step all events again and again until the time is used up; `tick` is called once a round."""
    found = moments(compiled, calls)
    sealer = Sealer(bytes(SEAL_BYTES))
    for _ in range(_WARM_ROUNDS):
        _round(compiled, found, sealer, Steps())
    taken = Steps(events=len(found), calls=len(calls))
    stop = CLOCK() + round(seconds * 1e9)
    while CLOCK() < stop:
        _round(compiled, found, sealer, taken)
        _decisions(compiled, found, taken.worded)
        taken.rounds += 1
        tick()
    return taken


def _round(compiled: Compiled, found: list[Moment], sealer: Sealer, into: Steps) -> None:
    last = GENESIS
    for state, event in found:
        begin = CLOCK()
        taken = step(compiled, state, event)
        middle = CLOCK()
        records = records_of(STREAM, state.seq, last, event, taken.outputs, taken.state.now_ms)
        for grant in taken.grants:
            sealer.seal(grant)
        ns = CLOCK() - begin
        last = records[-1].hash
        into.bare.add_ns(middle - begin)
        into.all.add_ns(ns)
        part = into.caller if isinstance(event, _CALLER) else into.others
        (into.agent if isinstance(event, SentenceProposed) else part).add_ns(ns)
        kind = type(event).__name__
        into.kinds.setdefault(kind, Series(kind)).add_ns(ns)


def _decisions(compiled: Compiled, found: list[Moment], into: Series) -> None:
    """`decide` with every reason in words and its record, on the requests as they were made."""
    for state, event in found:
        if isinstance(event, ActionRequested):
            request = Request(
                id=event.request, action=event.action, args=event.args, principal=event.principal, turn=event.turn
            )
            draft = Draft(compiled, state, event)
            begin = CLOCK()
            decide(draft, request)
            into.add_ns(CLOCK() - begin)

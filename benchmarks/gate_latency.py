"""How long the gate takes: the bare decision, a decision with its reasons, a whole step, a step with records and chain.

    python benchmarks/gate_latency.py [--quick] [--rounds 200] [--ledger FILE] [--profile] [--out FOLDER]

The events are those of calls in text (a booking, a refusal, an opt-out, a rogue model, a transfer, a barge-in), or of
the calls in a ledger. The peer of the generated code is the reference interpreter on the same facts in the same run.
Reading what a caller or the model said is part of a step and is shown apart as well. Each sample is one call of the
function; the cost of reading the clock twice is in every sample and stands beside them.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import in_text
import measure

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.gate import Request, decide
from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.model.canonical import digest_of
from voicewarden.model.event import (
    ActionRequested,
    CallerSpoke,
    CallerTurnEnded,
    Event,
    SentenceProposed,
)
from voicewarden.model.record import GENESIS
from voicewarden.policy.interpreter import unmet
from voicewarden.reading import claims, consent, heard, honesty

GOAL_DECISION_US: Final = 2.0
GOAL_STEP_US: Final = 20.0
_LANGUAGE: Final = (CallerSpoke, CallerTurnEnded, SentenceProposed)
"""Events whose step reads language."""
Clock: Final = time.perf_counter_ns
Moment = tuple[State, Event, Step]


def moments(compiled: Compiled, calls: Sequence[Sequence[Event]]) -> list[Moment]:
    """Every event with the state it met and what came of it."""
    found: list[Moment] = []
    for events in calls:
        state = EMPTY
        for event in events:
            taken = step(compiled, state, event)
            found.append((state, event, taken))
            state = taken.state
    return found


def timed(work: Callable[[], object], samples: list[float]) -> None:
    """One sample, in microseconds."""
    begin = Clock()
    work()
    samples.append((Clock() - begin) / 1000)


def clock_us() -> float:
    """What an empty sample shows."""
    samples: list[float] = []
    for _ in range(20_000):
        begin = Clock()
        samples.append((Clock() - begin) / 1000)
    return measure.spread(samples)["p50"]


def decisions(compiled: Compiled, found: list[Moment], rounds: int, report: measure.Report) -> float:
    """The bare decision, by generated code and by the interpreter, for every action in every state; returns its p50."""
    policy = compiled.policy
    states = [state for state, event, _ in found if isinstance(event, ActionRequested | CallerTurnEnded)]
    digest = digest_of({})
    generated: list[float] = []
    interpreted: list[float] = []
    for _ in range(max(1, rounds // 10)):
        for state in states:
            facts, now_ms = state.facts, state.now_ms
            for name, rule in policy.policy.actions.items():
                begin = Clock()
                policy.decide(name, facts, now_ms, digest, 0)
                middle = Clock()
                policy.outcome(name, unmet(rule, facts, now_ms, digest, 0))
                interpreted.append((Clock() - middle) / 1000)
                generated.append((middle - begin) / 1000)
    made = report.row("decision, generated code", generated)
    peer = report.row("decision, interpreter", interpreted)
    report.figure("generated code is", f"{peer['p50'] / made['p50']:.1f} times as fast as the interpreter (p50)")
    report.figure("decisions a second (mean)", round(1e6 / made["mean"]))
    return made["p50"]


def full_decisions(compiled: Compiled, found: list[Moment], rounds: int, report: measure.Report) -> None:
    """`decide` with all reasons and the decision record, on the requests of the calls as they were made."""
    samples: list[float] = []
    asked = [(state, event) for state, event, _ in found if isinstance(event, ActionRequested)]
    for _ in range(rounds):
        for state, event in asked:
            request = Request(
                id=event.request, action=event.action, args=event.args, principal=event.principal, turn=event.turn
            )
            draft = Draft(compiled, state, event)
            timed(lambda draft=draft, request=request: decide(draft, request), samples)
    report.row("decide, all reasons", samples)


def steps(compiled: Compiled, found: list[Moment], rounds: int, report: measure.Report) -> float:
    """Whole steps, and steps with records and chain; returns the p50 of the latter."""
    bare: list[float] = []
    chained: list[float] = []
    by_kind: dict[bool, list[float]] = {True: [], False: []}
    last = GENESIS
    for _ in range(rounds):
        for state, event, _taken in found:
            begin = Clock()
            taken = step(compiled, state, event)
            middle = Clock()
            records = records_of("call:bench", state.seq, last, event, taken.outputs, taken.state.now_ms)
            end = Clock()
            last = records[-1].hash
            bare.append((middle - begin) / 1000)
            chained.append((end - begin) / 1000)
            by_kind[isinstance(event, _LANGUAGE)].append((end - begin) / 1000)
    report.row("step", bare)
    whole = report.row("step, records, chain", chained)
    # Each event at its best of all rounds: what is left when neighbours on the machine and cold caches are taken away.
    report.row("... each event at its best", [min(chained[at :: len(found)]) for at in range(len(found))])
    report.row("... events that read language", by_kind[True])
    report.row("... all other events", by_kind[False])
    report.figure("steps with records and chain a second (mean)", round(1e6 / whole["mean"]))
    return whole["p50"]


def reading(compiled: Compiled, found: list[Moment], rounds: int, report: measure.Report) -> None:
    """Reading alone: what a caller said (signals, answer), what the model wants to say (claims, refusals)."""
    reader = compiled.reader
    refuse = compiled.policy.policy.speech.refuse
    answers: list[float] = []
    sentences: list[float] = []
    question = "Shall I book the consultation for Tuesday the first of December at 3 pm? Please say: yes, book it."
    for _ in range(max(1, rounds // 10)):
        for _, event, _ in found:
            if isinstance(event, CallerSpoke):
                words = tuple(word.text for word in event.words)
                timed(lambda w=words: (heard.signals(reader, w), consent.read(reader, question, w)), answers)
            elif isinstance(event, SentenceProposed):
                text = event.text
                timed(lambda t=text: (honesty.refusals(reader, t, refuse), claims.claims(reader, t)), sentences)
    report.row("reading a caller's sentence", answers)
    report.row("reading a sentence of the model", sentences)


def kinds(compiled: Compiled, found: list[Moment], rounds: int) -> dict[str, dict[str, float]]:
    """Mean and p50 of a step by kind of event, and how often each occurs: where the time of a call goes."""
    samples: dict[str, list[float]] = {}
    for _ in range(max(1, rounds // 5)):
        for state, event, _ in found:
            timed(lambda s=state, e=event: step(compiled, s, e), samples.setdefault(type(event).__name__, []))
    shown = {name: measure.spread(values) for name, values in samples.items()}
    per_round = max(1, rounds // 5)
    return {
        name: {"a_call_mix": value["n"] // per_round, "p50": value["p50"], "mean": value["mean"], "p99": value["p99"]}
        for name, value in sorted(shown.items(), key=lambda item: -item[1]["n"] * item[1]["mean"])
    }


def profile(compiled: Compiled, found: list[Moment], rounds: int) -> None:
    """Print where the time of steps with records goes."""
    watch = cProfile.Profile()
    watch.enable()
    for _ in range(rounds):
        for state, event, _ in found:
            taken = step(compiled, state, event)
            records_of("call:bench", state.seq, GENESIS, event, taken.outputs, taken.state.now_ms)
    watch.disable()
    pstats.Stats(watch).sort_stats("tottime").print_stats(40)


def run(options: Any) -> measure.Report:
    """Measure everything."""
    # Any: argparse's namespace.
    rounds = 3 if options.quick else options.rounds
    if options.ledger:
        compiled, calls = in_text.recorded(options.ledger)
    else:
        compiled = in_text.release()
        calls = in_text.calls(compiled)
    found = moments(compiled, calls)
    report = measure.Report("gate_latency", "How long the gate takes, one core", "us")
    report.figure("events", f"{len(found)} of {len(calls)} calls, " + ("recorded" if options.ledger else "in text"))
    report.figure("reading the clock twice, us", clock_us())
    decision_us = decisions(compiled, found, rounds, report)
    full_decisions(compiled, found, rounds, report)
    step_us = steps(compiled, found, rounds, report)
    reading(compiled, found, rounds, report)
    report.figure("step by event", kinds(compiled, found, rounds))
    report.goal("decision p50", decision_us, GOAL_DECISION_US, "us")
    report.goal("step with records and chain p50", step_us, GOAL_STEP_US, "us")
    if options.profile:
        profile(compiled, found, rounds)
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often the events are stepped")
    parser.add_argument("--ledger", type=Path, help="take the events of this ledger's calls")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

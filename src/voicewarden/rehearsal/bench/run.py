"""The whole measurement: decisions by all engines, steps of calls, grants; and its result as JSON has it.

In: folders with agents and policies, and whether it may take long. Out: `Bench`. Called by `cli.bench` and by
`benchmarks/gate_latency.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from voicewarden import __version__
from voicewarden.kernel.release import Compiled
from voicewarden.model.error import ConfigError
from voicewarden.model.event import Event
from voicewarden.rehearsal.bench import contest
from voicewarden.rehearsal.bench.contest import Contest
from voicewarden.rehearsal.bench.grants import Grants, time_grants
from voicewarden.rehearsal.bench.machine import load, machine
from voicewarden.rehearsal.bench.samples import Series, clock_us, resting_heap
from voicewarden.rehearsal.bench.steps import Steps, time_steps

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Recorded = tuple[Compiled, list[list[Event]]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the parts take, in seconds, and in how many rounds the engines take turns."""

    contest_s: float
    rounds: int
    steps_s: float
    grants_s: float
    cases: int
    """Requests that all engines must answer alike before they are timed."""

    @property
    def seconds(self) -> int:
        """All of it, for a progress bar."""
        return round(self.contest_s + self.steps_s + self.grants_s)


QUICK: Final = Plan(contest_s=8, rounds=8, steps_s=4, grants_s=2, cases=400)
FULL: Final = Plan(contest_s=60, rounds=60, steps_s=30, grants_s=10, cases=800)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that was measured; steps and grants are None where the agents' folders are missing."""

    contest: Contest
    steps: Steps | None
    grants: Grants | None
    skipped: str
    clock_us: float
    load_before: str
    load_after: str

    def series(self) -> list[Series]:
        """All series, for histograms."""
        found = [entry.series for entry in self.contest.entries]
        if self.steps is not None:
            found += [self.steps.others, self.steps.caller, self.steps.agent]
        if self.grants is not None:
            found += [self.grants.spend, self.grants.durable]
        return found


class _Pace:
    """Turns ticks of any number into one step of a progress bar a planned second."""

    def __init__(self, done: Callable[[], None], seconds: int) -> None:
        self._done = done
        self._left = seconds
        self._next_s = time.monotonic() + 1

    def __call__(self) -> None:
        while self._left and time.monotonic() >= self._next_s:
            self._done()
            self._left -= 1
            self._next_s += 1


def run(
    plan: Plan, config: Path, agents: Path, done: Callable[[], None] = lambda: None, recorded: Recorded | None = None
) -> Bench:
    """Measure everything; `done` is called once a planned second. `recorded` takes the place of calls in text."""
    before, skipped = load(), ""
    tick = _Pace(done, plan.seconds)
    steps: Steps | None = None
    grants: Grants | None = None
    try:
        compiled, events = recorded or _in_text(config, agents)
    except ConfigError as missing:
        compiled, events, skipped = None, [], str(missing)
    except ImportError as missing:
        compiled, events = None, []
        skipped = f"{missing.name} is not installed, which calls in text need: pip install 'voicewarden[live]'"
    with resting_heap():
        clock = clock_us()
        held = contest.hold(plan.contest_s, plan.rounds, tick, count=plan.cases)
        if compiled is not None:
            steps = time_steps(compiled, events, plan.steps_s, tick)
            grants = time_grants(compiled, plan.grants_s, tick)
    return Bench(held, steps, grants, skipped, clock, before, load())


def _in_text(config: Path, agents: Path) -> tuple[Compiled | None, list[list[Event]]]:
    # Here, because the scripted model of these calls is a web server as well: decisions need no more than the core.
    from voicewarden.rehearsal.bench import calls

    compiled = calls.release(config, agents)
    return compiled, calls.calls(compiled, config, agents)


def as_json(bench: Bench) -> dict[str, Json]:
    """The result: `decision` by engine, `step`, `grant`, and what they were measured on."""
    held = bench.contest
    decision: dict[str, Json] = {
        entry.engine.name: {
            **entry.series.spread(), "returns": entry.engine.returns, "language": entry.engine.language,
            "times_ours": round(held.ratio(entry), 1),
        }
        for entry in held.entries
    }  # fmt: skip
    return {
        "decision": decision, "step": _steps(bench.steps), "grant": _grants(bench.grants),
        "cross_check": {"cases": held.cases, "answers": held.answers, "allowed": held.allowed, "mismatches": 0},
        "not_installed": list(held.missing), "skipped": bench.skipped, "clock_us": bench.clock_us,
        "machine": machine(), "version": __version__, "load_before": bench.load_before, "load_after": bench.load_after,
    }  # fmt: skip


def _steps(steps: Steps | None) -> dict[str, Json]:
    if steps is None:
        return {}
    parts = {"reading_caller": steps.caller, "reading_agent": steps.agent, "every_event": steps.all,
             "request_with_worded_reasons": steps.worded}  # fmt: skip
    return {
        **steps.others.spread(), **{name: {**part.spread()} for name, part in parts.items()},
        "events": steps.events, "calls": steps.calls, "rounds": steps.rounds,
    }  # fmt: skip


def _grants(grants: Grants | None) -> dict[str, Json]:
    if grants is None:
        return {}
    return {**grants.spend.spread(), "seal": {**grants.seal.spread()}, "durable": {**grants.durable.spread()}}

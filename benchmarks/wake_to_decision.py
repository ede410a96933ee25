"""How long a decision takes from the moment at which its cause was due, in a live pipeline with calls going on.

    python benchmarks/wake_to_decision.py [--quick] [--calls 20,50] [--seconds 60] [--strict] [--out FOLDER]

Every call is a pipeline of the product on a socket in memory, with its loop, gate and one common ledger, without speech
models. Each gets a 20 ms frame when it is due and a key press every 200 ms; the agent speaks half of the time. A key
press becomes a request, which the gate decides and records. Counted is the time from when the key was due at the socket
until the decision was in the ledger's queue: the wait for the interpreter and the loop, the transport, the ear, the
step, the records. Causes stay due when the loop is late, so that nothing is left out.

Beside the calls run a thread that computes in Python without a pause and 400,000 further objects. The remedies are
taken in turns, some seconds each: frozen heap, shorter switch interval, both, rarer collections as well, and at last
the thread's work in a process.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import in_text
import measure
import psutil

import voicewarden.pipeline.quiet  # noqa: F401  # before pipecat: it must not log
from voicewarden.config.policy_reader import fact_defaults
from voicewarden.kernel.release import Compiled
from voicewarden.ledger.store import Ledger
from voicewarden.rehearsal.bench.calls import POLICY
from voicewarden.rehearsal.bench.live_calls import Lateness, LiveCall, live_calls

GOALS_MS: Final = {"p99": 15.0, "p99.9": 30.0}
GOAL_CALLS: Final = 20
HEAP_OBJECTS: Final = 400_000
SHORT_SWITCH_S: Final = 0.0005
RARE: Final = (10_000, 10, 50)
"""Thresholds of the collector; Python's own are 700, 10, 10."""
ROUND_S: Final = 3.0
SETTLE_S: Final = 0.6
MOST_OTHERS: Final = 0.2
"""Share of a core that other programs may use before the figures are about them."""
_ROWS: Final = 2_000
_KEPT: Final = 5


@dataclass(frozen=True)
class Condition:
    """What runs beside the calls, and what is done about it."""

    label: str
    neighbour: str = "thread"
    heap: bool = True
    frozen: bool = False
    short_switch: bool = False
    rare: bool = False
    """Collections are rarer."""


ALONE: Final = Condition("nothing beside the calls", neighbour="", heap=False)
BARE: Final = Condition("as Python comes")
FROZEN: Final = Condition("frozen heap", frozen=True)
SWITCH: Final = Condition("short switch interval", short_switch=True)
BOTH: Final = Condition("both", frozen=True, short_switch=True)
ALL: Final = Condition("both and rarer collections", frozen=True, short_switch=True, rare=True)
APART: Final = Condition("the same, the work in a process", "process", frozen=True, short_switch=True, rare=True)
CONDITIONS: Final = (ALONE, BARE, FROZEN, SWITCH, BOTH, ALL, APART)


def compute(go_on: Callable[[], bool]) -> None:
    """Work in Python that never waits, and that makes and drops containers as such work does."""
    kept: list[list[dict[str, Any]]] = []  # Any: rows of a table that nobody reads
    while go_on():
        rows = [{"id": at, "scores": [at, at * 2]} for at in range(_ROWS)]
        rows.sort(key=lambda row: row["id"] % 97)
        kept.append(rows)
        if len(kept) > _KEPT:
            kept.clear()


def compute_until_killed() -> None:
    """The same as a process."""
    compute(lambda: True)


@contextmanager
def neighbour(kind: str) -> Iterator[None]:
    """The neighbour at work: in a thread of this process, in a process of its own, or not at all."""
    if kind == "thread":
        stop = threading.Event()
        thread = threading.Thread(target=compute, args=(lambda: not stop.is_set(),), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
    elif kind == "process":
        process = multiprocessing.get_context("spawn").Process(target=compute_until_killed, daemon=True)
        process.start()
        try:
            yield
        finally:
            process.terminate()
            process.join()
    else:
        yield


@contextmanager
def arranged(condition: Condition) -> Iterator[None]:
    """The condition in force."""
    with ExitStack() as stack:
        heap = [[at] for at in range(HEAP_OBJECTS)] if condition.heap else []
        gc.collect()
        if condition.frozen:
            gc.freeze()
            stack.callback(gc.unfreeze)
        if condition.rare:
            stack.callback(gc.set_threshold, *gc.get_threshold())
            gc.set_threshold(*RARE)
        if condition.short_switch:
            stack.callback(sys.setswitchinterval, sys.getswitchinterval())
            sys.setswitchinterval(SHORT_SWITCH_S)
        stack.enter_context(neighbour(condition.neighbour))
        yield
        del heap


@dataclass
class Found:
    """Samples of one condition, in milliseconds."""

    decisions_ms: list[float] = field(default_factory=list)
    loop_ms: list[float] = field(default_factory=list)
    collections_ms: list[float] = field(default_factory=list)
    """Collections of the oldest generation, in which nothing else of this process runs."""
    cpu_s: float = 0
    wall_s: float = 0
    machine_s: float = 0
    """Processor time of everything that ran on this machine."""
    verdicts: dict[str, int] = field(default_factory=dict)


class CollectionWatch:
    """Times collections of the oldest generation."""

    def __init__(self) -> None:
        self.took_ms: list[float] = []
        self._began = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Called by the interpreter before and after each collection."""
        if info["generation"] != 2:
            return
        if phase == "start":
            self._began = time.perf_counter_ns()
        elif self._began:
            self.took_ms.append((time.perf_counter_ns() - self._began) / 1e6)


def busy_s() -> float:
    """Processor time that the whole machine has used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0) - getattr(times, "guest", 0))


async def one_round(
    calls: list[LiveCall], condition: Condition, seconds: float, late: Lateness, watch: CollectionWatch, found: Found
) -> None:
    """Some seconds under one condition; what an earlier one left undone is done before, while nothing arrives."""
    for call in calls:
        call.pause()
    for call in calls:
        await call.drained()
    with arranged(condition):
        for call in calls:
            call.resume()
        await asyncio.sleep(SETTLE_S)
        late.decisions_s, late.loop_s, late.is_counting = [], [], True
        late.verdicts.clear()
        watch.took_ms = []
        cpu, wall, others = time.process_time(), time.monotonic(), busy_s()
        await asyncio.sleep(seconds)
        found.cpu_s += time.process_time() - cpu
        found.wall_s += time.monotonic() - wall
        found.machine_s += busy_s() - others
        late.is_counting = False
        found.collections_ms += watch.took_ms
    found.decisions_ms += [value * 1000 for value in late.decisions_s]
    found.loop_ms += [value * 1000 for value in late.loop_s]
    for verdict, count in late.verdicts.items():
        found.verdicts[verdict] = found.verdicts.get(verdict, 0) + count


async def measure_calls(
    count: int, conditions: Sequence[Condition], seconds: float, compiled: Compiled
) -> dict[str, Found]:
    """All conditions with so many calls, taking turns."""
    facts = {**fact_defaults(in_text.CONFIG, POLICY), "desk_open": False}
    found = {condition.label: Found() for condition in conditions}
    rounds = max(1, round(seconds / ROUND_S))
    late, watch = Lateness(), CollectionWatch()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.db") as ledger:
        async with live_calls(count, compiled, ledger, late, facts) as calls:
            gc.callbacks.append(watch)
            try:
                for number in range(rounds):
                    for condition in conditions:
                        await one_round(calls, condition, seconds / rounds, late, watch, found[condition.label])
                    print(f"{count} calls: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
            finally:
                gc.callbacks.remove(watch)
            over = sum(call.calls.ended.is_set() for call in calls)
            if over:
                raise RuntimeError(f"{over} of {count} calls ended while they were measured: the figures mean nothing")
    return found


def tell(report: measure.Report, count: int, found: dict[str, Found]) -> None:
    """Rows and goals of so many calls."""
    for label, item in found.items():
        name = f"{count} calls, {label}"
        others = (item.machine_s - item.cpu_s) / item.wall_s - (label == APART.label)
        spread = report.row(name, item.decisions_ms)
        loop = measure.spread(item.loop_ms)
        report.figure(
            f"... of {name}",
            {
                "loop late p50": f"{loop['p50']:g} ms", "p99": f"{loop['p99']:g} ms",
                "p99.9": f"{loop['p99.9']:g} ms",
                "full collections": len(item.collections_ms),
                "longest": f"{max(item.collections_ms, default=0):.1f} ms",
                "this process": f"{item.cpu_s / item.wall_s:.0%} of a core",
                "other programs": f"{others:.0%}" + (", too much to rely on" if others > MOST_OTHERS else ""),
                "verdicts": str(item.verdicts),
            },
        )  # fmt: skip
        if label == ALL.label and count == GOAL_CALLS:
            for share, goal in GOALS_MS.items():
                report.goal(f"wake to decision {share}, {name}", spread[share], goal, "ms")


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    report = measure.Report("wake_to_decision", "From due to decided, in live pipelines", "ms")
    compiled = in_text.release()
    compiled.warm_up()
    counts = [2] if options.quick else [int(count) for count in options.calls.split(",")]
    for number, count in enumerate(counts):
        # The first load shows each remedy; the others only what they come to.
        conditions = CONDITIONS if number == 0 else (ALONE, BARE, ALL, APART)
        conditions = (ALONE, ALL, APART) if options.quick else conditions
        seconds = 0.5 if options.quick else options.seconds
        tell(report, count, asyncio.run(measure_calls(count, conditions, seconds, compiled)))
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--calls", default="20,50", help="how many at once, one load after the other")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each condition")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

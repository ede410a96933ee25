"""How long the gate takes: decisions beside other engines on the same policy, steps of calls, grants.

    python benchmarks/gate_latency.py [--quick] [--ledger FILE] [--profile] [--strict] [--out FOLDER]

The same measurement as `voicewarden bench`, held against its goals. Decisions are those of one policy that every engine
is given, compared for equal answers first. The events are those of calls in text (a booking, a refusal, an opt-out, a
rogue model, a transfer, a barge-in), or of the calls in a ledger. Each sample is one call of the function; what reading
the clock takes is in every sample and stands beside them.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from pathlib import Path
from typing import Any, Final

import in_text
import measure

from voicewarden.kernel.records import records_of
from voicewarden.kernel.step import step
from voicewarden.model.record import GENESIS
from voicewarden.rehearsal.bench import calls as bench_calls
from voicewarden.rehearsal.bench.grants import Grants
from voicewarden.rehearsal.bench.histogram import svg, terminal
from voicewarden.rehearsal.bench.run import FULL, Bench, Plan, Recorded, as_json
from voicewarden.rehearsal.bench.run import run as run_bench
from voicewarden.rehearsal.bench.steps import Steps, moments

GOAL_DECISION_US: Final = {"p50": 0.6, "p99": 2.0}
GOAL_STEP_US: Final = {"p50": 10.0, "p99": 30.0}
GOAL_READING_US: Final = 60.0
GOAL_GRANT_P99_US: Final = 10.0
TIMES_FASTER: Final = {"cedarpy": 100.0, "CEL (Rust)": 10.0, "CEL (Rust), bit": 10.0, "CEL (C++)": 10.0,
                       "CEL (C++), bit": 10.0}  # fmt: skip
_PROFILED_ROUNDS: Final = 50
_SHOWN: Final = Plan(contest_s=0.5, rounds=1, steps_s=0.3, grants_s=0.2, cases=80)
"""Shows that it runs; `voicewarden bench --quick` is the short one that measures."""


def tell(bench: Bench, report: measure.Report) -> None:
    """Rows, figures and goals."""
    held = bench.contest
    report.figure("reading the clock, us", round(bench.clock_us, 3))
    report.figure("compared first", f"{held.answers:,} answers of {len(held.entries)} engines, 0 differ")
    for entry in held.entries:
        report.row(f"decision, {entry.engine.name}", entry.series.us)
    report.figure("returns", {entry.engine.name: f"{entry.engine.returns};" for entry in held.entries})
    report.figure("decisions a second", {entry.engine.name: round(entry.series.per_second) for entry in held.entries})
    report.figure("times ours (p50)", {entry.engine.name: round(held.ratio(entry), 1) for entry in held.entries})
    for line in held.missing:
        report.figure("left out", line)
    for share, goal in GOAL_DECISION_US.items():
        found = measure.spread(held.entries[0].series.us)[share]
        report.goal(f"decision with all reasons {share}", found, goal, "us")
    for entry in held.entries:
        if entry.engine.name in TIMES_FASTER:
            at_least = TIMES_FASTER[entry.engine.name]
            # Goals are upper bounds: our share of the peer's time.
            share_of = round(100 / held.ratio(entry), 2)
            report.goal(f"decision p50, share of {entry.engine.name}", share_of, 100 / at_least, "%")
    if bench.steps is not None:
        tell_steps(bench.steps, report)
    if bench.grants is not None:
        tell_grants(bench.grants, report)


def tell_steps(steps: Steps, report: measure.Report) -> None:
    """Rows and goals of whole steps."""
    report.figure("events", f"{steps.events} of {steps.calls} calls, {steps.rounds} rounds")
    others = report.row("step, no language", steps.others.us)
    caller = report.row("step that reads the caller", steps.caller.us)
    agent = report.row("step that reads the agent", steps.agent.us)
    report.row("step, every event", steps.all.us)
    report.row("... without records and chain", steps.bare.us)
    report.row("request, reasons in words", steps.worded.us)
    ordered = sorted(steps.kinds.values(), key=lambda series: -sum(series.us))
    report.figure("by event, p50 us", {series.label: round(series.p50_us, 1) for series in ordered})
    for share, goal in GOAL_STEP_US.items():
        report.goal(f"step {share}", others[share], goal, "us")
    report.goal("step that reads the caller p50", caller["p50"], GOAL_READING_US, "us")
    report.goal("step that reads the agent p50", agent["p50"], GOAL_READING_US, "us")


def tell_grants(grants: Grants, report: measure.Report) -> None:
    """Rows and the goal of grants."""
    report.row("seal", grants.seal.us)
    spent = report.row("check and burn, in memory", grants.spend.us)
    report.row("check and durable burn", grants.durable.us)
    report.goal("check and burn p99", spent["p99"], GOAL_GRANT_P99_US, "us")


def profile(recorded: Recorded) -> None:
    """Print where the time of steps with records goes."""
    compiled, events = recorded
    found = moments(compiled, events)
    watch = cProfile.Profile()
    watch.enable()
    for _ in range(_PROFILED_ROUNDS):
        for state, event in found:
            taken = step(compiled, state, event)
            records_of("call:bench", state.seq, GENESIS, event, taken.outputs, taken.state.now_ms)
    watch.disable()
    pstats.Stats(watch).sort_stats("tottime").print_stats(40)


class GateReport(measure.Report):
    """The ordinary report, with histograms and with the result in the shape of `voicewarden bench --json`."""

    bench: Bench

    def print(self) -> None:
        """Everything, then the histograms."""
        super().print()
        print(terminal(self.bench.series()))

    def write(self, folder: Path = measure.RESULTS) -> None:
        """JSON, shares below each value, histograms."""
        self.figures |= as_json(self.bench)
        super().write(folder)
        plot = svg(self.about, f"{measure.machine()}; commit {measure.commit()}", self.bench.series())
        (folder / f"{self.name}_histograms.svg").write_text(plot, encoding="utf-8")


def run(options: Any) -> measure.Report:
    """Measure everything."""
    # Any: argparse's namespace.
    recorded = bench_calls.recorded(options.ledger) if options.ledger else None
    report = GateReport("gate_latency", "How long the gate takes, one core", "us")
    report.bench = run_bench(_SHOWN if options.quick else FULL, in_text.CONFIG, in_text.AGENTS, recorded=recorded)
    tell(report.bench, report)
    if options.profile:
        compiled = in_text.release()
        profile(recorded or (compiled, in_text.calls(compiled)))
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--ledger", type=Path, help="take the events of this ledger's calls")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

"""What several calls at once do to each other: gaps, audible holes, lateness, memory, processor time.

    python benchmarks/line_load.py [--quick] [--calls 1,4,8] [--spread-ms 700] [--out FOLDER]

The same booking conversation on every line, each caller with another voice, one call begun every so many milliseconds.
Carrier and callers run in this process, the product, its speech process and the scripted model in theirs; all of them
share this machine's cores, so a real carrier would leave the product more. Gaps, holes and lateness are the carrier's.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import measure
import psutil
import quick_calls
from playing import Played, Studio, callers, speech_minutes, studio

from voicewarden.rehearsal.callers.script import HangUp, Say, Wait, WaitForAgent
from voicewarden.rehearsal.demo.scenarios import Scenario

GOALS_GAP_P50_MS: Final = {1: 800, 4: 1000}
GOAL_LATE_P99_MS: Final = 20
GOAL_IDLE_MB: Final = 260
GOAL_CALL_MB: Final = 5
_VOICES: Final = ("joe", "joe-deep", "joe-light")
_TALK: Final = Scenario(
    "load", "An ordinary conversation.", "booking", "",
    (Wait(300), Say("Hello?"), WaitForAgent(), Say("Yes, sure."), WaitForAgent(), Say("What does it cost?"),
     WaitForAgent(), Say("Who is this?"), WaitForAgent(), Say("Are you a robot?"), WaitForAgent(), HangUp()),
)  # fmt: skip


@dataclass
class Watch:
    """Memory and processor time of the product's processes while calls run."""

    server: psutil.Process
    idle_mb: float = 0
    most_mb: float = 0
    speech_mb: float = 0
    _began: dict[str, float] = field(default_factory=dict)
    _at: float = 0

    def begin(self) -> None:
        """Nothing runs yet."""
        self.idle_mb = self.most_mb = _mb(self.server)
        self._began, self._at = self._cpu_s(), time.monotonic()

    async def run(self) -> None:
        """Look every half second until cancelled."""
        while True:
            self.most_mb = max(self.most_mb, _mb(self.server))
            self.speech_mb = max([self.speech_mb, *(_mb(child) for child in self.server.children())])
            await asyncio.sleep(0.5)

    def shares(self) -> dict[str, float]:
        """Per cent of one core since `begin`, by process."""
        took = time.monotonic() - self._at
        return {name: round(100 * (used - self._began[name]) / took) for name, used in self._cpu_s().items()}

    def _cpu_s(self) -> dict[str, float]:
        def used(process: psutil.Process) -> float:
            times = process.cpu_times()
            return float(times.user + times.system)

        speech = sum(used(child) for child in self.server.children(recursive=True))
        ours = {"product %": used(self.server), "speech process %": speech, "callers %": used(psutil.Process())}
        machine = psutil.cpu_times()
        # The scripted model is in here, too; much more than its 5 % means that somebody else was at work.
        other = sum(machine) - machine.idle - getattr(machine, "iowait", 0) - sum(ours.values())
        return {**ours, "everything else %": other}


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


@dataclass(frozen=True)
class Load:
    """What so many calls at once led to."""

    calls: int
    played: list[Played]
    failed: int = 0
    watch: Watch | None = None
    shares: dict[str, float] = field(default_factory=dict)


async def load(running: Studio, count: int, spread_ms: int, first: int) -> Load:
    """Run so many calls at once; `first` makes their numbers new ones."""
    scenarios = [
        dataclasses.replace(_TALK, number=f"+1555555{1000 + first + at:04d}", voice=_VOICES[at % len(_VOICES)])
        for at in range(count)
    ]
    watch = Watch(psutil.Process(running.stage.server_pid))
    ready = callers(scenarios)
    watch.begin()
    watching = asyncio.create_task(watch.run())

    async def one(at: int) -> Played:
        await asyncio.sleep(at * spread_ms / 1000)
        return await running.play(*ready[at])

    found = await asyncio.gather(*(one(at) for at in range(count)), return_exceptions=True)
    watching.cancel()
    played = [item for item in found if isinstance(item, Played)]
    return Load(count, played, count - len(played), watch, watch.shares())


def tell(report: measure.Report, found: Load) -> None:
    """Rows, figures and goals of one load."""
    label = f"{found.calls} call" + ("s" if found.calls > 1 else "")
    gaps = [gap for played in found.played for gap in played.line.turn_gaps_ms()]
    late = [value for played in found.played for value in played.line.lateness_ms]
    minutes = sum(speech_minutes(played.line) for played in found.played)
    holes = sum(played.line.audible_holes for played in found.played)
    gap, lateness = report.row(f"turn gap, {label}", gaps), report.row(f"frame lateness, {label}", late)
    figures: dict[str, object] = {
        "audible holes": holes, "a minute of speech": round(holes / minutes, 1) if minutes else 0,
        "minutes of speech": round(minutes, 1), "load": measure.load(),
    }  # fmt: skip
    if found.failed:
        figures["calls that failed"] = found.failed
    if found.watch is not None:
        figures["product MB before, most"] = f"{found.watch.idle_mb:.0f}, {found.watch.most_mb:.0f}"
        figures["MB a call"] = round((found.watch.most_mb - found.watch.idle_mb) / found.calls, 1)
        figures["speech process MB"] = round(found.watch.speech_mb)
        figures |= found.shares
    report.figure(label, figures)
    report.figure(f"... by call, {label}", "; ".join(_by_call(played) for played in found.played))
    if found.calls in GOALS_GAP_P50_MS and gaps:
        report.goal(f"turn gap p50, {label}", gap["p50"], GOALS_GAP_P50_MS[found.calls], "ms")
    if found.calls == 4:
        report.goal(f"audible holes, {label}", holes, 0, "holes")
    if found.calls == 8 and late:
        report.goal(f"frame lateness p99, {label}", lateness["p99"], GOAL_LATE_P99_MS, "ms")


def _by_call(played: Played) -> str:
    """One call: gaps, and where in its recording the voice broke off."""
    holes = [hole for hole in played.line.holes if hole.is_audible]
    where = f" from {holes[0].at_ms} to {holes[-1].at_ms} ms" if holes else ""
    late = measure.spread(played.line.lateness_ms).get("p99", 0)
    return f"gaps {played.line.turn_gaps_ms()}, holes {len(holes)}{where}, late p99 {late:.0f}"


async def measure_all(counts: Sequence[int], spread_ms: int, report: measure.Report) -> None:
    """One server for all loads, so that memory shows what stays behind."""
    first, idle = 0, 0.0
    async with studio() as running:
        for count in counts:
            found = await load(running, count, spread_ms, first)
            first += count
            tell(report, found)
            assert found.watch is not None
            idle = idle or found.watch.idle_mb
            most, calls = found.watch.most_mb, count
            print(f"{count} at once: done", file=sys.stderr, flush=True)
        report.figure("product MB idle, before the first call", round(idle))
        report.goal(f"memory, {calls} calls", round(most), GOAL_IDLE_MB + GOAL_CALL_MB * calls, "MB")


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    report = measure.Report("line_load", "Calls at once on one process", "ms")
    if options.quick:
        tell(report, Load(5, quick_calls.calls()))
    else:
        counts = [int(count) for count in options.calls.split(",")]
        asyncio.run(measure_all(counts, options.spread_ms, report))
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--calls", default="1,4,8", help="how many at once, one load after the other")
    parser.add_argument("--spread-ms", type=int, default=700, help="time between the beginnings of two calls")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

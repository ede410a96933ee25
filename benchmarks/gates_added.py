"""What the gates add to the pipeline: to each 20 ms frame of the caller's sound, and to each turn.

    python benchmarks/gates_added.py [--quick] [--scenario NAME ...] [--out FOLDER]

Calls of the demo run on the real line, in a product process with a stopwatch in it. What is counted as added:

    a frame  tones and cadence (no pipeline without gates has them), and stepping, recording and submitting every event
             that the frame led to; the rest of hearing it (decoding, voice activity, turns) is the peer
    a turn   stepping, recording and submitting every event from the caller's first sound to the next turn's

Handing a sentence to the voice is the pipeline's own work and is taken off. Waiting until a grant is durable is no part
of a turn's path to its answer and is shown by `ledger_rate.py`. With --quick the turns are those of calls in text.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import measure

from voicewarden.ledger.store import Ledger
from voicewarden.model.event import CallerStartedSpeaking, Event
from voicewarden.runtime import loop as loop_module
from voicewarden.runtime.loop import CallLoop

GOAL_FRAME_US: Final = 50.0
GOAL_TURN_MS: Final = 5.0
TALKS: Final = ("happy_booking", "transfer_earned")
RESULT: Final = "stopwatch.json"
Clock: Final = time.perf_counter_ns


@dataclass
class Stopwatch:
    """Counts what the gates take, in nanoseconds."""

    gates: int = 0
    voice: int = 0
    sensing: int = 0
    turns: dict[str, list[int]] = field(default_factory=dict)
    """By call: what each turn took, the time before the first turn standing first."""
    frames: list[tuple[int, int, int]] = field(default_factory=list)
    """What a frame took in all, in the gates, in their sensing."""
    newest: dict[str, int] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    """Of all of it: what stepping, making records and submitting them took."""
    kinds: dict[str, list[int]] = field(default_factory=dict)
    """By kind of event: how many, and what they took."""

    def attach(self) -> None:
        """Put the stopwatch into the loop of every call."""
        self._wrap(CallLoop, "_speak", self._add_voice)
        for owner, name in ((loop_module, "step"), (loop_module, "records_of"), (Ledger, "submit")):
            self._wrap(owner, name, functools.partial(self._add_part, name))
        take = CallLoop._take

        def timed(loop: CallLoop, event: Event) -> None:
            begin, voice = Clock(), self.voice
            take(loop, event)
            self._add_gates(loop.call, event, Clock() - begin - (self.voice - voice))

        CallLoop._take = timed  # type: ignore[method-assign]  # the stopwatch

    def attach_to_ear(self) -> None:
        """Put it into every ear, too."""
        from voicewarden.pipeline.ear import Ear
        from voicewarden.sensors.cadence import CadenceMeter
        from voicewarden.sensors.tones import ToneDetector

        self._wrap(ToneDetector, "feed", self._add_sensing)
        self._wrap(CadenceMeter, "feed", self._add_sensing)
        self._wrap(CadenceMeter, "measure", self._add_sensing)
        hear = Ear._hear

        def timed(ear: Any, frame: Any) -> None:
            # Any: both are handed on as they are.
            begin, gates, sensing = Clock(), self.gates, self.sensing
            hear(ear, frame)
            self.frames.append((Clock() - begin, self.gates - gates, self.sensing - sensing))

        Ear._hear = timed  # type: ignore[method-assign]  # the stopwatch

    def _wrap(self, owner: Any, name: str, add: Callable[[int], None]) -> None:
        inner = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:
            # Any: whatever the wrapped function takes and gives.
            begin = Clock()
            try:
                return inner(*arguments, **named)
            finally:
                add(Clock() - begin)

        setattr(owner, name, timed)

    def _add_voice(self, ns: int) -> None:
        self.voice += ns

    def _add_part(self, name: str, ns: int) -> None:
        self.parts[name] = self.parts.get(name, 0) + ns

    def _add_sensing(self, ns: int) -> None:
        self.sensing += ns

    def _add_gates(self, call: str, event: Event, ns: int) -> None:
        self.gates += ns
        turns = self.turns.setdefault(call, [0])
        if isinstance(event, CallerStartedSpeaking) and event.turn > self.newest.get(call, 0):
            self.newest[call] = event.turn
            turns.append(0)
        turns[-1] += ns
        kind = self.kinds.setdefault(type(event).__name__, [0, 0])
        kind[0] += 1
        kind[1] += ns

    def write(self, path: Path) -> None:
        """Leave everything to the benchmark."""
        path.write_text(json.dumps(self.found()), encoding="utf-8")

    def found(self) -> dict[str, Any]:
        """Everything that was counted, as JSON can hold it."""
        return {"turns": self.turns, "frames": self.frames, "parts": self.parts, "kinds": self.kinds}


def serve(settings: Path) -> None:
    """Be the product, with the stopwatch in it."""
    from voicewarden.cli.wiring import serve_until_told

    watch = Stopwatch()
    watch.attach()
    watch.attach_to_ear()
    asyncio.run(serve_until_told(settings, inbound_agent="transfer", environment=None))
    watch.write(Path(os.environ["VOICEWARDEN_VAR_DIR"]) / RESULT)


async def play(names: tuple[str, ...], folder: Path) -> list[int]:
    """Play the calls, one after the other; returns their turn gaps."""
    from playing import callers, studio

    from voicewarden.rehearsal.demo.scenarios import SCENARIOS

    ready = callers(scenario for name in names for scenario in SCENARIOS if scenario.name == name)
    gaps: list[int] = []
    async with studio(folder, server=(__file__, "--serve")) as running:
        for scenario, caller in ready:
            gaps += (await running.play(scenario, caller)).line.turn_gaps_ms()
            print(f"{scenario.name}: done", file=sys.stderr, flush=True)
    return gaps


def tell(report: measure.Report, counted: dict[str, Any]) -> None:
    """Rows and goals."""
    turns, frames = counted["turns"], counted["frames"]
    added_turn = [ns / 1000 for call in turns.values() for ns in call[1:]]
    if frames:
        added = [(gates + sensing) / 1000 for _, gates, sensing in frames]
        peer = [(total - gates - sensing) / 1000 for total, gates, sensing in frames]
        found = report.row("added to a frame", added)
        report.row("... of it tones and cadence", [sensing / 1000 for _, _, sensing in frames])
        eventful = [gates / 1000 for _, gates, _ in frames if gates]
        report.row("... of it events, where there are any", eventful)
        without = report.row("hearing a frame without gates", peer)
        times = (found["mean"] + without["mean"]) / without["mean"]
        report.figure("a frame with gates takes", f"{times:.2f} times as long as without (mean)")
        report.goal("added to a frame, mean", found["mean"], GOAL_FRAME_US, "us")
        report.goal("added to a frame, p50", found["p50"], GOAL_FRAME_US, "us")
    turn = report.row("added to a turn", added_turn)
    report.row("added before the first turn", [call[0] / 1000 for call in turns.values()])
    gates = sum(ns for _, ns in counted["kinds"].values())
    rest = gates - sum(counted["parts"].values())
    shares = {**counted["parts"], "timers and the rest": rest}
    report.figure("of it", {name: f"{ns / gates:.0%}" for name, ns in shares.items()})
    ordered = sorted(counted["kinds"].items(), key=lambda item: -item[1][1])
    report.figure("by event", {name: f"{count} x {ns / count / 1000:.0f} us" for name, (count, ns) in ordered})
    report.goal("added to a turn, p50", turn["p50"] / 1000, GOAL_TURN_MS, "ms")
    report.goal("added to a turn, p95", turn["p95"] / 1000, GOAL_TURN_MS, "ms")


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    report = measure.Report("gates_added", "What the gates add to a frame and to a turn", "us")
    if options.quick:
        import in_text

        compiled = in_text.release()
        watch = Stopwatch()
        watch.attach()
        in_text.calls(compiled)
        tell(report, watch.found())
        return report
    with tempfile.TemporaryDirectory() as folder:
        gaps = asyncio.run(play(tuple(options.scenario or TALKS), Path(folder)))
        found = json.loads((Path(folder) / RESULT).read_text(encoding="utf-8"))
    tell(report, found)
    gap = measure.spread(gaps)
    report.figure("turn gap of the same calls, ms", gap)
    share = measure.spread([ns / 1e6 for call in found["turns"].values() for ns in call[1:]])["p50"] / gap["p50"]
    report.figure("added to a turn, share of the gap", f"{share:.2%} (p50)")
    return report


def main() -> int:
    """Measure and print; with --serve, be measured."""
    parser = measure.parser(__doc__)
    parser.add_argument("--scenario", action="append", help="play this one instead; may be given again")
    parser.add_argument("--serve", action="store_true", help="be the product, with the stopwatch in it")
    parser.add_argument("--settings", type=Path, help="settings of the product, with --serve")
    options = parser.parse_args()
    if options.serve:
        serve(options.settings)
        return 0
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

"""How long the caller waits for an answer, one call at a time, and what the time is spent on.

    python benchmarks/turn_gap.py [--quick] [--turns 24] [--scenario NAME ...]
                                   [--first-token-ms 150] [--token-ms 10] [--out FOLDER]

The demo's calls on the real line: real speech recognition and speech, the scripted model at the pace of the demo unless
told otherwise (its pace stands in for a real model's and is no part of the offline models' work). The gap is measured
in the carrier's recording, from the caller's last audible sample to the agent's first. Its parts are the ledger's
events of the same call on the same clock, each counted from the caller's last audible sample:

    VAD stop    the pause was noticed                   transcript  the words were there
    turn ended  the pause was long enough               proposed    the model's first sentence was there
    to voice    the first sentence was handed over      started     its first sound was played to the caller
    heard       its first audible sample

With --quick, calls in text stand for the recordings: it shows that the arithmetic holds, and measures nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import measure
import quick_calls
from playing import Played, callers, gaps, studio

from voicewarden.model.event import (
    CallerSpoke,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    Event,
    SentenceProposed,
    SentenceStarted,
)
from voicewarden.rehearsal.demo.scenarios import SCENARIOS, Scenario

GOAL_P50_MS: Final = 800
GOAL_P95_MS: Final = 1000
TALKS: Final = ("happy_booking", "transfer_earned", "yes_to_another_question", "rogue_model", "asks_for_person")
"""Scenarios in which a caller and the agent talk with each other without noise."""
_SLACK_MS: Final = 60
"""The two clocks agree to some milliseconds, and a start mark is echoed one frame after its sound."""
PARTS: Final = ("VAD stop", "transcript", "turn ended", "proposed", "to voice", "started", "heard")


def parts(played: Played) -> list[dict[str, int]]:
    """The parts of each gap of a call, in milliseconds from the caller's last audible sample."""
    timed = [(played.on_recording(event.at_ms), event) for event in played.events]
    spoken = [at for at, _ in played.spoken()]
    found = []
    for span, gap in gaps(played.line):
        heard_ms = span.end_ms + gap

        own = [(at, event) for at, event in timed if span.start_ms <= at <= heard_ms]
        ended = _last(own, CallerTurnEnded)
        moments: dict[str, int | None] = {
            "VAD stop": _last(own, CallerStoppedSpeaking), "transcript": _last(own, CallerSpoke), "turn ended": ended
        }
        if ended is not None:
            moments["proposed"] = _first(timed, SentenceProposed, ended, heard_ms)
            moments["to voice"] = min((at for at in spoken if ended <= at <= heard_ms), default=None)
            moments["started"] = _first(timed, SentenceStarted, ended, heard_ms + _SLACK_MS)
        one = {name: at - span.end_ms for name, at in moments.items() if at is not None}
        found.append({**one, "heard": gap})
    return found


def _last(timed: Sequence[tuple[int, Event]], kind: type[Event]) -> int | None:
    return max((at for at, event in timed if isinstance(event, kind)), default=None)


def _first(timed: Sequence[tuple[int, Event]], kind: type[Event], after: int, before: int) -> int | None:
    return min((at for at, event in timed if isinstance(event, kind) and after <= at <= before), default=None)


def report_of(calls: Sequence[Played], pace_ms: tuple[int, int]) -> measure.Report:
    """Gap and parts over all turns; `pace_ms` is the model's, to its first token and to each after it."""
    report = measure.Report("turn_gap", "From the caller's last sound to the agent's first, one call at a time", "ms")
    turns = [turn for played in calls for turn in parts(played)]
    gap = report.row("turn gap", [turn["heard"] for turn in turns])
    model = [turn for turn in turns if "proposed" in turn]
    report.row("... answered by the model", [turn["heard"] for turn in model])
    report.row("... answered by the gate itself", [turn["heard"] for turn in turns if "proposed" not in turn])
    for name in PARTS[:-1]:
        report.row(name, [turn[name] for turn in turns if name in turn])
    report.row("VAD stop to transcript", _between(turns, "VAD stop", "transcript"))
    report.row("transcript to end of turn", _between(turns, "transcript", "turn ended"))
    report.row("end of turn to voice", _between(turns, "turn ended", "to voice"))
    report.row("voice to heard", _between(turns, "to voice", "heard"))
    report.figure("the model's pace", f"{pace_ms[0]} ms to its first token, {pace_ms[1]} ms a token after it")
    report.figure("gaps by call (characters of the first sentence)", {played.name: _listed(played) for played in calls})
    report.figure("clock", f"{_disagreement(calls)} ms between a start mark in ledger and recording (p50)")
    if turns:
        report.goal("turn gap p50", gap["p50"], GOAL_P50_MS, "ms")
        report.goal("turn gap p95", gap["p95"], GOAL_P95_MS, "ms")
    return report


def _listed(played: Played) -> str:
    """Each gap of a call, with the length of what was said first: a long sentence takes long to render."""
    found = []
    for span, gap in gaps(played.line):
        texts = [(at, item.text) for at, item in played.spoken() if span.start_ms <= at <= span.end_ms + gap]
        found.append(f"{gap} ({len(min(texts)[1]) if texts else '-'})")
    return " ".join(found)


def _between(turns: Sequence[dict[str, int]], begin: str, end: str) -> list[float]:
    return [turn[end] - turn[begin] for turn in turns if begin in turn and end in turn]


def _disagreement(calls: Sequence[Played]) -> float:
    """How far the start marks of the ledger lie behind the carrier's echoes: network, scheduling and clock error."""
    behind: list[float] = []
    for played in calls:
        echoes = [int(str(entry.detail["wav_ms"])) for entry in played.line.entries("mark")]
        for event in played.events:
            if isinstance(event, SentenceStarted) and echoes:
                at = played.on_recording(event.at_ms)
                behind.append(at - min(echoes, key=lambda echo: abs(echo - at)))
    return measure.spread(behind).get("p50", 0)


async def play(
    scenarios: Sequence[Scenario], turns: int, pace_ms: tuple[int, int], each: Callable[[Played], None]
) -> list[Played]:
    """Play calls one after the other until so many gaps were measured."""
    done: list[Played] = []
    ready = callers(scenarios)
    async with studio(first_token_ms=pace_ms[0], token_ms=pace_ms[1]) as running:
        for scenario, caller in ready:
            done.append(await running.play(scenario, caller))
            each(done[-1])
            if sum(len(gaps(played.line)) for played in done) >= turns:
                break
    return done


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    if options.quick:
        return report_of(quick_calls.calls(), (200, 0))
    pace_ms = (options.first_token_ms, options.token_ms)
    wanted = options.scenario or TALKS
    chosen = [scenario for name in wanted for scenario in SCENARIOS if scenario.name == name]

    def tell(played: Played) -> None:
        print(f"{played.name}: {played.line.turn_gaps_ms()}", file=sys.stderr, flush=True)

    return report_of(asyncio.run(play(chosen, options.turns, pace_ms, tell)), pace_ms)


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--turns", type=int, default=24, help="stop after the call in which so many gaps were measured")
    parser.add_argument("--scenario", action="append", help="play this one instead; may be given again")
    parser.add_argument("--first-token-ms", type=int, default=150, help="the model's delay before its first token")
    parser.add_argument("--token-ms", type=int, default=10, help="the model's delay before each further token")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

"""How fast the agent gives way, and how long the line stays dead after a sound that was no word.

    python benchmarks/reactions.py [--quick] [--calls 3] [--out FOLDER]

Real calls; each caller talks over the agent, and later hums and coughs while it speaks. Both are measured in the
carrier's recording. Barge-in: from the caller's first audible sample to the agent's last one before it is silent.
Wordless noise: from the noise's last audible sample to the agent's next one. With --quick, calls in text stand for the
recordings.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import measure
import numpy as np
import quick_calls
from playing import VOICES, Played, audible_ms, studio

from voicewarden.model.event import CallerSpoke
from voicewarden.rehearsal.callers.voices import synthesise
from voicewarden.rehearsal.carrier.answerer import Person
from voicewarden.rehearsal.carrier.line import Line, Span
from voicewarden.rehearsal.demo.scenarios import Scenario

GOAL_SILENT_MS: Final = 200
GOAL_ANSWER_MS: Final = 1500
_QUIET_MS: Final = 300
"""The agent counts as silent once it was not heard for so long."""
_TALKING_MS: Final = 150
"""The agent counts as talking where it was heard at most so long ago."""
_RATE: Final = 8000


def cough(ms: int = 350) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Two bursts of noise, the same in every run."""
    rng = np.random.default_rng(7)
    half = ms * _RATE // 2000
    burst = np.exp(-np.arange(half) / (0.04 * _RATE)) * rng.normal(0, 6_000, half)
    return np.clip(np.concatenate((burst, burst)), -32768, 32767).astype(np.int16)


def hum(ms: int = 500) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A sound as of a voice without a word: a swelling series of harmonics."""
    t = np.arange(ms * _RATE // 1000) / _RATE
    voice = np.asarray(sum(np.sin(2 * np.pi * 130 * k * t + k) / k for k in range(1, 12)))
    return (2_500 * voice * np.hanning(t.size)).astype(np.int16)


@dataclass
class Talker:
    """A caller who answers, talks over the agent, hums into its next sentence, and leaves."""

    voice: str
    talked_over: Span | None = None
    hummed: list[Span] | None = None

    async def talk(self, line: Line) -> None:
        """Hold the conversation."""
        said = {text: synthesise(text, self.voice, VOICES) for text in _TEXTS}
        self.hummed = []
        await line.wait(300)
        for text in _TEXTS[:2]:
            await line.say(said[text])
            await line.agent_finished(silence_ms=700)
        await line.say(said[_TEXTS[2]])
        await line.agent_started()
        await line.wait(900)
        await line.say(said[_TEXTS[3]])
        self.talked_over = line.spans[-1]
        for sound in (hum(), cough()):
            await line.agent_started()
            await line.wait(900)
            await line.say(sound)
            self.hummed.append(line.spans[-1])
            await line.agent_finished(silence_ms=900)
            await line.say(said[_TEXTS[2]])
        await line.agent_finished(silence_ms=700)
        await line.hang_up()


_TEXTS: Final = ("Hello?", "Yes, sure.", "Who is this?", "What does it cost?")


def silent_after(played: Played, span: Span) -> int | None:
    """How long the agent was still heard after the caller's first sound; None when it was not talking then."""
    onset = _first(audible_ms(played.line.recording.caller()), span.start_ms)
    heard = audible_ms(played.line.recording.agent())
    if onset is None or not np.any((heard >= onset - _TALKING_MS) & (heard < onset)):
        return None
    last = onset
    for at in heard[np.searchsorted(heard, onset) :]:
        if at - last > _QUIET_MS:
            break
        last = int(at)
    return last - onset


def answered_after(played: Played, span: Span) -> int | None:
    """How long after a sound the agent was heard again, once it had fallen silent; None when it went on speaking."""
    heard = audible_ms(played.line.recording.agent())
    cut = silent_after(played, span)
    onset = _first(audible_ms(played.line.recording.caller()), span.start_ms)
    if cut is None or onset is None or onset + cut > span.end_ms + _QUIET_MS:
        return None
    again = _first(heard, max(span.end_ms, onset + cut + 1))
    return None if again is None else again - span.end_ms


def _first(moments: Sequence[int] | np.ndarray[Any, np.dtype[np.int64]], after: int) -> int | None:
    place = int(np.searchsorted(moments, after))
    return int(moments[place]) if place < len(moments) else None


def report_of(calls: Sequence[tuple[Played, list[Span], list[Span]]]) -> measure.Report:
    """Rows and goals; each call with what talked over the agent and what hummed."""
    report = measure.Report("reactions", "Giving way, and answering a sound without words", "ms")
    silent = [silent_after(played, span) for played, over, hummed in calls for span in (*over, *hummed)]
    answered = [answered_after(played, span) for played, _, hummed in calls for span in hummed]
    words = [_words(played, span) for played, _, hummed in calls for span in hummed]
    barge = report.row("barge-in to silence", [value for value in silent if value is not None])
    noise = report.row("noise to answer", [value for value in answered if value is not None])
    report.figure("sounds", f"{len(silent)} while the agent should have been talking, {silent.count(None)} were not")
    report.figure("sounds without words", f"{len(answered)}; {answered.count(None)} let the agent go on")
    report.figure("... and what was heard (per mille)", "; ".join(words))
    report.goal("barge-in to silence p95", barge.get("p95"), GOAL_SILENT_MS, "ms")
    report.goal("noise to answer p95", noise.get("p95"), GOAL_ANSWER_MS, "ms")
    return report


def _words(played: Played, span: Span) -> str:
    """What the transcriber made of a sound, and how sure it was on the whole."""
    for event in played.events:
        if isinstance(event, CallerSpoke) and 0 <= played.on_recording(event.at_ms) - span.end_ms <= 1_500:
            sure = [word.permille for word in event.words if word.permille is not None]
            return f"{event.text!r} ({sum(sure) // len(sure) if sure else '-'})" if event.text else "nothing"
    return "no segment"


async def play(count: int) -> list[tuple[Played, list[Span], list[Span]]]:
    """Play so many calls one after the other."""
    done = []
    async with studio() as running:
        for number in range(count):
            talker = Talker(("joe", "joe-deep", "joe-light")[number % 3])
            await asyncio.to_thread(lambda voice=talker.voice: [synthesise(text, voice, VOICES) for text in _TEXTS])
            scenario = Scenario(f"call {number + 1}", "", "booking", f"+1555555{2000 + number:04d}", ())
            played = await running.play(scenario, Person(talker.talk))
            done.append((played, [talker.talked_over] if talker.talked_over else [], talker.hummed or []))
            print(f"{scenario.name}: done", file=sys.stderr, flush=True)
    return done


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    if options.quick:
        return report_of([(played, played.line.caller_spans, []) for played in quick_calls.calls()])
    return report_of(asyncio.run(play(options.calls)))


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--calls", type=int, default=3)
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

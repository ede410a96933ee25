"""A whole guarded call in text and virtual time: the real loop, kernel, ledger and effectors; only sound is left out.

In: a release, an agent, what the caller says and when. Out: a call in the ledger, and what was said. Used by tests
and to make golden calls.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Direction, Value
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    CallEnded,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    CallStarted,
    DtmfPressed,
    Event,
    ToneHeard,
    Word,
)
from voicewarden.rehearsal.text_voice import Answerer, TextVoice
from voicewarden.rehearsal.virtual_time import VirtualTime
from voicewarden.runtime.loop import CallLoop, EffectorsFor, Journal
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.spending import Burner

_PAUSE_MS: Final = 500
_WORD_MS: Final = 300
_REACTION_MS: Final = 900
_LONGEST_CALL_MS: Final = 900_000


@dataclass(frozen=True)
class Line:
    """One thing that the caller does once the agent has fallen silent (or `after_ms` after the last thing)."""

    text: str = ""
    permille: int | None = 950
    key: str = ""
    tone: str = ""
    after_ms: int | None = None
    """Do it so long after the previous line, whether the agent speaks or not; None waits for silence."""


@dataclass
class TextCall:
    """What a text call needs, and what it leaves behind."""

    release: Compiled
    agent: str
    model: Answerer
    journal: Journal
    burner: Burner
    effectors: EffectorsFor
    lines: Sequence[Line]
    call: str = "text-1"
    direction: Direction = "outbound"
    facts: dict[str, Value] = field(default_factory=dict)
    rogue: bool = False
    events: list[Event] = field(default_factory=list)

    async def run(self) -> CallLoop:
        """Run the call to its end; returns its loop, whose state and records can be looked at."""
        time = VirtualTime()
        loop = CallLoop(
            self.call, self.release, journal=self.journal, burner=self.burner, sealer=Sealer(bytes(32)),
            effectors=self.effectors, scheduler=time, watch=lambda event, _: self.events.append(event),
        )  # fmt: skip
        voice = TextVoice(loop, time, self.release.data, self.agent, self.model, rogue=self.rogue)
        loop.attach(voice)
        self.said = voice.said
        self._start(loop)
        caller = _Caller(self.lines, loop, time, voice)
        time.after(_REACTION_MS, caller.go_on)
        while not loop.ended.is_set() and time.now_ms() < _LONGEST_CALL_MS:
            await loop.quiet()
            if not time.advance():
                break
            await asyncio.sleep(0)
        if not loop.ended.is_set():
            loop.post(CallEnded(at_ms=-1, reason="text_call_over"))
        await loop.settle()
        return loop

    def _start(self, loop: CallLoop) -> None:
        agent = self.release.data.agents[self.agent]
        loop.post(
            CallStarted(
                at_ms=0, call=self.call, agent=self.agent, direction=self.direction, contact="text",
                stage=agent.stage, epoch=0, release=self.release.hash, started_unix_ms=0, facts=self.facts,
            )
        )  # fmt: skip
        if self.direction == "outbound":
            loop.post(
                ActionRequested(at_ms=0, request="dial", action="place_call", args={}, principal=self.agent)
            )
        loop.post(CallAnswered(at_ms=0))


class _Caller:
    """Plays the caller's lines."""

    def __init__(self, lines: Sequence[Line], loop: CallLoop, time: VirtualTime, voice: TextVoice) -> None:
        self._lines = list(lines)
        self._loop = loop
        self._time = time
        self._voice = voice
        self._turn = 0
        self._silent_since: int | None = None

    def go_on(self) -> None:
        """Do the next line when its moment has come."""
        if self._loop.ended.is_set() or not self._lines:
            return
        line = self._lines[0]
        if line.after_ms is None and not self._may_speak():
            self._time.after(100, self.go_on)
            return
        self._lines.pop(0)
        self._silent_since = None
        self._time.after(line.after_ms or 0, lambda: self._do(line))

    def _may_speak(self) -> bool:
        now = self._time.now_ms()
        if not self._voice.is_silent or self._loop.state.floor.thinking:
            self._silent_since = None
            return False
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since >= _REACTION_MS

    def _do(self, line: Line) -> None:
        if line.key:
            self._loop.post(DtmfPressed(at_ms=-1, digit=line.key))
        elif line.tone:
            self._loop.post(ToneHeard(at_ms=-1, tone="beep", hz=800, ms=300))
        else:
            self._speak(line)
            return
        self._time.after(_REACTION_MS, self.go_on)

    def _speak(self, line: Line) -> None:
        self._turn += 1
        turn, began = self._turn, self._time.now_ms()
        self._loop.post(CallerStartedSpeaking(at_ms=-1, turn=turn))
        texts = line.text.split()
        words = tuple(
            Word(text, line.permille, began + i * _WORD_MS, began + (i + 1) * _WORD_MS) for i, text in enumerate(texts)
        )
        speech_ms = max(_WORD_MS, len(texts) * _WORD_MS)

        def stop() -> None:
            self._loop.post(CallerStoppedSpeaking(at_ms=-1, turn=turn, speech_ms=speech_ms))
            self._loop.post(CallerSpoke(at_ms=-1, turn=turn, text=line.text, words=words, speech_ms=speech_ms))

        def end() -> None:
            self._loop.post(CallerTurnEnded(at_ms=-1, turn=turn))
            self._time.after(_REACTION_MS, self.go_on)

        self._time.after(speech_ms, stop)
        self._time.after(speech_ms + _PAUSE_MS, end)

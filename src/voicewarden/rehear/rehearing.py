"""A whole recorded call under our policy: both sides in, what was heard and what would have been permitted out.

Called by `voicewarden rehear`. Faster than real time, and the same result every time. What it cannot know is how the
conversation would have gone on had our gate stood in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model.action import Direction, Value
from voicewarden.model.decision import Decision
from voicewarden.model.directive import HangUp, ListenFor
from voicewarden.model.event import Event
from voicewarden.rehear.answered import AnswererWatch
from voicewarden.rehear.approved_lines import SaidLine, said_lines
from voicewarden.rehear.asked_questions import AskedQuestion, asked_questions
from voicewarden.rehear.hearing import heard_words
from voicewarden.rehear.listening import Listening, Utterance, settled
from voicewarden.rehear.permits import Asking, changes, why_not
from voicewarden.rehear.recorded_call import RecordedCall, windows
from voicewarden.rehear.result import Decided, Ending, Heard, Learned, Reheard
from voicewarden.rehear.sides import Sides
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.voice import FRAME_SAMPLES

_MINOR_FACTS: Final = frozenset({"call_ms", "hearing_permille"})
"""Measured again and again; no news for a reader."""
_COVERED_PERMILLE: Final = 800
_SECOND_MS: Final = 1_000
_QUESTION: Final = "question:"
"""How the requests are named that our questions on the recording stand for."""


@dataclass(frozen=True, slots=True)
class Told:
    """Which call it was: the role that stands for the recorded agent, the direction, what records knew of it, and what
    had been found out before the recording began.
    """

    agent: str
    direction: Direction
    facts: Mapping[str, Value] = field(default_factory=dict)
    given: Mapping[str, Value] = field(default_factory=dict)


def rehear(
    sides: Sides, release: Compiled, hearing: Hearing, told: Told, *, on_second: Callable[[], None] = lambda: None
) -> Reheard:
    """Take both sides through sensors and step; `on_second` is called twice a second of the recording."""
    pause_ms = release.policy.policy.hearing.end_of_turn_ms
    agent = Listening(hearing, pause_ms=pause_ms)
    for second in _seconds(settled(sides.agent)):
        agent.feed(second)
        on_second()
    run = _Run(release, told, _caller(told, hearing, pause_ms), agent.utterances)
    for second in _seconds(settled(sides.caller)):
        run.hear(second, until_ms=sides.ms)
        on_second()
    return run.result(sides.ms)


def _seconds(pcm: Samples) -> Sequence[Samples]:
    return [pcm[start : start + 8 * _SECOND_MS] for start in range(0, pcm.size, 8 * _SECOND_MS)]


@dataclass(frozen=True, slots=True)
class _Moment:
    """Something that the recorded agent did, due at a time."""

    at_ms: int
    do: Callable[[], None]


def _caller(told: Told, hearing: Hearing, pause_ms: int) -> Listening:
    finds_out = told.direction == "outbound" and "answerer" not in told.given
    return Listening(hearing, pause_ms=pause_ms, finds_out=finds_out)


class _Run:
    """One pass over the caller's side, with the agent's sentences put in at their times."""

    def __init__(self, release: Compiled, told: Told, caller: Listening, spoken: Sequence[Utterance]) -> None:
        self._release, self._told, self._caller = release, told, caller
        self._answerer = AnswererWatch()
        self._heard: list[Heard] = []
        self._learned: list[Learned] = []
        self._decided: list[Decided] = []
        self._ended: Ending | None = None
        self._asking = Asking(release)
        self._call = RecordedCall(release, told.agent, told.direction, told.facts, watch=self._see, given=told.given)
        if "answerer" in told.given:
            self._answerer.given(self._call.state.answerer.verdict)
        self._moments = [self._asking.at(self._call.state, 0)]
        self._spoken = [said for said in spoken if said.text]
        words = [word for said in self._spoken for word in said.words]
        self._lines = said_lines(words, release.data.lines)
        self._questions = asked_questions(words, release.data)
        self._due = sorted(self._agent_moments(), key=lambda moment: moment.at_ms)

    def hear(self, pcm: Samples, *, until_ms: int) -> None:
        """Hear a piece of the caller's side; what is permitted is asked for every second until `until_ms`."""
        for start in range(0, pcm.size, FRAME_SAMPLES):
            events = self._caller.feed(pcm[start : start + FRAME_SAMPLES])
            now_ms = self._caller.now_ms
            while self._due and self._due[0].at_ms <= now_ms:
                moment = self._due.pop(0)
                self._call.advance(moment.at_ms)
                moment.do()
            self._call.advance(now_ms)
            for event in events:
                self._call.take(event)
            if now_ms % _SECOND_MS == 0 and now_ms <= until_ms:
                self._moments.append(self._asking.at(self._call.state, now_ms // _SECOND_MS))

    def result(self, length_ms: int) -> Reheard:
        """What came of it."""
        policy, heard = self._release.policy, [*self._heard, *self._caller_heard()]
        return Reheard(
            length_ms=length_ms, agent=self._told.agent, direction=self._told.direction, policy=policy.policy.name,
            policy_hash=policy.hash, release=self._release.hash, answerer=self._answerer.result(),
            heard=tuple(sorted(heard, key=lambda item: (item.at_ms, item.side))), learned=tuple(self._learned),
            decided=tuple(self._decided), timeline=tuple(changes(self._moments)), ended=self._ended,
            notes=tuple(self._notes()),
        )  # fmt: skip

    def _see(self, before: State, event: Event, taken: Step) -> None:
        """Note what a step has changed."""
        self._answerer.see(before, event, taken)
        at_ms = taken.state.now_ms
        for name in sorted({*before.facts, *taken.state.facts} - _MINOR_FACTS):
            was, now = before.facts.get(name), taken.state.facts.get(name)
            value = None if now is None else now.value
            if (None if was is None else was.value) != value:
                self._learned.append(Learned(at_ms, name, value))
        for decision in taken.decisions:
            if decision.request.startswith(("kernel:", _QUESTION)):
                self._decided.append(self._told_of(decision, at_ms))
        for directive in taken.directives:
            if isinstance(directive, ListenFor):
                self._caller.pause_ms = directive.pause_ms
            elif isinstance(directive, HangUp) and self._ended is None:
                self._ended = Ending(at_ms, directive.reason)
        if taken.state.identity.ending and self._ended is None:
            self._ended = Ending(at_ms, taken.state.identity.ending)

    def _told_of(self, decision: Decision, at_ms: int) -> Decided:
        reasons, number = why_not(decision), decision.request.removeprefix(_QUESTION)
        if number == decision.request:
            return Decided(at_ms, "kernel", decision.action, {}, decision.verdict, reasons)
        args = self._questions[int(number)].args
        return Decided(at_ms, "question", decision.action, args, decision.verdict, reasons)

    def _agent_moments(self) -> Iterator[_Moment]:
        """Everything that the recorded agent did, each at its time."""
        for number, said in enumerate(self._spoken):
            name, lasted_ms = f"agent:{number}", said.to_ms - said.from_ms
            yield _Moment(said.from_ms, partial(self._agent_begins, said, name))
            yield _Moment(said.to_ms, partial(self._call.agent_ends, name, said.to_ms, lasted_ms))
        for number, line in enumerate(self._lines):
            say = partial(self._call.agent_said_line, f"line:{number}", line.line)
            yield _Moment(line.to_ms, partial(say, line.to_ms, line.to_ms - line.from_ms))
        for number, asked in enumerate(self._questions):
            ask = partial(self._call.agent_asks, f"{_QUESTION}{number}", asked.action, asked.args)
            yield _Moment(asked.from_ms, partial(ask, asked.from_ms))
            yield _Moment(asked.to_ms, partial(self._call.agent_asked, asked.to_ms, asked.to_ms - asked.from_ms))

    def _agent_begins(self, said: Utterance, name: str) -> None:
        """The agent begins to say something: our gate is asked about it unless it is approved word for word."""
        approved: list[SaidLine | AskedQuestion] = [*self._lines, *self._questions]
        within = [span for span in approved if span.from_ms < said.to_ms and said.from_ms < span.to_ms]
        decision = None if _is_covered(said, within) else self._call.judge(said.text, said.from_ms)
        self._heard.append(
            Heard(
                at_ms=said.from_ms, to_ms=said.to_ms, side="agent", text=said.text, words=heard_words(said.words),
                suspect=() if said.transcript is None else said.transcript.suspect,
                lines=tuple(span.line if isinstance(span, SaidLine) else f"{span.action}.question" for span in within),
                verdict=None if decision is None else decision.verdict,
                reasons=() if decision is None else why_not(decision),
            )
        )  # fmt: skip
        self._call.agent_begins(name, said.text, said.from_ms)

    def _caller_heard(self) -> Iterator[Heard]:
        for said in self._caller.utterances:
            found = said.transcript
            yield Heard(
                at_ms=said.from_ms, to_ms=said.to_ms, side="caller", text=said.text, words=heard_words(said.words),
                suspect=("not_transcribed",) if found is None else found.suspect,
            )  # fmt: skip
        for tone in self._caller.tones:
            yield Heard(at_ms=tone.at_ms, to_ms=tone.at_ms + tone.ms, side="caller", tone=tone.kind, hz=tone.hz)

    def _notes(self) -> Iterator[str]:
        """What the reader has to know about this result."""
        yield (
            "The conversation would have gone on differently had our gate stood in it: what is shown is what was "
            "permitted at each moment of the call as it went."
        )
        if not self._caller.speech:
            yield "Nothing was said on the caller's side: check that the right channel was taken for it."
        if not self._spoken:
            yield "No words were heard on the agent's side: check that the right channel was taken for it."
        if any(item.verdict == "allow" for item in self._decided):
            yield "Effects that our gate would have let start were not carried out; they count as begun."
        if counted := windows(self._release):
            yield f"Limits over a window count this call alone: {', '.join(counted)}."
        asked = {question.action for question in self._questions}
        rules = self._release.policy.policy.actions
        if unasked := sorted(name for name, rule in rules.items() if rule.question and name not in asked):
            yield (
                "A yes counts only as the answer to our own question, read back word for word. The recorded agent did "
                f"not ask it about {', '.join(unasked)}, which could therefore get no further than being asked about."
            )


def _is_covered(said: Utterance, approved: Sequence[SaidLine | AskedQuestion]) -> bool:
    """Whether an utterance is hardly more than approved lines and questions."""
    inside = sum(any(span.from_ms <= word.from_ms < span.to_ms for span in approved) for word in said.words)
    return inside * 1000 >= _COVERED_PERMILLE * len(said.words)

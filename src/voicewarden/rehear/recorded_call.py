"""A recorded call taken through `kernel.step`: events and the recorded agent's sentences in, the authority state out.

Called by `rehearing` and `hearing`. The step is the one of live calls, and so are its timers. What differs is who
speaks: somebody else's agent did. Its sentences hold the floor as ours would; what our kernel would have said by itself
was not said, and is reported to the step as such; effects are granted and never carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from voicewarden.config.given_facts import GivenFacts
from voicewarden.kernel.draft import Draft, Output, replace
from voicewarden.kernel.facets import answerer
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, Sentence, State
from voicewarden.kernel.step import Step, step
from voicewarden.model.action import AnswererVerdict, Arguments, Direction, Value
from voicewarden.model.decision import Decision
from voicewarden.model.directive import Speak
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    CallStarted,
    CountReserved,
    Event,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    TimerFired,
)

NAME: Final = "rehearing"
_OUR_MODEL: Final = ("model", "silent_model", "filler")
"""Deadlines of our own language model, which took no part."""

Watch = Callable[[State, Event, Step], None]
"""Is shown every step: the state before, the event, what it led to."""


class RecordedCall:
    """The state of one recorded call, moved on by what is heard on it."""

    def __init__(
        self, release: Compiled, agent: str, direction: Direction, facts: Mapping[str, Value], *, watch: Watch,
        given: Mapping[str, Value] | None = None,
    ) -> None:  # fmt: skip
        """`facts` come from records. `given` holds in spite of everything, also what a call finds out by itself: who
        answered, or which notices were heard before the recording began. Raises ValueError for what is no fact.
        """
        self.release = release
        self.state: State = EMPTY
        self._watch = watch
        self._asking = False
        self._asked: list[str] = []
        role = release.data.agents[agent]
        self.take(
            CallStarted(
                at_ms=0, call=NAME, agent=agent, direction=direction, contact="", stage=role.stage, epoch=0,
                release=release.hash, started_unix_ms=0, facts=dict(facts),
            )
        )  # fmt: skip
        for window in windows(release):
            self.take(CountReserved(at_ms=0, limit=window, used=0))
        self.take(CallAnswered(at_ms=0))
        if given:
            self._begin_with(given)

    def _begin_with(self, given: Mapping[str, Value]) -> None:
        """Lay facts over the state, as the gate does for a request without a call."""
        draft = Draft(self.release, self.state, CallAnswered(at_ms=0))
        draft.facts = GivenFacts(self.release.declared).laid_over(draft.facts, given, 0, "")
        who = draft.value("answerer")
        if "answerer" in given and who != draft.answerer.verdict:
            # A cast: `laid_over` lets no other value of this fact pass.
            answerer.decide(draft, cast(AnswererVerdict, who))
            answerer.open_conversation(draft)
        self.state = draft.freeze()
        self._leave_unsaid(draft.outputs, 0)

    def take(self, event: Event) -> None:
        """Step one event; lines that the step wants said are reported as never heard."""
        before = self.state
        taken = step(self.release, before, event)
        self.state = _without_our_model(taken.state)
        self._watch(before, event, taken)
        self._leave_unsaid(taken.outputs, event.at_ms)

    def _leave_unsaid(self, outputs: Iterable[Output], at_ms: int) -> None:
        for directive in outputs:
            if not isinstance(directive, Speak):
                continue
            if self._asking and directive.purpose == "question":
                self._asked.append(directive.sentence)
            else:
                self.take(SentencePlayed(at_ms=at_ms, sentence=directive.sentence, played_ms=0, whole=False))

    def advance(self, to_ms: int) -> None:
        """Let time pass: timers that come due by then fire, in their order."""
        while due := [(due_ms, timer) for timer, due_ms in self.state.timers.items() if due_ms <= to_ms]:
            due_ms, timer = min(due)
            self.take(TimerFired(at_ms=max(due_ms, self.state.now_ms), timer=timer, due_ms=due_ms))

    def agent_begins(self, sentence: str, text: str, at_ms: int) -> None:
        """The recorded agent begins to say this."""
        self._hold_floor(Sentence(id=sentence, text=text, purpose="model", line=""))
        self.take(SentenceStarted(at_ms=at_ms, sentence=sentence))

    def agent_ends(self, sentence: str, at_ms: int, played_ms: int) -> None:
        """What the recorded agent began was heard to its end."""
        self.take(SentencePlayed(at_ms=at_ms, sentence=sentence, played_ms=played_ms, whole=True))

    def agent_said_line(self, sentence: str, line: str, at_ms: int, played_ms: int) -> None:
        """The recorded agent has said an approved line to its end."""
        self._hold_floor(Sentence(id=sentence, text=self.release.data.lines[line], purpose="line", line=line))
        self.agent_ends(sentence, at_ms, played_ms)

    def agent_asks(self, request: str, action: str, args: Arguments, at_ms: int) -> None:
        """The recorded agent begins to ask one of our questions: it stands for the request that leads to it."""
        role = self.state.identity.agent
        self._asking, self._asked = True, []
        self.take(ActionRequested(at_ms=at_ms, request=request, action=action, args=args, principal=role))
        self._asking = False

    def agent_asked(self, at_ms: int, played_ms: int) -> None:
        """The question that was begun has been asked to its end."""
        for sentence in self._asked:
            self.agent_ends(sentence, at_ms, played_ms)
        self._asked = []

    def judge(self, text: str, at_ms: int) -> Decision:
        """What our gate would have said to this sentence at this moment; the call does not notice.

        The moment is granted: our model is taken to have been asked, and to have its turn.
        """
        floor = replace(self.state.floor, answering=self.state.turn.number, generation=1, dropped=0, queue=())
        proposed = SentenceProposed(at_ms=at_ms, sentence="heard", generation=1, turn=self.state.turn.number, text=text)
        return step(self.release, replace(self.state, floor=floor), proposed).decisions[0]

    def _hold_floor(self, sentence: Sentence) -> None:
        """Put a sentence where those of our voice stand, without asking the gate: it was said."""
        queue = (*self.state.floor.queue, sentence)
        floor = replace(self.state.floor, queue=queue, spoke=True, thinking=False, consulted=False)
        timers = {name: due_ms for name, due_ms in self.state.timers.items() if name != "silence"}
        self.state = replace(self.state, floor=floor, timers=timers)


def windows(release: Compiled) -> tuple[str, ...]:
    """What the policy counts over all calls of a person, a campaign or a role."""
    limits = (limit for rule in release.policy.policy.actions.values() for limit in rule.limits)
    return tuple(dict.fromkeys(limit.window for limit in limits if limit.per != "call"))


def _without_our_model(state: State) -> State:
    """The state without deadlines of our language model: it is the recorded agent that is waited for."""
    if not any(name in state.timers for name in _OUR_MODEL):
        return state
    return replace(state, timers={name: due_ms for name, due_ms in state.timers.items() if name not in _OUR_MODEL})

"""A call driven by hand over the real `kernel.step`: the world that a counterexample is played in.

In: a release made ready, and moves (the call is answered, the caller says yes, a role asks for an action). Out: every
event with the state before it and what the step made of it. The call behaves as a real edge does: it plays what it is
told to say, cuts it when it is told to stop, and fires the timers that the kernel asked for. Called by `reach`.
"""

import copy
import re
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.model import event as events
from voicewarden.model.action import Arguments, Direction, Outcome, Stage, Value
from voicewarden.model.canonical import digest_of
from voicewarden.model.directive import Speak, StopSpeaking

SURE_PERMILLE: Final = 950
_MS_A_WORD: Final = 300
_MS_A_CHARACTER: Final = 50
_REACTION_MS: Final = 800
_BACKSTOP_MARGIN_MS: Final = 10_000
MOST_EVENTS: Final = 600
_INVITED: Final = re.compile(r"[Ss]ay:?\s+([^.?!]+)")
"""The answer that a question itself suggests, as in `Please say: yes, book it.`"""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """One event of a call, with the state that it met and what came of it."""

    before: State
    event: events.Event
    taken: Step


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call is stretched, so that facts have the ages that matter."""

    hold_ms: int = 0
    """How long the caller's turn goes on after the words that answer."""
    linger_ms: int = 0
    """How long the caller keeps the floor before the last request."""
    learns: tuple[tuple[int, str, Value], ...] = ()
    """Facts that a record supplies at their moment: at_ms, name, value."""


class DrivenCall:
    """One call. Each public method but the properties is a move; a move of a call that is over does nothing."""

    def __init__(self, release: Compiled, timing: Timing, most_events: int = MOST_EVENTS) -> None:
        self.release = release
        self.timing = timing
        self._most_events = most_events
        self.state: State = EMPTY
        self.now_ms = 0
        self.moments: list[Moment] = []
        self._queue: list[Speak] = []
        self._learns = sorted(timing.learns, key=lambda entry: entry[0])
        self._turn = 0
        self._asked = 0
        self._lingered = False

    @property
    def is_over(self) -> bool:
        """Nothing can happen any more, or nothing more may."""
        return self.state.identity.hung_up or self.state.identity.ended or len(self.moments) >= self._most_events

    def fork(self) -> "DrivenCall":
        """The same call, to go on in another way."""
        other = copy.copy(self)
        other.moments = list(self.moments)
        other._queue = list(self._queue)
        other._learns = list(self._learns)
        return other

    def start(self, direction: Direction, agent: str, stage: Stage, facts: dict[str, Value]) -> None:
        """The call begins."""
        self._happen(
            events.CallStarted(
                at_ms=0, call="shown", agent=agent, direction=direction, contact="", stage=stage, epoch=1,
                release=self.release.hash, started_unix_ms=0, facts=facts,
            )
        )  # fmt: skip

    def answer(self) -> None:
        """The line is picked up."""
        self._pass(_REACTION_MS)
        self._happen(events.CallAnswered(at_ms=self.now_ms))

    def reserve(self, limit: str, used: int) -> None:
        """Other calls have used so much of what a limit counts."""
        self._happen(events.CountReserved(at_ms=self.now_ms, limit=limit, used=used))

    def play(self, most: int = 100) -> None:
        """The agent's next sentences are heard to their ends."""
        while self._queue and most and not self.is_over:
            speak, most = self._queue[0], most - 1
            self._happen(events.SentenceStarted(at_ms=self.now_ms, sentence=speak.sentence))
            played_ms = len(speak.text) * _MS_A_CHARACTER
            self._pass(played_ms)
            if self._queue and self._queue[0] is speak:
                self._queue.pop(0)
                self._happen(
                    events.SentencePlayed(
                        at_ms=self.now_ms, sentence=speak.sentence, played_ms=played_ms, whole=True
                    )
                )  # fmt: skip

    def request(self, action: str, args: Arguments, principal: str) -> None:
        """A role asks for an action, in a new turn of the caller where this one has had its tool calls."""
        budget = self.release.policy.policy.budget.tool_calls_per_turn
        if self.state.floor.thinking and self.state.turn.tool_calls >= budget:
            self.say("Go on.")
        self._pass(_REACTION_MS)
        self._asked += 1
        floor = self.state.floor
        self._happen(
            events.ActionRequested(
                at_ms=self.now_ms, request=f"r{self._asked}", action=action, args=args, principal=principal,
                turn=floor.answering if floor.thinking else None,
            )
        )  # fmt: skip

    def say(self, *texts: str, permille: int = SURE_PERMILLE, hold_ms: int = 0) -> None:
        """A whole turn of the caller in one or more segments; it ends no sooner than `hold_ms` after its last word."""
        self._pass(_REACTION_MS)
        for text in texts:
            self._speak(text, permille)
        self._end_turn(max(hold_ms, self.release.policy.policy.hearing.end_of_turn_ms))

    def interject(self, text: str) -> None:
        """The caller says something and has not finished yet."""
        self._pass(_REACTION_MS)
        self._speak(text, SURE_PERMILLE)

    def agree(self, permille: int = SURE_PERMILLE, hold_ms: int = 0) -> None:
        """The caller agrees in the words that the open question suggests."""
        pending = self.state.consent.pending
        invited = _INVITED.search(pending.question) if pending else None
        self.say(invited.group(1).strip() if invited else "Yes, please.", permille=permille, hold_ms=hold_ms)

    def noise(self) -> None:
        """A sound without words interrupts the agent."""
        self._pass(_REACTION_MS)
        self._speak("", SURE_PERMILLE)
        self._end_turn(self.release.policy.policy.hearing.end_of_turn_ms)

    def press(self, digit: str) -> None:
        """A key of the caller's telephone."""
        self._pass(_REACTION_MS)
        self._happen(events.DtmfPressed(at_ms=self.now_ms, digit=digit))

    def tone(self, kind: str) -> None:
        """A tone is heard on the line."""
        self._pass(2 * _REACTION_MS)
        event = {"event": "ToneHeard", "at_ms": self.now_ms, "tone": kind, "hz": 440, "ms": 400}
        self._happen(msgspec.convert(event, events.ToneHeard))

    def wait(self, ms: int) -> None:
        """Nothing is said."""
        self._pass(ms)

    def linger(self, ms: int) -> None:
        """The caller keeps the floor for so long: nothing falls silent, and nothing is asked meanwhile."""
        pause_ms = self.release.policy.policy.hearing.end_of_turn_ms
        spoken_ms = _REACTION_MS + 2 * _MS_A_WORD + pause_ms
        if ms < 2 * spoken_ms or self.state.identity.answered_ms is None:
            self._pass(ms)
            return
        self._pass(_REACTION_MS)
        self._begin_turn()
        self._keep_turn(ms - spoken_ms)
        self._speak("One moment.", SURE_PERMILLE)
        self._end_turn(pause_ms)

    def linger_as_timed(self) -> None:
        """The same for as long as the call's timing says, once in a call."""
        if not self._lingered and self.timing.linger_ms:
            self._lingered = True
            self.linger(self.timing.linger_ms)

    def agree_as_timed(self) -> None:
        """The caller agrees and goes on being heard for as long as the call's timing says."""
        self.agree(hold_ms=self.timing.hold_ms)

    def approve(self, action: str, args: Arguments) -> None:
        """An operator approves an action with these arguments."""
        self._happen(
            events.OperatorApproved(
                at_ms=self.now_ms, digest=digest_of(args), operator="an operator", action=action
            )
        )  # fmt: skip

    def receipt(self, action: str, outcome: Outcome) -> None:
        """The effect of the grants of this action that are open ends so."""
        self._pass(_REACTION_MS)
        for grant, opened in self.state.grants.open.items():
            if opened.grant.action == action and opened.handed:
                self._happen(events.ReceiptReturned(at_ms=self.now_ms, grant=grant, outcome=outcome))

    def _begin_turn(self) -> None:
        if not self.state.turn.open:
            self._turn += 1
        self._happen(events.CallerStartedSpeaking(at_ms=self.now_ms, turn=self._turn))

    def _speak(self, text: str, permille: int) -> None:
        self._begin_turn()
        words = []
        for word in text.split():
            words.append(events.Word(word, permille, self.now_ms, self.now_ms + _MS_A_WORD))
            self._pass(_MS_A_WORD)
        if not words:
            self._pass(_MS_A_WORD)
        speech_ms = max(1, len(words)) * _MS_A_WORD
        self._happen(events.CallerStoppedSpeaking(at_ms=self.now_ms, turn=self._turn, speech_ms=speech_ms))
        self._happen(
            events.CallerSpoke(
                at_ms=self.now_ms, turn=self._turn, text=text, words=tuple(words), speech_ms=speech_ms
            )
        )  # fmt: skip

    def _end_turn(self, after_ms: int) -> None:
        if after_ms > 2_000:
            self._begin_turn()  # the caller is still heard, only without words
            self._keep_turn(after_ms)
        else:
            self._pass(after_ms)
        self._happen(events.CallerTurnEnded(at_ms=self.now_ms, turn=self._turn))

    def _keep_turn(self, ms: int) -> None:
        # A key that means nothing keeps a long turn from running into the call's backstop.
        most_ms = max(1_000, self.release.policy.policy.silence.backstop_ms - _BACKSTOP_MARGIN_MS)
        while ms > most_ms and not self.is_over:
            self._pass(most_ms)
            self._happen(events.DtmfPressed(at_ms=self.now_ms, digit="5"))
            ms -= most_ms
        self._pass(ms)

    def _pass(self, ms: int) -> None:
        """Time passes: timers and records come in when they are due."""
        until = self.now_ms + ms
        while not self.is_over:
            timer = min(((due, name) for name, due in self.state.timers.items() if due <= until), default=None)
            if self._learns and self._learns[0][0] <= min(until, timer[0] if timer else until):
                at_ms, name, value = self._learns.pop(0)
                self.now_ms = max(self.now_ms, at_ms)
                self._happen(events.FactLearned(at_ms=self.now_ms, fact=name, value=value, source="a record"))
            elif timer is not None:
                self.now_ms = max(self.now_ms, timer[0])
                self._happen(events.TimerFired(at_ms=self.now_ms, timer=timer[1], due_ms=timer[0]))
            else:
                break
        self.now_ms = until

    def _happen(self, event: events.Event) -> None:
        if self.is_over:
            return
        taken = step(self.release, self.state, event)
        self.moments.append(Moment(self.state, event, taken))
        self.state = taken.state
        cut: list[Speak] = []
        for output in taken.outputs:
            match output:
                case Speak():
                    self._queue.append(output)
                case StopSpeaking():
                    cut, self._queue = [*cut, *self._queue], []
                case _:
                    pass
        for speak in cut:
            self._happen(
                events.SentencePlayed(at_ms=self.now_ms, sentence=speak.sentence, played_ms=0, whole=False)
            )

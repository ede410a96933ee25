"""A call driven by hand over `kernel.step`: what the caller says, what the voice plays, and a clock that waits.

The rig behaves as the edge does: it plays what it is told to say, cuts it when it is told to stop, and fires the
timers that the kernel asked for when their time has come.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from voicewarden.config.release import load_release
from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled, Release
from voicewarden.kernel.state import EMPTY, Pending, State
from voicewarden.kernel.step import Output, Step, step
from voicewarden.model import event as events
from voicewarden.model.action import Direction, Outcome, Stage, Value
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import Directive, HangUp, Speak, SpendGrant, StopSpeaking
from voicewarden.model.record import GENESIS, Record
from voicewarden.policy.ast import Policy

TOP = Path(__file__).resolve().parents[2]
MS_A_WORD = 300
MS_A_CHARACTER = 50
PAUSE_MS = 500
BOOK: dict[str, Value] = {"service": "consultation", "start": "2026-12-01T15:00"}
HAIRCUT: dict[str, Value] = {"service": "haircut", "start": "2026-12-03T11:00"}
FACTS: dict[str, Value] = {
    "desk_open": True, "quote_open": True, "voicemail_permitted": False, "contact.consent": "written",
    "contact.attempts_86400": 0, "contact.attempts_604800": 0,
}  # fmt: skip
D = TypeVar("D")


@lru_cache(maxsize=8)
def release_of(policy: str) -> Release:
    """A release as it ships, read once."""
    return load_release(TOP / "config", TOP / "agents", policy=policy, approved=False)


@lru_cache(maxsize=8)
def shipped(policy: str = "outbound-sales") -> Compiled:
    """The same, made ready once."""
    return Compiled(release_of(policy))


def with_policy(change: dict[str, Any], policy: str = "outbound-sales") -> Compiled:
    """The shipped release with parts of its policy replaced."""
    data = shipped(policy).data
    tree: Policy = msgspec.structs.replace(data.policy, **change)
    return Compiled(msgspec.structs.replace(data, policy=tree))


class Rig:
    """One call. `inbound` and opened unless it is told otherwise, so that a test begins where it gets interesting."""

    def __init__(
        self, release: Compiled | None = None, *, direction: Direction = "inbound", agent: str = "booking",
        stage: Stage = "bounded", facts: dict[str, Value] | None = None, opened: bool = True,
    ) -> None:  # fmt: skip
        self.release = release or shipped()
        self.state: State = EMPTY
        self.now_ms = 0
        self.turn = 0
        self.generation = 0
        self.asked = 0
        self.queue: list[Speak] = []
        self.played: list[str] = []
        self.outputs: list[Output] = []
        self.events: list[events.Event] = []
        self.records: list[Record] = []
        self.happen(
            events.CallStarted, call="c1", agent=agent, direction=direction, contact="k", stage=stage, epoch=1,
            release=self.release.hash, started_unix_ms=0, facts={**FACTS, **(facts or {})},
        )  # fmt: skip
        if opened:
            self.happen(events.CallAnswered)
            if direction == "inbound":
                self.play()

    def feed(self, event: events.Event) -> Step:
        """One event through the step; cuts what the kernel orders to be cut."""
        taken = step(self.release, self.state, event)
        last = self.records[-1].hash if self.records else GENESIS
        at_ms = max(event.at_ms, self.state.now_ms)
        self.records += records_of("call:c1", self.state.seq, last, event, taken.outputs, at_ms)
        self.state = taken.state
        self.events.append(event)
        self.outputs += taken.outputs
        cut: list[Speak] = []
        for directive in taken.directives:
            match directive:
                case Speak():
                    self.queue.append(directive)
                case StopSpeaking():
                    cut, self.queue = [*cut, *self.queue], []
                case _:
                    pass
        for speak in cut:
            self.happen(events.SentencePlayed, sentence=speak.sentence, played_ms=0, whole=False)
        return taken

    # Any: the fields of whichever event it is.
    def happen(self, kind: type[Any], **fields: Any) -> Step:
        """An event of this kind, now."""
        return self.feed(kind(at_ms=self.now_ms, **fields))

    def wait(self, ms: int) -> None:
        """Let time pass; timers fire when they are due."""
        until = self.now_ms + ms
        while due := [(due, name) for name, due in self.state.timers.items() if due <= until]:
            due_ms, name = min(due)
            self.now_ms = max(self.now_ms, due_ms)
            self.happen(events.TimerFired, timer=name, due_ms=due_ms)
        self.now_ms = until

    def play(self, most: int = 100) -> Step | None:
        """Play what is queued to its end, as many sentences as wanted; returns the last step."""
        taken = None
        while self.queue and most:
            speak, most = self.queue[0], most - 1
            self.happen(events.SentenceStarted, sentence=speak.sentence)
            self.wait(len(speak.text) * MS_A_CHARACTER)
            if not self.queue or self.queue[0] is not speak:
                continue
            self.queue.pop(0)
            self.played.append(speak.text)
            played_ms = len(speak.text) * MS_A_CHARACTER
            taken = self.happen(events.SentencePlayed, sentence=speak.sentence, played_ms=played_ms, whole=True)
        return taken

    def begin(self) -> Step:
        """The caller's voice is heard; a new turn unless one is open."""
        if not self.state.turn.open:
            self.turn += 1
        return self.happen(events.CallerStartedSpeaking, turn=self.turn)

    def segment(self, text: str, permille: int | tuple[int | None, ...] | None = 950, **more: Any) -> Step:
        """One transcript segment, its words spoken from now on."""
        scores = permille if isinstance(permille, tuple) else (permille,)
        said = text.split()
        words = []
        for index, word in enumerate(said):
            score = scores[min(index, len(scores) - 1)]
            words.append(events.Word(word, score, self.now_ms, self.now_ms + MS_A_WORD))
            self.now_ms += MS_A_WORD
        speech_ms = max(1, len(said)) * MS_A_WORD
        self.happen(events.CallerStoppedSpeaking, turn=self.turn, speech_ms=speech_ms)
        return self.happen(
            events.CallerSpoke, turn=self.turn, text=text, words=tuple(words), speech_ms=speech_ms, **more
        )

    def end(self) -> Step:
        """The caller's turn is over after a pause."""
        self.wait(PAUSE_MS)
        return self.happen(events.CallerTurnEnded, turn=self.turn)

    def hear(self, *texts: str, permille: int | tuple[int | None, ...] | None = 950, **more: Any) -> Step:
        """A whole turn of the caller, in one or several segments; returns the step of its end."""
        self.begin()
        for text in texts:
            self.segment(text, permille, **more)
        return self.end()

    def noise(self) -> Step:
        """A sound of the caller without words."""
        self.begin()
        self.now_ms += MS_A_WORD
        self.happen(events.CallerStoppedSpeaking, turn=self.turn, speech_ms=MS_A_WORD)
        self.happen(events.CallerSpoke, turn=self.turn, text="", words=(), speech_ms=MS_A_WORD)
        return self.end()

    def press(self, digit: str) -> Step:
        """A key of the caller's telephone."""
        return self.happen(events.DtmfPressed, digit=digit)

    def propose(self, *sentences: str, turn: int | None = None, ends: bool = False) -> Step:
        """The model wants to say this, in one generation; returns the last step."""
        self.generation += 1
        taken = None
        self.happen(events.TokensReserved, inference=self.generation, tokens=100)
        for index, text in enumerate(sentences, start=1):
            taken = self.happen(
                events.SentenceProposed, sentence=f"m{self.generation}.{index}", generation=self.generation,
                turn=self.turn if turn is None else turn, text=text,
            )  # fmt: skip
        self.happen(events.TokensSpent, inference=self.generation, tokens=10)
        if ends or taken is None:
            taken = self.happen(events.GenerationEnded, generation=self.generation)
        return taken

    def ask(self, action: str, principal: str = "", turn: int | None = None, **args: Value) -> Decision:
        """The model asks for an action; returns the first decision that this leads to."""
        self.asked += 1
        taken = self.happen(
            events.ActionRequested, request=f"r{self.asked}", action=action, args=args,
            principal=principal or self.state.identity.agent, turn=turn,
        )  # fmt: skip
        return taken.decisions[0]

    def question(self, action: str = "book", **args: Value) -> Pending:
        """Ask for an action and play its question to the end."""
        self.ask(action, **(args or BOOK if action == "book" else args))
        self.play()
        pending = self.state.consent.pending
        assert pending is not None, f"no question about {action} is open"
        return pending

    def receipt(self, grant: Grant, outcome: Outcome = "done", **detail: Value) -> Step:
        """What came of a grant."""
        return self.happen(events.ReceiptReturned, grant=grant.id, outcome=outcome, detail=detail)

    def value(self, fact: str) -> Value | None:
        """Value of a fact, None when it is not known."""
        found = self.state.facts.get(fact)
        return None if found is None else found.value

    @property
    def grants(self) -> list[Grant]:
        """Grants minted so far, without the ways out."""
        return [item for item in self.outputs if isinstance(item, Grant) and not item.escape]

    @property
    def decisions(self) -> list[Decision]:
        """All decisions so far."""
        return [item for item in self.outputs if isinstance(item, Decision)]

    @property
    def spent(self) -> list[str]:
        """Ids of the grants that were handed to an effector."""
        return [item.grant for item in self.outputs if isinstance(item, SpendGrant)]

    @property
    def hung_up(self) -> str:
        """Why the kernel hung up, empty while it has not."""
        return next((item.reason for item in self.outputs if isinstance(item, HangUp)), "")

    @property
    def lines(self) -> list[str]:
        """Names of the lines that were ordered to be said, in order."""
        return [item.line for item in self.outputs if isinstance(item, Speak)]


def of(taken: Step | None, kind: type[D]) -> list[D]:
    """The outputs of one kind in a step."""
    assert taken is not None
    return [item for item in taken.outputs if isinstance(item, kind)]


def told(directives: list[Directive] | tuple[Directive, ...]) -> list[str]:
    """The texts that are to be said."""
    return [item.text for item in directives if isinstance(item, Speak)]


def rules(decision: Decision) -> list[str]:
    """Ids of the rules that a decision names."""
    return [reason.rule for reason in decision.reasons]

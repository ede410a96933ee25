"""The working copy of one step: facets change it, `step` freezes it again.

Lives for one step only and never leaves the kernel, so `step` stays pure from outside.
"""

from collections.abc import Mapping

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import Sentence, State
from voicewarden.model.action import Value
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import CancelTimer, Directive, Purpose, Speak, StartTimer
from voicewarden.model.event import Event
from voicewarden.policy.fact import Fact
from voicewarden.reading.text import tokens

replace = msgspec.structs.replace
Output = Decision | Shadowed | Grant | Directive


class Draft:
    """State in the making, with what the step puts out in order."""

    __slots__ = (
        "answerer", "asked_if_ai", "budget", "consent", "desk", "event_seq", "facts", "floor", "grants", "heard_claims",
        "identity", "now_ms", "outputs", "release", "silence_step", "timers", "turn", "version",
    )  # fmt: skip

    def __init__(self, release: Compiled, state: State, event: Event) -> None:
        self.release = release
        self.event_seq = state.seq
        # A clock that jumps back must not make anything fresher: time never goes back within a call.
        self.now_ms = event.at_ms if event.at_ms > state.now_ms else state.now_ms
        self.outputs: list[Output] = []
        self.version = state.version
        self.facts = state.facts
        self.identity = state.identity
        self.turn = state.turn
        self.floor = state.floor
        self.answerer = state.answerer
        self.consent = state.consent
        self.grants = state.grants
        self.budget = state.budget
        self.timers = state.timers
        self.silence_step = state.silence_step
        self.heard_claims = state.heard_claims
        self.asked_if_ai = state.asked_if_ai
        self.desk = state.desk

    def freeze(self) -> State:
        """The state after this step."""
        # By position, which takes half the time; test_every_field_is_carried_over holds the order.
        return State(
            self.event_seq + 1 + len(self.outputs), self.now_ms, self.version, self.facts, self.identity, self.turn,
            self.floor, self.answerer, self.consent, self.grants, self.budget, self.timers, self.silence_step,
            self.heard_claims, self.asked_if_ai, self.desk,
        )  # fmt: skip

    def next_seq(self) -> int:
        """Sequence number of the record that the next output becomes."""
        return self.event_seq + 1 + len(self.outputs)

    def put(self, output: Output) -> None:
        """Put out a decision, what a shadow says to it, a grant or a directive."""
        self.outputs.append(output)

    def know(self, name: str, value: Value, *, at_ms: int | None = None, digest: str = "") -> None:
        """Establish a fact, with this event as its evidence."""
        # A copied dict takes a third of the time of one that is spelled out anew.
        self.facts = self.facts.copy()
        self.facts[name] = Fact(value, self.now_ms if at_ms is None else at_ms, self.event_seq, digest)

    def forget(self, name: str) -> None:
        """A fact is not known any more."""
        if name in self.facts:
            self.facts = self.facts.copy()
            del self.facts[name]

    def value(self, name: str) -> Value | None:
        """Value of a fact, None when it is not known."""
        fact = self.facts.get(name)
        return None if fact is None else fact.value

    def lower(self) -> None:
        """Authority went down: every open grant of an older version is void from here on."""
        self.version += 1

    def start_timer(self, timer: str, after_ms: int) -> None:
        """Ask for a timer; one of the same name is replaced."""
        due = self.now_ms + after_ms
        self.timers = self.timers.copy()
        self.timers[timer] = due
        self.put(StartTimer(timer=timer, due_ms=due))

    def cancel_timer(self, timer: str) -> None:
        """Forget a timer, if it runs."""
        if timer in self.timers:
            self.forget_timer(timer)
            self.put(CancelTimer(timer=timer))

    def forget_timer(self, timer: str) -> None:
        """A timer that runs has come due, or is called off."""
        self.timers = self.timers.copy()
        del self.timers[timer]

    def ask_model(self) -> None:
        """From here on the model may answer the caller's last turn."""
        self.cancel_timer("silent_model")
        self.floor = replace(
            self.floor, thinking=True, consulted=True, spoke=False, refusals=0, answering=self.turn.number
        )

    def mention(self, text: str) -> None:
        """Somebody said this aloud: remember the desk that was named last."""
        plain = text.lower()
        for desk in self.release.data.catalogue.get("desks", {}):
            # Most sentences name none: looking for the letters first spares cutting them into words.
            if desk in plain and desk in tokens(text):
                self.desk = desk

    def say(self, text: str, purpose: Purpose, line: str = "", sentence: str = "") -> str:
        """Queue a sentence for the voice; returns its id."""
        name = sentence or f"k{self.next_seq()}"
        self.put(Speak(sentence=name, text=text, purpose=purpose, line=line))
        queue = (*self.floor.queue, Sentence(id=name, text=text, purpose=purpose, line=line))
        self.floor = replace(self.floor, queue=queue)
        self.cancel_timer("silence")
        self.cancel_timer("silent_model")
        return name

    def say_line(self, line: str, purpose: Purpose, places: Mapping[str, str] | None = None) -> str:
        """Queue an approved line; `places` fills its `{argument}` places."""
        text = self.release.data.lines[line]
        for place, spoken in (places or {}).items():
            text = text.replace("{" + place + "}", spoken)
        return self.say(text, purpose, line)

"""Who picks up a phone in the simulated network: ring time, outcome and what is said. Called by the exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from voicewarden.rehearsal.carrier.line import Line

Outcome = Literal["answer", "busy", "no-answer"]
Talk = Callable[[Line], Awaitable[None]]


class Answerer(Protocol):
    """One subscriber of the simulated network."""

    @property
    def ring_ms(self) -> int:
        """How long the phone rings before the outcome."""
        ...

    @property
    def outcome(self) -> Outcome:
        """What happens after the ringing."""
        ...

    @property
    def answered_by(self) -> str:
        """The carrier's verdict when answering-machine detection was asked for (Twilio's `AnsweredBy`)."""
        ...

    @property
    def judged_after_ms(self) -> int:
        """How long after answering that verdict comes."""
        ...

    async def talk(self, line: Line) -> None:
        """Hold the conversation.

        The one who is called or calls stays silent on the line after this returns, until somebody hangs up; a party
        that was reached by `<Dial>` hangs up.
        """
        ...


async def say_nothing(line: Line) -> None:
    """Stay on the line in silence."""


@dataclass(frozen=True, slots=True)
class Person:
    """An answerer made of a talk function."""

    speech: Talk = say_nothing
    ring_ms: int = 200
    outcome: Outcome = "answer"
    answered_by: str = "human"
    judged_after_ms: int = 1500

    async def talk(self, line: Line) -> None:
        """Hold the conversation."""
        await self.speech(line)

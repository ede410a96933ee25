"""Ports: where two rooms meet without knowing each other. One side implements, `cli` wires."""

from typing import Literal, Protocol

import msgspec

from voicewarden.model.action import Arguments, Outcome, Value
from voicewarden.model.decision import Grant
from voicewarden.model.directive import Directive
from voicewarden.model.event import Event


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an effector brings back from the world."""

    outcome: Outcome
    detail: dict[str, Value] = {}


class Voice(Protocol):
    """Whoever speaks and hears for a call: the audio pipeline, or a text stand-in."""

    def carry_out(self, directive: Directive) -> None:
        """Do this now or queue it; never blocks, never raises for a caller's doing."""
        ...

    async def close(self) -> None:
        """Release what the voice holds; called once, when the call has ended."""
        ...


class EventSink(Protocol):
    """Where edges put what happened. Stamps the time itself when the event was made by `at_ms=-1`."""

    def now_ms(self) -> int:
        """Milliseconds since the call started, never going back."""
        ...

    def post(self, event: Event) -> None:
        """Queue an event for the call's loop; never blocks."""
        ...


class Playout(Protocol):
    """Says an approved text under a grant and tells whether it was heard (voicemail messages)."""

    async def play(self, text: str) -> bool:
        """True when all of the text was played to the line."""
        ...


class Spending(Protocol):
    """One grant in the hands of an effector: nothing can be done with it before it was burnt."""

    @property
    def grant(self) -> Grant:
        """What was granted."""
        ...

    async def burn(self) -> None:
        """Spend the grant for good; may await. Raises GrantRefused when it was spent or is out of date."""
        ...

    def start(self) -> Arguments:
        """Last check with nothing awaited after it; returns the arguments. Raises GrantRefused."""
        ...


class Effector(Protocol):
    """Does one action on the world, and only with a burnt grant."""

    async def spend(self, spending: Spending) -> Receipt:
        """Burn the grant, check once more, act, and say how it went."""
        ...


class Carrier(Protocol):
    """The telephone company, as far as effectors need it."""

    async def dial(self, call: str, to_number: str) -> str:
        """Start an outbound call; returns the carrier's id of it. Raises CarrierFailed."""
        ...

    async def transfer(self, call: str, desk: str) -> Receipt:
        """Connect the caller with a configured desk; done only when somebody answered there."""
        ...

    async def send_text(self, call: str, text: str) -> str:
        """Send a text message to the caller of this call; returns the carrier's id of it. Raises CarrierFailed."""
        ...

    async def hang_up(self, call: str) -> None:
        """End the call at the carrier; ending an ended call is no error."""
        ...


class Reviews(Protocol):
    """Takes what reviewers say about recorded decisions."""

    def add(
        self, call: str, seq: int, verdict: Literal["right", "wrong"], *, reason: str, reviewer: str, digest: str,
        unix_ms: int,
    ) -> dict[str, Value]:  # fmt: skip
        """Keep a label, durably: blocks. Raises LedgerError when there is no such decision, or none of this hash."""
        ...

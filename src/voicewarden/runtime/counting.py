"""What one call must know, and what its grants take, of limits over a window and all calls.

In: the call's events. Out: `CountReserved` events, which its loop steps as if they came from outside (so that a replay
needs no ledger), and the claims of a burn. A policy without such limits costs nothing.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from voicewarden.contacts import Cap, Counts, Subject, claim
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.ledger.spent import Claim
from voicewarden.model.decision import Grant
from voicewarden.model.error import LedgerError
from voicewarden.model.event import ActionRequested, CallStarted, CountReserved, Event, ReceiptReturned
from voicewarden.runtime.wall import unix_ms

_LOG: Final = logging.getLogger(__name__)


class CallCounts:
    """The counts of one call; implements `loop.Counting`."""

    def __init__(
        self, release: Compiled, counts: Counts, *, person: tuple[str, ...] = (),
        now_unix_ms: Callable[[], int] = unix_ms,
    ) -> None:  # fmt: skip
        """`person` holds all names of the contact; without them the one of `CallStarted` is taken."""
        self._caps = caps_of(release)
        widest = {cap.limit: cap for cap in sorted(self._caps, key=lambda cap: cap.at_most)}
        self._windows = tuple(widest.values())
        self._counts = counts
        self._now_unix_ms = now_unix_ms
        self._call = ""
        self._subject = Subject(person, "", "")
        self._told: dict[str, int] = {}

    def before(self, event: Event, state: State) -> Sequence[CountReserved]:
        """Counts that have changed and that this event is going to need: a request, or a receipt that gives back."""
        if not self._caps:
            return ()
        match event:
            case ActionRequested(action=action):
                return self._fresh(event.at_ms, (cap for cap in self._windows if cap.action == action))
            case ReceiptReturned(grant=grant, outcome="refused" | "failed"):
                opened = state.grants.open.get(grant)
                action = "" if opened is None else opened.grant.action
                return self._fresh(event.at_ms, (cap for cap in self._windows if cap.action == action))
            case _:
                return ()

    def after(self, event: Event, state: State) -> Sequence[CountReserved]:
        """Counts at the start of the call, and those of another role once it has taken over."""
        if not self._caps:
            return ()
        if isinstance(event, CallStarted):
            self._call = event.call
            person = self._subject.person or (event.contact,)
            self._subject = Subject(person, str(event.facts.get("campaign", "")), state.identity.agent)
            return self._fresh(event.at_ms, self._windows)
        if state.identity.agent != self._subject.agent:
            self._subject = self._subject._replace(agent=state.identity.agent)
            return self._fresh(event.at_ms, (cap for cap in self._windows if cap.scope == "agent"))
        return ()

    def claims(self, grant: Grant) -> tuple[Claim, ...]:
        """The places that the burn of this grant takes."""
        now = self._now_unix_ms()
        return tuple(claim(cap, self._subject, now_unix_ms=now) for cap in self._caps if cap.action == grant.action)

    def give_back(self, grant: Grant) -> None:
        """Nothing happened under this grant; call it once that is on record."""
        if not any(cap.action == grant.action for cap in self._caps):
            return
        try:
            self._counts.give_back(grant.id)
        except LedgerError as error:
            # The place stays taken until its window has moved on: the restrained side.
            _LOG.error("call %s: a place in a limit could not be given back (%s)", self._call, type(error).__name__)

    def _fresh(self, at_ms: int, caps: Iterable[Cap]) -> list[CountReserved]:
        now = self._now_unix_ms()
        changed = []
        for cap in caps:
            try:
                used = self._counts.used(cap, self._subject, call=self._call, now_unix_ms=now)
            except LedgerError as error:
                # A count that nobody knows is no count: the kernel denies, and so would the burn.
                _LOG.error("call %s: a limit could not be counted (%s)", self._call, type(error).__name__)
                continue
            if self._told.get(cap.limit) != used:
                self._told[cap.limit] = used
                changed.append(CountReserved(at_ms=at_ms, limit=cap.limit, used=used))
        return changed


def caps_of(release: Compiled) -> tuple[Cap, ...]:
    """The limits over a window of the active policy, and those of the policy in its shadow, which only log."""
    found: dict[tuple[str, int], Cap] = {}
    for compiled, is_shadow in ((release.policy, False), (release.shadow, True)):
        for action in () if compiled is None else compiled.policy.actions.values():
            for limit in action.limits:
                if limit.per != "call":
                    is_enforced = not (is_shadow or limit.shadow)
                    cap = Cap(limit.window, action.name, limit.per, limit.in_s, limit.at_most, is_enforced=is_enforced)
                    if is_enforced or (cap.limit, cap.at_most) not in found:
                        found[cap.limit, cap.at_most] = cap
    return tuple(found.values())

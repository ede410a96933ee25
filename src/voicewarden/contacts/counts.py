"""Limits over a window and all calls of a person, a campaign or an agent role: what is used, and what a burn takes.

In: the limits of an action and whom a call counts for. Out: how much other calls have used, and the claims that the
ledger checks and takes in the same transaction as the burn. Called by the runtime; keeps nothing itself.

A place is taken at the burn, kept when the outcome is done or unknown, and given back when nothing happened. A limit
counts from the first call that its policy governs.
"""

from typing import Literal, NamedTuple

from voicewarden.ledger import Claim, Ledger

Scope = Literal["person", "campaign", "agent"]


class Cap(NamedTuple):
    """A limit over a window, as far as counting needs it."""

    limit: str
    """What is counted, such as `book.person.86400`."""
    action: str
    scope: Scope
    in_s: int
    at_most: int
    is_enforced: bool = True
    """False where the limit only logs: it is counted and never refuses."""


class Subject(NamedTuple):
    """Whom a call counts for."""

    person: tuple[str, ...]
    """All names of the person, the newest first."""
    campaign: str
    """Empty outside of any campaign; such calls count together."""
    agent: str


class Counts:
    """The counts of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def used(self, cap: Cap, subject: Subject, *, call: str, now_unix_ms: int) -> int:
        """Places that other calls of this subject hold now, `at_most` for all that are more; reads the ledger without
        waiting. Raises LedgerError.
        """
        since = now_unix_ms - cap.in_s * 1000
        return self._ledger.counted(_keys(cap, subject), since, most=cap.at_most, other_than=call)

    def give_back(self, grant: str) -> None:
        """Nothing happened under this grant: its places are free again. Raises LedgerError."""
        self._ledger.give_back(grant)


def claim(cap: Cap, subject: Subject, *, now_unix_ms: int) -> Claim:
    """The place that a burn takes now."""
    at_most = cap.at_most if cap.is_enforced else None
    return Claim(cap.limit, _keys(cap, subject), at_most, now_unix_ms - cap.in_s * 1000, now_unix_ms)


def _keys(cap: Cap, subject: Subject) -> tuple[str, ...]:
    """By action and subject, not by limit: two windows share their places, and a renumbered rule keeps them."""
    match cap.scope:
        case "person":
            names = subject.person
        case "campaign":
            names = (subject.campaign,)
        case "agent":
            names = (subject.agent,)
    return tuple(f"{cap.scope}:{cap.action}:{name}" for name in names)

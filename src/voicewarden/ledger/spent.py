"""Spent grants and the places they take in limits over a window: the orders that go to the store, and the refusals.

In: nothing; a vocabulary. Ordered by the runtime through `Ledger`, carried out by the store inside the transaction of a
commit (`sqlite_spent.py`), which looks at 1-3 before 4 keeps anything:

1. the grant's epoch is not behind the control plane's: a process that has not heard of a pause yet can't spend;
2. the grant was not spent before;
3. every claim has room: what was burnt of its keys within its window, and not given back, is less than `at_most`;
4. the burn and one place a claim are kept together.
"""

from collections.abc import Sequence
from typing import NamedTuple

from voicewarden.model.error import GrantRefused


class Claim(NamedTuple):
    """One place in a limit over a window that a burn takes, or fails for want of."""

    limit: str
    """Id of the limit, for the reason of a refusal."""
    keys: tuple[str, ...]
    """What is counted together: the place is taken under the first, earlier names of the same thing follow."""
    at_most: int | None
    """None takes a place and never refuses (a limit that only logs)."""
    since_unix_ms: int
    """Begin of the window; what was burnt later counts, also where a clock was set back since."""
    unix_ms: int


class Burn(NamedTuple):
    """A grant to be spent for good, and the places it takes."""

    grant_id: str
    call: str
    epoch: int
    at_ms: int
    claims: Sequence[Claim] = ()


class GiveBack(NamedTuple):
    """The effect of a burnt grant certainly did not happen: its places are free again, the grant stays spent."""

    grant_id: str


class Fence(NamedTuple):
    """No grant of an earlier epoch is spent from here on."""

    epoch: int


Order = Burn | GiveBack | Fence


def epoch_is_over() -> GrantRefused:
    """The refusal of a grant that was minted before the control plane moved on."""
    return GrantRefused("the grant is void: the control plane has moved on; the call must earn it again")


def limit_is_full(claim: Claim) -> GrantRefused:
    """The refusal of a grant whose claim has no room."""
    return GrantRefused(
        f"the grant is void: the limit {claim.limit} is full by now ({claim.at_most} in its window); "
        "ask again when the window has moved on"
    )

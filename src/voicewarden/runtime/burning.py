"""Spent grants: the compare-and-set that makes a grant one-shot across tasks and, in a ledger, across processes.

In: a grant. Out: whether it was still unspent; in a ledger that is durable before it is answered, and every limit over
a window that the grant counts against had room and lost a place in the same transaction.
"""

from collections.abc import Callable, Sequence

from voicewarden.ledger.awaiting import burn
from voicewarden.ledger.spent import Claim
from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Grant


class LedgerBurner:
    """Burns grants in a ledger; implements `spending.Burner`."""

    def __init__(self, ledger: Ledger, claims: Callable[[Grant], Sequence[Claim]] | None = None) -> None:
        """`claims` says which limits a grant counts against (`counting.CallCounts.claims`); without it, none."""
        self._ledger = ledger
        self._claims = claims

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before; raises GrantRefused when a limit is full or the epoch is over."""
        claims = () if self._claims is None else self._claims(grant)
        return await burn(self._ledger, grant.id, grant.call, grant.epoch, grant.minted_at_ms, claims)


class MemoryBurner:
    """Burns grants in the memory of one process, for rehearsals and benchmarks; implements `spending.Burner`."""

    def __init__(self) -> None:
        self.burnt: set[str] = set()

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before."""
        if grant.id in self.burnt:
            return False
        self.burnt.add(grant.id)
        return True

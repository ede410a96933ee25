"""Spent grants in the ledger: the compare-and-set that makes a grant one-shot across tasks and processes.

In: a grant. Out: whether it was still unspent; durable before it is answered.
"""

from voicewarden.ledger.awaiting import burn
from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Grant


class LedgerBurner:
    """Burns grants in a ledger; implements `spending.Burner`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def burn(self, grant: Grant) -> bool:
        """False when the grant was spent before."""
        return await burn(self._ledger, grant.id, grant.call, grant.epoch, grant.minted_at_ms)

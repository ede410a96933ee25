"""Puts the caller through to a desk: the effector of `transfer`.

In: a grant over the name of a desk. Out: the carrier's own receipt, *done* only when somebody answered there.
The number behind a desk is the carrier's configuration: nothing that a model wrote comes near it.
"""

from collections.abc import Collection

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.ports import Carrier, Receipt, Spending


class Transfer:
    """Transfers the call of its grant; implements `model.ports.Effector`."""

    def __init__(self, carrier: Carrier, desks: Collection[str]) -> None:
        self._carrier = carrier
        self._desks = frozenset(desks)

    async def spend(self, spending: Spending) -> Receipt:
        """Transfer to the granted desk."""
        call = spending.grant.call

        async def transfer(args: Arguments) -> Receipt:
            desk = str(args.get("desk", ""))
            if desk not in self._desks:
                return Receipt("refused", {"invalid": "desk"})
            return await self._carrier.transfer(call, desk)

        return await act(spending, transfer)

"""Starts an outbound call: the effector of `place_call`.

In: a grant, whose arguments hold no number. Out: *done* with the carrier's id of the call. The number comes from
whoever ordered the call, through a resolver, and is in no record.
"""

from collections.abc import Callable

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.ports import Carrier, Receipt, Spending

NumberOf = Callable[[str], str | None]


class Dial:
    """Dials the number of the grant's call; implements `model.ports.Effector`."""

    def __init__(self, carrier: Carrier, number_of: NumberOf) -> None:
        """`number_of` gives the number of a call, None when it has none; it must not block."""
        self._carrier = carrier
        self._number_of = number_of

    async def spend(self, spending: Spending) -> Receipt:
        """Dial."""
        call = spending.grant.call

        async def dial(_: Arguments) -> Receipt:
            number = self._number_of(call)
            if not number:
                return Receipt("failed", {"why": "no number is known for this call"})
            return Receipt("done", {"carrier_call": await self._carrier.dial(call, number)})

        return await act(spending, dial)

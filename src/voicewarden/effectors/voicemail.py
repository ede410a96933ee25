"""Leaves the approved message in a mailbox: the effector of `leave_voicemail`.

In: a grant. Out: *done* when all of the message was played. A message that was cut is *unknown*: part of it is in the
mailbox, and leaving it again and again would be worse than not knowing.
"""

from collections.abc import Callable

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.ports import Playout, Receipt, Spending

PlayoutOf = Callable[[str], Playout | None]


class Voicemail:
    """Plays one message a grant; implements `model.ports.Effector`."""

    def __init__(self, playout_of: PlayoutOf, text: str) -> None:
        """`playout_of` gives whoever speaks for a call, None when nobody does any more."""
        self._playout_of = playout_of
        self._text = text

    async def spend(self, spending: Spending) -> Receipt:
        """Leave the message."""
        call = spending.grant.call

        async def leave(_: Arguments) -> Receipt:
            playout = self._playout_of(call)
            if playout is None:
                return Receipt("failed", {"why": "nobody speaks for this call any more"})
            whole = await playout.play(self._text)
            return Receipt("done" if whole else "unknown", {"whole": whole})

        return await act(spending, leave)

"""Sends one of the approved text messages to the caller: the effector of `send_message`.

In: a grant over the name of a template. Out: *done* with the carrier's id of the message. The words are the approved
ones, and the carrier sends them to the caller of the grant's call and to nobody else.
"""

from collections.abc import Mapping

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.ports import Carrier, Receipt, Spending


class Message:
    """Sends one message a grant; implements `model.ports.Effector`."""

    def __init__(self, carrier: Carrier, templates: Mapping[str, str]) -> None:
        self._carrier = carrier
        self._templates = templates

    async def spend(self, spending: Spending) -> Receipt:
        """Send the granted template."""
        call = spending.grant.call

        async def send(args: Arguments) -> Receipt:
            name = str(args.get("template", ""))
            if name not in self._templates:
                return Receipt("refused", {"invalid": "template"})
            message = await self._carrier.send_text(call, self._templates[name])
            return Receipt("done", {"message": message, "template": name})

        return await act(spending, send)

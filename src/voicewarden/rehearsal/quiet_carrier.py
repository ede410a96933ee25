"""A carrier that does as it is told and remembers it, for calls in text.

In: what effectors ask. Out: success, and a list of what was asked. Implements `model.ports.Carrier`.
"""

from voicewarden.model.ports import Receipt


class QuietCarrier:
    """Nothing rings anywhere."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    async def dial(self, call: str, to_number: str) -> str:
        """Pretend to dial."""
        self.done.append(("dial", call))
        return f"SIM-{call}"

    async def transfer(self, call: str, desk: str) -> Receipt:
        """Pretend that somebody at the desk answered."""
        self.done.append(("transfer", desk))
        return Receipt("done", {"leg": "completed"})

    async def send_text(self, call: str, text: str) -> str:
        """Pretend to send."""
        self.done.append(("send_text", text))
        return f"SMS-{len(self.done)}"

    async def hang_up(self, call: str) -> None:
        """Nothing to end."""

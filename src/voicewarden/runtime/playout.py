"""Says approved texts for effectors (a voicemail message) and tells them whether they were heard.

In: texts from an effector that holds a burnt grant. Out: `Speak` directives; the answer comes from playout marks.
"""

import asyncio
from collections.abc import Callable

from voicewarden.model.directive import Directive, Speak


class Playouts:
    """Texts that an effector plays; implements `model.ports.Playout`."""

    def __init__(self, carry_out: Callable[[Directive], None]) -> None:
        self._carry_out = carry_out
        self._waiting: dict[str, asyncio.Future[bool]] = {}
        self._count = 0

    async def play(self, text: str) -> bool:
        """True when all of the text was played to the line."""
        self._count += 1
        sentence = f"v{self._count}"
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[sentence] = future
        self._carry_out(Speak(sentence=sentence, text=text, purpose="voicemail"))
        return await future

    def ended(self, sentence: str, *, whole: bool) -> None:
        """A sentence was played or cut."""
        future = self._waiting.pop(sentence, None)
        if future is not None and not future.done():
            future.set_result(whole)

    def close(self) -> None:
        """The call is over: what was not heard by now is not going to be."""
        for sentence in tuple(self._waiting):
            self.ended(sentence, whole=False)

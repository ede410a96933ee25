"""Stand-ins for what effectors need: a grant in their hands, a carrier, and somebody who speaks."""

import asyncio
from collections.abc import Callable

from tests.fakes.chain import make_grant

from voicewarden.model.action import Arguments
from voicewarden.model.decision import Grant
from voicewarden.model.error import CarrierFailed, GrantRefused
from voicewarden.model.ports import Receipt


class FakeSpending:
    """A grant that keeps a diary: `burn` and `start` are noted in `diary`, in order with whatever else is put there."""

    def __init__(self, action: str, args: Arguments | None = None, *, call: str = "one", seq: int = 4) -> None:
        self._grant = make_grant(call, seq, action, args or {})
        self.diary: list[str] = []
        self.burning: Exception | None = None
        self.starting: Exception | None = None
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()
        """Set when the grant is being burnt."""
        self._burnt = False
        self._started = False

    @property
    def grant(self) -> Grant:
        """What was granted."""
        return self._grant

    async def burn(self) -> None:
        """Spend the grant, unless `burning` forbids it; waits for `hold`."""
        self.diary.append("burn")
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.burning is not None:
            raise self.burning
        if self._burnt:
            raise GrantRefused("spent before")
        self._burnt = True

    def start(self) -> Arguments:
        """The last check, unless `starting` forbids it."""
        if not self._burnt or self._started:
            raise GrantRefused("burn first, and start once")
        self.diary.append("start")
        if self.starting is not None:
            raise self.starting
        self._started = True
        return self._grant.args


class FakeCarrier:
    """A telephone company that writes down what it was asked; `failing` makes it refuse, `hold` makes it slow."""

    def __init__(self, note: Callable[[str], None] | None = None) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.failing = False
        self.hold: asyncio.Event | None = None
        self.answer = Receipt("done", {"answered": True})
        self._note = note or (lambda _: None)

    async def dial(self, call: str, to_number: str) -> str:
        """Start an outbound call."""
        await self._ask("dial", call, to_number)
        return f"CA-{call}"

    async def transfer(self, call: str, desk: str) -> Receipt:
        """Connect the caller with a desk."""
        await self._ask("transfer", call, desk)
        return self.answer

    async def send_text(self, call: str, text: str) -> str:
        """Send a text message."""
        await self._ask("send_text", call, text)
        return f"SM-{call}"

    async def hang_up(self, call: str) -> None:
        """End the call."""
        await self._ask("hang_up", call)

    async def _ask(self, *asked: str) -> None:
        self.asked.append(asked)
        self._note(asked[0])
        if self.hold is not None:
            await self.hold.wait()
        if self.failing:
            raise CarrierFailed("the carrier refused; try again later")


class FakePlayout:
    """Somebody who speaks: keeps what was said and answers with `whole`."""

    def __init__(self, *, whole: bool = True) -> None:
        self.said: list[str] = []
        self.whole = whole

    async def play(self, text: str) -> bool:
        """Whether all of it was heard."""
        self.said.append(text)
        return self.whole

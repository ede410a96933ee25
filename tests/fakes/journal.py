"""Stand-ins for what a call's loop needs: a journal, a burner, effectors and a voice, each with a diary in common."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tests.fakes.rig import FACTS, shipped

from voicewarden.kernel.release import Compiled
from voicewarden.model import event as events
from voicewarden.model.decision import Grant
from voicewarden.model.directive import Directive
from voicewarden.model.error import LedgerFull
from voicewarden.model.ports import Effector, Playout, Receipt, Spending
from voicewarden.model.record import Record
from voicewarden.rehearsal.virtual_time import VirtualTime
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.seal import Sealer

NOW = -1
Durable = Callable[[Exception | None], None]


class FakeJournal:
    """Keeps records; answers that they are durable at once, or when `release` is called with `hold` set."""

    def __init__(self, diary: list[str] | None = None) -> None:
        self.records: list[Record] = []
        self.diary = diary if diary is not None else []
        self.full = False
        self.hold = False
        self._waiting: list[Durable] = []

    def submit(self, records: Sequence[Record], *, on_durable: Durable | None = None) -> None:
        """Queue records, unless the journal is full."""
        if self.full:
            raise LedgerFull("no room (injected)")
        self.records += records
        self.diary += [f"record {record.kind}" for record in records]
        if on_durable is not None:
            self._waiting.append(on_durable)
            if not self.hold:
                self.release()

    def release(self, error: Exception | None = None) -> None:
        """What was queued is durable now, or will never be."""
        waiting, self._waiting = self._waiting, []
        for on_durable in waiting:
            if error is None:
                self.diary.append("durable")
            on_durable(error)


class FakeBurner:
    """Remembers what was burnt; `hold` makes a burn wait."""

    def __init__(self) -> None:
        self.burnt: list[str] = []
        self.hold: asyncio.Event | None = None
        self.began = asyncio.Event()

    async def burn(self, grant: Grant) -> bool:
        """False the second time."""
        self.began.set()
        if self.hold is not None:
            await self.hold.wait()
        if grant.id in self.burnt:
            return False
        self.burnt.append(grant.id)
        return True


class FakeEffector:
    """Burns, starts, notes it; `fault` is raised after the start, `hold` keeps it from ending."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary
        self.spendings: list[Spending] = []
        self.fault: Exception | None = None
        self.hold: asyncio.Event | None = None

    async def spend(self, spending: Spending) -> Receipt:
        """Do it, as far as the diary is concerned."""
        self.spendings.append(spending)
        await spending.burn()
        spending.start()
        self.diary.append(f"effect {spending.grant.action}")
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        return Receipt("done", {"place": "somewhere"})


class FakeVoice:
    """Writes down what it is told, and does `react` with it."""

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary
        self.told: list[Directive] = []
        self.react: Callable[[Directive], None] = lambda _: None
        self.closed = 0

    def carry_out(self, directive: Directive) -> None:
        """Note it."""
        self.told.append(directive)
        self.diary.append(f"voice {type(directive).__name__}")
        self.react(directive)

    async def close(self) -> None:
        """Count it."""
        self.closed += 1


class Stage:
    """A loop with stand-ins around it; `effectors` gets one stand-in for every action."""

    def __init__(
        self, release: Compiled | None = None, *, actions: Sequence[str] = ("look_up", "transfer", "book")
    ) -> None:
        self.diary: list[str] = []
        self.release = release or shipped()
        self.journal = FakeJournal(self.diary)
        self.burner = FakeBurner()
        self.sealer = Sealer(bytes(range(32)))
        self.effector = FakeEffector(self.diary)
        self.time = VirtualTime()
        self.voice = FakeVoice(self.diary)
        self._actions = actions
        self.loop = CallLoop(
            "c1", self.release, journal=self.journal, burner=self.burner, sealer=self.sealer, effectors=self._make,
            scheduler=self.time,
        )  # fmt: skip

    def _make(self, playout: Playout) -> Mapping[str, Effector]:
        self.playout = playout
        return dict.fromkeys(self._actions, self.effector)


def begin(stage: Stage, *, attached: bool = True, answered: bool = True) -> None:
    """The call starts and is answered."""
    if attached:
        stage.loop.attach(stage.voice)
    stage.loop.post(
        events.CallStarted(
            at_ms=0, call="c1", agent="booking", direction="inbound", contact="k", stage="bounded", epoch=1,
            release=stage.release.hash, started_unix_ms=0, facts=FACTS,
        )
    )  # fmt: skip
    if answered:
        stage.loop.post(events.CallAnswered(at_ms=NOW))


def look_up(stage: Stage, request: str = "r1") -> None:
    """Somebody asks for the harmless action."""
    stage.loop.post(
        events.ActionRequested(
            at_ms=NOW, request=request, action="look_up", args={"what": "quote"}, principal="booking"
        )
    )

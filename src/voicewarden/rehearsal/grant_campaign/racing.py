"""The same with real waiting: holders that race in tasks and in processes on one ledger, and whole loops of calls.

In: a folder for ledgers. Out: how many effects began that must not have begun. Slower by far than the plain loops, so
there are fewer of them.
"""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused, LedgerError
from voicewarden.model.event import ActionRequested, CallAnswered, CallStarted
from voicewarden.model.ports import Effector, Playout, Receipt, Spending
from voicewarden.rehearsal.grant_campaign.forging import LOWERING
from voicewarden.rehearsal.grant_campaign.world import GrantedCall, sample_arguments
from voicewarden.rehearsal.virtual_time import VirtualTime
from voicewarden.runtime.burning import LedgerBurner
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.seal import SEAL_BYTES, Sealer
from voicewarden.runtime.spending import SealedGrant

_HOLDERS: Final = 3
_OPEN_WITHIN_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 0.012
"""About twice what a grant takes from its request to its effect on an ordinary disk."""


class Effects:
    """Counts the effects that began, and the grants that began more than once."""

    def __init__(self) -> None:
        self.begun: dict[str, int] = {}

    @property
    def doubles(self) -> int:
        """Effects beyond the first of a grant."""
        return sum(count - 1 for count in self.begun.values())

    async def try_out(self, spending: SealedGrant) -> None:
        """Burn and start; what is refused begins nothing."""
        try:
            await spending.burn()
            spending.start()
        except GrantRefused:
            return
        name = spending.grant.id
        self.begun[name] = self.begun.get(name, 0) + 1


def tasks(release: Compiled, folder: Path, n: int) -> tuple[int, int]:
    """Several tasks spend each of `n` grants on one ledger; returns how many must fail, and how many did not."""
    call = GrantedCall(release, "c0000000000002tttttt")
    sealer = Sealer(bytes(range(SEAL_BYTES)))
    effects = Effects()

    async def race(ledger: Ledger) -> None:
        for _ in range(n):
            grant = call.mint("look_up")
            moment = call.moment()
            await asyncio.gather(
                *(
                    effects.try_out(SealedGrant(grant, sealer.seal(grant), sealer, LedgerBurner(ledger), moment))
                    for _ in range(_HOLDERS)
                )
            )

    with Ledger.open(folder / "tasks.db") as ledger:
        asyncio.run(race(ledger))
    return n * (_HOLDERS - 1), effects.doubles + (n - len(effects.begun))


def processes(folder: Path, n: int) -> tuple[int, int]:
    """Several processes burn the same `n` grants, one after the other at the ledger; the same two numbers."""
    path = folder / "processes.db"
    Ledger.open(path).close()
    with multiprocessing.get_context("spawn").Pool(_HOLDERS) as pool:
        firsts = pool.starmap(_burn_all, [(path, n)] * _HOLDERS)
    return n * (_HOLDERS - 1), abs(sum(firsts) - n)


def _burn_all(path: Path, n: int) -> int:
    """Burn all grants in portions, letting others at the ledger in between; returns how many came first."""
    firsts = 0
    for portion in range(0, n, 50):
        with _opened(path) as ledger:
            for number in range(portion, min(portion + 50, n)):
                firsts += ledger.burn(f"c/{number}", "c", 1, 0)
    return firsts


def _opened(path: Path) -> Ledger:
    give_up = time.monotonic() + _OPEN_WITHIN_S
    while True:
        try:
            return Ledger.open(path)
        except LedgerError as error:
            if "is writing" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.002)


def fenced(release: Compiled, folder: Path, n: int) -> tuple[int, int]:
    """`n` good grants of a call that has not heard yet that the control epoch was raised; the same two numbers."""
    call = GrantedCall(release, "c0000000000003ffffff")
    sealer = Sealer(bytes(range(SEAL_BYTES)))
    effects = Effects()

    async def spend(ledger: Ledger) -> None:
        for _ in range(n):
            grant = call.mint("look_up")
            await effects.try_out(
                SealedGrant(grant, sealer.seal(grant), sealer, LedgerBurner(ledger), call.moment())
            )

    with Ledger.open(folder / "fenced.db") as ledger:
        ledger.raise_epoch(2)
        asyncio.run(spend(ledger))
    return n, len(effects.begun)


def loops(release: Compiled, folder: Path, n: int, chance: random.Random) -> tuple[int, int]:
    """`n` whole calls on a ledger, each losing its authority at some moment of an effect; the same two numbers."""

    async def run() -> int:
        wrong = 0
        with Ledger.open(folder / "loops.db") as ledger:
            for number in range(n):
                wrong += await _one_loop(release, ledger, f"c{number}", chance)
        return wrong

    return n, asyncio.run(run())


async def _one_loop(release: Compiled, ledger: Ledger, name: str, chance: random.Random) -> int:
    lowered = False
    late = 0

    def begun(_: Grant) -> None:
        nonlocal late
        late += lowered

    effector = _Watched(begun, chance)
    loop = CallLoop(
        name, release, journal=ledger, burner=LedgerBurner(ledger), sealer=Sealer(bytes(range(SEAL_BYTES))),
        effectors=effector.for_all, scheduler=VirtualTime(),
    )  # fmt: skip
    loop.post(
        CallStarted(
            at_ms=0, call=name, agent="booking", direction="inbound", contact="k", stage="bounded", epoch=0,
            release=release.hash, started_unix_ms=0,
        )
    )  # fmt: skip
    loop.post(CallAnswered(at_ms=0))
    args = sample_arguments(release.data)["look_up"]
    loop.post(ActionRequested(at_ms=0, request="r", action="look_up", args=args, principal="booking"))
    for _ in range(chance.choice((0, 1, 2, 3, 5, 8))):
        await asyncio.sleep(0)
    if chance.random() < 0.5:
        await asyncio.sleep(chance.random() * _LONGEST_PAUSE_S)
    event = LOWERING[chance.choice(tuple(LOWERING))]
    loop.post(msgspec.structs.replace(event, at_ms=loop.state.now_ms))
    lowered = True
    await loop.quiet()
    return late


class _Watched:
    """An effector that burns, waits a little, starts and says so."""

    def __init__(self, begun: Callable[[Grant], None], chance: random.Random) -> None:
        self._begun = begun
        self._chance = chance

    def for_all(self, _: Playout) -> Mapping[str, Effector]:
        """It stands behind the one action that is asked for."""
        return {"look_up": self}

    async def spend(self, spending: Spending) -> Receipt:
        """Spend the grant."""
        await spending.burn()
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        spending.start()
        self._begun(spending.grant)
        return Receipt("done")

"""A grant on its way to its effect: the seal, the check and the burn in memory, and the durable burn in a ledger.

In: a release. Out: one series each. The call is a real `CallLoop`, since it is the one that objects; only its records
go nowhere. Called by `run` and `benchmarks/gate_latency.py`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import OpenGrant
from voicewarden.ledger.store import Ledger
from voicewarden.model.action import Arguments
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Grant
from voicewarden.model.event import CallAnswered, CallStarted
from voicewarden.model.record import Record
from voicewarden.rehearsal.bench.samples import CLOCK, Series
from voicewarden.rehearsal.virtual_time import VirtualTime
from voicewarden.runtime.burning import LedgerBurner, MemoryBurner
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.seal import SEAL_BYTES, Sealer
from voicewarden.runtime.spending import Burner, SealedGrant

_CALL: Final = "bench"
_ARGS: Final[Arguments] = {"service": "consultation", "start": "2026-12-01T15:00"}
_BATCH: Final = 500
_DURABLE_SHARE: Final = 0.3


@dataclass(slots=True)
class Grants:
    """The series of grants."""

    spend: Series = field(default_factory=lambda: Series("check and burn, in memory"))
    seal: Series = field(default_factory=lambda: Series("seal"))
    durable: Series = field(default_factory=lambda: Series("check and durable burn"))


class _Nowhere:
    """A journal that keeps nothing."""

    def submit(
        self, records: Sequence[Record], *, on_durable: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Forget them."""
        if on_durable is not None:
            on_durable(None)


def time_grants(compiled: Compiled, seconds: float, tick: Callable[[], None] = lambda: None) -> Grants:
    """Spend fresh grants until the time is used up; `tick` is called once a batch."""
    return asyncio.run(_time(compiled, seconds, tick))


async def _time(compiled: Compiled, seconds: float, tick: Callable[[], None]) -> Grants:
    taken, sealer = Grants(), Sealer(bytes(SEAL_BYTES))
    loop = _running_call(compiled, sealer)
    stop = CLOCK() + round(seconds * (1 - _DURABLE_SHARE) * 1e9)
    number = 0
    while CLOCK() < stop:
        burner = MemoryBurner()
        for _ in range(_BATCH):
            number += 1
            _spend(_grant(loop, number), loop, sealer, burner, taken)
        tick()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.db") as ledger:
        await _spend_durably(loop, sealer, LedgerBurner(ledger), seconds * _DURABLE_SHARE, taken)
    return taken


def _running_call(compiled: Compiled, sealer: Sealer) -> CallLoop:
    loop = CallLoop(
        _CALL, compiled, journal=_Nowhere(), burner=MemoryBurner(), sealer=sealer, effectors=lambda _: {},
        scheduler=VirtualTime(),
    )  # fmt: skip
    agent = next(iter(compiled.data.agents))
    loop.post(
        CallStarted(
            at_ms=0, call=_CALL, agent=agent, direction="inbound", contact="bench",
            stage=compiled.data.agents[agent].stage, epoch=0, release=compiled.hash, started_unix_ms=0, facts={},
        )
    )  # fmt: skip
    loop.post(CallAnswered(at_ms=0))
    return loop


def _grant(loop: CallLoop, number: int) -> Grant:
    """As the kernel mints it: open in the call's state, handed over, and fit to be spent now."""
    grant = Grant(
        id=f"{_CALL}/{number}", call=_CALL, seq=number, action="book", args=_ARGS, digest=digest_of(_ARGS),
        version=loop.state.version, policy=loop.release.policy.hash, epoch=loop.state.identity.epoch,
        principal="booking", confirmed="", minted_at_ms=0, expires_at_ms=30_000,
    )  # fmt: skip
    replace = msgspec.structs.replace
    opened = OpenGrant(grant=grant, request="r", answered=True, handed=True)
    loop.state = replace(loop.state, grants=replace(loop.state.grants, open={grant.id: opened}))
    return grant


def _spend(grant: Grant, loop: CallLoop, sealer: Sealer, burner: Burner, taken: Grants) -> None:
    begin = CLOCK()
    seal = sealer.seal(grant)
    taken.seal.add_ns(CLOCK() - begin)
    begin = CLOCK()
    spending = SealedGrant(grant, seal, sealer, burner, loop)
    burning = spending.burn()
    # Nothing is awaited for in memory: the coroutine runs to its end at once, without an event loop's own cost.
    try:
        burning.send(None)
    except StopIteration:
        spending.start()
    taken.spend.add_ns(CLOCK() - begin)


async def _spend_durably(loop: CallLoop, sealer: Sealer, burner: Burner, seconds: float, taken: Grants) -> None:
    stop, number = CLOCK() + round(seconds * 1e9), 0
    while CLOCK() < stop:
        number += 1
        grant = _grant(loop, number)
        seal = sealer.seal(grant)
        begin = CLOCK()
        spending = SealedGrant(grant, seal, sealer, burner, loop)
        await spending.burn()
        spending.start()
        taken.durable.add_ns(CLOCK() - begin)

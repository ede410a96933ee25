"""Runs effects: waits until a grant's record is durable, seals it, lets its effector spend it, returns the receipt.

In: grants that the kernel handed over. Out: `ReceiptReturned` events. Effects run in tasks of their own, outside any
cancellation of the audio pipeline, and each has a deadline after which its outcome is unknown.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final, Protocol

from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused
from voicewarden.model.ports import Effector, Receipt
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.spending import Authority, Burner, SealedGrant

DURABLE_WITHIN_S: Final = 5.0
EFFECT_WITHIN_S: Final = 120.0
"""Longer than any effector of ours waits by itself; anything slower is unknown."""


class Done(Protocol):
    """Who hears how the effect of a grant ended."""

    def __call__(self, grant: Grant, receipt: Receipt, *, burnt: bool) -> None:
        """`burnt` says that this very attempt spent the grant."""
        ...


class Effects:
    """The effects of one call."""

    def __init__(
        self, effectors: Mapping[str, Effector], sealer: Sealer, burner: Burner, authority: Authority,
        done: Done,
    ) -> None:  # fmt: skip
        self._effectors = effectors
        self._sealer = sealer
        self._burner = burner
        self._authority = authority
        self._done = done
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        """How many effects are under way."""
        return len(self._tasks)

    def spend(self, grant: Grant, durable: Awaitable[None]) -> None:
        """Start the effect of a grant whose record becomes durable with `durable`."""
        task = asyncio.get_running_loop().create_task(self._run(grant, durable))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, grant: Grant, durable: Awaitable[None]) -> None:
        effector = self._effectors.get(grant.action)
        if effector is None:
            self._done(grant, Receipt("failed", {"why": "no effector is configured for this action"}), burnt=False)
            return
        try:
            await asyncio.wait_for(durable, DURABLE_WITHIN_S)
        except Exception:
            self._done(grant, Receipt("failed", {"why": "the grant could not be made durable"}), burnt=False)
            return
        spending = SealedGrant(grant, self._sealer.seal(grant), self._sealer, self._burner, self._authority)
        receipt = await self._receipt(effector, spending)
        self._done(grant, receipt, burnt=spending.burnt)

    async def _receipt(self, effector: Effector, spending: SealedGrant) -> Receipt:
        try:
            async with asyncio.timeout(EFFECT_WITHIN_S):
                return await effector.spend(spending)
        except GrantRefused as refused:
            # Who tries a grant twice may have acted the first time.
            return Receipt("unknown" if spending.started else "refused", {"why": str(refused)})
        except Exception as fault:
            # Nobody knows how far it got: people look at it, nothing runs it again.
            return Receipt("unknown", {"why": type(fault).__name__})

    async def idle(self) -> None:
        """Wait until every effect has returned its receipt, those included that follow from one."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)  # lets the receipts in, which may start another

    async def settle(self, within_s: float) -> None:
        """Wait for running effects at the end of a call; what is still running stays unknown."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        for task in tuple(self._tasks):
            task.cancel()

"""The one way in which an effector spends a grant. The order is law (architecture, laws 5 and 6):

1. burn the grant; this may await;
2. start: the last check, after which nothing is awaited before
3. the effect, in a task of its own that cancelling the caller does not cancel.

In: a `Spending` and the effect. Out: one receipt. What fails before 2 is *failed*, since nothing was done; what fails
after it is *unknown*, since nobody knows how far it got. GrantRefused goes through to the runtime, which reports it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from voicewarden.model.action import Arguments
from voicewarden.model.error import GrantRefused, VoicewardenError
from voicewarden.model.ports import Receipt, Spending

_LOG: Final = logging.getLogger(__name__)
_FINISH_WITHIN_S: Final = 10.0
"""How long a started effect may go on after whoever waits for it was cancelled."""

Effect = Callable[[Arguments], Awaitable[Receipt]]


async def act(spending: Spending, effect: Effect) -> Receipt:
    """Spend a grant on an effect. Once it started, its receipt is returned even when the caller is cancelled."""
    attempt = _Attempt(spending, effect)
    task = asyncio.get_running_loop().create_task(attempt.run())
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not attempt.started:
            task.cancel()
            raise
        # The outcome is worth more than a prompt end: a lost receipt would leave a grant UNKNOWN for ever.
        return await _outcome(task)


class _Attempt:
    """One grant and its effect, and how far it got."""

    def __init__(self, spending: Spending, effect: Effect) -> None:
        self._spending = spending
        self._effect = effect
        self.started = False

    async def run(self) -> Receipt:
        """Burn, start, act."""
        try:
            await self._spending.burn()  # 1
            args = self._spending.start()  # 2
        except GrantRefused:
            raise
        # Broad: whatever the burn ran into, nothing was done and the receipt has to say so.
        except Exception as error:
            return Receipt("failed", {"why": _words(error)})
        self.started = True
        try:
            return await self._effect(args)  # 3
        # Broad: no failure of an effect may look like a clean no.
        except Exception as error:
            _LOG.error("the effect of %s raised %s: outcome unknown", self._spending.grant.action, type(error).__name__)
            return Receipt("unknown", {"why": _words(error)})


async def _outcome(task: asyncio.Task[Receipt]) -> Receipt:
    try:
        await asyncio.wait({task}, timeout=_FINISH_WITHIN_S)
    except asyncio.CancelledError:
        task.cancel()
    if task.done() and not task.cancelled():
        return task.result()
    return Receipt("unknown", {"why": "the call ended before the effect did"})


def _words(error: Exception) -> str:
    """Our own errors hold nothing that a caller said; of others only the kind is told."""
    return str(error) if isinstance(error, VoicewardenError) else type(error).__name__

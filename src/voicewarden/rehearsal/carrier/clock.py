"""One call's clock: real time in, simulated milliseconds out. Called by everything of the carrier that waits or logs.

`speed` 1 is real time; tests that need no real-time peer run faster.
"""

from __future__ import annotations

import asyncio
import time


class CallClock:
    """Milliseconds since the clock was made, scaled by `speed`."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed is {speed}; it must be above 0, 1 being real time")
        self._speed = speed
        self._origin_s = time.monotonic()

    def now_ms(self) -> float:
        """Return the time since the clock was made."""
        return (time.monotonic() - self._origin_s) * 1000 * self._speed

    async def sleep_until(self, at_ms: float) -> None:
        """Wait for a moment; one in the past still gives the loop a turn, so that catching up starves nobody."""
        await asyncio.sleep(max(0.0, at_ms - self.now_ms()) / 1000 / self._speed)

    async def sleep(self, duration_ms: float) -> None:
        """Wait for a span."""
        await self.sleep_until(self.now_ms() + duration_ms)

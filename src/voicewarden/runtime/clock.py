"""The call's clock and its timers: real time on an event loop, or any other implementation of `Scheduler`.

Time stands here and nowhere below: the kernel gets integers.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Cancellable(Protocol):
    """Something that is going to happen and can be called off."""

    def cancel(self) -> None:
        """Call it off; no error when it has happened already."""
        ...


class Scheduler(Protocol):
    """A clock that starts with the call, and the timers on it."""

    def now_ms(self) -> int:
        """Milliseconds since the call started; never goes back."""
        ...

    def at(self, due_ms: int, action: Callable[[], None]) -> Cancellable:
        """Run `action` once the clock shows `due_ms`."""
        ...


class LoopScheduler:
    """Real time, by the monotonic clock and the running event loop."""

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._loop = asyncio.get_running_loop()

    def now_ms(self) -> int:
        """Milliseconds since this object was made."""
        return (time.monotonic_ns() - self._start_ns) // 1_000_000

    def at(self, due_ms: int, action: Callable[[], None]) -> Cancellable:
        """Run `action` on the event loop at `due_ms`."""
        return self._loop.call_later(max(0, due_ms - self.now_ms()) / 1000, action)

"""A clock that moves only when it is told to: text calls and tests run minutes in milliseconds.

In: things to do at a time. Out: they are done in order of time; implements `runtime.clock.Scheduler`.
"""

import heapq
import itertools
from collections.abc import Callable


class Planned:
    """Something that is going to happen."""

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Call it off."""
        self.action = None


class VirtualTime:
    """Virtual milliseconds since the call started."""

    def __init__(self) -> None:
        self._now_ms = 0
        self._order = itertools.count()
        self._plans: list[tuple[int, int, Planned]] = []

    def now_ms(self) -> int:
        """The virtual time."""
        return self._now_ms

    def at(self, due_ms: int, action: Callable[[], None]) -> Planned:
        """Plan an action; one that is due already runs at the next advance."""
        planned = Planned(action)
        heapq.heappush(self._plans, (max(due_ms, self._now_ms), next(self._order), planned))
        return planned

    def after(self, delay_ms: int, action: Callable[[], None]) -> Planned:
        """Plan an action so many milliseconds from now."""
        return self.at(self._now_ms + delay_ms, action)

    def advance(self) -> bool:
        """Move to the next planned action and do it; False when nothing is planned."""
        while self._plans:
            due_ms, _, planned = heapq.heappop(self._plans)
            if planned.action is None:
                continue
            self._now_ms = max(self._now_ms, due_ms)
            planned.action()
            return True
        return False

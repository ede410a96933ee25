"""A bad network on request: frames in, late or lost frames out. Called by the audio path.

The same seed loses and delays the same frames.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Impairment:
    """How bad the network is: delay varies by `jitter_ms` on the way to the agent, loss hits both directions."""

    jitter_ms: int = 0
    loss_permille: int = 0
    seed: int = 0


class Path(Generic[Item]):
    """One direction of the network. Order is kept, as a WebSocket keeps it: jitter shows as gaps and bursts."""

    def __init__(self, impairment: Impairment, direction: str) -> None:
        self._impairment = impairment
        self._random = random.Random(f"{impairment.seed}:{direction}")
        self._waiting: deque[tuple[float, Item]] = deque()

    def loses(self) -> bool:
        """Decide whether the next frame is lost."""
        return self._random.randrange(1000) < self._impairment.loss_permille

    def send(self, item: Item, at_ms: float) -> None:
        """Put an item on its way."""
        delay_ms = self._random.uniform(0, self._impairment.jitter_ms) if self._impairment.jitter_ms else 0
        self._waiting.append((at_ms + delay_ms, item))

    def arrived(self, at_ms: float) -> list[Item]:
        """Take the items that are through by now, in the order in which they were sent."""
        items = []
        while self._waiting and self._waiting[0][0] <= at_ms:
            items.append(self._waiting.popleft()[1])
        return items

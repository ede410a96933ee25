"""Samples in microseconds and what is said about them: percentiles, rates, the cost of the clock, a heap that rests.

In: what was timed. Out: numbers as the JSON has them. Called by every part of the measurement.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

CLOCK: Final = time.perf_counter_ns
_EMPTY_SAMPLES: Final = 20_000


def percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest rank in sorted values."""
    return ordered[max(0, min(len(ordered), math.ceil(len(ordered) * share)) - 1)]


@dataclass(slots=True)
class Series:
    """One thing that was timed again and again."""

    label: str
    us: list[float] = field(default_factory=list)
    done: int = 0
    """How often it ran without a clock around each run, for the rate."""
    took_us: float = 0.0

    def add_ns(self, ns: int) -> None:
        """One more sample."""
        self.us.append(ns / 1000)

    @property
    def per_second(self) -> float:
        """Runs a second: of those without a clock where there are any, else by the mean."""
        if self.done:
            return self.done * 1e6 / self.took_us
        return len(self.us) * 1e6 / sum(self.us) if self.us else 0.0

    def spread(self) -> dict[str, float]:
        """`p50_us`, `p99_us`, `p999_us`, `per_second`, and `mean_us`, `max_us`, `n`."""
        ordered = sorted(self.us)
        if not ordered:
            return {"n": 0}
        shown = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999}
        found = {name: round(percentile(ordered, share), 3) for name, share in shown.items()}
        mean = round(sum(ordered) / len(ordered), 3)
        return {
            **found, "per_second": round(self.per_second), "mean_us": mean, "max_us": round(ordered[-1], 1),
            "n": len(ordered),
        }  # fmt: skip

    @property
    def p50_us(self) -> float:
        """The median."""
        return percentile(sorted(self.us), 0.5)


def clock_us() -> float:
    """What an empty sample shows; it is in every sample and nowhere subtracted."""
    empty = Series("clock")
    for _ in range(_EMPTY_SAMPLES):
        begin = CLOCK()
        empty.add_ns(CLOCK() - begin)
    return empty.p50_us


@contextmanager
def resting_heap() -> Iterator[None]:
    """What lives already is put aside (`gc.freeze`, as the server does after its start); collections go on."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()

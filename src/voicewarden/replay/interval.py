"""Rates with how sure they are: Wilson intervals for one rate, Newcombe's for the difference of two.

In: counts. Out: per mille. Used by the QA report. Wilson, Probable Inference, the Law of Succession, and Statistical
Inference, 1927; Newcombe, Interval Estimation for the Difference between Independent Proportions, 1998, method 10.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

_Z: Final = 1.959963984540054
"""95 % of a normal distribution lie within so many standard deviations."""


class Rate(msgspec.Struct, frozen=True):
    """So many of so many, with the 95 % interval in per mille."""

    hits: int
    of: int
    low_permille: int
    high_permille: int

    @property
    def permille(self) -> int | None:
        """The rate itself; None of nothing."""
        return round(self.hits * 1000 / self.of) if self.of else None


def rate(hits: int, of: int) -> Rate:
    """A rate; of nothing, anything is possible."""
    low, high = _wilson(hits, of)
    return Rate(hits, of, math.floor(low * 1000 + 1e-9), math.ceil(high * 1000 - 1e-9))


def difference_permille(old: Rate, new: Rate) -> tuple[int, int]:
    """The 95 % interval of how much higher the new rate is."""
    if not old.of or not new.of:
        return -1000, 1000
    (old_low, old_high), (new_low, new_high) = _wilson(old.hits, old.of), _wilson(new.hits, new.of)
    was, now = old.hits / old.of, new.hits / new.of
    low = now - was - math.hypot(now - new_low, old_high - was)
    high = now - was + math.hypot(new_high - now, was - old_low)
    return math.floor(low * 1000 + 1e-9), math.ceil(high * 1000 - 1e-9)


def _wilson(hits: int, of: int) -> tuple[float, float]:
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle = share + z2 / (2 * of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low, high = (middle - half) / (1 + z2 / of), (middle + half) / (1 + z2 / of)
    # At the ends the formula is exact, and only rounding would leave the end.
    return (0.0 if hits == 0 else low), (1.0 if hits == of else high)


def quantile(ordered: Sequence[int], permille: int) -> int:
    """The smallest of these values that at least so many per mille do not exceed (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * permille // 1000) - 1)]

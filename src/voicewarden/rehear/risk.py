"""How far a confidence can be trusted: scored items come in; curve, AUROC, ECE and the threshold that bounds errors go
out. Pure: numbers in, numbers out. Called by `rehear.calibrating`.

An item is one thing that was accepted or not by its confidence (a yes, a word, a number) and whether it was wrong. The
threshold is found by Learn-then-Test (Angelopoulos et al. 2021) with fixed-sequence testing: from the strictest
threshold down, each is tested by the exact binomial bound (Clopper and Pearson 1934) on how often what it accepts is
wrong, and the first that fails ends the search. The bound needs independent items, so one is drawn from each call.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

BINS: Final = 15
"""Of equal mass, for the calibration error (Nixon et al. 2019)."""
STEP_PERMILLE: Final = 10
"""The thresholds that are tried lie so far apart, from 1000 down to this."""
_DIGITS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Item:
    """Something heard with a confidence, in a call by a speaker, and whether it was heard wrong."""

    call: str
    speaker: str
    permille: int
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Point:
    """At this threshold so many of `of` items count, and so many of those are wrong."""

    accept_permille: int
    accepted: int
    wrong: int
    of: int


@dataclass(frozen=True, slots=True)
class Bound:
    """The lowest threshold whose share of errors is bounded; None when no threshold could be shown to hold.

    `needs` is how many accepted items without any error it takes at least; `point` is what the threshold does.
    """

    threshold_permille: int | None
    point: Point | None
    needs: int
    items: int


def curve(items: Sequence[Item], step_permille: int = STEP_PERMILLE) -> list[Point]:
    """What each threshold accepts and gets wrong, the strictest first."""
    return [_point(items, level) for level in range(1000, 0, -step_permille)]


def _point(items: Iterable[Item], accept_permille: int) -> Point:
    kept = list(items)
    accepted = [item for item in kept if item.permille >= accept_permille]
    return Point(accept_permille, len(accepted), sum(item.is_wrong for item in accepted), len(kept))


def auroc_permille(items: Sequence[Item]) -> int | None:
    """How often a right item is surer than a wrong one, ties half; None without both kinds."""
    right = sorted(item.permille for item in items if not item.is_wrong)
    wrong = [item.permille for item in items if item.is_wrong]
    if not right or not wrong:
        return None
    twice = sum(2 * (len(right) - bisect.bisect_right(right, value)) + _ties(right, value) for value in wrong)
    return round(twice * 1000 / (2 * len(right) * len(wrong)))


def _ties(ordered: Sequence[int], value: int) -> int:
    return bisect.bisect_right(ordered, value) - bisect.bisect_left(ordered, value)


def ece_permille(items: Sequence[Item], bins: int = BINS) -> int | None:
    """Expected calibration error: by how much confidence and share of right items differ, over bins of equal mass."""
    ordered = sorted(items, key=lambda item: (item.permille, item.is_wrong))
    if not ordered:
        return None
    edges = [round(index * len(ordered) / bins) for index in range(bins + 1)]
    off = 0
    for low, high in itertools.pairwise(edges):
        part = ordered[low:high]
        off += abs(sum(item.permille for item in part) - 1000 * sum(not item.is_wrong for item in part))
    return round(off / len(ordered))


def one_a_call(items: Iterable[Item]) -> list[Item]:
    """One item of each call, drawn by a hash so that the same data gives the same draw everywhere."""
    drawn: dict[str, tuple[bytes, Item]] = {}
    for index, item in enumerate(items):
        lot = sha256(f"{item.call}\n{index}".encode()).digest()
        if item.call not in drawn or lot < drawn[item.call][0]:
            drawn[item.call] = (lot, item)
    return [item for _, item in drawn.values()]


def needed(alpha_permille: int, delta_permille: int) -> int:
    """How many accepted items without an error show that at most `alpha` are wrong, with confidence 1 - `delta`."""
    return math.ceil(math.log(delta_permille / 1000) / math.log(1 - alpha_permille / 1000) - 1e-12)


def chance_of_at_most(errors: int, of: int, rate: float) -> float:
    """The binomial probability of at most so many errors."""
    if errors >= of:
        return 1.0
    log_rate, log_rest = math.log(rate), math.log1p(-rate)
    logs = (
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_rate + (of - k) * log_rest
        for k in range(errors + 1)
    )
    return min(1.0, math.fsum(math.exp(value) for value in logs))


def upper_permille(errors: int, of: int, delta_permille: int) -> int:
    """The Clopper-Pearson upper bound of an error rate, rounded up; 1000 where nothing was seen."""
    if errors >= of:
        return 1000
    low, high = 0, _DIGITS
    while high - low > 1:
        middle = (low + high) // 2
        seen = chance_of_at_most(errors, of, middle / _DIGITS)
        low, high = (middle, high) if seen > delta_permille / 1000 else (low, middle)
    return -(-high * 1000 // _DIGITS)


def bounding_threshold(items: Sequence[Item], alpha_permille: int, delta_permille: int) -> Bound:
    """The lowest threshold at which, with confidence 1 - `delta`, at most `alpha` of what is accepted is wrong.

    INVARIANT: thresholds are tested in a fixed order and none after the first that fails, so that looking at many of
    them costs no confidence (test_risk.test_no_threshold_is_tried_after_one_that_failed). A threshold that accepts too
    few to show anything, even were all of them right, is passed over: which those are depends on the confidences alone.
    """
    needs = needed(alpha_permille, delta_permille)
    found: Point | None = None
    for point in curve(items):
        if point.accepted < needs:
            continue
        if chance_of_at_most(point.wrong, point.accepted, alpha_permille / 1000) > delta_permille / 1000:
            break
        found = point
    return Bound(None if found is None else found.accept_permille, found, needs, len(items))

"""Drift: what is otherwise in this run than in an earlier one, and whether that could be chance.

In: two runs. Out: one row for each rate. Calls that stand in both are left out of the newer side, so that nothing is
compared with itself. Used by the QA report.
"""

from typing import Final, Literal

import msgspec

from voicewarden.replay.interval import Rate, difference_permille, rate
from voicewarden.replay.run import Gaps, Run

FEWEST_CALLS: Final = 30
"""With fewer calls on either side the intervals are so wide that only a landslide would show."""
Says = Literal["higher", "lower", "no change shown", "insufficient data"]


class Drifted(msgspec.Struct, frozen=True):
    """One rate then and now."""

    name: str
    old: Rate
    new: Rate
    low_permille: int
    high_permille: int
    says: Says


class Drift(msgspec.Struct, frozen=True):
    """Two runs compared."""

    old_calls: int
    new_calls: int
    in_both: int
    rows: tuple[Drifted, ...]
    """What changed first, and most of that first."""
    old_gaps: Gaps | None
    new_gaps: Gaps | None
    policies: tuple[tuple[str, ...], tuple[str, ...]]
    """Policies that governed then and now."""


def drift_between(older: Run, newer: Run) -> Drift:
    """Compare a run with an earlier one."""
    known = {call.call for call in older.calls}
    fresh = Run(calls=tuple(call for call in newer.calls if call.call not in known))
    old, new = older.rates(), fresh.rates()
    empty = (rate(0, len(older.calls)), rate(0, len(fresh.calls)))
    rows = [_row(name, old.get(name, empty[0]), new.get(name, empty[1])) for name in dict.fromkeys((*new, *old))]
    rows.sort(key=lambda row: (row.says not in ("higher", "lower"), -abs(row.low_permille + row.high_permille)))
    return Drift(
        len(older.calls), len(fresh.calls), len(newer.calls) - len(fresh.calls), tuple(rows), older.gaps(),
        fresh.gaps(), (_policies(older), _policies(fresh)),
    )  # fmt: skip


def _row(name: str, old: Rate, new: Rate) -> Drifted:
    low, high = difference_permille(old, new)
    says: Says = "no change shown"
    if min(old.of, new.of) < FEWEST_CALLS:
        says = "insufficient data"
    elif low > 0:
        says = "higher"
    elif high < 0:
        says = "lower"
    return Drifted(name, old, new, low, high, says)


def _policies(run: Run) -> tuple[str, ...]:
    return tuple(sorted({call.policy[:12] for call in run.calls if call.policy}))

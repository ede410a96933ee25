"""What a contestant is: how it is prepared for a case, what is timed, and how its answer is read for the cross-check.

In: made by `ours` and the peers. Out: used by `contest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from voicewarden.rehearsal.bench.contexts import Case

Work = tuple[Callable[..., Any], tuple[Any, ...]]  # Any: each engine takes and gives what it likes.
"""What is timed: `work(*arguments)`. Everything that a real caller has at hand already is made before."""

VERDICT: Final = "verdict and all reasons"
REASONS: Final = "all reasons"
BIT: Final = "one bit"


class NotInstalled(Exception):
    """An engine's package is not there; the message is how to get it."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One contestant."""

    name: str
    returns: str
    prepare: Callable[[Case], Work]
    # Any: the engine's own answer.
    read: Callable[[Case, Any], int]
    """The mask of conditions that are not met; for one bit, 0 or 1."""
    language: str = ""
    """What it is written in, or which kind of policy it takes."""

    @property
    def is_bit(self) -> bool:
        """It says only whether, not why."""
        return self.returns == BIT


def mask_of(met: list[bool]) -> int:
    """The mask of what is not met."""
    return sum(1 << index for index, item in enumerate(met) if not item)

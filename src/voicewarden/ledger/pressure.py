"""What must not be done for want of room: in the queue to the disk, or on the disk.

In: how full the queue is (`Ledger`), what the file system has left (`disk.py`). Out: a `Restraint`, which the
switchboard asks before it takes a call and the ledger before it spends a grant. Silence, the safe line and hanging up
need nobody's leave.

| queue | what follows |
|---|---|
| 50 % | upkeep waits: the log is not folded into the file. No record is left out: each is an event that was acted on |
| 75 % | no new calls: an order is refused with the reason, whoever calls hears a busy line |
| 100 % | `submit` raises; a call whose record is refused says the safe line and ends |
"""

from typing import Final, NamedTuple

UPKEEP_PERMILLE: Final = 500
NO_CALLS_PERMILLE: Final = 750


class Restraint(NamedTuple):
    """What is refused, each with the reason; empty for what is not."""

    calls: str = ""
    """New calls."""
    effects: str = ""
    """Effects of running calls, and with them anything that such a call could still be for."""


FREE: Final = Restraint()
BEHIND: Final = Restraint("too much is waiting to be written; try again in a moment")
NO_ROOM: Final = Restraint(
    "the ledger's disk is full; make room", "the grant is void: the ledger's disk is full, so nothing acts; make room"
)
"""The disk took no more and the ballast was given up for the last records."""


def of_queue(permille: int) -> Restraint:
    """What a queue that is so full forbids."""
    return BEHIND if permille >= NO_CALLS_PERMILLE else FREE

"""How fast the scripted model talks, and the ways in which it can fail on request.

In come a pace in milliseconds and a fault's name, out goes a delayed or spoiled stream. `server` calls it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong with an answer."""

    HANG = "hang"
    """Nothing comes, not even a first token, until the client gives up (at most `Pace.hang_ms`)."""
    DRIBBLE = "dribble"
    """Every piece comes `Pace.dribble_ms` after the one before."""
    CUT = "cut"
    """The connection breaks in the middle of the answer."""
    BAD_ARGS = "bad_args"
    """Arguments of a tool call stop half-way and are no JSON."""
    HTTP_500 = "http_500"
    """The server reports an internal error."""


@dataclass(frozen=True)
class Pace:
    """Delays of an answer, in milliseconds."""

    first_token_ms: int = 0
    token_ms: int = 0
    dribble_ms: int = 400
    hang_ms: int = 120_000


class StreamCut(Exception):
    """The stream breaks here on purpose."""


async def paced(pieces: Iterable[str], pace: Pace, fault: Fault | None) -> AsyncIterator[str]:
    """Hand out the pieces at the pace, with the fault; raises `StreamCut` for a cut."""
    waiting = list(pieces)
    gap_ms = pace.dribble_ms if fault is Fault.DRIBBLE else pace.token_ms
    await asyncio.sleep(pace.first_token_ms / 1000)
    for index, piece in enumerate(waiting):
        if fault is Fault.CUT and index >= len(waiting) // 2:
            raise StreamCut
        if index and gap_ms:
            await asyncio.sleep(gap_ms / 1000)
        yield piece

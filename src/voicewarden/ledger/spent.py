"""Spent grants and the places they take in limits over a window: one compare-and-set in the writer's transaction.

In: orders from the queue: burn a grant, give its places back, raise the epoch. Out: whether a burn came first, or why
it was refused. Called by the writer alone, inside its transaction; 1-3 are looked at before 4 writes anything:

1. the grant's epoch is not behind the control plane's: a process that has not heard of a pause yet can't spend;
2. the grant was not spent before;
3. every claim has room: what was burnt of its keys within its window, and not given back, is less than `at_most`;
4. the burn and one place a claim are written together.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import apsw

from voicewarden.model.error import GrantRefused


class Claim(NamedTuple):
    """One place in a limit over a window that a burn takes, or fails for want of."""

    limit: str
    """Id of the limit, for the reason of a refusal."""
    keys: tuple[str, ...]
    """What is counted together: the place is taken under the first, earlier names of the same thing follow."""
    at_most: int | None
    """None takes a place and never refuses (a limit that only logs)."""
    since_unix_ms: int
    """Begin of the window; what was burnt later counts, also where a clock was set back since."""
    unix_ms: int


class Burn(NamedTuple):
    """A grant to be spent for good, and the places it takes."""

    grant_id: str
    call: str
    epoch: int
    at_ms: int
    claims: Sequence[Claim] = ()


class GiveBack(NamedTuple):
    """The effect of a burnt grant certainly did not happen: its places are free again, the grant stays spent."""

    grant_id: str


class Fence(NamedTuple):
    """No grant of an earlier epoch is spent from here on."""

    epoch: int


Order = Burn | GiveBack | Fence
_COUNT: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM counts WHERE key = ? AND unix_ms > ? AND given_back = 0 LIMIT ?)"
)
_COUNT_CALL: Final = "SELECT count(*) FROM counts WHERE call = ? AND key = ? AND unix_ms > ? AND given_back = 0"


def carry_out(connection: apsw.Connection, order: Order | None) -> bool | GrantRefused:
    """Do what was ordered; False for a grant that was spent before, an error that is to be told for one refused."""
    match order:
        case Burn():
            return _burn(connection, order)
        case GiveBack(grant_id):
            connection.execute("UPDATE counts SET given_back = 1 WHERE grant_id = ? AND given_back = 0", (grant_id,))
        case Fence(epoch):
            connection.execute("UPDATE meta SET value = ?1 WHERE key = 'epoch' AND value < ?1", (epoch,))
        case None:
            pass
    return True


def counted(
    connection: apsw.Connection, keys: Sequence[str], since_unix_ms: int, *, most: int, other_than: str = ""
) -> int:
    """Places that are taken under these keys since then, those of one call left out; more than `most` are not looked
    for, which bounds the time that this takes.
    """
    found = 0
    for key in keys:
        own = int(connection.execute(_COUNT_CALL, (other_than, key, since_unix_ms)).get) if other_than else 0
        found += max(0, int(connection.execute(_COUNT, (key, since_unix_ms, most + own)).get) - own)
    return min(found, most)


def _burn(connection: apsw.Connection, burn: Burn) -> bool | GrantRefused:
    if burn.epoch < connection.execute("SELECT value FROM meta WHERE key = 'epoch'").get:  # 1
        return GrantRefused("the grant is void: the control plane has moved on; the call must earn it again")
    if connection.execute("SELECT 1 FROM burns WHERE grant_id = ?", (burn.grant_id,)).get is not None:  # 2
        return False
    for claim in burn.claims:  # 3
        if claim.at_most is None:
            continue
        if counted(connection, claim.keys, claim.since_unix_ms, most=claim.at_most) >= claim.at_most:
            return GrantRefused(
                f"the grant is void: the limit {claim.limit} is full by now ({claim.at_most} in its window); "
                "ask again when the window has moved on"
            )
    connection.execute("INSERT INTO burns VALUES (?, ?, ?, ?)", burn[:4])  # 4
    connection.executemany(
        "INSERT OR IGNORE INTO counts(grant_id, key, call, unix_ms) VALUES (?, ?, ?, ?)",
        [(burn.grant_id, claim.keys[0], burn.call, claim.unix_ms) for claim in burn.claims],
    )
    return True

"""Orders about grants in SQLite: one compare-and-set in the writer's transaction; see `spent.py` for its numbers.

In: a connection within a transaction, and an order. Out: whether it was the first, or why it was refused. Called by
`SqliteStore`, and by `SqliteReading` for what is counted.
"""

from collections.abc import Sequence
from typing import Final

import apsw

from voicewarden.ledger.spent import Burn, Fence, GiveBack, Order, epoch_is_over, limit_is_full
from voicewarden.model.error import GrantRefused

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
        return epoch_is_over()
    if connection.execute("SELECT 1 FROM burns WHERE grant_id = ?", (burn.grant_id,)).get is not None:  # 2
        return False
    for claim in burn.claims:  # 3
        if claim.at_most is None:
            continue
        if counted(connection, claim.keys, claim.since_unix_ms, most=claim.at_most) >= claim.at_most:
            return limit_is_full(claim)
    connection.execute("INSERT INTO burns VALUES (?, ?, ?, ?)", burn[:4])  # 4
    connection.executemany(
        "INSERT OR IGNORE INTO counts(grant_id, key, call, unix_ms) VALUES (?, ?, ?, ?)",
        [(burn.grant_id, claim.keys[0], burn.call, claim.unix_ms) for claim in burn.claims],
    )
    return True

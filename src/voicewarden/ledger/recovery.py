"""Recovery: a ledger that was not closed is looked at before anything is accepted into it.

In: a ledger whose write-ahead log was left behind, by a crash, a failed sync or a power cut. Out: what was looked at,
or a LedgerBroken that names the first thing that does not hold. Called by `Ledger.open`, which then folds the log into
the file: that writes every page again, so that nothing rests on a page that a failed sync has dropped without a word.
Until it holds the log stays, and with it this look at every start.

1. every stream ends where its head says;
2. the tail, which the crash may have touched: numbers, chains and hashes of the last rows;
3. the last checkpoint: its root is that of the tree, and the tree's leaves in the tail are the records there.

`voicewarden ledger verify` looks at everything; this has to be done within a start.
"""

from pathlib import Path
from typing import Final, NamedTuple

from voicewarden.ledger.port import Reading, Row, Snapshot
from voicewarden.ledger.tree import HASH_BYTES, leaf_hash, root_at
from voicewarden.ledger.treefile import TreeFile
from voicewarden.model.error import LedgerBroken
from voicewarden.model.record import GENESIS, chain_hash

TAIL_RECORDS: Final = 10_000
"""More than the log holds before it is folded into the file."""


class Recovered(NamedTuple):
    """What was looked at and holds."""

    streams: int
    tail_records: int
    signed: int
    """Records under the last checkpoint; -1 for none."""


def log_was_left(ledger: Path) -> bool:
    """Whether the last writer did not close this ledger (or somebody reads it right now); asked before opening it."""
    log = ledger.with_name(ledger.name + "-wal")
    return log.is_file() and log.stat().st_size > 0


def recover(ledger: Path, reading: Reading) -> Recovered:
    """Look at heads, tail and last checkpoint; raises LedgerBroken for the first thing that does not hold."""
    with reading.snapshot() as state:
        last = state.last()
        streams = _check_heads(ledger, state)
        before = max(0, last - TAIL_RECORDS)
        tail = list(state.rows(after=before))
        _check_tail(ledger, state, tail, before)
    return Recovered(streams, len(tail), _check_tree(ledger, tail, last))


def _check_heads(ledger: Path, state: Snapshot) -> int:
    count = 0
    for stream, next_seq, head in state.heads():  # 1
        count += 1
        row = state.row(stream, next_seq - 1) if next_seq else None
        if (row.hash if row else GENESIS) != (head or GENESIS) or state.row(stream, next_seq) is not None:
            raise _broken(ledger, f"stream {stream} does not end with record {next_seq - 1}, as its head says")
    return count


def _check_tail(ledger: Path, state: Snapshot, tail: list[Row], before: int) -> None:
    known: dict[str, tuple[int, str]] = {}
    for number, row in enumerate(tail, start=before + 1):  # 2
        if row.number != number:
            raise _broken(ledger, f"record {number} of the file is missing")
        if row.stream not in known:
            last = state.row(row.stream, row.seq - 1) if row.seq else None
            known[row.stream] = (row.seq, last.hash if last else GENESIS)
        if (row.seq, row.prev_hash) != known[row.stream]:
            raise _broken(ledger, f"record {number} of the file does not follow the one before it in its stream")
        if chain_hash(row.stream, row.seq, row.at_ms, row.kind, row.body, row.prev_hash) != row.hash:
            raise _broken(ledger, f"record {number} of the file is not what was written")
        known[row.stream] = (row.seq + 1, row.hash)


def _check_tree(ledger: Path, tail: list[Row], last: int) -> int:
    tree = TreeFile.read(ledger)
    if tree is None:
        return -1
    with tree:
        newest = tree.newest()
        size = newest.checkpoint.size if newest else 0
        if max(tree.size, size) > last:
            raise _broken(ledger, f"its tree holds {max(tree.size, size)} records, the file {last}: records are lost")
        if newest and (size > tree.size or root_at(size, tree.subtree()) != newest.checkpoint.root):  # 3
            raise _broken(ledger, f"its tree is not the one that was signed for ({size} records)")
        for row in tail:
            if row.number <= tree.size and _leaf(tree, row.number - 1) != leaf_hash(bytes.fromhex(row.hash)):
                raise _broken(ledger, f"record {row.number} of the file is not the one that its tree holds")
    return size if newest else -1


def _leaf(tree: TreeFile, index: int) -> bytes:
    number, place = divmod(index, 256)
    return tree.tile(0, number)[place * HASH_BYTES :][:HASH_BYTES]


def _broken(ledger: Path, what: str) -> LedgerBroken:
    return LedgerBroken(
        f"{ledger}: this ledger was not closed, and {what}; nothing is written into it: run `voicewarden ledger "
        "verify`, keep the files, and restore from a backup"
    )

"""The export of a tree as static files (c2sp.org/tlog-tiles): a checkpoint, tiles of hashes, and bundles of entries.

In: a ledger with a tree, and a folder. Out: files that any client of such logs can read. Nothing that callers said is
in them: an entry is the 32-byte hash of a record. Called by `voicewarden ledger export`; again, it adds what is new.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

from voicewarden.ledger.tiles import TILE_WIDTH, all_tiles, tile_path
from voicewarden.ledger.tree import HASH_BYTES
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerBroken, LedgerError

_ENTRY_LENGTH: Final = HASH_BYTES.to_bytes(2, "big")


class Exported(NamedTuple):
    """What was written."""

    size: int
    files: int
    origin: str


def export_tree(ledger: LedgerView, folder: Path) -> Exported:
    """Write the tree under its newest checkpoint; the checkpoint comes last, when everything it covers is there."""
    tree = TreeFile.read(ledger.path)
    signed = tree.newest() if tree is not None else None
    if tree is None or signed is None:
        raise LedgerError(f"{ledger.path}: no checkpoint was signed yet; see `voicewarden ledger checkpoint --sign`")
    written = 0
    try:
        with tree:
            for level, number, width in all_tiles(signed.checkpoint.size):
                hashes = tree.tile(level, number)[: width * HASH_BYTES]
                if len(hashes) != width * HASH_BYTES:
                    raise LedgerBroken(f"{tree.path}: tile {level}/{number} is cut; run `voicewarden ledger verify`")
                written += _write(folder / tile_path(level, number, width), hashes)
                if level == 0:
                    written += _write(folder / tile_path("entries", number, width), _entries(ledger, number, width))
        _replace(folder / "checkpoint", signed.note.raw.encode())
    except OSError as error:
        raise LedgerError(f"{folder}: the export can't be written ({error.strerror}); name another folder") from error
    return Exported(signed.checkpoint.size, written + 1, signed.checkpoint.origin)


def _entries(ledger: LedgerView, number: int, width: int) -> bytes:
    first = number * TILE_WIDTH + 1
    with ledger.snapshot() as connection:
        rows = connection.execute(
            "SELECT hash FROM records WHERE id BETWEEN ? AND ? ORDER BY id", (first, first + width - 1)
        ).fetchall()
    if len(rows) != width:
        raise LedgerBroken(f"{ledger.path}: records from {first} on are missing; run `voicewarden ledger verify`")
    return b"".join(_ENTRY_LENGTH + bytes.fromhex(str(row[0])) for row in rows)


def _write(path: Path, data: bytes) -> int:
    """Write a file that never changes, unless it is there; returns how many were written."""
    if path.exists() and path.read_bytes() == data:
        return 0
    if path.exists():
        raise LedgerBroken(f"{path}: holds another history than this ledger; export into an empty folder and compare")
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data)
    return 1


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    os.replace(draft, path)

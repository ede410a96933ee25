"""Tiles (c2sp.org/tlog-tiles): a tree as rows of at most 256 hashes, level by level. Pure; no file is touched here.

A tile of level 0 holds leaf hashes, one of a higher level the roots of full tiles below it. Called by the tree's file,
which stores tiles, by verification, which makes them again, and by the export, which names them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from voicewarden.ledger.tree import HASH_BYTES, CompactRange, Subtree, complete_root

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES

Tile = Callable[[int, int], bytes]
"""The stored hashes of a tile (level, number), as far as they go."""


class Row(NamedTuple):
    """The hashes of one tile, one behind the other."""

    level: int
    number: int
    hashes: bytes


class Edge:
    """The right edge of a tree: its unfinished tiles. Takes leaves, gives finished tiles and the root."""

    def __init__(self, size: int = 0, tile: Tile | None = None) -> None:
        self.size = size
        self._rows: list[list[bytes]] = []
        if tile is not None:
            for level, number, width in unfinished(size):
                stored = tile(level, number)
                self._rows += [[] for _ in range(level + 1 - len(self._rows))]
                self._rows[level] = [stored[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]

    def append(self, leaf: bytes) -> Sequence[Row]:
        """Add one leaf hash; returns the tiles that it finished, the lowest first."""
        self.size += 1
        if not self._rows:
            self._rows.append([])
        row = self._rows[0]
        row.append(leaf)
        return () if len(row) < TILE_WIDTH else self._finish()

    def rows(self) -> list[Row]:
        """The unfinished tiles."""
        return [
            Row(level, self.size >> TILE_HEIGHT * (level + 1), b"".join(row))
            for level, row in enumerate(self._rows)
            if row
        ]

    def root(self) -> bytes:
        """Root of the tree so far."""
        hashes = []
        for row in reversed(self._rows):
            begin = 0
            for height in reversed(range(TILE_HEIGHT)):
                if len(row) >> height & 1:
                    hashes.append(complete_root(row[begin : begin + (1 << height)]))
                    begin += 1 << height
        return CompactRange(self.size, hashes).root()

    def _finish(self) -> list[Row]:
        done = []
        for level in range(len(self._rows)):
            row = self._rows[level]
            if len(row) < TILE_WIDTH:
                break
            done.append(Row(level, (self.size >> TILE_HEIGHT * (level + 1)) - 1, b"".join(row)))
            self._rows[level] = []
            if level + 1 == len(self._rows):
                self._rows.append([])
            self._rows[level + 1].append(complete_root(row))
        return done


def subtrees(tile: Tile) -> Subtree:
    """Complete subtrees out of stored tiles; each tile is read once."""
    read: dict[tuple[int, int], bytes] = {}

    def subtree(height: int, number: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        first = number << above
        place = (level, first // TILE_WIDTH)
        begin, end = first % TILE_WIDTH, first % TILE_WIDTH + (1 << above)
        if place not in read:
            read[place] = tile(*place)
        stored = read[place]
        return complete_root([stored[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(begin, end)])

    return subtree


def unfinished(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of every unfinished tile of a tree."""
    level = 0
    while count := size >> TILE_HEIGHT * level:
        if count % TILE_WIDTH:
            yield level, count // TILE_WIDTH, count % TILE_WIDTH
        level += 1


def all_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of every tile of a tree."""
    level = 0
    while count := size >> TILE_HEIGHT * level:
        for number in range(count // TILE_WIDTH):
            yield level, number, TILE_WIDTH
        if count % TILE_WIDTH:
            yield level, count // TILE_WIDTH, count % TILE_WIDTH
        level += 1


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Where a tile lies in an export: level 0, number 1234067 is `tile/0/x001/x234/067`; `entries` is a level too."""
    digits = f"{number:03}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *outer, last = (digits[at : at + 3] for at in range(0, len(digits), 3))
    parts = [*(f"x{part}" for part in outer), last]
    return f"tile/{level}/" + "/".join(parts) + (f".p/{width}" if width < TILE_WIDTH else "")

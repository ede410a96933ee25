"""The Merkle tree of RFC 6962: hashes come in, roots and proofs go out. Pure; no file is touched here.

A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right). Every complete subtree of 2^height leaves is
known by (height, number); a proof needs only those, so that whoever keeps them proves in O(log n). Called by the
sequencer, the tile file, verification and proofs.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"

Subtree = Callable[[int, int], bytes]
"""The hash of the complete subtree (height, number), which covers the leaves number * 2^height and following."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees that stand side by side."""
    return sha256(_NODE + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """Root over a power of two of hashes that stand side by side."""
    while len(hashes) > 1:
        hashes = [sha256(_NODE + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]


class CompactRange:
    """The tree so far in O(log n) hashes: one for each complete subtree on its right edge, the largest first."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count() or any(len(item) != HASH_BYTES for item in self._hashes):
            raise ValueError(f"a range of {size} leaves has {size.bit_count()} hashes of {HASH_BYTES} bytes")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash; every pair of equal height that this completes becomes one."""
        size = self.size
        hashes = self._hashes
        while size & 1:
            leaf = sha256(_NODE + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree so far."""
        if not self._hashes:
            return EMPTY_ROOT
        found = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            found = node_hash(left, found)
        return found


def root_at(size: int, subtree: Subtree) -> bytes:
    """Root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range_root(0, size, subtree)


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Proof that a leaf stands at `index` of the first `size`: the siblings from it to the root (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    begin, end = 0, size
    path = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_range_root(middle, end, subtree))
            end = middle
        else:
            path.append(_range_root(begin, middle, subtree))
            begin = middle
    return path[::-1]


def consistency_path(old: int, size: int, subtree: Subtree) -> list[bytes]:
    """Proof that the first `old` leaves are the beginning of the first `size` (RFC 6962, 2.1.2)."""
    if not 0 <= old <= size:
        raise ValueError(f"{old} leaves are not the beginning of {size}")
    if old in (0, size):
        return []
    begin, end = 0, size
    path = []
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_range_root(middle, end, subtree))
            end = middle
        else:
            path.append(_range_root(begin, middle, subtree))
            begin = middle
    if begin:
        path.append(_range_root(begin, end, subtree))
    return path[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(begin: int, end: int, subtree: Subtree) -> bytes:
    """Root over leaves of a range that RFC 6962 has as a node: `begin` is a multiple of the power of two above."""
    count = end - begin
    if not count & (count - 1):
        height = count.bit_length() - 1
        return subtree(height, begin >> height)
    middle = begin + _split(count)
    return node_hash(_range_root(begin, middle, subtree), _range_root(middle, end, subtree))

"""Verification of the tree: records come in, in the order of their rows; what does not fit the tree goes out.

In: the tree's file, checkpoints kept elsewhere (a saved file, a witness's store) and public keys. Out: problems with
their place, the open window, and what was checked. Called by `verify`, which hands every record over once. In order:

1. rows are numbered without a gap, and each leaf is the record in its place;
2. every stored tile is the one that the records make;
3. every checkpoint, ours or kept elsewhere, is signed by a key that is trusted, and has the root that the records make;
4. nothing that a checkpoint covers is missing at the end.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.tiles import TILE_WIDTH, Edge, Row
from voicewarden.ledger.tree import EMPTY_ROOT, HASH_BYTES, leaf_hash
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.witness import WitnessStore
from voicewarden.model.error import LedgerError

_ABSENT: Final = bytes(HASH_BYTES)
_HERE: Final = "the tree's file"
_MOST_TOLD: Final = 100


class Misfit(NamedTuple):
    """Something that does not fit; `row` is the id of the record in the file, 0 for none."""

    row: int
    what: str


class Kept(NamedTuple):
    """A checkpoint and where it was kept."""

    signed: SignedCheckpoint
    where: str


class TreeState(NamedTuple):
    """What was found, for people and programs. Sizes count records; -1 for none."""

    origin: str
    size: int
    signed: int
    cosigned: int
    cosigned_unix_s: int
    open_records: int
    """Records that no co-signed checkpoint covers: changing or cutting them could not be shown by a witness."""
    checkpoints: int
    trusted: bool
    """Whether the keys came from outside; else they are those that the tree's file names, which proves less."""


class TreeCheck:
    """One verification of one tree; `check` takes the records, `finish` says what was found."""

    def __init__(
        self, tree: TreeFile | None = None, *, keys: Sequence[VerifierKey] = (), kept: Iterable[Kept] = (),
    ) -> None:  # fmt: skip
        self.misfits: list[Misfit] = []
        self._tree = tree
        self._trusted = bool(keys)
        self._keys = tuple(keys) or self._own_keys()
        self._kept = [*self._own(), *kept]
        self._by_size: dict[int, list[Kept]] = {}
        for item in self._kept:
            self._by_size.setdefault(item.signed.checkpoint.size, []).append(item)
        self._size = tree.size if tree else 0
        self._end = max(self._size, *self._by_size, 0)
        self._edge = Edge()
        self._tile = b""
        self._count = 0
        self._rewritten = 0
        # What the tree's file agrees with says nothing about what others were shown, so each has its own.
        self._matched = {True: 0, False: 0}
        self._good: list[tuple[int, Kept, tuple[VerifierKey, ...]]] = []
        self._first_wrong: Misfit | None = None
        self._wrong_roots = 0
        self.state: TreeState | None = None
        """What was found, after `finish`; None when there was nothing to compare with."""
        promised = max((item.signed.checkpoint.size for item in self._kept if item.where == _HERE), default=0)
        if promised > self._size:
            self._find(0, f"{_HERE} holds {self._size} records and has a checkpoint of {promised}: it was cut")
        for item in self._by_size.get(0, ()):
            self._check_root(item, EMPTY_ROOT)

    @classmethod
    def open(
        cls, ledger: Path, *, keys: Sequence[VerifierKey] = (), checkpoints: Iterable[Path] = (),
        witness_store: Path | None = None,
    ) -> "TreeCheck":  # fmt: skip
        """The check of a ledger's tree, against what was kept elsewhere. Raises LedgerError for what can't be read."""
        unreadable = ""
        try:
            tree = TreeFile.read(ledger)
        except LedgerError as error:  # a finding like any other; what is kept elsewhere can still be compared with
            tree, unreadable = None, str(error)
        kept = [Kept(_read_checkpoint(path), str(path)) for path in checkpoints]
        if witness_store is None:
            return cls(tree, keys=keys, kept=kept)._told_first(unreadable)
        store = WitnessStore.read(witness_store)
        origins = {key.name for key in keys} | ({tree.origin} if tree else set())
        seen = [item for item in store.checkpoints if not origins or item.checkpoint.origin in origins]
        found = cls(
            tree, keys=(*keys, store.key, *store.logs), kept=[*kept, *(Kept(item, str(witness_store)) for item in seen)]
        )
        if not seen:
            found._find(0, f"{witness_store}: the witness knows no checkpoint of this log; is it the right witness?")
        return found._told_first(unreadable)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to compare records with."""
        return self._tree is not None or bool(self._kept)

    def check(self, row: int, stored: str) -> None:
        """Take the next record: the id of its row and its hash."""
        self._count += 1
        if self._edge.size >= self._end:
            return
        if row != self._edge.size + 1:
            if row <= self._edge.size:
                self._find(row, "stands at an impossible place")
                return
            self._skip_to(row)
            if self._edge.size >= self._end:
                return
        try:
            leaf = leaf_hash(bytes.fromhex(stored))
        except ValueError:
            leaf = _ABSENT
        held = self._held(row - 1)
        if held and leaf != held:  # 1
            self._rewritten += 1
            if self._rewritten <= _MOST_TOLD:
                self._find(row, "is not the record that the tree holds at its place: it was rewritten or moved")
        self._put(leaf)

    def finish(self) -> list[Misfit]:
        """What does not fit, once all records were handed over."""
        if self._edge.size < self._end:  # 4
            self._find_cut()
        if self._rewritten > _MOST_TOLD:
            self._find(0, f"{self._rewritten - _MOST_TOLD} more records are not those that the tree holds")
        if self._first_wrong is not None:
            more = f" ({self._wrong_roots} checkpoints in all)" if self._wrong_roots > 1 else ""
            self.misfits.append(self._first_wrong._replace(what=self._first_wrong.what + more))
        if self.is_needed:
            self.state = self._state()
        if self._tree is not None:
            self._tree.close()
        return self.misfits

    def _told_first(self, unreadable: str) -> "TreeCheck":
        if unreadable:
            self._find(0, unreadable)
        return self

    def _own_keys(self) -> tuple[VerifierKey, ...]:
        try:
            return tuple(self._tree.keys()) if self._tree else ()
        except LedgerError as error:
            self._find(0, f"the keys in {_HERE} can't be read: {error}")
            return ()

    def _own(self) -> list[Kept]:
        found = []
        try:
            notes = self._tree.checkpoints() if self._tree else []
        except LedgerError as error:
            self._find(0, f"the checkpoints in {_HERE} can't be read: {error}")
            notes = []
        for raw in notes:
            try:
                found.append(Kept(SignedCheckpoint.parse(raw), _HERE))
            except LedgerError as error:
                self._find(0, f"a checkpoint in {_HERE} can't be read: {error}")
        return found

    def _skip_to(self, row: int) -> None:
        """Rows are missing: what the tree holds stands in for them, so that what follows is compared at its place."""
        first = self._edge.size + 1
        last = min(row - 1, self._end)
        self._find(first, "is missing" if first == last else f"and all up to record {last} of the file are missing")
        while self._edge.size < last:
            self._put(self._held(self._edge.size) or _ABSENT)

    def _put(self, leaf: bytes) -> None:
        for row in self._edge.append(leaf):
            if self._tree is not None and self._edge.size <= self._size:
                self._compare(row)  # 2
        size = self._edge.size
        if size == self._size:
            for row in self._edge.rows():
                self._compare(row)
        for kept in self._by_size.get(size, ()):
            self._check_root(kept, self._edge.root())  # 3

    def _compare(self, row: Row) -> None:
        stored = self._stored(row.level, row.number)
        if stored != row.hashes and (row.level or len(stored) != len(row.hashes)):
            self._find(0, f"tile {row.level}/{row.number} of {_HERE} is not the one that the records make")

    def _check_root(self, kept: Kept, root: bytes) -> None:
        size = kept.signed.checkpoint.size
        cosigners = self._cosigners(kept)
        if cosigners is None:
            return
        if kept.signed.checkpoint.root == root:
            self._matched[kept.where == _HERE] = size
            self._good.append((size, kept, cosigners))
            return
        self._wrong_roots += 1
        if self._first_wrong is None:
            self._first_wrong = Misfit(
                self._matched[kept.where == _HERE] + 1,
                f"or one up to record {size} of the file is not what was signed for: the checkpoint of {size} records "
                f"({kept.where}) has another root (a rewritten record, or a split view)",
            )

    def _cosigners(self, kept: Kept) -> tuple[VerifierKey, ...] | None:
        """Who co-signed it; None, with a finding, when its signatures do not hold."""
        try:
            kept.signed.demand_signed(self._keys)
            return kept.signed.cosigners(self._keys)
        except LedgerError as error:
            self._find(0, f"the checkpoint of {kept.signed.checkpoint.size} records ({kept.where}): {error}")
            return None

    def _find_cut(self) -> None:
        present = self._edge.size
        if self._size > present:
            self._find(present + 1, f"and all behind it were cut off: the tree holds {self._size} records")
        for size, items in sorted(self._by_size.items()):
            for kept in items if size > present else ():
                if self._cosigners(kept) is not None:
                    self._find(
                        present + 1,
                        f"and all behind it were cut off: the checkpoint of {size} records ({kept.where}) covers them",
                    )
                    return

    def _state(self) -> TreeState:
        size, last, witnesses = max(
            (item for item in self._good if item[2]), default=(-1, None, ()), key=lambda item: item[0]
        )
        times = [last.signed.note.cosigned_unix_s(key) for key in witnesses] if last else []
        return TreeState(
            origin=self._tree.origin if self._tree else self._kept[0].signed.checkpoint.origin, size=self._size,
            signed=max((item[0] for item in self._good), default=-1), cosigned=size,
            cosigned_unix_s=max(times, default=0), open_records=max(0, self._count - max(size, 0)),
            checkpoints=len(self._kept), trusted=self._trusted,
        )  # fmt: skip

    def _held(self, index: int) -> bytes:
        """The leaf that the tree's file has at this place, empty when it ends before."""
        if self._tree is None or index >= self._size:
            return b""
        if index % TILE_WIDTH == 0:  # places come one after the other
            self._tile = self._stored(0, index // TILE_WIDTH)
        begin = index % TILE_WIDTH * HASH_BYTES
        return self._tile[begin : begin + HASH_BYTES]

    def _stored(self, level: int, number: int) -> bytes:
        try:
            return self._tree.tile(level, number) if self._tree else b""
        except LedgerError as error:
            self._find(0, f"tile {level}/{number} of {_HERE} can't be read: {error}")
            return b""

    def _find(self, row: int, what: str) -> None:
        self.misfits.append(Misfit(row, what))


def _read_checkpoint(path: Path) -> SignedCheckpoint:
    try:
        return SignedCheckpoint.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise LedgerError(f"{path}: the checkpoint can't be read ({type(error).__name__})") from None

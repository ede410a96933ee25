"""Tiles: the examples of the specification, a tree that goes on where it was left, proofs from tiles, and the file."""

from pathlib import Path

import pytest
from tests.fakes.log import LOG, NOW_S, ORIGIN, WITNESS, Naive, forger

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import sign
from voicewarden.ledger.proof import is_consistent, is_included
from voicewarden.ledger.tiles import TILE_BYTES, Edge, all_tiles, subtrees, tile_path, unfinished
from voicewarden.ledger.tree import CompactRange, consistency_path, inclusion_path, leaf_hash, root_at
from voicewarden.ledger.treefile import TreeFile, tree_path
from voicewarden.model.error import LedgerBroken, LedgerError

LEDGER = "ledger.db"


def test_the_examples_of_the_specification() -> None:
    assert tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tile_path(1, 7, 17) == "tile/1/007.p/17"
    assert tile_path("entries", 273, 112) == "tile/entries/273.p/112"
    tiles = list(all_tiles(70_000))
    assert [tile for tile in tiles if tile[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)] == [*unfinished(70_000)]
    assert len(tiles) == 273 + 1 + 1 + 1 + 1
    assert list(all_tiles(256)) == [(0, 0, 256), (1, 0, 1)]
    assert list(all_tiles(0)) == []


def test_a_tree_of_tiles_is_the_tree(tmp_path: Path) -> None:
    """Over the first border of two levels: 65,536 leaves fill the first tile of level 1."""
    size = 65_536 + 300
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    compact, edge, rows = CompactRange(), Edge(), {}
    for count, leaf in enumerate(leaves, start=1):
        compact.append(leaf)
        rows.update({row[:2]: row.hashes for row in edge.append(leaf)})
        if count % 9_973 == 0 or abs(count - 65_536) < 2:
            assert edge.root() == compact.root()
    rows.update({row[:2]: row.hashes for row in edge.rows()})
    assert {place for place in rows if len(rows[place]) < TILE_BYTES} == {(0, 257), (1, 1), (2, 0)}
    subtree = subtrees(lambda level, number: rows[level, number])
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        assert is_included(leaves[index], index, size, inclusion_path(index, size, subtree), compact.root())
    for old in (1, 256, 65_535, 65_536, 65_537, size):
        path = consistency_path(old, size, subtree)
        assert is_consistent(old, root_at(old, subtree), size, compact.root(), path)


def test_the_file_goes_on_where_it_was_left(tmp_path: Path) -> None:
    tree = Naive(700)
    for begin, end in ((0, 1), (1, 255), (255, 256), (256, 257), (257, 257), (257, 700)):
        with TreeFile.open(tmp_path / LEDGER, ORIGIN) as file:
            assert file.size == begin
            file.append(tree.leaves[begin:end])
            assert (file.size, file.root()) == (end, tree.root(end))
    with TreeFile.open(tmp_path / LEDGER, "another") as file:
        assert file.origin == ORIGIN
        assert root_at(512, file.subtree()) == tree.root(512)
    assert tree_path(tmp_path / LEDGER).stat().st_mode & 0o777 == 0o600


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    tree = Naive(20)
    with TreeFile.open(tmp_path / LEDGER, ORIGIN) as file:
        file.append(tree.leaves[:10])
        reader = TreeFile.read(tmp_path / LEDGER)
        assert reader is not None
        file.append(tree.leaves[10:])
        file.add_checkpoint(tree.signed(20), 0, (LOG,))
        assert (reader.size, reader.root(), reader.newest()) == (10, tree.root(10), None)
        reader.close()
    assert TreeFile.read(tmp_path / "other.db") is None


def test_of_a_minute_the_last_checkpoint_and_the_last_cosigned_are_kept(tmp_path: Path) -> None:
    tree = Naive(9)
    with TreeFile.open(tmp_path / LEDGER, ORIGIN) as file:
        for size, second in ((1, 0), (2, 30), (3, 59), (4, 60), (5, 61)):
            signed = tree.signed(size)
            file.add_checkpoint(signed, second * 1_000, (LOG,))
            if size != 3:
                both = signed.note.with_signatures((sign(signed.note.text, WITNESS, unix_s=NOW_S),))
                file.add_checkpoint(SignedCheckpoint(signed.checkpoint, both), second * 1_000, (WITNESS.public,))
        kept = [SignedCheckpoint.parse(raw) for raw in file.checkpoints()]
        assert [(item.checkpoint.size, len(item.note.signatures)) for item in kept] == [(2, 2), (3, 1), (5, 1), (5, 2)]
        newest, held = file.newest(), file.newest(cosigned=True, holding=3)
        assert newest is not None and held is not None
        assert newest == held == kept[-1]
        assert file.newest(holding=6) is None
        assert file.keys() == sorted([LOG, WITNESS.public], key=lambda key: key.text)


def test_another_file_is_not_taken_for_a_tree(tmp_path: Path) -> None:
    tree_path(tmp_path / LEDGER).write_bytes(b"no database, but long enough to be looked at" * 50)
    with pytest.raises(LedgerBroken, match="tree can't be used"):
        TreeFile.read(tmp_path / LEDGER)
    tree_path(tmp_path / LEDGER).unlink()
    TreeFile.open(tmp_path / LEDGER, ORIGIN).close()
    with forger(tree_path(tmp_path / LEDGER)) as connection:
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")
    with pytest.raises(LedgerError, match="no tree that this program knows"):
        TreeFile.open(tmp_path / LEDGER, ORIGIN)


def test_after_a_failed_write_the_tree_is_as_it_was(tmp_path: Path) -> None:
    tree = Naive(300)
    with TreeFile.open(tmp_path / LEDGER, ORIGIN) as file:
        file.append(tree.leaves[:10])
        with forger(file.path) as connection:
            connection.execute("CREATE TRIGGER no BEFORE INSERT ON tiles BEGIN SELECT RAISE(ABORT, 'no'); END")
        with pytest.raises(LedgerBroken):
            file.append(tree.leaves[10:])
        assert (file.size, file.root()) == (10, tree.root(10))

"""The tree under everything that can be done to it: any growth and restart, every byte of a record, every cut."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, ORIGIN, DirectClient, Naive, forger, open_witness, request, sequenced

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.proof import is_consistent, is_included
from voicewarden.ledger.tiles import Edge, subtrees
from voicewarden.ledger.tree import EMPTY_ROOT, consistency_path, inclusion_path, leaf_hash, node_hash
from voicewarden.ledger.treecheck import TreeCheck
from voicewarden.ledger.treefile import tree_path
from voicewarden.ledger.witness import WitnessStore
from voicewarden.model.error import LedgerError
from voicewarden.model.record import GENESIS, chain_hash

SIZES = st.integers(min_value=1, max_value=700)


def mth(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1, has it, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


@given(st.lists(st.integers(min_value=0, max_value=300), max_size=6))
def test_any_growth_with_restarts_is_the_tree_of_the_standard(steps: list[int]) -> None:
    tree = Naive(sum(steps))
    stored: dict[tuple[int, int], bytes] = {}
    size = 0
    for step in steps:
        edge = Edge(size, lambda level, number: stored[level, number])
        for leaf in tree.leaves[size : size + step]:
            stored.update({row[:2]: row.hashes for row in edge.append(leaf)})
        stored.update({row[:2]: row.hashes for row in edge.rows()})
        size += step
        assert (edge.size, edge.root()) == (size, mth(tree.leaves[:size]))


@given(SIZES, st.data())
def test_a_proof_holds_for_its_own_place_and_history_alone(size: int, data: st.DataObject) -> None:
    tree, other = Naive(size), Naive(size, b"other")
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    old = data.draw(st.integers(min_value=1, max_value=size))
    subtree, root = subtrees(tree.tile), tree.root(size)
    path = inclusion_path(index, size, subtree)
    assert is_included(tree.leaves[index], index, size, path, root)
    assert not is_included(other.leaves[index], index, size, path, root)
    wrong = data.draw(st.integers(min_value=0, max_value=size - 1))
    assert is_included(tree.leaves[index], wrong, size, path, root) is (wrong == index)
    proof = consistency_path(old, size, subtree)
    assert is_consistent(old, tree.root(old), size, root, proof)
    assert not is_consistent(old, other.root(old), size, root, proof)
    assert not is_consistent(old, tree.root(old), size, other.root(size), proof)


@given(SIZES, st.data())
def test_no_changed_proof_holds(size: int, data: st.DataObject) -> None:
    tree = Naive(size)
    subtree, root = subtrees(tree.tile), tree.root(size)
    old = data.draw(st.integers(min_value=1, max_value=size))
    for path, holds in (
        (inclusion_path(old - 1, size, subtree), lambda p: is_included(tree.leaves[old - 1], old - 1, size, p, root)),
        (consistency_path(old, size, subtree), lambda p: is_consistent(old, tree.root(old), size, root, p)),
    ):
        assert holds(path)
        if path:
            place = data.draw(st.integers(min_value=0, max_value=len(path) - 1))
            bit = data.draw(st.integers(min_value=0, max_value=255))
            raw = bytearray(path[place])
            raw[bit // 8] ^= 1 << bit % 8
            assert not holds([*path[:place], bytes(raw), *path[place + 1 :]])
            assert not holds(path[:place] + path[place + 1 :])
        assert not holds([*path, leaf_hash(b"")])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_a_witness_never_signs_two_histories_and_never_goes_back(asked: list[tuple[bool, int, int]]) -> None:
    """Whatever is asked in whatever order, all that it signs is one history that only grows."""
    trees = (Naive(60), Naive(60, b"other"))
    with TemporaryDirectory() as folder:
        witness = open_witness(Path(folder) / "w")
        signed: list[tuple[int, int]] = []
        for which, old, size in asked:
            proof = consistency_path(old, size, subtrees(trees[which].tile)) if old <= size else []
            reply = witness.add_checkpoint(request(old, proof, trees[which].signed(size)))
            if reply.status == 200:
                signed.append((which, size))
        witness.close()
    assert len({which for which, size in signed if size}) <= 1
    assert [size for _, size in signed] == sorted(size for _, size in signed)


def small(folder: Path) -> Path:
    """A ledger of three streams, 13 records, all of them co-signed."""
    one, two, three = Chain("call:one"), Chain("contact:two"), Chain("control")
    book = {"service": "trial", "start": "2026-12-01T15:00"}
    with Ledger.open(folder / "ledger.db") as ledger:
        ledger.submit([one.event(), two.raw(b'{"note":"opt_out"}')])
        ledger.submit([one.decision("book", book), one.grant("book", book)])
        ledger.submit([three.raw(b'{"note":"pause"}'), *one.events(4), *two.events(4)])
        sequenced(ledger, DirectClient(open_witness(folder / "w")))
    return folder / "ledger.db"


def findings(path: Path, *, tree: bool = True) -> list[int]:
    """Where problems are found, with the store of the witness; without the tree's file if it was taken away."""
    with Ledger.read(path) as view:
        check = TreeCheck.open(path, witness_store=path.parent / "w") if tree else TreeCheck()
        return [problem.id for problem in verify(view, check).problems]


def test_every_byte_of_every_column_counts(tmp_path: Path) -> None:
    """Each byte of each column of each record is changed; each time it is found, at that record."""
    path = small(tmp_path)
    assert findings(path) == []
    tried = 0
    with forger(path) as connection:
        for row in range(1, 14):
            for column in ("body", "kind", "prev_hash", "hash"):
                raw = connection.execute(f"SELECT CAST({column} AS BLOB) FROM records WHERE id = ?", (row,)).get
                assert isinstance(raw, bytes)
                for place in range(0, len(raw), 1 if row < 4 else 7):
                    forged = raw[:place] + bytes([raw[place] ^ (1 + place % 7)]) + raw[place + 1 :]
                    value: object = forged if column == "body" else forged.decode("latin-1")
                    connection.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (value, row))
                    assert row in findings(path), (row, column, place)
                    tried += 1
                value = raw if column == "body" else raw.decode()
                connection.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (value, row))
    assert tried > 500
    assert findings(path) == []


@pytest.mark.parametrize("column", ["seq", "at_ms", "stream", "id"])
def test_every_bit_of_every_number_counts(tmp_path: Path, column: str) -> None:
    path = small(tmp_path)
    with forger(path) as connection:
        for row in (1, 5, 13):
            (stored,) = connection.execute(f"SELECT {column} FROM records WHERE id = ?", (row,)).fetchone()
            for bit in range(62):
                forged = stored ^ 1 << bit
                if connection.execute("SELECT 1 FROM records WHERE id = ?", (forged,)).get and column == "id":
                    continue
                try:
                    connection.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (forged, row))
                except Exception:  # two records of one stream and number can't even be stored
                    continue
                assert findings(path), (row, bit)
                key = forged if column == "id" else row
                connection.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (stored, key))
    assert findings(path) == []


def cut(path: Path, left: int) -> None:
    """Keep the first records and make everything else fit, as somebody would who owns the file."""
    with forger(path) as connection:
        connection.execute("DELETE FROM records WHERE id > ?", (left,))
        for (number,) in connection.execute("SELECT id FROM streams").fetchall():
            last = connection.execute(
                "SELECT seq + 1, hash FROM records WHERE stream = ? ORDER BY seq DESC", (number,)
            ).fetchone()
            head = last or (0, GENESIS)
            connection.execute("UPDATE streams SET next_seq = ?, hash = ? WHERE id = ?", (*head, number))


@pytest.mark.parametrize("left", range(13))
def test_every_cut_before_the_last_cosigned_checkpoint_is_found(tmp_path: Path, left: int) -> None:
    path = small(tmp_path)
    cut(path, left)
    assert set(findings(path)) == {left + 1}
    tree_path(path).unlink()
    assert findings(path, tree=False) == []  # the chain alone does not know
    assert findings(path) == [left + 1]


@pytest.mark.parametrize("row", range(1, 14))
def test_every_rewritten_history_is_found(tmp_path: Path, row: int) -> None:
    """A record is changed, and chain, heads and tree are computed again and signed with the log's own key."""
    path = small(tmp_path)
    with forger(path) as connection:
        connection.execute("UPDATE records SET at_ms = at_ms + 1 WHERE id = ?", (row,))
        heads: dict[int, tuple[int, str]] = {}
        names = dict(connection.execute("SELECT id, name FROM streams").fetchall())
        for number, stream, at_ms, kind, body in connection.execute(
            "SELECT id, stream, at_ms, kind, body FROM records ORDER BY id"
        ).fetchall():
            seq, last = heads.get(stream, (0, GENESIS))
            found = chain_hash(names[stream], seq, at_ms, kind, body, last)
            connection.execute("UPDATE records SET prev_hash = ?, hash = ? WHERE id = ?", (last, found, number))
            heads[stream] = (seq + 1, found)
        for stream, (_, last) in heads.items():
            connection.execute("UPDATE streams SET hash = ? WHERE id = ?", (last, stream))
    assert row in findings(path)
    tree_path(path).unlink()
    with Ledger.open(path) as ledger:
        sequenced(ledger)
        assert verify(ledger, TreeCheck.open(path, keys=[LOG])).ok
    assert findings(path) == [1]


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_no_request_of_any_bytes_is_signed(body: bytes) -> None:
    with TemporaryDirectory() as folder:
        witness = open_witness(Path(folder) / "w")
        assert witness.add_checkpoint(body).status == 400
        witness.close()
        assert WitnessStore.read(Path(folder) / "w").checkpoints == []
    with pytest.raises(LedgerError):
        TreeCheck.open(Path(folder) / ORIGIN / "ledger.db", witness_store=Path(folder) / "none")

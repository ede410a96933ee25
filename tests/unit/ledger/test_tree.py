"""The Merkle tree: known roots, the paths of RFC 6962, the public vectors, and every proof of small trees."""

import base64
import json
from pathlib import Path

import pytest
from tests.fakes.log import Naive

from voicewarden.ledger.proof import is_consistent, is_included
from voicewarden.ledger.tiles import subtrees
from voicewarden.ledger.tree import (
    EMPTY_ROOT,
    CompactRange,
    complete_root,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_at,
)

# The entries and roots that implementations of Certificate Transparency have been tested with from the beginning.
ENTRIES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_known_roots() -> None:
    tree = CompactRange()
    found = [tree.root().hex()]
    for entry in ENTRIES:
        tree.append(leaf_hash(bytes.fromhex(entry)))
        found.append(tree.root().hex())
    assert found == list(ROOTS)


def test_a_range_goes_on_where_it_was_left() -> None:
    leaves = Naive(40).leaves
    for size in range(40):
        tree = CompactRange()
        for leaf in leaves[:size]:
            tree.append(leaf)
        again = CompactRange(tree.size, tree.hashes)
        assert len(again.hashes) == size.bit_count()
        tree.append(leaves[size])
        again.append(leaves[size])
        assert tree.root() == again.root() != EMPTY_ROOT


@pytest.mark.parametrize(("size", "hashes"), [(1, []), (3, [bytes(32)]), (1, [b"short"])])
def test_a_range_has_as_many_hashes_as_its_size_says(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match="hashes of 32 bytes"):
        CompactRange(size, hashes)


def test_the_paths_of_rfc_6962() -> None:
    """The tree of seven in section 2.1.3: (k, l) with k = (g, h), l = (i, j), g = (a, b), h = (c, d), i = (e, f)."""
    a, b, c, d, e, f, j = (leaf_hash(f"d{number}".encode()) for number in range(7))
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, last = node_hash(g, h), node_hash(i, j)
    leaves = (a, b, c, d, e, f, j)

    def subtree(height: int, number: int) -> bytes:
        return complete_root(leaves[number << height : number + 1 << height])

    assert root_at(7, subtree) == node_hash(k, last)
    assert inclusion_path(0, 7, subtree) == [b, h, last]
    assert inclusion_path(3, 7, subtree) == [c, g, last]
    assert inclusion_path(4, 7, subtree) == [f, j, k]
    assert inclusion_path(6, 7, subtree) == [i, k]
    assert consistency_path(3, 7, subtree) == [c, d, g, last]
    assert consistency_path(4, 7, subtree) == [last]
    assert consistency_path(6, 7, subtree) == [i, j, k]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 33])
def test_every_proof_of_a_small_tree_holds_and_no_other(size: int) -> None:
    tree = Naive(size)
    subtree, root = subtrees(tree.tile), tree.root(size)
    for index, leaf in enumerate(tree.leaves):
        path = inclusion_path(index, size, subtree)
        assert len(path) <= (size - 1).bit_length()
        assert is_included(leaf, index, size, path, root)
        assert not is_included(leaf, index + 1, size, path, root)
        assert not is_included(leaf, index, size, [*path, bytes(32)], root)
        assert not path or not is_included(leaf, index, size, path[:-1], root)
    for old in range(1, size + 1):
        path = consistency_path(old, size, subtree)
        assert is_consistent(old, tree.root(old), size, root, path)
        assert not is_consistent(old, tree.root(old), size, root, [*path, bytes(32)])
        assert old == size or not is_consistent(old, tree.root(old - 1), size, root, path)


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_path_to_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_path(index, 3, subtrees(Naive(3).tile))


@pytest.mark.parametrize("old", [-1, 4])
def test_there_is_no_path_from_a_tree_that_is_no_beginning(old: int) -> None:
    with pytest.raises(ValueError, match="not the beginning"):
        consistency_path(old, 3, subtrees(Naive(3).tile))


def test_the_public_vectors(dev_data: Path) -> None:
    """The golden vectors of transparency-dev/merkle, right and wrong ones."""
    path = dev_data / "merkle_vectors.jsonl"
    if not path.is_file():
        pytest.skip("these development data have no Merkle vectors")
    wrong, count = [], 0
    for line in path.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        proof = [base64.b64decode(item) for item in vector["proof"] or ()]
        if vector["kind"] == "inclusion":
            leaf, root = base64.b64decode(vector["leafHash"]), base64.b64decode(vector["root"])
            holds = is_included(leaf, vector["leafIdx"], vector["treeSize"], proof, root)
        else:
            first, second = base64.b64decode(vector["root1"]), base64.b64decode(vector["root2"])
            holds = is_consistent(vector["size1"], first, vector["size2"], second, proof)
        count += 1
        if holds == vector["wantErr"]:
            wrong.append(vector["name"])
    assert (count, wrong) == (196, [])

"""A file that was damaged below its records is told, before anybody stumbles over what stands in it."""

from pathlib import Path

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.log import sequenced

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.damage import damage
from voicewarden.ledger.treefile import tree_path
from voicewarden.model.error import LedgerBroken


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(60))
    return path


def test_a_whole_file_has_no_damage(path: Path) -> None:
    assert list(damage(path)) == []


def test_a_page_that_was_overwritten_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for page in range(1, len(whole) // 4096):
        path.write_bytes(whole[: 4096 * page] + bytes(range(256)) * 16 + whole[4096 * (page + 1) :])
        assert list(damage(path)), f"page {page}"
    path.write_bytes(whole[: 4096 * 3])
    assert list(damage(path))
    path.write_bytes(b"")
    path.write_bytes(b"no database at all, but long enough to be looked at as one" * 100)
    assert list(damage(path))


def test_a_damaged_tree_is_named(path: Path) -> None:
    with Ledger.open(path) as ledger:
        sequenced(ledger)
    tree = tree_path(path)
    assert list(damage(path)) == []
    tree.write_bytes(tree.read_bytes()[:4096] + bytes(4096) + tree.read_bytes()[8192:])
    found = list(damage(path))
    assert found and all(what.startswith("ledger.db.tree is damaged") for what in found)


def test_a_row_that_an_index_hides_is_found(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'counts_by_key'")
    connection.close()
    assert list(damage(path)), "an index without its entry in the schema"


def test_a_text_that_is_none_is_named_and_verification_does_not_stumble(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("DROP TRIGGER records_keep_update")
    connection.execute("UPDATE records SET kind = CAST(x'65fb656e74' AS TEXT) WHERE id = 33")
    connection.close()
    assert list(damage(path)) == ["ledger.db is damaged: kind in row 33 of records is no text"]
    with Ledger.read(path) as view:
        found = verify(view)
        assert not found.ok and found.problems[0].what == "ledger.db is damaged: kind in row 33 of records is no text"
        with pytest.raises(LedgerBroken, match="can't be read"):
            list(view.read_stream("call:one"))

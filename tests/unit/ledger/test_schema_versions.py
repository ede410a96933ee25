"""Ledgers of every schema can be read as they are, and written after one step that changes no record."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, ORIGIN, PRIVATE

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.backup import back_up
from voicewarden.ledger.prooffile import check_proof, prove
from voicewarden.ledger.schema import _TABLES, SCHEMA_VERSION
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.unknown import unknown_grants


def of_version_1(path: Path) -> Path:
    """A ledger as the first version left it: a call with a spent grant, and another one that was closed."""
    one, two = Chain("call:one"), Chain("call:two")
    records = [*one.events(3), one.decision("book", {}), one.grant("book", {}), *two.events(4)]
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute(_TABLES)
    for number, chain in enumerate((one, two), start=1):
        connection.execute("INSERT INTO streams VALUES (?, ?, ?, ?)", (number, chain.stream, chain.seq, chain.last))
    for item in records:
        stream = 1 if item.stream == one.stream else 2
        connection.execute(
            "INSERT INTO records(stream, seq, at_ms, kind, body, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (stream, item.seq, item.at_ms, item.kind, item.body, item.prev_hash, item.hash),
        )
    connection.execute("INSERT INTO burns VALUES ('one/4', 'one', 0, 0)")
    connection.close()
    return path


def version(path: Path) -> object:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    found = connection.execute("SELECT value FROM meta WHERE key = 'schema'").get
    connection.close()
    return found


@pytest.mark.parametrize("use", ["read", "back up", "unknown"])
def test_an_old_ledger_is_used_without_being_changed(tmp_path: Path, use: str) -> None:
    path = of_version_1(tmp_path / "old.db")
    before = path.read_bytes()
    uses: dict[str, Callable[[], None]] = {
        "read": lambda: read(path), "back up": lambda: backed_up(path), "unknown": lambda: unknown(path),
    }  # fmt: skip
    uses[use]()
    assert path.read_bytes() == before
    assert version(path) == 1


def read(path: Path) -> None:
    with Ledger.read(path) as view:
        assert verify(view).ok and verify(view).records == 9
        assert [len(list(view.read_stream(name))) for name in view.streams()] == [5, 4]
        with view.state() as state:
            assert (state.last(), list(state.places())) == (9, [])


def backed_up(path: Path) -> None:
    found = back_up(path, path.parent / "copy")
    assert not found.problems and found.records == 9
    assert version(found.ledger) == 1


def unknown(path: Path) -> None:
    with Ledger.read(path) as view:
        assert [item.grant for item in unknown_grants(view)] == ["one/4"]


def test_an_old_ledger_on_read_only_media_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    path = of_version_1(tmp_path / "media" / "old.db")
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        read(path)
    finally:
        path.parent.chmod(0o700)


def test_bringing_it_up_to_date_changes_no_record(tmp_path: Path) -> None:
    path = of_version_1(tmp_path / "old.db")
    with Ledger.read(path) as view, view.state() as state:
        rows, heads, burns = list(state.rows()), list(state.heads()), list(state.burns())
    with Ledger.open(path) as ledger:
        assert version(path) == SCHEMA_VERSION
        with ledger.state() as state:
            assert (list(state.rows()), list(state.heads()), list(state.burns())) == (rows, heads, burns)
        chain = Chain("call:two", *ledger.head("call:two"))
        ledger.submit(chain.events(2))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        assert sequencer.sequence() is not None
        sequencer.close()
        assert verify(ledger).ok
        proof = prove(ledger, "call:one", 4).document().encode()
        assert all(step.ok for step in check_proof(proof, [LOG]))

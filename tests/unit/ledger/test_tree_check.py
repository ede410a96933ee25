"""Verification of the tree: whatever was rewritten, cut or shown in two ways is found, with its place."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes.chain import Chain
from tests.fakes.log import (
    LOG,
    NOW_S,
    ORIGIN,
    PRIVATE,
    WITNESS,
    DirectClient,
    forger,
    open_witness,
    sequenced,
)

from voicewarden.ledger import Ledger, Problem, Verification, verify
from voicewarden.ledger.checkpoint import SignedCheckpoint, log_key
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.treecheck import TreeCheck
from voicewarden.ledger.treefile import TreeFile, tree_path
from voicewarden.ledger.witness import Witness, WitnessStore
from voicewarden.model.error import LedgerError
from voicewarden.model.record import GENESIS, chain_hash

KEYS = (LOG, WITNESS.public)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return open_witness(tmp_path / "w")


@pytest.fixture
def path(tmp_path: Path, witness: Witness) -> Path:
    """Two calls in turns: 6, then 10 records co-signed in two minutes, then 3 signed, then 2 that nobody signed."""
    one, two = Chain("call:one"), Chain("call:two")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for count, client, minute in ((3, DirectClient(witness), 0), (5, DirectClient(witness), 1), (None, None, 2)):
            if count is None:
                ledger.submit(one.events(3))
            for _ in range(count or 0):
                ledger.submit([one.event(), two.event()])
            sequenced(ledger, client, at_ms=(NOW_S + 60 * minute) * 1000)
        ledger.submit(two.events(2))
    return tmp_path / "ledger.db"


def check(path: Path, tree: TreeCheck | None = None) -> Verification:
    with Ledger.read(path) as view:
        return verify(view, tree)


def rewrite(path: Path, row: int, *, statement: str = "UPDATE records SET at_ms = at_ms + 1 WHERE id = ?") -> None:
    """Somebody changes a record and computes everything behind it again, heads included."""
    with forger(path) as connection:
        connection.execute(statement, (row,))
        heads: dict[int, tuple[int, str]] = {}
        names = dict(connection.execute("SELECT id, name FROM streams").fetchall())
        for number, stream, at_ms, kind, body in connection.execute(
            "SELECT id, stream, at_ms, kind, body FROM records ORDER BY id"
        ).fetchall():
            seq, last = heads.get(stream, (0, GENESIS))
            found = chain_hash(names[stream], seq, at_ms, kind, body, last)
            connection.execute(
                "UPDATE records SET seq = ?, prev_hash = ?, hash = ? WHERE id = ?", (seq, last, found, number)
            )
            heads[stream] = (seq + 1, found)
        for stream in names:
            seq, last = heads.get(stream, (0, GENESIS))
            connection.execute("UPDATE streams SET next_seq = ?, hash = ? WHERE id = ?", (seq, last, stream))


def test_an_honest_ledger_states_its_open_window(path: Path) -> None:
    tree = TreeCheck.open(path, keys=KEYS)
    found = check(path, tree)
    assert (found.ok, found.records, found.problems) == (True, 21, ())
    (note,) = found.notes
    assert note == Problem(
        "", -1, "5 records from here on came after the last co-signed checkpoint (2026-11-23 10:33:20 UTC)", 17
    )
    assert tree.state is not None
    assert tree.state._asdict() == {
        "origin": ORIGIN, "size": 19, "signed": 19, "cosigned": 16, "cosigned_unix_s": NOW_S, "open_records": 5,
        "checkpoints": 5, "trusted": True,
    }  # fmt: skip


def test_keys_that_the_file_names_itself_are_told_from_trusted_ones(path: Path) -> None:
    found = check(path)
    assert found.ok
    assert ["keys that the tree's file names" in note.what for note in found.notes] == [True, False]
    other = log_key(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw())
    found = check(path, TreeCheck.open(path, keys=[other]))
    assert {"no key that you trust" in problem.what for problem in found.problems} == {True}


def test_without_a_witness_everything_is_open(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit(Chain().events(3))
        sequenced(ledger)
    found = check(tmp_path / "ledger.db", TreeCheck.open(tmp_path / "ledger.db", keys=KEYS))
    assert found.ok
    assert "no co-signed checkpoint" in found.notes[0].what


def test_a_ledger_without_a_tree_is_checked_as_ever(path: Path) -> None:
    tree_path(path).unlink()
    assert check(path) == (True, 21, (), ())


@pytest.mark.parametrize("row", [1, 2, 9, 16, 17, 19])
def test_a_rewritten_record_is_named(path: Path, row: int) -> None:
    rewrite(path, row)
    found = check(path)
    first = found.problems[0]
    assert first.id == row
    assert first.call in ("one", "two") and first.seq >= 0
    assert "not the record that the tree holds" in first.what
    assert any("has another root" in problem.what for problem in found.problems)


def test_a_record_in_the_open_window_can_be_rewritten(path: Path) -> None:
    """This is what the window means; it is told, and it closes within a second."""
    rewrite(path, 21)
    assert check(path).ok


@pytest.mark.parametrize("row", [1, 9, 16])
def test_who_rewrites_the_tree_too_can_t_rewrite_what_a_witness_signed(path: Path, tmp_path: Path, row: int) -> None:
    """Even with the signing key: the log tells everybody who asks a history without a flaw, but the witness knows."""
    rewrite(path, row)
    tree_path(path).unlink()
    with Ledger.open(path) as ledger:
        assert sequenced(ledger).failure is None
    assert check(path, TreeCheck.open(path, keys=KEYS)).ok
    found = check(path, TreeCheck.open(path, witness_store=tmp_path / "w"))
    (problem,) = found.problems
    assert "split view" in problem.what and "checkpoint of 16 records" in problem.what
    assert problem.id == 1
    saved = tmp_path / "saved.txt"
    saved.write_text(WitnessStore.read(tmp_path / "w").checkpoints[-1].note.raw, encoding="utf-8")
    assert [item.what for item in check(path, TreeCheck.open(path, keys=KEYS, checkpoints=[saved])).problems]


def test_the_range_narrows_by_what_still_agrees(path: Path) -> None:
    """Chain and tiles rewritten, the old checkpoints left: the first that disagrees and the last that agrees tell."""
    rewrite(path, 9)
    with TreeFile.open(path, ORIGIN) as tree:
        notes = tree.checkpoints()
        keys = tree.keys()
    tree_path(path).unlink()
    with Ledger.open(path) as ledger:
        sequenced(ledger)
    with TreeFile.open(path, ORIGIN) as tree:
        for minute, raw in enumerate(notes):
            tree.add_checkpoint(SignedCheckpoint.parse(raw), minute * 60_000, keys if "witness" in raw else keys[:1])
    found = check(path, TreeCheck.open(path, keys=KEYS))
    places = [(item.id, item.call, item.what) for item in found.problems]
    assert [(place[0], place[1]) for place in places] == [(7, "one")]
    assert "or one up to record 16 of the file" in places[0][2]
    assert "(3 checkpoints in all)" in places[0][2]


@pytest.mark.parametrize("left", [0, 1, 6, 10, 15])
def test_a_cut_before_the_last_cosigned_checkpoint_is_found(path: Path, tmp_path: Path, left: int) -> None:
    rewrite(path, left, statement="DELETE FROM records WHERE id > ?")
    found = check(path)
    assert {problem.id for problem in found.problems} == {left + 1}
    assert "cut off: the tree holds 19 records" in found.problems[0].what
    tree_path(path).unlink()
    assert check(path).ok
    (problem,) = check(path, TreeCheck.open(path, witness_store=tmp_path / "w")).problems
    assert problem.id == left + 1
    assert "cut off: the checkpoint of 16 records" in problem.what


def test_a_record_that_was_taken_out_of_the_middle_is_named(path: Path) -> None:
    rewrite(path, 9, statement="DELETE FROM records WHERE id = ?")
    places = [(problem.id, problem.what) for problem in check(path).problems]
    assert places[0] == (9, "is missing")
    rewrite(path, 12, statement="DELETE FROM records WHERE id BETWEEN 10 AND ?")
    assert next(item for item in check(path).problems if "up to record 12" in item.what).id == 9


def test_rows_that_changed_places_are_found(path: Path) -> None:
    with forger(path) as connection:
        for old, new in ((9, 99), (10, 9), (99, 10)):
            connection.execute("UPDATE records SET id = ? WHERE id = ?", (new, old))
    found = check(path)
    assert {problem.id for problem in found.problems} >= {9, 10}
    with forger(path) as connection:
        connection.execute("UPDATE records SET id = -5 WHERE id = 3")
    assert "impossible place" in {problem.what[-16:] for problem in check(path).problems}


def test_a_row_far_away_does_not_keep_the_check_busy(path: Path) -> None:
    with forger(path) as connection:
        connection.execute("UPDATE records SET id = ? WHERE id = 21", (2**62,))
    assert check(path).ok
    with forger(path) as connection:
        connection.execute("UPDATE records SET id = ? WHERE id = 4", (2**61,))
    assert not check(path).ok


TREE_FORGERIES = {
    "leaf": ("UPDATE tiles SET hashes = CAST(zeroblob(32) || substr(hashes, 33) AS BLOB)", "not the record"),
    "short tile": ("UPDATE tiles SET hashes = substr(hashes, 1, 320)", "holds 10 records and has a checkpoint of 19"),
    "odd tile": ("UPDATE tiles SET hashes = substr(hashes, 1, 600)", "holds 18 records and has a checkpoint of 19"),
    "no tile": ("DELETE FROM tiles", "holds 0 records and has a checkpoint of 19"),
    "size": ("UPDATE checkpoints SET note = replace(note, char(10) || '16' || char(10), char(10) || '15' || char(10))",
             "does not hold"),
    "no checkpoint": ("UPDATE checkpoints SET note = 'none'", "can't be read"),
    "cosignature": ("UPDATE checkpoints SET note = replace(note, '— witness.local/one ', '— witness.local/one A')",
                    "can't be read"),
}  # fmt: skip


@pytest.mark.parametrize("forgery", TREE_FORGERIES)
def test_a_forgery_in_the_tree_s_file_is_found(path: Path, forgery: str) -> None:
    statement, told = TREE_FORGERIES[forgery]
    with forger(tree_path(path)) as connection:
        connection.execute(statement)
    found = check(path, TreeCheck.open(path, keys=KEYS))
    assert any(told in problem.what for problem in found.problems), found.problems


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE keys SET key = 'no' || key", "keys in the tree's"),
        ("DROP TABLE checkpoints", "checkpoints in the tree's"),
        ("UPDATE meta SET value = '9'", "no tree that this program knows"), (None, "the tree can't be used"),
    ],
)  # fmt: skip
def test_a_tree_that_can_t_be_read_is_a_finding(path: Path, tmp_path: Path, statement: str | None, told: str) -> None:
    if statement is None:
        tree_path(path).write_bytes(b"nothing that a database could be" * 100)
    else:
        with forger(tree_path(path)) as connection:
            connection.execute(statement)
    for store in (None, tmp_path / "w"):
        found = check(path, TreeCheck.open(path, witness_store=store))
        assert any(told in problem.what for problem in found.problems) or (store and "keys" in told)
        assert found.records == 21


def test_a_cosignature_of_any_time_can_be_told(tmp_path: Path) -> None:
    chain, path = Chain(), tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.submit(chain.events(2))
        sequenced(ledger, DirectClient(open_witness(tmp_path / "late", now_s=2**62)))
        ledger.submit(chain.events(1))
    assert f"at the unix time {2**62}" in check(path, TreeCheck.open(path, keys=KEYS)).notes[0].what


def test_every_tile_counts(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(520))
        sequenced(ledger)
    assert check(path).ok
    for level, number in ((0, 0), (0, 1), (0, 2), (1, 0)):
        with forger(tree_path(path)) as connection:
            place = "WHERE level = ? AND number = ?"
            (tile,) = connection.execute(f"SELECT hashes FROM tiles {place}", (level, number)).fetchone()
            forged = tile[:40] + bytes([tile[40] ^ 1]) + tile[41:]
            connection.execute(f"UPDATE tiles SET hashes = ? {place}", (forged, level, number))
            found = check(path).problems
            assert [problem.id for problem in found] == ([0] if level else [number * 256 + 2])
            connection.execute(f"UPDATE tiles SET hashes = ? {place}", (tile, level, number))
    assert check(path).ok


def test_many_rewritten_records_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        ledger.submit(Chain().events(300))
        sequenced(ledger)
    rewrite(path, 1)
    problems = check(path).problems
    assert "200 more records" in {item.what[:16] for item in problems}
    # A hundred by name, the rest, the tile above and the checkpoint.
    assert len(problems) == 103


def test_two_signed_histories_of_one_size_are_shown_to_be_two(path: Path, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "other.db") as ledger:
        ledger.submit(Chain("call:other").events(16))
        sequenced(ledger)
    with TreeFile.open(tmp_path / "other.db", ORIGIN) as tree:
        saved = tree.newest()
    assert saved is not None
    (tmp_path / "saved.txt").write_text(saved.note.raw, encoding="utf-8")
    found = check(path, TreeCheck.open(path, keys=KEYS, checkpoints=[tmp_path / "saved.txt"]))
    (problem,) = found.problems
    assert "split view" in problem.what and "saved.txt" in problem.what


def test_a_checkpoint_that_is_none_or_can_t_be_read_is_told(path: Path, tmp_path: Path) -> None:
    (tmp_path / "saved.txt").write_text("nothing\n", encoding="utf-8")
    for name in ("saved.txt", "absent.txt"):
        with pytest.raises(LedgerError):
            TreeCheck.open(path, checkpoints=[tmp_path / name])


def test_a_witness_that_never_heard_of_the_log_is_told(path: Path, tmp_path: Path) -> None:
    open_witness(tmp_path / "v").close()
    found = check(path, TreeCheck.open(path, witness_store=tmp_path / "v"))
    assert "knows no checkpoint of this log" in found.problems[0].what


def test_verifying_goes_on_beside_a_sequencer(tmp_path: Path) -> None:
    chain = Chain()
    with (
        Ledger.open(tmp_path / "ledger.db") as ledger,
        Sequencer(ledger, PRIVATE, ORIGIN, every_s=0.001) as sequencer,
    ):
        for _ in range(20):
            ledger.submit(chain.events(50))
            assert verify(ledger).ok
        assert sequencer.failure is None

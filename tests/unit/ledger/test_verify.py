"""Verification: every kind of change is found where it was made, and an honest ledger has no problem."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from tests.fakes.chain import Chain

from voicewarden.ledger import Claim, Ledger, Verification, verify
from voicewarden.model.event import ReceiptReturned
from voicewarden.model.record import make_record

TRIGGERS = (
    "records_keep_update", "records_keep_delete", "burns_keep_update", "burns_keep_delete", "streams_keep_delete",
    "streams_keep_update", "counts_keep_update", "counts_keep_delete",
)  # fmt: skip
BOOK = {"service": "trial", "start": "2026-12-01T15:00"}


@contextmanager
def forger(path: Path) -> Iterator[apsw.Connection]:
    """Somebody who may write the file and drops the triggers first."""
    connection = apsw.Connection(str(path))
    for name in TRIGGERS:
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.close()


def check(path: Path) -> Verification:
    with Ledger.read(path) as view:
        return verify(view)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger with two streams of six records, written in turns."""
    one, two = Chain("call:one"), Chain("call:two")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for _ in range(6):
            ledger.submit([one.event(), two.event()])
    return tmp_path / "ledger.db"


def test_an_honest_ledger_has_no_problem(path: Path) -> None:
    assert check(path) == (True, 12, (), ())


def test_an_empty_ledger_has_no_problem(tmp_path: Path) -> None:
    Ledger.open(tmp_path / "ledger.db").close()
    assert check(tmp_path / "ledger.db") == (True, 0, (), ())


THIRD = "stream = (SELECT id FROM streams WHERE name = 'call:one') AND seq = 2"
FORGERIES = {
    "body": (f"UPDATE records SET body = CAST(replace(CAST(body AS TEXT), 'yes', 'no!') AS BLOB) WHERE {THIRD}", 2),
    "kind": (f"UPDATE records SET kind = 'note' WHERE {THIRD}", 2),
    "at_ms": (f"UPDATE records SET at_ms = at_ms + 1 WHERE {THIRD}", 2),
    "prev_hash": (f"UPDATE records SET prev_hash = hash WHERE {THIRD}", 2),
    "hash": (f"UPDATE records SET hash = prev_hash WHERE {THIRD}", 2),
    "seq": (f"UPDATE records SET seq = 77 WHERE {THIRD}", 77),
    "stream": (
        f"UPDATE records SET stream = (SELECT id FROM streams WHERE name = 'call:two'), seq = 6 WHERE {THIRD}",
        3,
    ),
    "orphan": (f"UPDATE records SET stream = 99 WHERE {THIRD}", 3),
    "removed": (f"DELETE FROM records WHERE {THIRD}", 3),
    "first removed": ("DELETE FROM records WHERE stream = 1 AND seq = 0", 1),
    "tail cut": ("DELETE FROM records WHERE stream = 1 AND seq >= 4", -1),
    "all cut": ("DELETE FROM records WHERE stream = 1", -1),
    "renamed": ("UPDATE streams SET name = 'call:three' WHERE name = 'call:one'", 0),
    "head": ("UPDATE streams SET next_seq = 5 WHERE name = 'call:one'", -1),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_found_at_its_place(path: Path, forgery: str) -> None:
    statement, seq = FORGERIES[forgery]
    with forger(path) as connection:
        connection.execute(statement)
    result = check(path)
    assert not result.ok
    assert seq in {problem.seq for problem in result.problems}
    assert all(problem.what for problem in result.problems)


def test_records_that_changed_places_are_found(path: Path) -> None:
    with forger(path) as connection:
        for seq, other in ((2, 100), (3, 2), (100, 3)):
            connection.execute("UPDATE records SET seq = ? WHERE stream = 1 AND seq = ?", (other, seq))
    assert {problem.seq for problem in check(path).problems} >= {2, 3}


def test_every_byte_of_a_record_counts(tmp_path: Path) -> None:
    chain = Chain("call:one")
    record = chain.event()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit([record, chain.event()])
    with forger(tmp_path / "ledger.db") as connection:
        for place in range(len(record.body)):
            for bit in (0x01, 0x80):
                body = bytearray(record.body)
                body[place] ^= bit
                connection.execute("UPDATE records SET body = ? WHERE seq = 0", (bytes(body),))
                assert [problem.seq for problem in check(tmp_path / "ledger.db").problems][:1] == [0]
        connection.execute("UPDATE records SET body = ? WHERE seq = 0", (record.body,))
        assert check(tmp_path / "ledger.db").ok
        for column in ("prev_hash", "hash"):
            value = getattr(record, column)
            for place in range(64):
                forged = value[:place] + ("1" if value[place] == "0" else "0") + value[place + 1 :]
                connection.execute(f"UPDATE records SET {column} = ? WHERE seq = 0", (forged,))
                assert not check(tmp_path / "ledger.db").ok
            connection.execute(f"UPDATE records SET {column} = ? WHERE seq = 0", (value,))
    assert check(tmp_path / "ledger.db").ok


def test_a_rehashed_record_breaks_the_next(path: Path) -> None:
    with Ledger.read(path) as view:
        old = list(view.read_stream("call:one"))[2]
    new = make_record(old.stream, old.seq, old.at_ms, "event", b'{"event":"CallAnswered"}', old.prev_hash)
    with forger(path) as connection:
        connection.execute(f"UPDATE records SET body = ?, hash = ? WHERE {THIRD}", (new.body, new.hash))
    assert [problem.seq for problem in check(path).problems] == [3]


@pytest.mark.parametrize(
    "body",
    [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1.5}', b"{", b"\xff", b'{"a":9007199254740993}', b'{"a":"\\u0041"}', b""],
)
def test_a_body_is_canonical(tmp_path: Path, body: bytes) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit([Chain().raw(body)])
        ledger.flush()
        problems = verify(ledger).problems
    assert [(problem.call, problem.seq) for problem in problems] == [("one", 0)]
    assert "canonical" in problems[0].what


def test_long_digits_in_a_text_are_fine(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit([Chain().raw(b'{"a":"12345678901234567890","b":9007199254740991}')])
        ledger.flush()
        assert verify(ledger).ok


def test_a_grant_stands_behind_its_own_allow(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit([chain.decision("book", BOOK), chain.grant("book", BOOK), chain.receipt("one/1")])
        ledger.submit([chain.decision("book", BOOK), chain.grant("book", BOOK)])
        ledger.submit([chain.decision("transfer", {}), chain.grant("transfer", {})])
        ledger.burn("one/4", "one", 1, 0)
        result = verify(ledger)
    assert result.ok
    assert [(note.seq, "UNKNOWN" in note.what) for note in result.notes] == [(4, True), (6, False)]


def test_an_escape_grant_that_was_not_needed_is_no_news(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit([chain.decision("end_call", {}), chain.grant("end_call", {}, escape=True)])
        ledger.flush()
        assert verify(ledger).notes == ()
        ledger.burn("one/1", "one", 1, 0)
        assert [note.seq for note in verify(ledger).notes] == [1]


@pytest.mark.parametrize("wrong", ["none", "denied", "action", "args", "used", "after", "place"])
def test_a_grant_without_its_own_allow_is_a_problem(tmp_path: Path, wrong: str) -> None:
    chain = Chain()
    records = {
        "none": list,
        "denied": lambda: [chain.decision("book", BOOK, "deny")],
        "action": lambda: [chain.decision("transfer", BOOK)],
        "args": lambda: [chain.decision("book", {**BOOK, "service": "other"})],
        "used": lambda: [chain.decision("book", BOOK), chain.grant("book", BOOK)],
        "after": list,
        "place": lambda: [chain.decision("book", BOOK)],
    }[wrong]()
    if wrong == "place":
        stranger = Chain("call:other", chain.seq, chain.last)
        record = stranger.grant("book", BOOK)
        records.append(make_record("call:one", record.seq, 0, "grant", record.body, record.prev_hash))
    else:
        records.append(chain.grant("book", BOOK))
    if wrong == "after":
        records.append(chain.decision("book", BOOK))
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit(records)
        ledger.flush()
        problems = verify(ledger).problems
    assert [problem.seq for problem in problems] == [len(records) - 1 - (wrong == "after")]
    assert "grant" in problems[0].what


def test_verifying_goes_on_beside_a_writer(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for _ in range(20):
            ledger.submit(chain.events(50))
            assert verify(ledger).ok
    assert check(tmp_path / "ledger.db").records == 1000


def placed(path: Path, outcome: str, *, give_back: bool) -> Path:
    """A ledger with one grant that was burnt for a place in a limit, and has this receipt."""
    chain = Chain("call:one")
    with Ledger.open(path) as ledger:
        ledger.submit([chain.decision("book", BOOK), chain.grant("book", BOOK)])
        ledger.burn("one/1", "one", 1, 0, claims=[Claim("book.limits.2", ("person:book:p",), 3, 0, 1)])
        if outcome:
            ledger.submit([chain.event(ReceiptReturned(at_ms=0, grant="one/1", outcome=outcome))])  # type: ignore[arg-type]
        if give_back:
            ledger.give_back("one/1")
    return path


@pytest.mark.parametrize("outcome", ["done", "unknown", "refused", "failed", ""])
@pytest.mark.parametrize("give_back", [False, True])
def test_a_place_is_given_back_only_where_nothing_happened(tmp_path: Path, outcome: str, give_back: bool) -> None:
    found = check(placed(tmp_path / "ledger.db", outcome, give_back=give_back))
    nothing_happened = outcome in ("refused", "failed")
    assert found.ok is (nothing_happened or not give_back)
    if give_back and not nothing_happened:
        assert [(item.call, item.seq) for item in found.problems] == [("one", 1)]
        assert "gave its place" in found.problems[0].what
    kept = [item.what for item in found.notes if "keeps its place" in item.what]
    assert bool(kept) is (nothing_happened and not give_back)


@pytest.mark.parametrize(
    "forgery",
    ["UPDATE counts SET call = 'two'", "UPDATE counts SET grant_id = 'one/9'", "DELETE FROM burns"],
)
def test_a_place_without_its_burn_is_found(tmp_path: Path, forgery: str) -> None:
    path = placed(tmp_path / "ledger.db", "done", give_back=False)
    assert check(path).ok
    with forger(path) as connection:
        connection.execute(forgery)
    assert ["takes a place" in item.what for item in check(path).problems] == [True]

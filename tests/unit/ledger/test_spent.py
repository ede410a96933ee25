"""Burns that take places in limits: all or nothing, by window, given back only when nothing happened, and fenced."""

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from tests.fakes.disk import FailingDisk

from voicewarden.ledger import Claim, Ledger, awaiting, schema, sqlite_spent, verify
from voicewarden.model.error import GrantRefused, LedgerError

NOW = 1_790_000_000_000
DAY_MS = 86_400_000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def claim(
    at_most: int | None = 1, *keys: str, now: int = NOW, window_ms: int = DAY_MS, limit: str = "book.limits.2"
) -> Claim:
    """A place under `person:book:p` unless told otherwise."""
    return Claim(limit, keys or ("person:book:p",), at_most, now - window_ms, now)


def test_a_place_is_taken_with_the_burn_and_a_full_limit_refuses_both(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(2)])
    assert ledger.burn("b/1", "b", 0, 0, claims=[claim(2)])
    with pytest.raises(GrantRefused, match=r"book\.limits\.2 is full by now \(2 in its window\); ask again"):
        ledger.burn("c/1", "c", 0, 0, claims=[claim(2)])
    assert not ledger.spent("c/1")
    assert not ledger.broken
    assert ledger.counted(["person:book:p"], NOW - 1) == 2
    assert ledger.counted(["person:book:p"], NOW - 1, other_than="a") == 1
    assert ledger.counted(["person:book:q"], NOW - 1) == 0


def test_one_full_limit_of_several_takes_no_place_in_the_others(ledger: Ledger) -> None:
    ledger.burn("a/1", "a", 0, 0, claims=[claim(1, "agent:book:x")])
    with pytest.raises(GrantRefused, match=r"book\.limits\.3"):
        ledger.burn(
            "b/1", "b", 0, 0, claims=[claim(9, "person:book:p"), claim(1, "agent:book:x", limit="book.limits.3")]
        )
    assert ledger.counted(["person:book:p"], 0) == 0
    assert ledger.burn("b/1", "b", 0, 0, claims=[claim(9, "person:book:p")])


def test_no_more_are_looked_for_than_are_asked_about(ledger: Ledger) -> None:
    for call in "abc":
        ledger.burn(f"{call}/1", call, 0, 0, claims=[claim(None)])
        ledger.burn(f"{call}/2", call, 0, 0, claims=[claim(None)])
    keys = ["person:book:p"]
    assert [ledger.counted(keys, 0, most=most) for most in (0, 1, 5, 6, 7)] == [0, 1, 5, 6, 6]
    assert [ledger.counted(keys, 0, most=most, other_than="b") for most in (1, 3, 4, 5)] == [1, 3, 4, 4]


def test_two_windows_of_one_subject_share_a_place(ledger: Ledger) -> None:
    claims = [claim(3, window_ms=DAY_MS), claim(7, window_ms=7 * DAY_MS)]
    assert ledger.burn("a/1", "a", 0, 0, claims=claims)
    assert ledger.counted(["person:book:p"], 0) == 1


def test_a_window_moves_on(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(1)])
    with pytest.raises(GrantRefused):
        ledger.burn("b/1", "b", 0, 0, claims=[claim(1, now=NOW + DAY_MS - 1)])
    assert ledger.burn("b/1", "b", 0, 0, claims=[claim(1, now=NOW + DAY_MS)])


def test_what_seems_to_lie_in_the_future_counts(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(1)])
    with pytest.raises(GrantRefused):
        ledger.burn("b/1", "b", 0, 0, claims=[claim(1, now=NOW - 30 * DAY_MS)])


def test_older_names_of_a_person_are_counted_and_the_newest_is_written(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(2, "person:book:old")])
    assert ledger.burn("b/1", "b", 0, 0, claims=[claim(2, "person:book:new", "person:book:old")])
    with pytest.raises(GrantRefused):
        ledger.burn("c/1", "c", 0, 0, claims=[claim(2, "person:book:new", "person:book:old")])
    assert ledger.counted(["person:book:new"], 0) == ledger.counted(["person:book:old"], 0) == 1


def test_a_limit_that_only_logs_counts_and_never_refuses(ledger: Ledger) -> None:
    for call in "abc":
        assert ledger.burn(f"{call}/1", call, 0, 0, claims=[claim(None)])
    assert ledger.counted(["person:book:p"], 0) == 3


def test_a_grant_that_was_spent_takes_no_second_place(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(5)])
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(5, now=NOW + 1)]) is False
    assert ledger.counted(["person:book:p"], 0) == 1


def test_a_place_that_is_given_back_is_free_and_the_grant_stays_spent(ledger: Ledger) -> None:
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(1), claim(1, "agent:book:x")])
    ledger.give_back("a/1")
    ledger.give_back("a/1")
    ledger.give_back("nobody/1")
    assert ledger.burn("a/1", "a", 0, 0, claims=[claim(1)]) is False
    assert ledger.burn("b/1", "b", 0, 0, claims=[claim(1), claim(1, "agent:book:x")])


def test_places_survive_reopening(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.burn("a/1", "a", 0, 0, claims=[claim(1)])
    with Ledger.open(tmp_path / "ledger.db") as ledger, pytest.raises(GrantRefused):
        ledger.burn("b/1", "b", 0, 0, claims=[claim(1)])


def test_of_many_at_once_as_many_win_as_there_are_places(ledger: Ledger) -> None:
    results: list[str] = []
    start = threading.Barrier(8)

    def spend(name: str) -> None:
        start.wait(10)
        try:
            ledger.burn(f"{name}/1", name, 0, 0, claims=[claim(3)])
            results.append("spent")
        except GrantRefused:
            results.append("refused")

    threads = [threading.Thread(target=spend, args=(f"c{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(results) == ["refused"] * 5 + ["spent"] * 3


async def test_whoever_awaits_is_told_why(ledger: Ledger) -> None:
    assert await awaiting.burn(ledger, "a/1", "a", 0, 0, [claim(1)])
    with pytest.raises(GrantRefused, match="full by now"):
        await awaiting.burn(ledger, "b/1", "b", 0, 0, [claim(1)])


def test_no_grant_of_an_earlier_epoch_is_spent(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        assert ledger.epoch == 0
        assert ledger.burn("a/1", "a", 0, 0)
        ledger.raise_epoch(3)
        ledger.raise_epoch(2)
        assert ledger.epoch == 3
        with pytest.raises(GrantRefused, match="control plane has moved on"):
            ledger.burn("a/2", "a", 2, 0, claims=[claim(1)])
        assert not ledger.spent("a/2")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        with pytest.raises(GrantRefused):
            ledger.burn("a/2", "a", 2, 0)
        assert ledger.burn("b/1", "b", 3, 0, claims=[claim(1)])


def test_a_failing_disk_takes_no_place(tmp_path: Path) -> None:
    disk = FailingDisk()
    ledger = Ledger.open(tmp_path / "ledger.db", vfs=disk.name)
    disk.fault = "full"
    with pytest.raises(LedgerError):
        ledger.burn("a/1", "a", 0, 0, claims=[claim(1)])
    disk.fault = ""
    ledger.close()
    with Ledger.open(tmp_path / "ledger.db") as again:
        assert again.spent("a/1") is bool(again.counted(["person:book:p"], 0))


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM counts", "UPDATE counts SET unix_ms = 1", "UPDATE counts SET key = 'x'",
     "UPDATE counts SET given_back = 2", "UPDATE counts SET given_back = 0 WHERE grant_id = 'b/1'"],
)  # fmt: skip
def test_a_place_changes_in_one_way_only(ledger: Ledger, statement: str) -> None:
    ledger.burn("a/1", "a", 0, 0, claims=[claim(5)])
    ledger.burn("b/1", "b", 0, 0, claims=[claim(5)])
    ledger.give_back("b/1")
    ledger.flush()
    connection = apsw.Connection(str(ledger.path))
    with pytest.raises(apsw.ConstraintError):
        connection.execute(statement)
    connection.close()


def version_1(path: Path) -> Path:
    """A ledger as the program before this table wrote it, with a spent grant."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(schema._TABLES)
    connection.execute("INSERT INTO burns VALUES ('a/1', 'a', 0, 0)")
    connection.close()
    return path


def test_a_ledger_of_version_1_can_be_read_as_it_is(tmp_path: Path) -> None:
    path = version_1(tmp_path / "old.db")
    with Ledger.read(path) as view:
        assert view.spent("a/1")
        assert (view.counted(["person:book:p"], 0), view.epoch) == (0, 0)
        assert verify(view).ok
    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").get == 1
    connection.close()


def test_a_ledger_of_version_1_is_brought_up_to_date_for_writing(tmp_path: Path) -> None:
    path = version_1(tmp_path / "old.db")
    for call in "bc":
        with Ledger.open(path) as ledger:
            assert ledger.burn("a/1", "a", 0, 0) is False
            assert ledger.burn(f"{call}/1", call, 0, 0, claims=[claim(2)])
    with Ledger.read(path) as view:
        assert view.counted(["person:book:p"], 0) == 2
        assert verify(view).ok


def test_an_upgrade_that_the_disk_refuses_leaves_the_old_ledger(tmp_path: Path) -> None:
    path = version_1(tmp_path / "old.db")
    disk = FailingDisk()
    disk.fault = "write"
    with pytest.raises(LedgerError, match=r"old\.db"):
        Ledger.open(path, vfs=disk.name)
    disk.fault = ""
    with Ledger.open(path) as ledger:
        assert ledger.spent("a/1")


def test_counting_looks_at_no_more_rows_than_it_needs(ledger: Ledger) -> None:
    """A busy role has many places: every count must come out of the index that ends it early."""
    connection = apsw.Connection(str(ledger.path))
    plans = {
        statement: " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings))
        for statement, bindings in ((sqlite_spent._COUNT, ("k", 0, 1)), (sqlite_spent._COUNT_CALL, ("c", "k", 0)))
    }
    connection.close()
    assert "COVERING INDEX counts_by_key (key=? AND unix_ms>?)" in plans[sqlite_spent._COUNT]
    assert "COVERING INDEX counts_by_call (call=? AND key=? AND unix_ms>?)" in plans[sqlite_spent._COUNT_CALL]

"""The ledger: what was submitted is stored in order, and nobody is told that it is durable before it is."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.disk import FailingDisk

from voicewarden.ledger import Ledger, backlog, verify
from voicewarden.ledger.schema import check_library
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import GENESIS, Record


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def test_records_come_back_as_they_were(ledger: Ledger) -> None:
    one, two = Chain("call:one"), Chain("contact:two")
    records = [one.event(), two.event(), one.event(), *one.events(1200), two.event()]
    ledger.submit(records)
    ledger.flush()
    for chain in (one, two):
        assert list(ledger.read_stream(chain.stream)) == [r for r in records if r.stream == chain.stream]
        assert ledger.head(chain.stream) == (chain.seq, chain.last)
    assert ledger.streams() == ("call:one", "contact:two")
    assert ledger.streams("contact:") == ("contact:two",)
    assert ledger.streams("nothing") == ()
    assert list(ledger.read_stream("nothing")) == []
    assert ledger.head("nothing") == (0, GENESIS)


def test_the_head_knows_what_is_still_queued(ledger: Ledger) -> None:
    chain = Chain()
    ledger.submit(chain.events(3))
    assert ledger.head(chain.stream) == (3, chain.last)


def test_a_view_reads_while_the_writer_writes(ledger: Ledger) -> None:
    chain = Chain()
    view = Ledger.read(ledger.path)
    assert view.streams() == ()
    ledger.submit(chain.events(2))
    ledger.flush()
    assert [record.seq for record in view.read_stream(chain.stream)] == [0, 1]
    assert view.head(chain.stream) == ledger.head(chain.stream)
    view.close()
    view.close()
    with pytest.raises(LedgerError, match="closed"):
        view.streams()


def test_a_stream_goes_on_after_reopening(tmp_path: Path) -> None:
    chain = Chain()
    path = tmp_path / "deep" / "er" / "ledger.db"
    for _ in range(2):
        with Ledger.open(path) as ledger:
            seq, last = ledger.head(chain.stream)
            assert (seq, last) == (chain.seq, chain.last)
            ledger.submit(chain.events(2))
    assert not path.with_name("ledger.db-wal").exists()
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    with Ledger.read(path) as view:
        assert len(list(view.read_stream(chain.stream))) == 4


def test_append_chains_by_itself(ledger: Ledger) -> None:
    seen = threading.Event()
    for number in range(3):
        record = ledger.append("control", number, "note", b"{}", on_durable=lambda _: seen.set())
        assert record.seq == number
    assert seen.wait(10)
    ledger.flush()
    assert verify(ledger).ok


@pytest.mark.parametrize("broken", ["gap", "repeat", "hash"])
def test_a_gap_is_refused(ledger: Ledger, broken: str) -> None:
    chain = Chain()
    first, second, third = chain.events(3)
    ledger.submit([first])
    wrong: Record = {"gap": third, "repeat": first, "hash": Chain(chain.stream, 1).event()}[broken]
    with pytest.raises(LedgerBroken, match="continue"):
        ledger.submit([wrong])
    assert not ledger.broken
    ledger.submit([second, third])
    ledger.flush()
    assert verify(ledger).records == 3


def test_durable_is_said_after_the_commit_only(tmp_path: Path) -> None:
    disk = FailingDisk()
    seen: list[tuple[int, int, Exception | None]] = []
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db", vfs=disk.name) as ledger:
        view = Ledger.read(ledger.path)
        for number in range(1, 6):
            before = disk.syncs
            done = threading.Event()

            def note(error: Exception | None, before: int = before, done: threading.Event = done) -> None:
                seen.append((len(list(view.read_stream(chain.stream))), disk.syncs - before, error))
                done.set()

            ledger.submit([chain.event()], on_durable=note)
            assert done.wait(10)
            stored, syncs, error = seen[-1]
            assert (stored, error) == (number, None)
            assert syncs >= 1
        view.close()


@pytest.mark.parametrize("dozes", [0, 50])
def test_records_that_nobody_waits_for_become_durable_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dozes: int
) -> None:
    monkeypatch.setattr(backlog, "_DOZES", dozes)
    disk = FailingDisk()
    with Ledger.open(tmp_path / "ledger.db", vfs=disk.name) as ledger:
        ledger.flush()
        before = disk.syncs
        ledger.submit(Chain().events(5))
        waited = threading.Event()
        for _ in range(500):
            if disk.syncs > before:
                break
            waited.wait(0.01)
        assert disk.syncs > before


def test_a_full_queue_refuses_all_or_nothing(tmp_path: Path) -> None:
    gate, reached = threading.Event(), threading.Event()
    chain = Chain()

    def hold(_: Exception | None) -> None:
        reached.set()
        gate.wait(10)

    with Ledger.open(tmp_path / "ledger.db", capacity=8) as ledger:
        ledger.submit([chain.event()], on_durable=hold)
        assert reached.wait(10)
        ledger.submit(chain.events(4))
        assert ledger.pressure_permille == 500
        ledger.submit(chain.events(2))
        assert ledger.pressure_permille == 750
        kept = (chain.seq, chain.last)
        with pytest.raises(LedgerFull, match="queue"):
            ledger.submit(chain.events(3))
        assert ledger.head(chain.stream) == kept
        gate.set()
        ledger.flush()
        assert ledger.pressure_permille == 0
        assert not ledger.broken
        assert verify(ledger) == (True, 7, (), ())


@pytest.mark.parametrize(("fault", "kind"), [("full", LedgerFull), ("write", LedgerBroken), ("sync", LedgerBroken)])
def test_a_failure_is_final(tmp_path: Path, fault: str, kind: type[LedgerError]) -> None:
    disk = FailingDisk()
    chain = Chain()
    ledger = Ledger.open(tmp_path / "ledger.db", vfs=disk.name)
    ledger.submit(chain.events(3))
    ledger.flush()
    disk.fault = fault  # type: ignore[assignment]
    heard: list[Exception | None] = []
    done = threading.Event()
    ledger.submit(chain.events(2), on_durable=heard.append)
    ledger.submit(chain.events(2), on_durable=lambda error: (heard.append(error), done.set())[1])
    assert done.wait(10)
    assert [type(error) for error in heard] == [kind, kind]
    assert ledger.broken
    disk.fault = ""
    for attempt in (lambda: ledger.submit(chain.events(1)), lambda: ledger.burn("g", "c", 0, 0), ledger.flush):
        with pytest.raises(kind):
            attempt()
    ledger.close()
    with Ledger.open(tmp_path / "ledger.db") as again:
        result = verify(again)
        assert result.ok
        assert result.records >= 3


def test_a_failure_at_the_last_moment_is_told(tmp_path: Path) -> None:
    disk = FailingDisk()
    ledger = Ledger.open(tmp_path / "ledger.db", vfs=disk.name)
    ledger.flush()
    disk.fault = "write"
    ledger.submit(Chain().events(1))
    with pytest.raises(LedgerBroken, match="not retried"):
        ledger.close()
    ledger.close()


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    store = ledger._writer._store
    assert isinstance(store, SqliteStore)
    pages = store._connection.execute("PRAGMA page_count").get
    store._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    chain = Chain()
    with pytest.raises(LedgerFull, match="make room"):
        for _ in range(1000):
            ledger.submit([chain.raw(b'"' + b"x" * 4000 + b'"')])
            ledger.flush()
    ledger.close()
    with Ledger.read(ledger.path) as view:
        stored = list(view.read_stream(chain.stream))
    assert len(stored) == chain.seq - 1 or len(stored) == chain.seq


def test_a_bad_callback_does_not_stop_the_writer(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    chain = Chain()

    def fail(_: Exception | None) -> None:
        raise ValueError("private words")

    ledger.submit([chain.event()], on_durable=fail)
    ledger.submit([chain.event()])
    ledger.flush()
    assert ledger.head(chain.stream)[0] == 2
    assert "ValueError" in caplog.text
    assert "private words" not in caplog.text


def test_only_the_first_burn_counts(ledger: Ledger) -> None:
    results: list[bool] = []
    start = threading.Barrier(8)

    def spend() -> None:
        start.wait(10)
        results.append(ledger.burn("one/4", "one", 1, 200))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    assert not ledger.spent("one/4")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(results) == [False] * 7 + [True]
    assert ledger.spent("one/4")
    assert ledger.burn("one/5", "one", 1, 200)


def test_a_second_writer_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=f"process {os.getpid()} is writing"):
        Ledger.open(ledger.path)


def test_a_closed_ledger_refuses(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db")
    chain = Chain()
    ledger.submit(chain.events(5))
    ledger.close()
    ledger.close()
    with pytest.raises(LedgerError, match="closed"):
        ledger.submit([chain.event()])
    with Ledger.read(ledger.path) as view:
        assert len(list(view.read_stream(chain.stream))) == 5


@pytest.mark.parametrize("statement", ["UPDATE records SET at_ms = 1", "DELETE FROM records", "DELETE FROM burns"])
def test_the_tables_only_grow(ledger: Ledger, statement: str) -> None:
    ledger.submit(Chain().events(2))
    ledger.burn("g", "c", 0, 0)
    connection = apsw.Connection(str(ledger.path))
    with pytest.raises(apsw.ConstraintError):
        connection.execute(statement)
    connection.close()


def test_an_old_library_is_refused() -> None:
    check_library("3.51.3")
    check_library("3.54.1")
    with pytest.raises(LedgerError, match=r"3\.40\.1"):
        check_library("3.40.1")


def test_what_is_no_ledger_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("nothing of the kind, and long enough to be looked at as a header" * 40)
    other = tmp_path / "other.db"
    connection = apsw.Connection(str(other))
    connection.execute("CREATE TABLE t(x)")
    connection.close()
    newer = tmp_path / "newer.db"
    Ledger.open(newer).close()
    connection = apsw.Connection(str(newer))
    connection.execute("UPDATE meta SET value = 9 WHERE key = 'schema'")
    connection.close()
    for path, words in ((text, "ledger"), (other, "no ledger|can't be"), (newer, "schema 9")):
        for opening in (Ledger.open, Ledger.read):
            with pytest.raises(LedgerError, match=words):
                opening(path)


def test_a_missing_ledger_is_named(tmp_path: Path) -> None:
    for opening in (Ledger.read, lambda path: Ledger.open(path, create=False)):
        with pytest.raises(LedgerError, match="no ledger here"):
            opening(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    for path in (blocked / "ledger.db", Path("/proc/self/ledger.db")):
        with pytest.raises(LedgerError, match=r"may write|write access"):
            Ledger.open(path)


def test_a_disk_that_becomes_read_only_stops_the_writer_and_loses_nothing(tmp_path: Path) -> None:
    disk, chain = FailingDisk(), Chain()
    with Ledger.open(tmp_path / "ledger.db", vfs=disk.name) as ledger:
        ledger.submit(chain.events(3))
        ledger.flush()
        disk.fault = "read_only"
        ledger.submit([chain.event()])
        with pytest.raises(LedgerBroken, match=r"ReadOnlyError.*check the disk"):
            ledger.flush()
        assert ledger.broken
        disk.fault = ""
    view = Ledger.read(tmp_path / "ledger.db")
    found = verify(view)
    view.close()
    assert found.ok and found.records == 3


def test_a_ledger_on_a_read_only_disk_is_not_opened_for_writing(tmp_path: Path) -> None:
    disk = FailingDisk()
    disk.fault = "read_only"
    with pytest.raises(LedgerError, match=r"ledger\.db"):
        Ledger.open(tmp_path / "ledger.db", vfs=disk.name)

"""The contract of a ledger's store (`port.py`), held by SQLite and by the fake in memory, and by whatever follows."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
from tests.fakes.chain import Chain
from tests.fakes.memory_store import MemoryStore

from voicewarden.ledger import Ledger
from voicewarden.ledger.backlog import Entry
from voicewarden.ledger.lock import WriterLock
from voicewarden.ledger.port import Reading, Store
from voicewarden.ledger.spent import Burn, Claim, Fence, GiveBack, Order
from voicewarden.ledger.sqlite_reading import SqliteReading
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.record import GENESIS, Record


class Kept(NamedTuple):
    """A store, a reading of it, and how to leave no more room in it."""

    store: Store
    reading: Reading
    fill: Callable[[], None]


@pytest.fixture(params=["sqlite", "memory"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "memory":
        memory = MemoryStore()

        def fill() -> None:
            memory._room = len(memory._state.rows)

        yield Kept(memory, memory, fill)
        return
    store = SqliteStore(tmp_path / "ledger.db")
    reading = SqliteReading(tmp_path / "ledger.db")

    def fill_file() -> None:
        pages = store._connection.execute("PRAGMA page_count").get
        store._connection.execute(f"PRAGMA max_page_count={pages}")

    yield Kept(store, reading, fill_file)
    reading.close()
    store.close(failed=False)


def records(*items: Record) -> Entry:
    return Entry(items, None, None)


def order(item: Order) -> Entry:
    return Entry((), item, None)


def test_records_come_back_as_they_were(kept: Kept) -> None:
    one, two = Chain("call:one"), Chain("contact:two")
    first, second = [*one.events(2), two.event()], [one.event(), *two.events(3)]
    assert kept.store.commit([records(*first)], durable=False) == [True]
    assert kept.store.commit([records(*second[:1]), records(*second[1:])], durable=True) == [True, True]
    kept.store.tidy()
    for chain in (one, two):
        mine = [record for record in (*first, *second) if record.stream == chain.stream]
        assert kept.reading.page(chain.stream, -1, 100) == mine
        assert kept.reading.page(chain.stream, 0, 1) == mine[1:2]
        assert kept.reading.head(chain.stream) == (chain.seq, chain.last)
    assert kept.reading.streams("") == ("call:one", "contact:two")
    assert kept.reading.streams("contact:") == ("contact:two",)
    assert kept.reading.page("none", -1, 9) == []
    assert kept.reading.head("none") == (0, GENESIS)


def test_what_is_sealed_is_kept_sealed(kept: Kept) -> None:
    record = Chain().event()
    opened = Record(*(getattr(record, name) for name in record.__struct_fields__[:4]), b'"open"', record.prev_hash,
                    record.hash, stored=record.body)  # fmt: skip
    kept.store.commit([records(opened)], durable=True)
    assert kept.reading.page(record.stream, -1, 1) == [record]


def test_a_snapshot_stays_as_it_was(kept: Kept) -> None:
    chain = Chain()
    kept.store.commit([records(*chain.events(3))], durable=True)
    with kept.reading.snapshot() as state:
        assert state.last() == 3  # this look is what pins it
        kept.store.commit([records(chain.event(), Chain("call:two").event())], durable=True)
        kept.store.commit([order(Burn("g", "one", 0, 0))], durable=True)
        assert (state.last(), [row.number for row in state.rows()]) == (3, [1, 2, 3])
        assert [head.next_seq for head in state.heads()] == [3]
        assert list(state.burns()) == []
    with kept.reading.snapshot() as state:
        assert [row.number for row in state.rows()] == [1, 2, 3, 4, 5]
        assert [row.number for row in state.rows(after=1, until=3)] == [2, 3]
        assert [(head.stream, head.next_seq) for head in state.heads()] == [("call:one", 4), ("call:two", 1)]
        found = state.row("call:one", 3)
        assert found is not None and (found.number, found.hash) == (4, chain.last)
        assert state.row("call:one", 4) is None
        assert list(state.burns()) == [("g", "one")]


def test_a_record_out_of_its_place_takes_everything_with_it(kept: Kept) -> None:
    chain, other = Chain(), Chain("call:other")
    first = chain.event()
    kept.store.commit([records(first)], durable=True)
    with pytest.raises(LedgerBroken):
        kept.store.commit([records(other.event()), order(Burn("g", "c", 0, 0)), records(first)], durable=True)
    assert kept.reading.streams("") == (chain.stream,)
    assert not kept.reading.spent("g")


def test_without_room_nothing_is_kept_and_what_was_is_there(kept: Kept) -> None:
    chain = Chain()
    kept.store.commit([records(chain.event())], durable=True)
    kept.fill()
    many = Chain("call:many")
    with pytest.raises(LedgerFull):
        kept.store.commit([records(*many.events(2_000)), order(Burn("g", "c", 0, 0))], durable=True)
    assert kept.reading.streams("") == (chain.stream,)
    assert not kept.reading.spent("g")


def claim(at_most: int | None, *keys: str) -> Claim:
    return Claim("book.limits.1", keys or ("k",), at_most, 10, 50)


def test_a_grant_is_spent_once_and_takes_its_places_with_it(kept: Kept) -> None:
    burn = Burn("a/1", "a", 0, 0, (claim(1), claim(None, "other")))
    assert kept.store.commit([order(burn), order(burn)], durable=True) == [True, False]
    assert kept.reading.spent("a/1")
    assert kept.reading.counted(["k"], 10, most=9, other_than="") == 1
    assert kept.reading.counted(["k", "other"], 49, most=9, other_than="") == 2
    assert kept.reading.counted(["k", "other"], 49, most=1, other_than="") == 1
    assert kept.reading.counted(["k"], 50, most=9, other_than="") == 0
    assert kept.reading.counted(["k"], 10, most=9, other_than="a") == 0
    [refused] = kept.store.commit([order(Burn("b/1", "b", 0, 0, (claim(1),)))], durable=True)
    assert isinstance(refused, GrantRefused) and "is full" in str(refused)
    assert not kept.reading.spent("b/1")
    assert kept.store.commit([order(GiveBack("a/1")), order(Burn("b/1", "b", 0, 0, (claim(1),)))], durable=True) == [
        True, True,
    ]  # fmt: skip
    with kept.reading.snapshot() as state:
        assert [(place.grant, place.key, place.is_given_back) for place in state.places()] == [
            ("a/1", "k", True), ("a/1", "other", True), ("b/1", "k", False),
        ]  # fmt: skip


def test_an_epoch_only_rises(kept: Kept) -> None:
    assert kept.reading.epoch() == 0
    kept.store.commit([order(Fence(4)), order(Fence(2))], durable=True)
    assert kept.reading.epoch() == 4
    [refused, taken] = kept.store.commit([order(Burn("a", "c", 3, 0)), order(Burn("b", "c", 4, 0))], durable=True)
    assert isinstance(refused, GrantRefused) and "moved on" in str(refused)
    assert taken is True


def test_an_empty_durable_commit_is_taken(kept: Kept) -> None:
    assert kept.store.commit([], durable=True) == []
    assert kept.store.commit([records()], durable=True) == [True]


def test_a_closed_reading_refuses(kept: Kept) -> None:
    kept.reading.close()
    kept.reading.close()
    with pytest.raises(LedgerError, match="closed"):
        kept.reading.streams("")


def test_several_threads_read_while_one_writes(kept: Kept) -> None:
    chain = Chain()
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            page = kept.reading.page(chain.stream, -1, 10_000)
            assert [record.seq for record in page] == list(range(len(page)))
            seen.append(len(page))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(20):
        kept.store.commit([records(*chain.events(5))], durable=False)
    done.set()
    for reader in readers:
        reader.join(10)
    assert all(count % 5 == 0 for count in seen), "half a commit was seen"


def test_the_ledger_runs_on_any_store(tmp_path: Path) -> None:
    memory = MemoryStore()
    chain = Chain()
    ledger = Ledger(tmp_path / "ledger.db", WriterLock(tmp_path / "ledger.db"), memory, memory)
    ledger.submit(chain.events(700))
    assert ledger.burn("one/4", "one", 1, 0)
    assert not ledger.burn("one/4", "one", 1, 0)
    assert ledger.head(chain.stream) == (700, chain.last)
    assert len(list(ledger.read_stream(chain.stream))) == 700
    with ledger.state() as state:
        assert state.last() == 700
    ledger.close()


def test_a_reader_says_when_the_file_goes_bad(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    SqliteStore(path).close(failed=False)
    reading = SqliteReading(path)
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE streams")
    connection.close()
    with pytest.raises(LedgerBroken, match="ledger verify"):
        reading.streams("")
    reading.close()

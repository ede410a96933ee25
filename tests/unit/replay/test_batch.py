"""Work over many ledgers: the same results from one process or several, and from a run that was cut off."""

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from tests.fakes.rig import Rig, shipped

from voicewarden.kernel.release import encode_release
from voicewarden.ledger.store import Ledger
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import LedgerError
from voicewarden.model.record import Record, make_record
from voicewarden.policy.ast import Policy
from voicewarden.replay import batch
from voicewarden.replay.batch import Chunk, Job, find_ledgers, list_calls, work_off
from voicewarden.replay.exact import Replayed
from voicewarden.replay.pool import Here, Processes, pool_of
from voicewarden.replay.whatif import CallWhatIf

Item = TypeVar("Item")
Result = TypeVar("Result")


def stream(call: str, *, cut: int = 0) -> list[Record]:
    """A call under this id, the last records left out."""
    rig = Rig()
    rig.ask("book", service="consultation", start="2026-12-01T15:00")
    made: list[Record] = []
    for record in rig.records[: len(rig.records) - cut]:
        last = made[-1].hash if made else "0" * 64
        body = record.body.replace(b'"c1"', f'"{call}"'.encode()).replace(b"c1/", f"{call}/".encode())
        made.append(make_record(f"call:{call}", record.seq, record.at_ms, record.kind, body, last))
    return made


def write(path: Path, *calls: str, cut: int = 0) -> Path:
    with Ledger.open(path) as ledger:
        ledger.put_blob(encode_release(shipped().data))
        for call in calls:
            ledger.submit(stream(call, cut=cut))
    return path


@pytest.fixture
def ledgers(tmp_path: Path) -> Path:
    write(tmp_path / "one" / "ledger.db", "a", "b", "c")
    write(tmp_path / "two" / "ledger.db", "d", "e")
    return tmp_path


class Elsewhere:
    """A pool as a cluster might be: it sends everything as bytes, and answers in any order."""

    def __init__(self, *, most: int | None = None) -> None:
        self.most = most
        self.chunks = 0

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results out of order; after `most` it breaks down."""
        import pickle

        sent = [pickle.dumps((function, item)) for item in items]
        random.Random(7).shuffle(sent)
        for message in sent:
            if self.most is not None and self.chunks >= self.most:
                raise ConnectionError("the cluster is gone")
            self.chunks += 1
            run, item = pickle.loads(message)
            yield pickle.loads(pickle.dumps(run(item)))


def policy() -> bytes:
    other: Policy = shipped("outbound-sales").data.policy
    return canonical_bytes(other)


def test_ledgers_are_found_in_folders(ledgers: Path) -> None:
    assert [path.parent.name for path in find_ledgers([ledgers])] == ["one", "two"]
    assert find_ledgers([ledgers / "one" / "ledger.db"] * 2) == (ledgers / "one" / "ledger.db",)


def test_a_folder_without_a_ledger_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        find_ledgers([tmp_path])


def test_calls_are_listed_with_their_last_record(ledgers: Path) -> None:
    todo = list_calls(find_ledgers([ledgers]))
    assert [item.call for item in todo] == ["a", "b", "c", "d", "e"]
    assert todo[0].head == stream("a")[-1].hash and todo[0].records == len(stream("a"))
    assert [item.call for item in list_calls(find_ledgers([ledgers]), ["d"])] == ["d"]


def test_a_call_that_no_ledger_holds_is_an_error(ledgers: Path) -> None:
    with pytest.raises(LedgerError, match="no such call: x"):
        list_calls(find_ledgers([ledgers]), ["a", "x"])


def test_every_call_is_done_once_and_in_order(ledgers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_CHUNK_RECORDS", 1)
    pool, told = Elsewhere(), []
    todo = list_calls(find_ledgers([ledgers]))
    done = work_off(Job(), todo, pool, Replayed, each=lambda: told.append(1))
    assert [item.result.call for item in done] == ["a", "b", "c", "d", "e"]
    assert all(item.result.ok for item in done)
    assert (pool.chunks, len(told)) == (5, 5)


def test_calls_of_one_ledger_go_together(ledgers: Path) -> None:
    pool = Elsewhere()
    work_off(Job(), list_calls(find_ledgers([ledgers])), pool, Replayed)
    assert pool.chunks == 2


def test_a_what_if_is_a_job_too(ledgers: Path) -> None:
    todo = list_calls(find_ledgers([ledgers]))
    done = work_off(Job(policy=policy()), todo, Elsewhere(), CallWhatIf)
    assert [item.result.call for item in done] == ["a", "b", "c", "d", "e"]
    assert not any(item.result.flips or item.result.problem for item in done)


def test_a_run_that_was_cut_off_is_taken_up_again(
    ledgers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_CHUNK_RECORDS", 1)
    progress = tmp_path / "progress.jsonl"
    todo = list_calls(find_ledgers([ledgers]))
    with pytest.raises(ConnectionError):
        work_off(Job(), todo, Elsewhere(most=3), Replayed, progress=progress)
    with progress.open("ab") as file:
        file.write(b'{"ledger":"cut off')
    pool = Elsewhere()
    done = work_off(Job(), todo, pool, Replayed, progress=progress)
    assert (pool.chunks, len(done)) == (2, 5)
    assert done == work_off(Job(), todo, Here(), Replayed)
    nothing_left = Elsewhere()
    assert work_off(Job(), todo, nothing_left, Replayed, progress=progress) == done
    assert nothing_left.chunks == 0


def test_a_difference_survives_the_progress_file(tmp_path: Path) -> None:
    path = write(tmp_path / "ledger.db", "a", cut=1)
    todo = list_calls([path])
    first = work_off(Job(), todo, Here(), Replayed, progress=tmp_path / "p")
    assert first[0].result.difference is not None
    assert work_off(Job(), todo, Elsewhere(most=0), Replayed, progress=tmp_path / "p") == first


def test_a_call_that_has_gone_on_since_is_done_again(tmp_path: Path) -> None:
    path = write(tmp_path / "ledger.db", "a", cut=1)
    work_off(Job(), list_calls([path]), Here(), Replayed, progress=tmp_path / "p")
    with Ledger.open(path) as ledger:
        ledger.submit(stream("a")[-1:])
    (done,) = work_off(Job(), list_calls([path]), Here(), Replayed, progress=tmp_path / "p")
    assert done.result.ok


def test_the_progress_of_another_job_is_not_taken(ledgers: Path, tmp_path: Path) -> None:
    todo = list_calls(find_ledgers([ledgers]))
    work_off(Job(), todo, Here(), Replayed, progress=tmp_path / "p")
    with pytest.raises(LedgerError, match="another job"):
        work_off(Job(policy=policy()), todo, Here(), CallWhatIf, progress=tmp_path / "p")


def test_a_call_whose_release_is_gone_does_not_stop_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "ledger.db", "a")
    for blob in (item for item in tmp_path.rglob("*") if item.is_file() and item.parent.parent.name.endswith("blobs")):
        blob.unlink()
    (done,) = work_off(Job(), list_calls([path]), Here(), Replayed)
    assert not done.result.ok and "blob" in done.result.note


def test_a_call_that_lacked_its_release_is_done_again(tmp_path: Path) -> None:
    path = write(tmp_path / "ledger.db", "a")
    blobs, away = path.with_name("ledger.db.blobs"), tmp_path / "away"
    blobs.rename(away)
    todo, progress = list_calls([path]), tmp_path / "p"
    assert not work_off(Job(), todo, Here(), Replayed, progress=progress)[0].result.ok
    away.rename(blobs)
    assert work_off(Job(), todo, Here(), Replayed, progress=progress)[0].result.ok


def test_several_processes_find_the_same(ledgers: Path) -> None:
    todo = list_calls(find_ledgers([ledgers]))
    assert work_off(Job(), todo, Processes(2), Replayed) == work_off(Job(), todo, Here(), Replayed)


def test_what_a_process_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Processes(1).map(divmod_by, [1, 0]))


def divmod_by(number: int) -> tuple[int, int]:
    return divmod(1, number)


def test_one_process_is_this_one() -> None:
    assert isinstance(pool_of(1), Here) and isinstance(pool_of(2), Processes)


def test_a_chunk_says_all_that_another_process_needs(ledgers: Path) -> None:
    (item, *_) = list_calls(find_ledgers([ledgers]))
    (done,) = batch.work_on(Chunk(Job(), (item,)))
    assert done.result.call == "a"

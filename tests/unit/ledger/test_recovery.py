"""A ledger that was not closed is looked at before anything is accepted, whatever operation of the disk had failed."""

import shutil
import threading
from pathlib import Path

import apsw
import pytest
from tests.campaign.faults import faults
from tests.fakes.chain import Chain
from tests.fakes.disk import FailingDisk, Injected
from tests.fakes.log import ORIGIN, PRIVATE

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.recovery import Recovered
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.ledger.treefile import tree_path
from voicewarden.model.error import LedgerBroken


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """The files of a ledger as a killed process leaves them: 60 records under a checkpoint, 40 more in the log."""
    path = tmp_path / "var" / "ledger.db"
    chains = [Chain("call:one"), Chain("call:two")]
    with Ledger.open(path) as ledger:
        for chain in chains:
            ledger.submit(chain.events(30))
        ledger.flush()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        sequencer.sequence()
        for chain in chains:
            ledger.submit(chain.events(20))
        ledger.flush()
        shutil.copytree(path.parent, tmp_path / "crashed")
        sequencer.close()
    (tmp_path / "crashed" / "ledger.db-shm").unlink()
    return tmp_path / "crashed" / "ledger.db"


def altered(path: Path, *statements: str) -> None:
    """Change the file behind the ledger's back, and leave it as a crash does."""
    connection = apsw.Connection(str(path))
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    for name in ("records_keep_update", "records_keep_delete", "streams_keep_update"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_what_a_crash_left_is_looked_at_and_goes_on(crashed: Path) -> None:
    with Ledger.open(crashed) as ledger:
        assert ledger.recovered == Recovered(streams=2, tail_records=100, signed=60)
        assert not crashed.with_name("ledger.db-wal").stat().st_size, "the log was folded into the file"
        chain = Chain("call:one", *ledger.head("call:one"))
        ledger.submit(chain.events(2))
        ledger.flush()
        assert verify(ledger).ok
    with Ledger.open(crashed) as again:
        assert again.recovered is None


ALTERED = {
    "a changed record": ("UPDATE records SET at_ms = at_ms + 1 WHERE id = 95", "record 95 of the file is not what"),
    "a removed record": ("DELETE FROM records WHERE id = 94", "record 94 of the file is missing"),
    "a cut tail": ("DELETE FROM records WHERE id = 100", "does not end with record 49"),
    "a head that lies": ("UPDATE streams SET next_seq = 49 WHERE name = 'call:two'", "does not end with record 48"),
    "a broken chain": ("UPDATE records SET prev_hash = hash WHERE id = 90", "record 90 of the file does not follow"),
    "all behind the tree": ("DELETE FROM records WHERE id > 55", "does not end"),
}


@pytest.mark.parametrize("name", ALTERED)
def test_what_does_not_hold_is_not_written_on(crashed: Path, name: str) -> None:
    statement, words = ALTERED[name]
    altered(crashed, statement)
    with pytest.raises(LedgerBroken, match=words):
        Ledger.open(crashed)
    with pytest.raises(LedgerBroken, match="ledger verify"):  # nor the second time
        Ledger.open(crashed)


def test_a_ledger_behind_its_tree_is_not_written_on(crashed: Path) -> None:
    altered(
        crashed, "DELETE FROM records WHERE id > 55", "DELETE FROM streams WHERE 0",
        "UPDATE streams SET next_seq = (SELECT max(seq) + 1 FROM records WHERE stream = streams.id), "
        "hash = (SELECT hash FROM records WHERE stream = streams.id ORDER BY seq DESC LIMIT 1)",
    )  # fmt: skip
    with pytest.raises(LedgerBroken, match="its tree holds 60 records, the file 55"):
        Ledger.open(crashed)


NO_TILES = "UPDATE tiles SET hashes = zeroblob(length(hashes))"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (NO_TILES, "not the one that was signed"),
        (f"{NO_TILES}; DELETE FROM checkpoints", "not the one that its tree holds"),
    ],
)  # fmt: skip
def test_a_tree_that_does_not_fit_stops_the_ledger(crashed: Path, statement: str, words: str) -> None:
    connection = apsw.Connection(str(tree_path(crashed)))
    connection.execute(statement)
    connection.close()
    with pytest.raises(LedgerBroken, match=words):
        Ledger.open(crashed)


@pytest.mark.parametrize("injected", ["io", "full", "short"])
def test_any_operation_that_fails_stops_the_writer_and_loses_nothing(tmp_path: Path, injected: Injected) -> None:
    """Every 13th operation of a short run here; `scripts/crash-campaign` has every one of a long run fail."""
    kinds = list(faults(tmp_path, injected, turns=20, every=11, first=7))
    assert len(kinds) > 5
    assert "write ledger.db-wal" in kinds
    assert injected != "io" or any(kind.startswith("sync") for kind in kinds)


def test_a_sync_that_fails_while_the_log_is_folded_is_final(tmp_path: Path) -> None:
    disk = FailingDisk()
    done = threading.Event()
    ledger = Ledger.open(tmp_path / "ledger.db", vfs=disk.name)
    store = ledger._writer._store
    assert isinstance(store, SqliteStore)
    ledger.flush()
    store._fold_pages = 1
    disk.fault = "sync_file"
    chain = Chain()
    ledger.submit(chain.events(5), on_durable=lambda _: done.set())
    assert done.wait(10)
    with pytest.raises(LedgerBroken, match="not retried"):
        for _ in range(100):
            ledger.submit(chain.events(1))
            ledger.flush()
    disk.fault = ""
    ledger.close()
    with Ledger.open(tmp_path / "ledger.db") as again:
        assert again.recovered is not None
        assert verify(again).ok
        assert verify(again).records >= 5

"""A real disk of eight megabytes fills up: the marks are met in order, the last words find room, nothing is lost.

It needs leave to mount; without it the same is tried with a disk that only says so (tests/unit/ledger/test_disk.py).
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.chain import Chain

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.disk import DiskWatch
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.ledger.unknown import unknown_grants
from voicewarden.model.error import GrantRefused, LedgerError, LedgerFull

BALLAST = 1 << 20
LONG = b'"' + b"x" * 4_000 + b'"'


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(place)]
    try:
        done = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("mounting is not permitted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def acknowledged(ledger: Ledger, chain: Chain, durable: list[str]) -> None:
    """Write a long record and keep its hash once it is durable."""
    record = chain.raw(LONG)
    ledger.submit([record], on_durable=lambda error: None if error else durable.append(record.hash))
    ledger.flush()


def test_a_disk_that_fills_up_is_met_step_by_step(disk: Path) -> None:
    path = disk / "ledger.db"
    chain, durable = Chain("contact:someone"), list[str]()
    met: list[tuple[bool, bool]] = []
    ledger = Ledger.open(path, ballast_bytes=BALLAST)
    store = ledger._writer._store
    assert isinstance(store, SqliteStore)
    store._fold_pages = 50  # in small steps, on so small a disk
    ballast = path.with_name("ledger.db.ballast")
    assert ballast.stat().st_blocks * 512 >= BALLAST
    eye = DiskWatch(ledger)
    assert ledger.burn("one/1", "one", 1, 0)
    with pytest.raises(LedgerFull, match="make room"):
        for _ in range(10_000):
            acknowledged(ledger, chain, durable)
            found = eye.look()
            if not met or met[-1] != (bool(found.calls), bool(found.effects)):
                met.append((bool(found.calls), bool(found.effects)))
            if found.effects:
                with pytest.raises(GrantRefused):
                    ledger.burn("one/2", "one", 1, 0)
    assert met == [(False, False), (True, False), (True, True)]
    assert not ballast.exists()
    assert ledger.broken
    with pytest.raises(LedgerError):
        ledger.submit(chain.events(1))
    ledger.close()
    check(path, durable)


def check(path: Path, durable: list[str]) -> None:
    """Everything acknowledged is there; with room again the ledger goes on where it stopped."""
    subprocess.run(["mount", "-o", "remount,size=32m", str(path.parent)], check=True)
    with Ledger.open(path, create=False, ballast_bytes=BALLAST) as again:
        assert again.recovered is not None
        assert verify(again).ok
        stored = [record.hash for record in again.read_stream("contact:someone")]
        assert stored[: len(durable)] == durable
        assert len(stored) <= len(durable) + 1
        notes = [record.body for record in again.read_stream("control")]
        assert notes == [b'{"ballast_bytes":1048576,"note":"disk_full"}']
        assert again.spent("one/1") and not again.spent("one/2")
        assert [item.grant for item in unknown_grants(again)] == ["one/1"]
        assert not DiskWatch(again).look().calls
        assert again.burn("one/3", "one", 1, 0)

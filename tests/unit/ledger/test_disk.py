"""A disk that fills up: people are told, calls are refused, effects stop, and the last words find room."""

import asyncio
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.fakes.chain import Chain
from tests.fakes.disk import FailingDisk

from voicewarden.ledger import Ledger, awaiting, verify
from voicewarden.ledger.ballast import Ballast
from voicewarden.ledger.disk import DiskWatch, Marks, used_percent
from voicewarden.ledger.pressure import FREE, of_queue
from voicewarden.model.error import GrantRefused, LedgerFull

BALLAST = 64 * 1024


class Room(NamedTuple):
    """What a file system says of itself; a tenth is for root."""

    f_blocks: int
    f_bfree: int
    f_bavail: int


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db", ballast_bytes=BALLAST) as opened:
        yield opened


def exactly(percent: int) -> Room:
    return Room(100, 100 - percent, 100 - percent)


def test_how_full_a_disk_is_leaves_out_what_only_root_gets() -> None:
    assert used_percent(Room(1000, 1000, 900)) == 0
    assert used_percent(Room(1000, 190, 90)) == 90
    assert used_percent(Room(1000, 100, 0)) == 100
    assert used_percent(Room(0, 0, 0)) == 0
    assert used_percent(os.statvfs("/")) <= 100


@pytest.mark.parametrize(("percent", "calls", "effects"), [(89, False, False), (90, True, False), (95, True, True)])
def test_each_mark_has_its_restraint(ledger: Ledger, percent: int, calls: bool, effects: bool) -> None:
    DiskWatch(ledger, Marks(80, 90, 95), look_at=lambda _: exactly(percent)).look()
    assert (bool(ledger.restraint.calls), bool(ledger.restraint.effects)) == (calls, effects)
    if calls:
        assert f"{percent} % full" in ledger.restraint.calls


def test_people_are_told_once_a_change(ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    rooms = iter([79, 80, 85, 91, 92, 96, 50, 50])
    eye = DiskWatch(ledger, look_at=lambda _: exactly(next(rooms)))
    with caplog.at_level(logging.WARNING):
        for _ in range(8):
            eye.look()
    assert [(record.levelname, record.args[0]) for record in caplog.records] == [  # type: ignore[index]
        ("WARNING", 80), ("ERROR", 91), ("ERROR", 96), ("WARNING", 50),
    ]  # fmt: skip


async def test_no_grant_is_spent_on_a_disk_that_is_nearly_full(ledger: Ledger) -> None:
    eye = DiskWatch(ledger, look_at=lambda _: exactly(95))
    eye.look()
    with pytest.raises(GrantRefused, match="95 % full"):
        await awaiting.burn(ledger, "one/4", "one", 1, 0)
    chain = Chain()
    await awaiting.durable(ledger, [chain.event()])
    assert not ledger.spent("one/4")
    DiskWatch(ledger, look_at=lambda _: exactly(10)).look()
    assert await awaiting.burn(ledger, "one/4", "one", 1, 0)


async def test_who_ends_calls_is_told_once(ledger: Ledger) -> None:
    rooms = iter([96, 97, 10, 96])
    told: list[str] = []
    looked = threading.Event()

    def look_at(_: Path) -> Room:
        found = next(rooms, None)
        if found is None:
            looked.set()
            raise OSError(5, "Input/output error")
        return exactly(found)

    eye = DiskWatch(ledger, look_at=look_at)
    running = asyncio.create_task(eye.run(0, no_effects=told.append))
    assert await asyncio.to_thread(looked.wait, 10)
    running.cancel()
    await asyncio.wait({running})
    assert [text.split(" %")[0][-2:] for text in told] == ["96", "96"]


def test_the_queue_refuses_calls_at_three_quarters() -> None:
    assert of_queue(749) == FREE
    assert of_queue(750).calls and not of_queue(750).effects


def test_ballast_is_made_of_blocks(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ledger.db", BALLAST)
    assert not ballast.throw_off()
    assert ballast.make() and ballast.make()
    assert ballast.path.stat().st_blocks * 512 >= BALLAST
    assert Ballast(tmp_path / "ledger.db", 2 * BALLAST).make()
    assert ballast.path.stat().st_size == 2 * BALLAST
    assert ballast.throw_off()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_ballast_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not Ballast(tmp_path / "ledger.db", 1 << 60).make()
    assert "make room" in caplog.text
    assert not Ballast(tmp_path / "none" / "ledger.db", BALLAST).make()
    assert list(tmp_path.iterdir()) == []


def test_the_last_words_find_the_room_that_the_ballast_took(tmp_path: Path) -> None:
    disk = FailingDisk()
    path = tmp_path / "ledger.db"
    chain, late = Chain(), Chain("call:late")
    with Ledger.open(path, vfs=disk.name, ballast_bytes=BALLAST) as ledger:
        ledger.submit(chain.events(3))
        assert ledger.burn("one/1", "one", 1, 0)
        disk.full_while = ledger._ballast.path  # type: ignore[union-attr]
        ledger.submit(chain.events(2))
        with pytest.raises(GrantRefused, match="disk is full"):
            ledger.burn("one/2", "one", 1, 0)
        ledger.flush()
        assert not ledger.broken
        assert not ledger.spent("one/2")
        assert "disk is full" in ledger.restraint.calls
        with pytest.raises(GrantRefused, match="disk is full"):
            ledger.burn("one/3", "one", 1, 0)
        ledger.submit(late.events(400))
        ledger.flush()
        assert [record.body for record in ledger.read_stream("control")] == [
            b'{"ballast_bytes":65536,"note":"disk_full"}'
        ]
        assert verify(ledger).ok
        # Room again: the watch takes the ballast back, and grants are spent as before.
        disk.full_while = None
        DiskWatch(ledger, look_at=lambda _: exactly(79)).look()
        assert ledger.restraint == FREE
        assert ledger.burn("one/4", "one", 1, 0)
    with Ledger.read(path) as view:
        assert (len(list(view.read_stream(chain.stream))), len(list(view.read_stream(late.stream)))) == (5, 400)


def test_a_disk_that_is_full_without_ballast_is_final(tmp_path: Path) -> None:
    disk = FailingDisk()
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db", vfs=disk.name, ballast_bytes=BALLAST) as ledger:
        disk.fault = "full"  # the ballast does not help
        ledger.submit(chain.events(2))
        with pytest.raises(LedgerFull, match="make room"):
            ledger.flush()
        assert ledger.broken
        disk.fault = ""

"""The power fails at any moment: what the ledger acknowledged is there and its chains are whole.

The same search must find losses in a ledger that does not sync, or it would prove nothing.
"""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.chain import Chain
from tests.fakes.power import Operation, RecordedDisk, images_after

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.backlog import Entry
from voicewarden.ledger.writer import Writer
from voicewarden.model.error import LedgerError

IMAGES = 250
GRANTS = 60


def recorded(path: Path) -> list[Operation]:
    """The diary of a ledger that takes events and grants of three calls, with many checkpoints on the way."""
    disk = RecordedDisk()
    ledger = Ledger.open(path, vfs=disk.name)
    ledger.flush()
    ledger._writer._connection.execute("PRAGMA wal_autocheckpoint=12")
    chains = [Chain(f"call:{number}") for number in range(3)]
    for turn in range(GRANTS):
        chain = chains[turn % 3]
        ledger.submit(chain.events(4))
        args = {"turn": turn}
        records = [chain.decision("book", args), chain.grant("book", args)]
        done = threading.Event()
        place = f"{chain.stream} {chain.seq - 1} {chain.last}"

        def acknowledge(error: Exception | None, place: str = place, done: threading.Event = done) -> None:
            assert error is None
            disk.ack(place)
            done.set()

        ledger.submit(records, on_durable=acknowledge)
        if turn % 4 == 0:
            assert done.wait(10)
            assert ledger.burn(f"{chain.call}/{chain.seq - 1}", chain.call, 1, 0)
            disk.ack(f"burnt {chain.call}/{chain.seq - 1} -")
    diary = list(disk.diary)
    ledger.close()
    return diary


def losses(diary: list[Operation], folder: Path, seed: int, count: int) -> Iterator[str]:
    """What is wrong after the power failed, for so many failures at moments of chance."""
    chance = random.Random(seed)
    begin = next(at for at, operation in enumerate(diary) if operation.what == "ack")
    for number in range(count):
        end = chance.randrange(begin, len(diary) + 1)
        place = folder / str(number)
        place.mkdir()
        for file, content in images_after(diary, end, chance).items():
            (place / file).write_bytes(content)
        acknowledged = [operation.file.split() for operation in diary[:end] if operation.what == "ack"]
        try:
            with Ledger.open(place / "ledger.db", create=False) as ledger:
                yield from missing(ledger, acknowledged)
        except LedgerError:
            yield "unreadable"


def missing(ledger: Ledger, acknowledged: list[list[str]]) -> Iterator[str]:
    """Which acknowledgements a ledger does not keep."""
    if not verify(ledger).ok:
        yield "chain"
    held = {
        (record.stream, record.seq): record.hash for name in ledger.streams() for record in ledger.read_stream(name)
    }
    for what, place, digest in acknowledged:
        kept = ledger.spent(place) if what == "burnt" else held.get((what, int(place))) == digest
        if not kept:
            yield "acknowledged"


def test_a_power_failure_loses_nothing_acknowledged(tmp_path: Path) -> None:
    diary = recorded(tmp_path / "ledger.db")
    assert sum(operation.what == "sync" and operation.file == "ledger.db" for operation in diary) > 5
    assert list(losses(diary, tmp_path, seed=1, count=IMAGES)) == []


def test_the_search_finds_losses_where_nothing_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Writer._commit

    def careless(self: Writer, entries: list[Entry], *, full: bool) -> list[bool]:
        return honest(self, entries, full=False)

    monkeypatch.setattr(Writer, "_commit", careless)
    diary = recorded(tmp_path / "ledger.db")
    monkeypatch.undo()
    assert "acknowledged" in list(losses(diary, tmp_path, seed=1, count=60))

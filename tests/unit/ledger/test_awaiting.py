"""The awaited ledger: the same promises, without blocking the loop."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.chain import Chain
from tests.fakes.disk import FailingDisk

from voicewarden.ledger import Ledger, awaiting
from voicewarden.model.error import LedgerBroken


async def test_durable_returns_when_the_records_are_stored(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger, Ledger.read(tmp_path / "ledger.db") as view:
        ledger.submit(chain.events(2))
        await awaiting.durable(ledger, chain.events(3))
        assert len(list(view.read_stream(chain.stream))) == 5
        ledger.submit(chain.events(2))
        await awaiting.durable(ledger)
        assert len(list(view.read_stream(chain.stream))) == 7


async def test_appending_from_many_tasks_keeps_one_chain(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        made = await asyncio.gather(*(awaiting.append(ledger, "control", n, "note", b"{}") for n in range(50)))
        assert sorted(record.seq for record in made) == list(range(50))
        assert ledger.head("control") == (50, max(made, key=lambda record: record.seq).hash)


async def test_one_of_many_tasks_burns(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        results = await asyncio.gather(*(awaiting.burn(ledger, "one/4", "one", 1, 0) for _ in range(20)))
        assert results.count(True) == 1
        assert ledger.spent("one/4")


async def test_a_failure_reaches_whoever_waits(tmp_path: Path) -> None:
    disk = FailingDisk()
    ledger = Ledger.open(tmp_path / "ledger.db", vfs=disk.name)
    ledger.flush()
    disk.fault = "sync"
    with pytest.raises(LedgerBroken):
        await awaiting.durable(ledger, Chain().events(1))
    with pytest.raises(LedgerBroken):
        await awaiting.burn(ledger, "g", "c", 0, 0)
    disk.fault = ""
    ledger.close()


async def test_cancelling_stops_the_waiting_only(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        waiting = asyncio.create_task(awaiting.durable(ledger, chain.events(2)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await awaiting.durable(ledger, chain.events(1))
        assert len(list(ledger.read_stream(chain.stream))) == 3


def test_a_loop_that_is_gone_is_no_error(tmp_path: Path) -> None:
    chain = Chain()
    with Ledger.open(tmp_path / "ledger.db") as ledger:

        async def submit() -> None:
            ledger.submit(chain.events(1), on_durable=awaiting._Reply().durable)

        asyncio.run(submit())
        ledger.flush()
        assert not ledger.broken

"""What a server does beside its calls: it looks at the disk, and tells of outcomes that nobody knows."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.chain import Chain

from voicewarden.cli import duties
from voicewarden.config.settings import DiskSettings
from voicewarden.ledger import Ledger
from voicewarden.ledger.pressure import Restraint


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


async def test_unknown_outcomes_are_told_once_with_the_way_to_see_them(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    await duties.tell_unknown(ledger)
    assert not caplog.records
    chain = Chain()
    ledger.submit([chain.decision("book", {}), chain.grant("book", {})])
    assert ledger.burn("one/1", "one", 1, 0)
    with caplog.at_level(logging.WARNING):
        await duties.tell_unknown(ledger)
    assert "1 spent grants have no known outcome" in caplog.text
    assert f"`voicewarden ledger unknown {ledger.path}`" in caplog.text


class Paused:
    """A switchboard that is only told to pause."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self.told = asyncio.Event()

    def pause(self, operator: str) -> None:
        """What `Switchboard.pause` is asked."""
        self.operators.append(operator)
        self.told.set()


async def test_the_disk_of_the_settings_is_watched(ledger: Ledger) -> None:
    paused = Paused()
    # Any disk is one percent full, or nothing could be written.
    settings = DiskSettings(warn_percent=1, no_calls_percent=1, no_effects_percent=1)
    watching = asyncio.create_task(duties.watch_disk(ledger, settings, paused))  # type: ignore[arg-type]
    await asyncio.wait_for(paused.told.wait(), 10)
    watching.cancel()
    await asyncio.wait({watching})
    assert paused.operators == ["disk full"]
    assert ledger.restraint != Restraint()

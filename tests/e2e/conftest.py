"""What the end-to-end tests of bad input share: a whole server in the test's own loop."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("pipecat")

from tests.fakes.server import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server, a carrier and a scripted model; verified and replayed when the test is over."""
    async with open_house(tmp_path) as opened:
        yield opened

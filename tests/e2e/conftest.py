"""What the end-to-end tests of bad input share: a whole server in the test's own loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fakes.server import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A server, a carrier and a scripted model; verified and replayed when the test is over."""
    # Not at the top: the tests beside this file run without the extras that a server needs.
    from tests.fakes.server import open_house

    async with open_house(tmp_path) as opened:
        yield opened

"""What a running server does beside its calls: it watches the ledger's disk and tells of outcomes that nobody knows.

In: the open ledger and the settings. Out: restraint on the ledger, ended calls, lines in the log. Started by
`wiring.py`; nothing here is on the path of a call.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from voicewarden.ledger.disk import DiskWatch, Marks
from voicewarden.ledger.unknown import unknown_grants
from voicewarden.model.error import LedgerError

if TYPE_CHECKING:
    from voicewarden.config.settings import DiskSettings
    from voicewarden.ledger.store import Ledger
    from voicewarden.runtime.switchboard import Switchboard

_LOG: Final = logging.getLogger(__name__)


@asynccontextmanager
async def on_duty(tasks: Collection[asyncio.Task[None]]) -> AsyncIterator[None]:
    """Have these run beside what is done here, and end with it."""
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def watch_disk(ledger: "Ledger", settings: "DiskSettings", switchboard: "Switchboard") -> None:
    """Look at the disk for ever; calls are ended politely when nothing may act any more."""
    marks = Marks(settings.warn_percent, settings.no_calls_percent, settings.no_effects_percent)
    await DiskWatch(ledger, marks).run(settings.every_s, no_effects=lambda _: switchboard.pause("disk full"))


async def tell_unknown(ledger: "Ledger") -> None:
    """Say once how many outcomes are unknown; whoever looks after this server has to find them out."""
    try:
        found = await asyncio.to_thread(unknown_grants, ledger)
    except LedgerError as error:
        _LOG.warning("outcomes that are unknown could not be looked for: %s", error)
        return
    if found:
        _LOG.warning(
            "%d spent grants have no known outcome and are not run again; list them: `voicewarden ledger unknown %s`",
            len(found), ledger.path,
        )  # fmt: skip

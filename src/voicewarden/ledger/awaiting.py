"""The ledger for asyncio: the same promises, awaited.

In: a ledger and what is to be made durable. Out: a return once it is, or the ledger's error. Called by the runtime, the
contacts room and the control plane. The event loop is never blocked: the answer comes from the writer thread.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from voicewarden.ledger.spent import Claim
from voicewarden.ledger.store import Ledger
from voicewarden.model.record import Record, RecordKind


async def durable(ledger: Ledger, records: Sequence[Record] = ()) -> None:
    """Submit records and return when they, and all before them, are durable. Cancelling stops the waiting only."""
    answer = _Reply()
    ledger.submit(records, on_durable=answer.durable)
    await answer.future


def submitted(ledger: Ledger, records: Sequence[Record]) -> asyncio.Future[bool]:
    """Submit records now; the future is done once they, and all before them, are durable."""
    answer = _Reply()
    ledger.submit(records, on_durable=answer.durable)
    return answer.future


async def append(ledger: Ledger, stream: str, at_ms: int, kind: RecordKind, body: bytes) -> Record:
    """Chain one record behind the stream's head and return it when it is durable."""
    answer = _Reply()
    record = ledger.append(stream, at_ms, kind, body, on_durable=answer.durable)
    await answer.future
    return record


async def burn(
    ledger: Ledger, grant_id: str, call: str, epoch: int, at_ms: int, claims: Sequence[Claim] = ()
) -> bool:
    """Spend a grant; True for the first to do so, False for everybody after. Durable when it returns.

    Raises GrantRefused, with nothing spent and nothing taken, when a claim has no room or the epoch is over.
    """
    answer = _Reply()
    ledger.submit_burn(grant_id, call, epoch, at_ms, claims=claims, on_done=answer.done)
    return await answer.future


class _Reply:
    """Carries an answer from the writer thread into the loop that waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[bool] = self._loop.create_future()

    def durable(self, error: Exception | None) -> None:
        self.done(True, error)

    def done(self, result: bool, error: Exception | None) -> None:
        # A loop that was closed meanwhile has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: bool, error: Exception | None) -> None:
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

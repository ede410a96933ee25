"""Calls that may begin: an id, and the keys that seal what will be said, durable before the first record.

In: the ledger and, where content is sealed, its vault. Out: `PreparedCall`, which the switchboard opens a call with.
Keys are made off the event loop, because they wait for the disk; a prepared call that never begins does no harm.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from voicewarden.kernel.records import Seal
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import CallKeys, Vault
from voicewarden.runtime.wall import unix_ms

_CALL_ID_BYTES: Final = 3
KeepRecording = Callable[[bytes], str]
"""Stores a call's sound and returns the name of the blob; blocks on the disk."""


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """What a call needs before anything of it is written."""

    id: str
    seal: Seal | None = field(default=None, repr=False)
    keep_recording: KeepRecording | None = field(default=None, repr=False)


async def prepare_call(ledger: Ledger, vault: Vault | None) -> PreparedCall:
    """An id and its keys. Raises LedgerError when these can't be kept."""
    call = _new_id()
    if vault is None:
        return PreparedCall(call)
    keys = await asyncio.to_thread(vault.make, f"call:{call}", unix_ms())
    return PreparedCall(call, keys.words.seal, _keeping(ledger, keys))


def plain_call() -> PreparedCall:
    """A call that is written down as it is."""
    return PreparedCall(_new_id())


def _new_id() -> str:
    return f"c{unix_ms():013d}{secrets.token_hex(_CALL_ID_BYTES)}"


def _keeping(ledger: Ledger, keys: CallKeys) -> KeepRecording:
    return lambda content: ledger.put_blob(keys.audio.seal(content))

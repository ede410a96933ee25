"""Sealing what is said in embedded calls: the keys of a ledger, found or made, and the seal of one call.

In: a ledger that is open for writing. Out: a seal for its records, which keeps the open bodies for `Call.records`. The
keys lie in the folder that VOICEWARDEN_KEYS_DIR names, else in `keys` beside the ledger. Called by `Call`.
"""

import os
import threading
import time
from pathlib import Path
from typing import Final

from voicewarden.config.keys import Keys
from voicewarden.kernel.draft import Output
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.wrapping import KEYS_VARIABLE
from voicewarden.model.event import Event
from voicewarden.model.record import Record, RecordKind

_FOLDER: Final = "keys"
_OPENING: Final = threading.Lock()


class CallSeal:
    """Seals the records of one call, and gives them back as they read."""

    def __init__(self, key: WordsKey) -> None:
        self._key = key
        self._open: dict[int, bytes] = {}

    def __call__(self, kind: RecordKind, seq: int, value: Event | Output, body: bytes) -> bytes:
        """The body to store; see `kernel.records.Seal`."""
        stored = self._key.seal(kind, seq, value, body)
        if stored is not body:
            self._open[seq] = body
        return stored

    def opened(self, records: list[Record]) -> list[Record]:
        """The records as a reader with the key has them."""
        bodies, self._open = self._open, {}
        return [
            Record(item.stream, item.seq, item.at_ms, item.kind, body, item.prev_hash, item.hash, item.body)
            if (body := bodies.get(item.seq)) is not None
            else item
            for item in records
        ]


def seal_call(ledger: Ledger, stream: str) -> CallSeal:
    """The seal of a new call; its key is durable when this returns. Raises LedgerError for a call that has one."""
    with _OPENING:
        vault = ledger.vault if ledger.is_sealing else None
        if vault is None:
            keys = Keys.open(Path(os.environ.get(KEYS_VARIABLE) or ledger.path.parent / _FOLDER))
            vault = Vault.open(ledger.path, keys.wrapping, keys.directory)
            ledger.seal_with(vault)
    return CallSeal(vault.make(stream, time.time_ns() // 1_000_000).words)

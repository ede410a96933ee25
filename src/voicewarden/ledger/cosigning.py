"""Fetching co-signatures: a thread a witness, so that a slow witness delays no checkpoint.

In: signed checkpoints from the sequencer. Out: co-signatures in the tree's file. Only the newest checkpoint is offered;
while a witness is away, checkpoints go on without it, and the next one that it signs covers all before.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.tree import consistency_path
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.witness_client import WitnessAway, WitnessClient
from voicewarden.model.error import LedgerError

_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 30.0
_STOP_WITHIN_S: Final = 20.0


class Cosigning(threading.Thread):
    """Offers the newest checkpoint to one witness and keeps what it signs."""

    def __init__(self, tree: Callable[[], TreeFile], client: WitnessClient, unix_ms: Callable[[], int]) -> None:
        super().__init__(name="voicewarden-cosigning", daemon=True)
        self._tree = tree
        self._client = client
        self._unix_ms = unix_ms
        self._change = threading.Condition()
        self._offered: SignedCheckpoint | None = None
        self._ending = False
        self._away = False
        self.failure: LedgerError | None = None
        """Why this witness signs no more, such as that it knows another history; None while all is well."""

    def offer(self, signed: SignedCheckpoint) -> None:
        """Have this checkpoint co-signed instead of any that still waits."""
        with self._change:
            self._offered = signed
            self._change.notify()

    def run(self) -> None:
        """Offer until told to stop."""
        pause_s = 0.0
        while (signed := self._next(pause_s)) is not None:
            if self.cosign(signed):
                pause_s = 0.0
            elif self._ending:
                return  # what is not co-signed now is told by verification
            else:
                pause_s = min(2 * pause_s or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)

    def cosign(self, signed: SignedCheckpoint) -> bool:
        """Offer one checkpoint now; False when the witness is away and it waits for the next turn."""
        if self.failure is not None:
            return True
        try:
            self._keep(signed)
        except WitnessAway as away:
            if not self._away:
                _LOG.warning("%s", away)
            self._away = True
            with self._change:
                self._offered = self._offered or signed
            return False
        # Broad: this thread is the edge; a witness that disagrees, or a bug, is told once and loudly.
        except Exception as error:
            told = error if isinstance(error, LedgerError) else LedgerError(f"co-signing failed: {error!r}")
            self.failure = told
            _LOG.error("no more checkpoints are co-signed: %s", told)
        self._away = False
        return True

    def close(self) -> None:
        """Offer what waits a last time, then stop."""
        with self._change:
            self._ending = True
            self._change.notify()
        if self.ident is not None:
            self.join(_STOP_WITHIN_S)
        elif self._offered is not None:
            self.cosign(self._offered)

    def _keep(self, signed: SignedCheckpoint) -> None:
        tree = self._tree()
        size = signed.checkpoint.size
        signature = self._client.cosign(signed, lambda old: consistency_path(old, size, tree.subtree()))
        both = SignedCheckpoint(signed.checkpoint, signed.note.with_signatures((signature,)))
        tree.add_checkpoint(both, self._unix_ms(), (self._client.key,))

    def _next(self, pause_s: float) -> SignedCheckpoint | None:
        """Wait for a checkpoint, after a failure at least so long; None when it ends with none waiting."""
        with self._change:
            self._change.wait_for(lambda: self._ending, timeout=pause_s)
            self._change.wait_for(lambda: self._ending or self._offered is not None)
            signed, self._offered = self._offered, None
            return signed

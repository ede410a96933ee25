"""The sequencer: a thread that brings new records of a ledger into its tree and signs a checkpoint.

In: an open ledger and the signing key. Out: the tree's file, checkpoints at most a second apart while records come,
and through `cosigning.py` the co-signatures of witnesses. Started by whoever opens the ledger; no call ever waits for
it, and its failure stops no call. The order of the tree is the order of the rows in the ledger's file.

1. Only durable records are signed for: their number is read first, then the ledger is flushed, then they are taken.
2. What the tree holds is never taken back. A ledger that has less than its tree is not signed for again.
3. A checkpoint is durable here before anybody else sees it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.ledger.checkpoint import Checkpoint, SignedCheckpoint, log_key, origin_for, sign_checkpoint
from voicewarden.ledger.cosigning import Cosigning
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.tree import HASH_BYTES, leaf_hash, root_at
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.witness_client import WitnessClient
from voicewarden.model.error import LedgerBroken, LedgerError

_LOG: Final = logging.getLogger(__name__)
_EVERY_S: Final = 0.5
_PAGE_RECORDS: Final = 1_000
_BREATHE_S: Final = 0.002
"""Between pages, so that catching up with an old ledger leaves the interpreter to the calls."""
_STOP_WITHIN_S: Final = 30.0


class Sequencer(threading.Thread):
    """Keeps the tree of one open ledger; `with Sequencer(ledger, key, origin):` runs it, and signs a last time."""

    def __init__(
        self, ledger: Ledger, private: Ed25519PrivateKey, origin: str, *, witnesses: Sequence[WitnessClient] = (),
        every_s: float = _EVERY_S, unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:  # fmt: skip
        super().__init__(name="voicewarden-sequencer", daemon=True)
        self._ledger = ledger
        self._private = private
        self._origin = origin
        self._every_s = every_s
        self._unix_ms = unix_ms
        self._ending = threading.Event()
        self._opening = threading.Lock()
        self._tree: TreeFile | None = None
        self._checked = False
        self._told = ""
        self.cosigning = [Cosigning(self.tree, client, unix_ms) for client in witnesses]
        self.failure: LedgerError | None = None
        """Why nothing is signed any more; None while all is well."""

    @classmethod
    def of(
        cls, ledger: Ledger, private: Ed25519PrivateKey, key_ids: Iterable[str], *, witness_url: str = "",
        witness_key: str = "",
    ) -> Self:  # fmt: skip
        """The sequencer of an installation: the key that signs, the ids of all its signing keys, the oldest last, and a
        witness if there is one. Raises LedgerError for a witness that is not named well.
        """
        witnesses = [WitnessClient(witness_url, VerifierKey.parse(witness_key))] if witness_url else []
        return cls(ledger, private, origin_for([*key_ids][-1]), witnesses=witnesses)

    def tree(self) -> TreeFile:
        """The tree's file, opened when it is first needed."""
        with self._opening:
            if self._tree is None:
                self._tree = TreeFile.open(self._ledger.path, self._origin)
            return self._tree

    def run(self) -> None:
        """Sequence until told to stop."""
        while not self._ending.wait(self._every_s):
            self.sequence_or_tell()

    def sequence_or_tell(self) -> None:
        """`sequence`, with what went wrong in the log and in `failure`."""
        if self.failure is not None:
            return
        try:
            self.sequence()
            self._told = ""
        # Broad: this thread is the edge; a bug in it must be told and must not look like a quiet ledger.
        except Exception as error:
            told = error if isinstance(error, LedgerError) else LedgerBroken(f"the sequencer failed: {error!r}")
            if isinstance(told, LedgerBroken):
                self.failure = told
                _LOG.error("no more checkpoints are signed: %s", told)
            elif str(told) != self._told:
                # A full disk or a busy file: nothing was signed, and the next turn tries again.
                _LOG.warning("no checkpoint could be signed now: %s", told)
                self._told = str(told)

    def sequence(self) -> SignedCheckpoint | None:
        """Take what is new into the tree and sign for it; None when nothing was new. Raises LedgerError."""
        tree = self.tree()
        last = self._last_id()
        if not self._checked:
            self._check_beginning(tree, last)
        if last == tree.size:
            return None
        if last < tree.size:
            raise LedgerBroken(
                f"{self._ledger.path}: the ledger ends with record {last}, its tree holds {tree.size}; records were "
                "cut off: run `voicewarden ledger verify`, and restore the ledger from a backup"
            )
        self._flush()  # 1
        while tree.size < last:
            tree.append(self._leaves(tree.size, min(last, tree.size + _PAGE_RECORDS)))  # 2
            if tree.size < last:
                self._ending.wait(_BREATHE_S)
        signed = sign_checkpoint(Checkpoint(tree.origin, tree.size, tree.root()), self._private)
        public = log_key(tree.origin, self._private.public_key().public_bytes_raw())
        tree.add_checkpoint(signed, self._unix_ms(), (public,))  # 3
        for cosigning in self.cosigning:
            cosigning.offer(signed)
        return signed

    def close(self) -> None:
        """Bring in what was submitted until now, sign for it, offer it to the witnesses once, and stop."""
        self._ending.set()
        if self.ident is not None:
            self.join(_STOP_WITHIN_S)
        with suppress(LedgerError):
            self._ledger.flush()
        if not self.is_alive():
            self.sequence_or_tell()
        for cosigning in self.cosigning:
            cosigning.close()
        if self._tree is not None:
            self._tree.close()

    def __enter__(self) -> Self:
        self.start()
        for cosigning in self.cosigning:
            cosigning.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _flush(self) -> None:
        try:
            self._ledger.flush()
        except LedgerError as error:
            if self._ledger.broken:
                raise
            raise LedgerError(f"the ledger is behind ({error})") from error

    def _last_id(self) -> int:
        with self._ledger.snapshot() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM records").get)

    def _leaves(self, after: int, until: int) -> list[bytes]:
        with self._ledger.snapshot() as connection:
            rows = connection.execute(
                "SELECT id, hash FROM records WHERE id > ? AND id <= ? ORDER BY id", (after, until)
            ).fetchall()
        for wanted, (found, _) in enumerate(rows, start=after + 1):
            if found != wanted:
                raise LedgerBroken(f"{self._ledger.path}: record {wanted} of the file is missing; it was removed")
        if len(rows) != until - after:
            raise LedgerBroken(f"{self._ledger.path}: record {after + len(rows) + 1} of the file is missing")
        return [leaf_hash(bytes.fromhex(str(found))) for _, found in rows]

    def _check_beginning(self, tree: TreeFile, last: int) -> None:
        """The newest record in the tree is the one that the ledger has in its place, and we may sign for both."""
        if tree.origin != self._origin:
            raise LedgerBroken(
                f"{tree.path}: this tree is of {tree.origin}, our keys are those of {self._origin}; bring the keys "
                "along when a ledger is moved"
            )
        if 0 < tree.size <= last:
            number, place = divmod(tree.size - 1, 256)
            stored = tree.tile(0, number)[place * HASH_BYTES :][:HASH_BYTES]
            if self._leaves(tree.size - 1, tree.size) != [stored]:
                raise LedgerBroken(
                    f"{self._ledger.path}: record {tree.size} of the file is not the one that its tree holds; run "
                    "`voicewarden ledger verify`"
                )
        newest = tree.newest()
        if newest is not None and not _holds(tree, newest.checkpoint):
            raise LedgerBroken(
                f"{tree.path}: the tree is not the one that was signed for ({newest.checkpoint.size} records); restore "
                "it from a backup, or move it away to have it made again from the ledger"
            )
        self._checked = True


def _holds(tree: TreeFile, checkpoint: Checkpoint) -> bool:
    return checkpoint.size <= tree.size and root_at(checkpoint.size, tree.subtree()) == checkpoint.root

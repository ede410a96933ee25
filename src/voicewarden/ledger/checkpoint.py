"""Checkpoints (c2sp.org/tlog-checkpoint): the name, the size and the root of a tree, as the text of a signed note.

In: the state of a tree and a key, or a note from elsewhere. Out: a signed checkpoint, or what it says. Called by the
sequencer, the witness, verification and proofs.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.ledger.note import (
    COSIGNATURE,
    ED25519,
    Note,
    SignerKey,
    VerifierKey,
    decode64,
    encode64,
    is_key_name,
    sign,
)
from voicewarden.ledger.tree import EMPTY_ROOT, HASH_BYTES
from voicewarden.model.error import LedgerBroken, LedgerError

_LARGEST_SIZE: Final = 2**63 - 1


class Checkpoint(NamedTuple):
    """The first `size` records of the log `origin` have this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note; raises LedgerError when it is no checkpoint."""
        origin, *lines = text.removesuffix("\n").split("\n")
        try:
            size, root = int(lines[0]), decode64(lines[1])
        except (ValueError, IndexError):
            size, root = -1, b""
        if not origin or not 0 <= size <= _LARGEST_SIZE or str(size) != lines[0] or len(root) != HASH_BYTES:
            raise LedgerError("this is no checkpoint: its lines are a name, a number of records and a root in base64")
        if not all(lines[2:]):
            raise LedgerError("this is no checkpoint: it has an empty line within its text")
        if size == 0 and root != EMPTY_ROOT:
            raise LedgerBroken("this checkpoint names a root for no records at all; it was altered")
        return cls(origin, size, root, tuple(lines[2:]))

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "\n".join((self.origin, str(self.size), encode64(self.root), *self.extensions)) + "\n"


class SignedCheckpoint(NamedTuple):
    """A checkpoint and the note that carries it."""

    checkpoint: Checkpoint
    note: Note

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read a signed checkpoint; whose signatures hold is another question (`demand_signed`)."""
        note = Note.parse(raw)
        return cls(Checkpoint.parse(note.text), note)

    def demand_signed(self, keys: Sequence[VerifierKey]) -> VerifierKey:
        """The key of the log itself that signed; raises LedgerBroken when none of these did."""
        own = [key for key in keys if key.algorithm == ED25519 and key.name == self.checkpoint.origin]
        signers = self.note.signed_by(own)
        if not signers:
            raise LedgerBroken(
                f"no key that you trust signed this checkpoint of {self.checkpoint.origin}; "
                "pass the log's public key, as `voicewarden ledger checkpoint --json` printed it when you got it"
            )
        return signers[0]

    def cosigners(self, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Those of the witnesses that co-signed."""
        return self.note.signed_by([key for key in keys if key.algorithm == COSIGNATURE])


def sign_checkpoint(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> SignedCheckpoint:
    """Sign a checkpoint under its origin."""
    signature = sign(checkpoint.text, SignerKey(checkpoint.origin, ED25519, private))
    return SignedCheckpoint(checkpoint, Note(checkpoint.text, (signature,)))


def origin_for(oldest_key: str) -> str:
    """The name of a log, from the id of the first key that signed for it: it stays when the key is rotated."""
    origin = f"voicewarden.local/{oldest_key}"
    if not is_key_name(origin):
        raise LedgerError("a log is named for the id of a key; take it from `voicewarden keys list`")
    return origin


def log_key(origin: str, public: bytes) -> VerifierKey:
    """The public key of a log in the form that signatures are checked with."""
    return VerifierKey(origin, ED25519, public)

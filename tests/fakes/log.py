"""A log with a known key, a witness without a network, and somebody who rewrites files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.ledger import Ledger
from voicewarden.ledger.checkpoint import Checkpoint, SignedCheckpoint, log_key, sign_checkpoint
from voicewarden.ledger.note import COSIGNATURE, SignerKey, VerifierKey, encode64
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.tiles import Edge
from voicewarden.ledger.tree import CompactRange, leaf_hash
from voicewarden.ledger.witness import Reply, Witness
from voicewarden.ledger.witness_client import WitnessAway, WitnessClient, _Answer

ORIGIN = "voicewarden.local/0123456789abcdef"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LOG = log_key(ORIGIN, PRIVATE.public_key().public_bytes_raw())
WITNESS = SignerKey("witness.local/one", COSIGNATURE, Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
NOW_S = 1_795_430_000


class Naive:
    """A tree of numbered leaves, worked out the long way."""

    def __init__(self, size: int, salt: bytes = b"") -> None:
        self.leaves = [leaf_hash(salt + str(number).encode()) for number in range(size)]

    def root(self, size: int) -> bytes:
        """Root of the first leaves."""
        tree = CompactRange()
        for leaf in self.leaves[:size]:
            tree.append(leaf)
        return tree.root()

    def signed(self, size: int, private: Ed25519PrivateKey = PRIVATE, origin: str = ORIGIN) -> SignedCheckpoint:
        """A signed checkpoint of the first leaves."""
        return sign_checkpoint(Checkpoint(origin, size, self.root(size)), private)

    def tile(self, level: int, number: int) -> bytes:
        """Tiles of all leaves."""
        edge, rows = Edge(), {}
        for leaf in self.leaves:
            rows.update({row[:2]: row.hashes for row in edge.append(leaf)})
        rows.update({row[:2]: row.hashes for row in edge.rows()})
        return rows.get((level, number), b"")


def request(old: int, path: Sequence[bytes], signed: SignedCheckpoint) -> bytes:
    """The body of a request to co-sign."""
    return "\n".join([f"old {old}", *map(encode64, path), "", signed.note.raw]).encode()


def open_witness(directory: Path, *logs: VerifierKey, now_s: int = NOW_S) -> Witness:
    """A witness with the known key that co-signs for these logs."""
    directory.mkdir(exist_ok=True)
    key = directory / "witness.key"
    key.write_text(WITNESS.secret_text + "\n", encoding="utf-8")
    key.chmod(0o600)
    witness = Witness.open(directory, unix_s=lambda: now_s)
    for log in logs or (LOG,):
        witness.trust(log)
    return witness


class DirectClient(WitnessClient):
    """The client of a witness in the same process; None is one that does not answer."""

    def __init__(self, witness: Witness | None) -> None:
        super().__init__("http://127.0.0.1:1", WITNESS.public)
        self.witness = witness
        self.asked = 0

    def _post(self, body: bytes) -> _Answer:
        self.asked += 1
        if self.witness is None:
            raise WitnessAway("nobody answers")
        reply: Reply = self.witness.add_checkpoint(body)
        return _Answer(reply.status, reply.text)


def sequenced(ledger: Ledger, client: WitnessClient | None = None, *, at_ms: int = NOW_S * 1000) -> Sequencer:
    """Sign for everything in the ledger, and have it co-signed; returns the sequencer, closed."""
    witnesses = [] if client is None else [client]
    sequencer = Sequencer(ledger, PRIVATE, ORIGIN, witnesses=witnesses, unix_ms=lambda: at_ms)
    sequencer.close()
    return sequencer


@contextmanager
def forger(path: Path) -> Iterator[apsw.Connection]:
    """Somebody who may write the file and drops the triggers first."""
    connection = apsw.Connection(str(path))
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    yield connection
    connection.close()

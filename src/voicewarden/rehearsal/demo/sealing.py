"""The demo's witness, a process with its own key and store, and the last step: a co-signed checkpoint over everything.

In: the demo's folder. Out: while the calls run, what the server has to know of the witness; after them, the checkpoint.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from voicewarden.config.keys import Keys
from voicewarden.ledger.checkpoint import SignedCheckpoint, log_key, origin_for
from voicewarden.ledger.note import Signature, encode64
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.witness import WitnessStore
from voicewarden.model.error import VoicewardenError
from voicewarden.rehearsal.demo.stage import run_process

STORE: Final = "witness"


@dataclass(frozen=True, slots=True)
class DemoWitness:
    """The witness that runs beside the demo."""

    out: Path
    keys: Keys
    url: str
    key: str

    @property
    def settings(self) -> Mapping[str, str]:
        """The variables by which the server finds it."""
        return {"VOICEWARDEN_WITNESS_URL": self.url, "VOICEWARDEN_WITNESS_KEY": self.key}

    async def seal(self) -> SignedCheckpoint:
        """Sign for all that the server has left unsigned, and have it co-signed. The server must have ended."""
        return await asyncio.to_thread(self._seal)

    def _seal(self) -> SignedCheckpoint:
        path = self.out / "ledger.db"
        with Ledger.open(path, create=False) as ledger:
            sequencer = Sequencer.of(
                ledger, self.keys.checkpoint_signing, self.keys.checkpoint_public, witness_url=self.url,
                witness_key=self.key,
            )  # fmt: skip
            sequencer.close()
            failure = sequencer.failure or sequencer.cosigning[0].failure
        tree = TreeFile.read(path)
        found = tree.newest(cosigned=True) if tree is not None else None
        if tree is not None:
            tree.close()
        if failure is not None:
            raise failure
        if found is None:
            raise VoicewardenError("the demo's ledger was not co-signed; its witness did not answer")
        return found


@asynccontextmanager
async def witness_beside(out: Path) -> AsyncIterator[DemoWitness]:
    """Run a witness for the ledger that the demo is going to write."""
    keys = await asyncio.to_thread(Keys.open, out / "keys")
    public = keys.checkpoint_public
    log = log_key(origin_for([*public][-1]), public[keys.active_id("checkpoint-signing")])
    command = ["-m", "voicewarden.cli.main", "ledger", "witness", "--store", str(out / STORE)]
    command += ["--listen", "127.0.0.1:0", "--name", "witness.local/demo", "--log", log.text]
    async with run_process(command, {}) as running:
        store = await asyncio.to_thread(WitnessStore.read, out / STORE)
        yield DemoWitness(out, keys, f"http://127.0.0.1:{running.port}", store.key.text)


# Any: a part of summary.json.
def as_data(sealed: SignedCheckpoint) -> dict[str, Any]:
    """The checkpoint for the summary."""
    origin, size, root, _ = sealed.checkpoint
    return {"origin": origin, "size": size, "root": encode64(root), "note": sealed.note.raw}


def told(sealed: SignedCheckpoint) -> str:
    """The checkpoint in a line."""
    origin, size, root, _ = sealed.checkpoint
    by = " and ".join(_cosigner(item) for item in sealed.note.signatures if item.unix_s)
    return f"checkpoint: {size:,} records of {origin}, root {encode64(root)[:12]}..., co-signed by {by}"


def _cosigner(signature: Signature) -> str:
    return f"{signature.name} at {datetime.fromtimestamp(signature.unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"

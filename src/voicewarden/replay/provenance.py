"""Proofs of single records for a report: where a record stands in the ledger, and a file that shows it to an outsider.

In: a ledger. Out: a `Paper` for a record: its proof where the ledger has a tree and a checkpoint covers the record,
else the record with its chain hash, and in words what that shows. Never raises for what the ledger lacks. Used by the
call report.
"""

import json
from contextlib import ExitStack
from typing import Final, Self

import apsw
import msgspec

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import COSIGNATURE, VerifierKey
from voicewarden.ledger.prooffile import Proof, Prover
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerBroken, LedgerError
from voicewarden.model.record import Record

ENVELOPE_FORMAT: Final = "vw/record/v1"


class Paper(msgspec.Struct, frozen=True):
    """A file to hand over, and what it shows."""

    name: str
    document: str
    says: str
    is_proof: bool
    """It can be checked without the ledger; else it is the record alone."""


class Provenance:
    """Makes papers for the records of one ledger; close it after use."""

    def __init__(self, ledger: LedgerView) -> None:
        self._open = ExitStack()
        self._prover: Prover | None = None
        self.problem = ""
        """What is wrong with the tree itself, for the top of the page."""
        try:
            self._prover = self._open.enter_context(Prover(ledger))
        except LedgerBroken as error:
            self.problem = f"The ledger's tree can't be used: {error}."
        except (LedgerError, apsw.Error):
            pass  # a ledger without a tree is an ordinary one; each paper says so

    def paper(self, record: Record) -> Paper:
        """The paper for one record."""
        name = f"{record.stream.replace(':', '-')}-record-{record.seq}.json"
        missing = "this ledger has no signed tree"
        if self._prover is not None:
            try:
                proof = self._prover.prove(record.stream, record.seq)
            except LedgerBroken:
                missing = "THE SIGNED TREE HOLDS ANOTHER RECORD HERE: run “voicewarden ledger verify”"
            except (LedgerError, apsw.Error):
                missing = "no signed checkpoint covers it yet"
            else:
                if proof.record.hash == record.hash:
                    return Paper(name.replace("record", "proof"), proof.document(), _says(proof), is_proof=True)
                missing = "the ledger holds another record here now"
        return Paper(name, _envelope(record), f"Not proved to outsiders: {missing}.", is_proof=False)

    def close(self) -> None:
        """Release the ledger."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _says(proof: Proof) -> str:
    signed = SignedCheckpoint.parse(proof.checkpoint)
    place = f"Entry {proof.index + 1} of {signed.checkpoint.size} in the ledger, which its operator signed"
    witnesses = [key for key in map(VerifierKey.parse, proof.keys) if key.algorithm == COSIGNATURE]
    if not witnesses:
        return f"{place}; no witness co-signed."
    return f"{place} and {' and '.join(key.name for key in witnesses)} co-signed as witness."


def _envelope(record: Record) -> str:
    body = (record.stored or record.body).decode("utf-8", "backslashreplace")
    content = {
        "format": ENVELOPE_FORMAT,
        "record": {
            "stream": record.stream, "seq": record.seq, "at_ms": record.at_ms, "kind": record.kind, "body": body,
            "prev_hash": record.prev_hash, "hash": record.hash,
        },
        "shows": "That these bytes have this hash (docs/ledger-format.md). It does not show when or whether they "
        "were written: for that, sign a checkpoint and make the report again.",
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

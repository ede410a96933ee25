"""Proof files: one record with everything that shows it was written, for somebody who may not see the ledger.

In: a ledger with its tree, and a stream and number. Out: one JSON document, or the findings on one. Called by
`voicewarden ledger prove` and `check-proof`, and by reports. docs/ledger-format.md says how to check one without us:

1. the record's hash is that of its bytes;
2. its leaf stands at `index` of the tree that the checkpoint names;
3. a key of the log that you trust signed the checkpoint;
4. each witness that you trust co-signed it;
5. where the content was disclosed, it is what the record's sealed body opens to.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final, Literal, NamedTuple, Self

import apsw
import msgspec

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.note import COSIGNATURE, ED25519, VerifierKey, decode64, encode64
from voicewarden.ledger.proof import is_included
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.tree import inclusion_path, leaf_hash
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.view import LedgerView
from voicewarden.model.content import is_sealed
from voicewarden.model.error import ContentSealed, LedgerBroken, LedgerError
from voicewarden.model.record import chain_hash

PROOF_FORMAT: Final = "vw/proof/v1"


class ProvedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A record in a proof; without `body`, what it said is kept back and its hash can't be computed again."""

    stream: str
    seq: int
    at_ms: int
    kind: str
    prev_hash: str
    hash: str
    body: str | None = None
    content: str | None = None
    """What was sealed in `body`, where it is disclosed."""
    content_key: str | None = None
    """The data key that opens it, in base64; it opens every sealed record of the stream."""


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document. `keys` say who signed; whoever checks uses keys of their own."""

    format: Literal["vw/proof/v1"]
    record: ProvedRecord
    index: int
    inclusion: tuple[str, ...]
    checkpoint: str
    keys: tuple[str, ...]

    def document(self) -> str:
        """The document as it is handed over."""
        # Any: plain data on its way into JSON.
        data: dict[str, Any] = msgspec.to_builtins(self)
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


class Step(NamedTuple):
    """One step of a check and how it went."""

    name: str
    ok: bool
    says: str


class Prover:
    """Makes proofs for records of one ledger from one state of it; close it after use."""

    def __init__(self, ledger: LedgerView) -> None:
        self._open = ExitStack()
        tree = TreeFile.read(ledger.path)
        if tree is None:
            raise LedgerError(
                f"{ledger.path}: this ledger has no tree; `voicewarden serve` makes it, and so does "
                "`voicewarden ledger checkpoint --sign`"
            )
        self._tree = self._open.enter_context(tree)
        self._records = self._open.enter_context(ledger.snapshot())
        self._subtree = tree.subtree()

    def prove(self, stream: str, seq: int, *, with_body: bool = True) -> Proof:
        """The proof of a record, under the newest co-signed checkpoint that covers it, else the newest."""
        row, record = _read(self._records, stream, seq, with_body=with_body)
        signed = self._tree.newest(cosigned=True, holding=row) or self._tree.newest(holding=row)
        if signed is None:
            raise LedgerError(
                f"record {seq} is not covered by a checkpoint yet (the tree holds {self._tree.size} records); wait a "
                "second, or sign one with `voicewarden ledger checkpoint --sign`"
            )
        checkpoint = signed.checkpoint
        path = inclusion_path(row - 1, checkpoint.size, self._subtree)
        leaf = leaf_hash(bytes.fromhex(record.hash))
        if not is_included(leaf, row - 1, checkpoint.size, path, checkpoint.root):
            raise LedgerBroken(f"record {seq} is not the one that was signed for; run `voicewarden ledger verify`")
        signers = [key.text for key in signed.note.signed_by(self._tree.keys())]
        return Proof(PROOF_FORMAT, record, row - 1, tuple(map(encode64, path)), signed.note.raw, tuple(signers))

    def close(self) -> None:
        """Release ledger and tree."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def prove(ledger: LedgerView, stream: str, seq: int, *, with_body: bool = True, with_content: bool = False) -> Proof:
    """The proof of one record; raises LedgerError when there is none. With `with_content` it says what was sealed."""
    with Prover(ledger) as prover:
        proof = prover.prove(stream, seq, with_body=with_body or with_content)
    return _disclosed(ledger, proof) if with_content else proof


def _disclosed(ledger: LedgerView, proof: Proof) -> Proof:
    record = proof.record
    stored = (record.body or "").encode()
    if not is_sealed(stored):
        return proof
    if ledger.vault is None:
        raise ContentSealed(f"no file of keys lies beside {ledger.path}: what was said can't be disclosed")
    key = ledger.vault.disclose(record.stream)
    content = WordsKey(record.stream, key).open(record.kind, record.seq, stored)
    if content is None:
        raise LedgerBroken(f"record {record.seq} does not open with its key; run `voicewarden ledger verify`")
    told = msgspec.structs.replace(record, content=content.decode(), content_key=encode64(key))
    return msgspec.structs.replace(proof, record=told)


def check_proof(document: bytes, keys: Sequence[VerifierKey]) -> list[Step]:
    """Check a proof with nothing but the document and the keys; raises LedgerError when it is no proof."""
    logs = [key for key in keys if key.algorithm == ED25519]
    if not logs:
        raise LedgerError("a proof is checked with the public key of the log, which you have from elsewhere; pass it")
    try:
        proof = msgspec.json.decode(document, type=Proof)
        path = [decode64(item) for item in proof.inclusion]
        leaf = leaf_hash(bytes.fromhex(proof.record.hash))
    except (ValueError, msgspec.MsgspecError) as error:
        raise LedgerError("this is no proof file; `voicewarden ledger prove` writes one") from error
    signed = SignedCheckpoint.parse(proof.checkpoint)
    checkpoint = signed.checkpoint
    included = is_included(leaf, proof.index, checkpoint.size, path, checkpoint.root)
    place = f"record {proof.index + 1} of {checkpoint.size} in {checkpoint.origin}"
    return [
        _check_record(proof.record),
        *_check_content(proof.record),
        Step("tree", included, place if included else f"it does not stand at the place it names ({place})"),
        _check_signed(signed, logs),
        *(_check_cosigned(signed, key) for key in keys if key.algorithm == COSIGNATURE),
    ]


def _check_record(record: ProvedRecord) -> Step:
    if record.body is None:
        return Step("record", True, "its text is kept back: only that a record of this hash was written is shown")
    body = record.body.encode("utf-8", "surrogatepass")
    found = chain_hash(record.stream, record.seq, record.at_ms, record.kind, body, record.prev_hash)
    if found != record.hash:
        return Step("record", False, "its bytes are not those that were written")
    return Step("record", True, f"{record.stream} record {record.seq} ({record.kind}) has the hash {found}")


def _check_content(record: ProvedRecord) -> list[Step]:
    if record.content is None or record.content_key is None:
        return []
    try:
        key = WordsKey(record.stream, decode64(record.content_key))
        opened = key.open(record.kind, record.seq, (record.body or "").encode("utf-8", "surrogatepass"))
    except ValueError:
        opened = None
    if opened != record.content.encode("utf-8", "surrogatepass"):
        return [Step("content", False, "the sealed body does not open to it with the key that stands there")]
    return [Step("content", True, "it is what the sealed body opens to")]


def _check_signed(signed: SignedCheckpoint, logs: Sequence[VerifierKey]) -> Step:
    try:
        key = signed.demand_signed(logs)
    except LedgerError as error:
        return Step("checkpoint", False, str(error))
    return Step("checkpoint", True, f"signed by {key.name} ({key.id.hex()})")


def _check_cosigned(signed: SignedCheckpoint, witness: VerifierKey) -> Step:
    try:
        found = signed.cosigners([witness])
    except LedgerError as error:
        return Step("witness", False, str(error))
    if not found:
        return Step("witness", False, f"{witness.name} did not co-sign this checkpoint")
    return Step("witness", True, f"co-signed by {witness.name} at unix time {signed.note.cosigned_unix_s(witness)}")


def _read(records: apsw.Connection, stream: str, seq: int, *, with_body: bool) -> tuple[int, ProvedRecord]:
    rows = records.execute(
        "SELECT records.id, at_ms, kind, body, prev_hash, records.hash FROM records "
        "JOIN streams ON streams.id = records.stream WHERE name = ? AND seq = ?",
        (stream, seq),
    ).fetchall()
    if not rows:
        raise LedgerError(f"there is no record {seq} of that stream; the report of a call numbers its records")
    # Any: a row is what the STRICT tables of schema.py declare.
    row: tuple[Any, ...] = rows[0]
    number, at_ms, kind, body, prev_hash, stored = row
    try:
        text = body.decode() if with_body else None
    except UnicodeDecodeError:
        raise LedgerBroken(f"record {seq} is not canonical JSON; run `voicewarden ledger verify`") from None
    return number, ProvedRecord(stream, seq, at_ms, kind, prev_hash, stored, text)

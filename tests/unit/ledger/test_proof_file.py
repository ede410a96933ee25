"""Proof files: the steps of docs/ledger-format.md hold on its own vector, and no changed proof passes."""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, NOW_S, ORIGIN, WITNESS, DirectClient, forger, open_witness, sequenced

from voicewarden.ledger import Ledger
from voicewarden.ledger.checkpoint import log_key
from voicewarden.ledger.export import export_tree
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.prooffile import Prover, check_proof, prove
from voicewarden.ledger.tree import CompactRange, leaf_hash
from voicewarden.ledger.treefile import tree_path
from voicewarden.model.error import LedgerBroken, LedgerError

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ledger-format.md"
KEYS = (LOG, WITNESS.public)


def vector() -> dict[str, Any]:
    blocks = re.findall(r"^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    found: dict[str, Any] = json.loads(blocks[1])
    return found


def by_hand(proof: dict[str, Any], log: str, witness: str) -> int:
    """The five steps of the page, without any of our code; returns when the witness signed."""
    record = proof["record"]
    header = "|".join(str(record[name]) for name in ("prev_hash", "stream", "seq", "at_ms", "kind")) + "|"
    assert sha256(b"vw/rec/v1\0" + header.encode() + record["body"].encode()).hexdigest() == record["hash"]  # 1
    h = sha256(b"\0" + bytes.fromhex(record["hash"])).digest()  # 2
    assert h.hex() in PAGE.read_text(encoding="utf-8")
    text, _, lines = proof["checkpoint"].rpartition("\n\n")
    name, size, root = text.split("\n")
    i, n = proof["index"], int(size) - 1
    assert i <= n
    for p in map(base64.b64decode, proof["inclusion"]):  # 3
        assert n
        if i % 2 or i == n:
            h = sha256(b"\1" + p + h).digest()
            while i % 2 == 0 and i:
                i, n = i // 2, n // 2
        else:
            h = sha256(b"\1" + h + p).digest()
        i, n = i // 2, n // 2
    assert (n, h) == (0, base64.b64decode(root))
    signatures = {}
    for line in lines.splitlines():
        _, signer, data = line.split(" ")
        raw = base64.b64decode(data)
        signatures[signer, raw[:4].hex()] = raw[4:]
    assert log.split("+")[0] == name
    assert len(verified(signatures, log, lambda _: text + "\n")) == 64  # 4
    value = verified(signatures, witness, lambda time: f"cosignature/v1\ntime {time}\n{text}\n")  # 5
    return int.from_bytes(value[:8], "big")


def verified(signatures: dict[tuple[str, str], bytes], key: str, signed: Any) -> bytes:
    name, identity, data = key.split("+", 2)
    assert sha256(name.encode() + b"\n" + base64.b64decode(data)).hexdigest()[:8] == identity
    value = signatures[name, identity]
    text = signed(int.from_bytes(value[:8], "big"))
    Ed25519PublicKey.from_public_bytes(base64.b64decode(data)[1:]).verify(value[-64:], text.encode())
    return value


def test_the_vector_of_the_page_holds_by_hand_and_by_program() -> None:
    proof = vector()
    assert by_hand(proof, *proof["keys"]) == NOW_S
    assert [VerifierKey.parse(key) for key in proof["keys"]] == list(KEYS)
    steps = check_proof(json.dumps(proof).encode(), KEYS)
    assert [(step.name, step.ok) for step in steps] == [
        ("record", True), ("tree", True), ("checkpoint", True), ("witness", True)
    ]  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two calls in turns, 300 records co-signed, 4 signed, 1 neither."""
    one, two = Chain("call:one"), Chain("call:two")
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        for _ in range(150):
            ledger.submit([one.event(), two.event()])
        sequenced(ledger, DirectClient(open_witness(tmp_path / "w")))
        ledger.submit(one.events(4))
        sequenced(ledger)
        ledger.submit(two.events(1))
    return tmp_path / "ledger.db"


@pytest.mark.parametrize(("stream", "seq"), [("call:one", 0), ("call:two", 77), ("call:two", 149)])
def test_a_proof_of_a_record_holds(path: Path, stream: str, seq: int) -> None:
    with Ledger.read(path) as view:
        proof = prove(view, stream, seq)
    assert proof.index == 2 * seq + (stream == "call:two")
    assert len(proof.inclusion) <= 9
    assert [VerifierKey.parse(key) for key in proof.keys] == list(KEYS)
    assert all(step.ok for step in check_proof(proof.document().encode(), KEYS))
    # Nothing of other calls is in it.
    assert {"call:one", "call:two"} - set(re.findall(r"call:\w+", proof.document())) != set()


def test_a_record_that_no_witness_saw_is_proved_by_the_log_alone(path: Path) -> None:
    with Ledger.read(path) as view, Prover(view) as prover:
        document = prover.prove("call:one", 153).document().encode()
        assert [step.ok for step in check_proof(document, [LOG])] == [True] * 3
        steps = check_proof(document, KEYS)
        assert [step.ok for step in steps] == [True, True, True, False]
        assert "did not co-sign" in steps[3].says
        with pytest.raises(LedgerError, match="not covered by a checkpoint yet"):
            prover.prove("call:two", 150)
        for stream, seq in (("call:one", 999), ("call:none", 0)):
            with pytest.raises(LedgerError, match="there is no record"):
                prover.prove(stream, seq)


def test_a_text_can_be_kept_back(path: Path) -> None:
    with Ledger.read(path) as view:
        document = prove(view, "call:one", 3, with_body=False).document()
    assert "yes" not in document
    steps = check_proof(document.encode(), KEYS)
    assert all(step.ok for step in steps)
    assert "kept back" in steps[0].says


CHANGES: dict[str, tuple[Any, str]] = {
    "body": (lambda p: p["record"].update(body=p["record"]["body"].replace("Yes", "No!")), "record"),
    "stream": (lambda p: p["record"].update(stream="call:other"), "record"),
    "seq": (lambda p: p["record"].update(seq=2), "record"),
    "at_ms": (lambda p: p["record"].update(at_ms=0), "record"),
    "kind": (lambda p: p["record"].update(kind="note"), "record"),
    "prev_hash": (lambda p: p["record"].update(prev_hash="0" * 64), "record"),
    "hash": (lambda p: p["record"].update(hash="0" * 64), "record tree"),
    "surrogate": (lambda p: p["record"].update(body="\ud800"), "none"),
    "index": (lambda p: p.update(index=0), "tree"),
    "index below": (lambda p: p.update(index=-1), "tree"),
    "path": (lambda p: p.update(inclusion=[]), "tree"),
    "path hash": (lambda p: p.update(inclusion=[base64.b64encode(bytes(32)).decode()]), "tree"),
    "path text": (lambda p: p.update(inclusion=["?"]), "none"),
    "size": (lambda p: p.update(checkpoint=p["checkpoint"].replace("\n2\n", "\n3\n")), "checkpoint witness"),
    "name": (lambda p: p.update(checkpoint=p["checkpoint"].replace(ORIGIN, "other")), "checkpoint witness"),
    "signature": (lambda p: p.update(checkpoint=p["checkpoint"].replace("uPaiGFdk", "uPaiGFdl")), "checkpoint"),
    "no signature": (lambda p: p.update(checkpoint=p["checkpoint"].replace("uPai", "uPaj")), "checkpoint"),
    "cosignature": (lambda p: p.update(checkpoint=p["checkpoint"].replace("BwF8NwAAAABr", "BwF8NwAAAABs")), "witness"),
    "no checkpoint": (lambda p: p.update(checkpoint="none"), "none"),
    "format": (lambda p: p.update(format="vw/proof/v2"), "none"),
    "more": (lambda p: p.update(more=1), "none"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_proof_does_not_hold(change: str) -> None:
    proof = vector()
    alter, wrong = CHANGES[change]
    alter(proof)
    document = json.dumps(proof).encode()
    if wrong == "none":
        with pytest.raises(LedgerError):
            check_proof(document, KEYS)
        return
    found = {step.name for step in check_proof(document, KEYS) if not step.ok}
    assert found >= set(wrong.split())


def test_keys_come_from_whoever_checks(path: Path) -> None:
    document = json.dumps(vector()).encode()
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert [step.ok for step in check_proof(document, [log_key(ORIGIN, stranger)])] == [True, True, False]
    for keys in ((), (WITNESS.public,)):
        with pytest.raises(LedgerError, match="public key of the log"):
            check_proof(document, keys)
    for other in (b"", b"{}", b"[]", b"\xff"):
        with pytest.raises(LedgerError, match="no proof file"):
            check_proof(other, KEYS)


def test_what_does_not_hold_is_not_handed_out(path: Path) -> None:
    with forger(path) as connection:
        connection.execute("UPDATE records SET hash = prev_hash WHERE id = 5")
    with Ledger.read(path) as view:
        with pytest.raises(LedgerBroken, match="not the one that was signed for"):
            prove(view, "call:one", 2)
        assert prove(view, "call:two", 2)
    tree_path(path).unlink()
    with Ledger.read(path) as view, pytest.raises(LedgerError, match="has no tree"):
        prove(view, "call:one", 2)


def test_an_export_is_the_tree_in_files(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    with Ledger.read(path) as view:
        done = export_tree(view, folder)
        assert (done.size, done.files) == (304, 6)
        files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
        assert files == [
            "checkpoint", "tile/0/000", "tile/0/001.p/48", "tile/1/000.p/1", "tile/entries/000",
            "tile/entries/001.p/48",
        ]  # fmt: skip
        assert export_tree(view, folder).files == 1
        bundle = (folder / "tile/entries/000").read_bytes() + (folder / "tile/entries/001.p/48").read_bytes()
        leaves = b"".join((folder / name).read_bytes() for name in ("tile/0/000", "tile/0/001.p/48"))
        tree = CompactRange()
        for at in range(304):
            entry = bundle[34 * at : 34 * at + 34]
            assert entry[:2] == b"\0\x20"
            assert leaf_hash(entry[2:]) == leaves[32 * at : 32 * at + 32]
            tree.append(leaf_hash(entry[2:]))
        lines = (folder / "checkpoint").read_text(encoding="utf-8").splitlines()
        assert lines[:3] == [ORIGIN, "304", base64.b64encode(tree.root()).decode()]
        (folder / "tile/0/000").write_bytes(bytes(8_192))
        with pytest.raises(LedgerBroken, match="another history"):
            export_tree(view, folder)
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match="can't be written"):
            export_tree(view, tmp_path / "file")


def test_what_is_missing_is_not_exported(path: Path, tmp_path: Path) -> None:
    with forger(path) as connection:
        connection.execute("DELETE FROM records WHERE id = 5")
    with Ledger.read(path) as view:
        with pytest.raises(LedgerBroken, match="records from 1 on are missing"):
            export_tree(view, tmp_path / "one")
        with forger(tree_path(path)) as connection:
            connection.execute("DELETE FROM tiles WHERE level = 1")
        with pytest.raises(LedgerBroken):
            export_tree(view, tmp_path / "two")
    tree_path(path).unlink()
    with Ledger.read(path) as view, pytest.raises(LedgerError, match="no checkpoint was signed yet"):
        export_tree(view, tmp_path / "three")

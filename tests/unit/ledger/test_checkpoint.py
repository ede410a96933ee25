"""Checkpoints: what they look like, what is none, and whose signature counts."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes.log import LOG, NOW_S, ORIGIN, PRIVATE, WITNESS, Naive

from voicewarden.ledger.checkpoint import Checkpoint, SignedCheckpoint, log_key, origin_for, sign_checkpoint
from voicewarden.ledger.note import ED25519, Note, SignerKey, encode64, sign
from voicewarden.ledger.tree import EMPTY_ROOT
from voicewarden.model.error import LedgerBroken, LedgerError

ROOT = encode64(bytes(range(32)))


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    signed = sign_checkpoint(Checkpoint(ORIGIN, 20_852_163, bytes(range(32))), PRIVATE)
    text, _, last = signed.note.raw.partition("\n\n")
    assert text == f"{ORIGIN}\n20852163\n{ROOT}"
    assert last.startswith(f"— {ORIGIN} ") and last.count("\n") == 1
    assert SignedCheckpoint.parse(signed.note.raw) == signed
    assert signed.demand_signed([LOG]) == LOG


def test_lines_behind_the_third_are_kept() -> None:
    found = Checkpoint.parse(f"a\n7\n{ROOT}\nmore\n")
    assert (found.size, found.extensions, found.text) == (7, ("more",), f"a\n7\n{ROOT}\nmore\n")


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n", "a\n1\n", f"\n1\n{ROOT}\n", f"a\n01\n{ROOT}\n", f"a\n+1\n{ROOT}\n", f"a\n-1\n{ROOT}\n",
        f"a\n1_0\n{ROOT}\n", f"a\n\u0661\n{ROOT}\n", f"a\n{2**63}\n{ROOT}\n", f"a\n1\n{ROOT[:-4]}\n", "a\n1\nnone\n",
        f"a\n1\n{ROOT}\n\nmore\n", f"a\n0\n{ROOT}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        Checkpoint.parse(text)


def test_a_checkpoint_of_nothing_has_the_root_of_nothing() -> None:
    assert Checkpoint.parse(f"a\n0\n{encode64(EMPTY_ROOT)}\n").root == EMPTY_ROOT


def test_only_the_log_itself_signs_for_it() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signed = Naive(3).signed(3, stranger)
    with pytest.raises(LedgerBroken, match="no key that you trust"):
        signed.demand_signed([LOG])
    # A key of another log that is trusted, too, must not sign for this one.
    other = log_key("other.log", LOG.public)
    text = signed.note.text
    note = Note(text, (sign(text, SignerKey("other.log", ED25519, PRIVATE)),))
    with pytest.raises(LedgerBroken, match="no key that you trust"):
        SignedCheckpoint(signed.checkpoint, note).demand_signed([LOG, other])


def test_a_witness_does_not_sign_for_the_log() -> None:
    text = Naive(3).signed(3).note.text
    note = Note(text, (sign(text, WITNESS, unix_s=NOW_S),))
    cosigned = SignedCheckpoint(Checkpoint.parse(text), note)
    assert cosigned.cosigners([LOG, WITNESS.public]) == (WITNESS.public,)
    with pytest.raises(LedgerBroken):
        cosigned.demand_signed([LOG, WITNESS.public])


def test_a_log_is_named_for_its_first_key() -> None:
    assert origin_for("0123456789abcdef") == ORIGIN
    with pytest.raises(LedgerError):
        origin_for("a b")

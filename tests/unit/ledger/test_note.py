"""Signed notes: the example of the specification, what is no note or key, and what a signature does not cover."""

import pytest
from tests.fakes.log import LOG, NOW_S, PRIVATE, WITNESS

from voicewarden.ledger.note import ED25519, Note, SignerKey, VerifierKey, decode64, parse_signature, sign
from voicewarden.model.error import LedgerBroken, LedgerError

# From c2sp.org/signed-note.
KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_the_example_of_the_specification() -> None:
    key, note = VerifierKey.parse(KEY), Note.parse(NOTE)
    assert note.signed_by([LOG, key]) == (key,)
    assert (key.text, note.raw, note.text) == (KEY, NOTE, "This is an example message.\n")


def test_our_signatures_and_cosignatures() -> None:
    text = "a\nb\n"
    plain, timed = sign(text, SignerKey(LOG.name, ED25519, PRIVATE)), sign(text, WITNESS, unix_s=NOW_S)
    note = Note.parse(Note(text, (plain, timed)).raw)
    assert note.signed_by([LOG, WITNESS.public]) == (LOG, WITNESS.public)
    assert note.signed_by([WITNESS.public]) == (WITNESS.public,)
    assert (note.cosigned_unix_s(WITNESS.public), note.cosigned_unix_s(LOG)) == (NOW_S, 0)
    assert [len(signature.value) for signature in note.signatures] == [64, 72]
    assert note.with_signatures((plain, timed)) == note


@pytest.mark.parametrize("which", [0, 1])
def test_every_byte_of_a_signature_and_of_the_text_counts(which: int) -> None:
    key = (LOG, WITNESS.public)[which]
    signer = (SignerKey(LOG.name, ED25519, PRIVATE), WITNESS)[which]
    signature = sign("abc\n", signer, unix_s=NOW_S)
    for place in range(len(signature.value)):
        value = bytearray(signature.value)
        value[place] ^= 1
        with pytest.raises(LedgerBroken, match="does not hold"):
            Note("abc\n", (signature._replace(value=bytes(value)),)).signed_by([key])
    with pytest.raises(LedgerBroken):
        Note("abd\n", (signature,)).signed_by([key])
    with pytest.raises(LedgerBroken):
        Note("abc\n", (signature._replace(value=signature.value + b"\0"),)).signed_by([key])


def test_a_signature_of_an_unknown_key_counts_for_nothing() -> None:
    signature = sign("abc\n", SignerKey("another", ED25519, PRIVATE))
    assert Note("abc\n", (signature,)).signed_by([LOG]) == ()
    # The same key under the other algorithm is another key.
    assert Note("abc\n", (signature,)).signed_by([VerifierKey("another", 4, LOG.public)]) == ()


@pytest.mark.parametrize(
    "raw",
    [
        "", "text\n", "text\n\n", "text\n\nno signature\n", NOTE[:-1], NOTE.replace("— ", "- "), NOTE + "x",
        NOTE.replace("is an", "is\tan"), NOTE.replace("Uw2Q", "Uw2*"), NOTE.replace("com/foo", "com+foo"),
        "t\n\n" + "— a AAAAAAAA\n" * 65, "t" * 70_000 + "\n\n— a AAAAAAAA\n", "t\n\n— a AAAA\n",
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(raw: str) -> None:
    with pytest.raises(LedgerError):
        Note.parse(raw)


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+530d903a", KEY.replace("530d", "530e"), KEY.replace("example", "exemple"), KEY[:-4],
        KEY.replace("Aek", "Ael"), KEY.replace("+Aek", "+Bek"), "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc",
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        VerifierKey.parse(text)


def test_a_private_key_is_read_as_it_was_written_and_never_shown() -> None:
    text = WITNESS.secret_text
    assert text.startswith("PRIVATE+KEY+witness.local/one+")
    assert SignerKey.parse(text + "\n").public == WITNESS.public
    for wrong in ("", "PRIVATE+KEY+a+b+c", text[:-8], text.replace("one", "two")):
        with pytest.raises(LedgerError, match="restore it from a backup") as caught:
            SignerKey.parse(wrong)
        assert text[-20:] not in str(caught.value)


@pytest.mark.parametrize("line", ["", "— ", "— a", "— a ", "— a AAAA", "a AAAAAAAA", "— a AAAAAA=", "— a AA AA"])
def test_what_is_no_signature_line_is_refused(line: str) -> None:
    with pytest.raises(LedgerError):
        parse_signature(line)


@pytest.mark.parametrize("text", ["A", "AB==", "AAAA\n", "AA", "A-_A", "AAA\u00e4"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|ASCII"):
        decode64(text)

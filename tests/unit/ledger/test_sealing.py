"""Sealing: what is said opens with the key of its call, at its place, and nowhere else; a number is sealed once."""

import json
import os

import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import DECODERS, seal_records
from tests.replay.golden import load

from voicewarden.ledger.sealing import AudioKey, WordsKey, is_sealed_blob
from voicewarden.model import event as events
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import clear_part, is_sealed, sealed_body, split_sealed
from voicewarden.model.error import LedgerBroken
from voicewarden.model.record import chain_hash

CALL = load(TOP / "tests" / "calls" / "booked.jsonl")
STREAM = CALL[0].stream
SAID = events.CallerSpoke(at_ms=7, turn=2, text="my name is Ada", words=(), speech_ms=3)
BODY = canonical_bytes(SAID)


@pytest.fixture
def key() -> WordsKey:
    return WordsKey(STREAM, bytes(range(32)))


def test_a_call_opens_to_what_was_sealed(key: WordsKey) -> None:
    written = seal_records(CALL, key)
    assert sum(is_sealed(record.body) for record in written) > 20
    for plain, stored in zip(CALL, written, strict=True):
        opened = key.opened(stored)
        assert opened.body == plain.body
        head = (stored.stream, stored.seq, stored.at_ms, stored.kind)
        assert opened.hash == chain_hash(*head, opened.stored or opened.body, stored.prev_hash)
        assert opened.stored == (stored.body if stored.body != plain.body else b"")
        assert not is_sealed(stored.body) or key.misfit(stored.kind, stored.seq, stored.body) == ""


def test_the_form_is_the_documented_one(key: WordsKey) -> None:
    sealed = json.loads(key.seal("event", 7, SAID, BODY))
    assert list(sealed) == ["$box", "$class", "at_ms", "event", "speech_ms", "turn"]
    assert sealed["$class"] == "words"


def test_structure_is_not_sealed(key: WordsKey) -> None:
    ended = events.CallEnded(at_ms=1, reason="completed")
    body = canonical_bytes(ended)
    assert key.seal("event", 1, ended, body) is body


@pytest.mark.parametrize(("kind", "seq"), [("decision", 3), ("event", 4)])
def test_a_box_opens_at_its_own_place_only(key: WordsKey, kind: str, seq: int) -> None:
    stored = key.seal("event", 3, SAID, BODY)
    assert key.open("event", 3, stored) == BODY
    assert key.open(kind, seq, stored) is None
    assert WordsKey("call:other", bytes(range(32))).open("event", 3, stored) is None
    assert WordsKey(STREAM, bytes(32)).open("event", 3, stored) is None


def test_every_changed_byte_keeps_a_body_shut(key: WordsKey) -> None:
    stored = key.seal("event", 3, SAID, BODY)
    for place in range(len(stored)):
        altered = bytearray(stored)
        altered[place] ^= 1
        assert key.open("event", 3, bytes(altered)) is None, place


def test_a_number_is_sealed_once(key: WordsKey) -> None:
    key.seal("event", 3, SAID, BODY)
    for seq in (3, 2):
        with pytest.raises(LedgerBroken, match="sealed again"):
            key.seal("event", seq, SAID, BODY)
    key.seal("event", 4, SAID, BODY)


def test_equal_texts_are_blinded_alike_within_a_call_only(key: WordsKey) -> None:
    other = WordsKey("call:other", os.urandom(32))
    assert key.blind("d" * 64) == key.blind("d" * 64) != key.blind("e" * 64)
    assert key.blind("d" * 64) != other.blind("d" * 64)
    assert len(key.blind("x")) == 33


def test_a_clear_part_that_says_something_else_is_found(key: WordsKey) -> None:
    lie = canonical_bytes(events.CallerSpoke(at_ms=7, turn=9, text="", words=(), speech_ms=3))
    clear = clear_part(events.CallerSpoke, lie, key.blind)
    box = key._box.encrypt((3).to_bytes(12, "big"), BODY, key._bound("event", 3, clear))
    import binascii

    stored = sealed_body(binascii.b2a_base64(box, newline=False), clear)
    assert split_sealed(stored)[1] == clear
    assert "something else" in key.misfit("event", 3, stored)
    assert "does not open" in key.misfit("event", 4, stored)


def test_decoders_read_what_was_opened(key: WordsKey) -> None:
    stored = key.seal("event", 3, SAID, BODY)
    assert DECODERS["event"].decode(key.open("event", 3, stored) or b"") == SAID


def test_a_recording_opens_with_the_key_of_its_call() -> None:
    key = AudioKey(STREAM, bytes(range(32)))
    blob = key.seal(b"RIFF sound")
    assert is_sealed_blob(blob) and not is_sealed_blob(b"RIFF sound")
    assert b"sound" not in blob and key.seal(b"RIFF sound") != blob
    assert key.open(blob) == b"RIFF sound"
    for other in (AudioKey("call:other", bytes(range(32))), AudioKey(STREAM, bytes(32))):
        with pytest.raises(LedgerBroken, match="does not open"):
            other.open(blob)
    with pytest.raises(LedgerBroken, match="does not open"):
        key.open(blob[:-1] + bytes([blob[-1] ^ 1]))


def test_the_documented_example_is_what_we_write() -> None:
    page = (TOP / "docs" / "ledger-format.md").read_text(encoding="utf-8")
    words = (events.Word("Yes", 640, 700, 1000),)
    said = events.CallerSpoke(at_ms=1250, turn=1, text="Yes.", words=words, speech_ms=300)
    key, body = WordsKey("call:example", bytes(range(32))), canonical_bytes(said)
    stored = key.seal("event", 1, said, body)
    before = "0bb76e2889e8880745ab042c4d2e1716e6b7dca7923a491386528af2b627ff8d"
    digest = "d3d62108f2ecf53d7ec95875d7a1667c61b29c7ef3ef1a9ea5fd56834ac430ea"
    bound = key._bound("event", 1, split_sealed(stored)[1]).decode().replace("\0", r"\0")
    for shown in (stored.decode(), body.decode(), bound, key.blind(digest), before, digest):
        assert shown in page
    assert chain_hash("call:example", 1, 1250, "event", stored, before) in page

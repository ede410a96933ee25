"""Erasure: two people sign, keys go, a note stays, and everything that was proved before holds as before."""

import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes.rig import TOP
from tests.fakes.sealed import open_vault, seal_records, write_sealed
from tests.replay.golden import load

from voicewarden.ledger import erasure
from voicewarden.ledger.erasure import (
    EraseOrder,
    draft_order,
    erase,
    finish_erasures,
    parse_order,
    sign_order,
    signers,
)
from voicewarden.ledger.forgetting import ContentErased, forgotten, read_forgotten, recordings_of
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import is_sealed
from voicewarden.model.error import ContentSealed, LedgerError
from voicewarden.model.event import RecordingStored
from voicewarden.model.record import make_record

CALLS = [load(TOP / "tests" / "calls" / f"{name}.jsonl") for name in ("booked", "refused")]
CALL = CALLS[0][0].stream.removeprefix("call:")
SOUND = b"RIFF and what was said"
NOW, DAY = 1_800_000_000_000, 86_400_000
ANN, BOB, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2, 3))
PEOPLE = {"ann": ANN.public_key().public_bytes_raw(), "bob": BOB.public_key().public_bytes_raw()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two sealed calls, the first with a recording."""
    place = write_sealed(tmp_path / "ledger.db", CALLS[1:])
    with Ledger.open(place) as ledger:
        vault = open_vault(place)
        ledger.seal_with(vault)
        keys = vault.make(CALLS[0][0].stream, 5)
        made = seal_records(CALLS[0], keys.words)
        stored = RecordingStored(at_ms=made[-1].at_ms, blob=ledger.put_blob(keys.audio.seal(SOUND)), from_ms=0, ms=9)
        last = made[-1]
        made.append(
            make_record(last.stream, last.seq + 1, last.at_ms, "event", canonical_bytes(stored), last.hash)
        )
        ledger.submit(made)
        ledger.flush()
    return place


def signed(order: EraseOrder, *who: tuple[str, Ed25519PrivateKey], at: int = NOW) -> EraseOrder:
    for name, key in who:
        order = sign_order(order, name, key, at)
    return parse_order(order.document())


def drafted(path: Path) -> EraseOrder:
    with Ledger.read(path) as view:
        return draft_order(view, CALL, "the caller asked for it", NOW)


def test_what_two_people_signed_is_erased_and_still_verifies(path: Path) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))
    with Ledger.open(path) as ledger:
        before = [record.hash for record in ledger.read_stream(f"call:{CALL}")]
        [sound] = recordings_of(ledger, CALL)
        assert ledger.get_recording(CALL, sound) == SOUND
        done = erase(ledger, order, PEOPLE, NOW + DAY)
        assert done == (CALL, ("ann", "bob"), 2, 1)
        read = list(ledger.read_stream(f"call:{CALL}"))
        assert [record.hash for record in read] == before and is_sealed(read[0].body)
        assert not is_sealed(next(iter(ledger.read_stream(CALLS[1][0].stream))).body)
        with pytest.raises(ContentSealed, match="was erased"):
            ledger.get_recording(CALL, sound)
        found = verify(ledger)
        assert found.ok
        assert any(note.call == CALL and "erased, intact" in note.what for note in found.notes)
        assert forgotten(ledger) == {CALL: ("words", "audio")}
    said = b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())
    assert b"Tuesday at three" not in said and SOUND not in said


def test_the_note_says_who_signed_what(path: Path) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB), ("eve", EVE))
    with Ledger.open(path) as ledger:
        erase(ledger, order, PEOPLE, NOW)
        [note] = read_forgotten(record.body for record in ledger.read_stream("control"))
    assert isinstance(note, ContentErased)
    assert [item.person for item in note.signatures] == ["ann", "bob"]
    for item in note.signatures:
        assert erasure._holds(order, item, PEOPLE[item.person])
    assert (note.head, note.reason, note.asked_unix_ms) == (order.head, order.reason, order.unix_ms)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ([], "nobody"),
        ([("ann", ANN)], "ann"),
        ([("ann", ANN), ("ann", BOB)], "nobody"),  # the later one counts, and it is not her key
        ([("ann", ANN), ("bob", ANN)], "ann"),
        ([("ann", ANN), ("eve", EVE)], "ann"),
    ],
)
def test_one_person_is_not_enough(path: Path, who: list[tuple[str, Ed25519PrivateKey]], why: str) -> None:
    order = signed(drafted(path), *who)
    with Ledger.open(path) as ledger:
        with pytest.raises(LedgerError, match=f"two people .* so far {why} did"):
            erase(ledger, order, PEOPLE, NOW)
        assert not is_sealed(next(iter(ledger.read_stream(f"call:{CALL}"))).body)
        assert list(ledger.read_stream("control")) == []


def test_one_key_under_two_names_is_one_person(path: Path) -> None:
    order = signed(drafted(path), ("ann", ANN), ("amy", ANN))
    assert len(signers(order, {**PEOPLE, "amy": PEOPLE["ann"]}, NOW)) == 1


@pytest.mark.parametrize("days", [-1, 31])
def test_an_order_holds_for_a_month_and_not_before_it_was_written(path: Path, days: int) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))
    assert signers(order, PEOPLE, NOW + days * DAY) == ()
    assert signers(order, PEOPLE, NOW + 29 * DAY) == ("ann", "bob")
    early = signed(drafted(path), ("ann", ANN), ("bob", BOB), at=NOW - 1)
    assert signers(early, PEOPLE, NOW) == ()


@pytest.mark.parametrize("field", ["call", "head", "classes", "reason", "unix_ms", "origin"])
def test_a_changed_order_is_signed_by_nobody(path: Path, field: str) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))
    other = {"classes": ("words",), "unix_ms": NOW - 5}.get(field, "other")
    assert signers(msgspec.structs.replace(order, **{field: other}), PEOPLE, NOW) == ()


def test_an_order_is_about_the_call_as_it_stands(path: Path) -> None:
    order = msgspec.structs.replace(drafted(path), head="0" * 64)
    with Ledger.open(path) as ledger, pytest.raises(LedgerError, match="has gone on since"):
        erase(ledger, signed(order, ("ann", ANN), ("bob", BOB)), PEOPLE, NOW)


def test_a_held_call_is_not_erased(path: Path) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))
    with Ledger.open(path) as ledger:
        assert ledger.vault is not None
        ledger.vault.hold(f"call:{CALL}", "carol", "case 7", NOW)
        with pytest.raises(LedgerError, match="legal hold"):
            erase(ledger, order, PEOPLE, NOW)
        ledger.vault.lift(f"call:{CALL}", "carol", "closed", NOW)
        assert erase(ledger, order, PEOPLE, NOW).keys == 2


def test_nothing_is_erased_twice_and_nothing_unsealed_at_all(path: Path, tmp_path: Path) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))
    with Ledger.open(path) as ledger:
        erase(ledger, order, PEOPLE, NOW)
    with Ledger.read(path) as view, pytest.raises(LedgerError, match=r"nothing of call .* is left"):
        draft_order(view, CALL, "once more", NOW)
    with Ledger.open(tmp_path / "plain" / "ledger.db") as plain:
        plain.submit(CALLS[0])
        plain.flush()
        with pytest.raises(LedgerError, match="nothing in this ledger is sealed"):
            draft_order(plain, CALL, "the caller asked", NOW)


@pytest.mark.parametrize(("call", "reason", "told"), [("nobody", "because", "no call"), (CALL, " x ", "a reason of 3")])
def test_an_order_needs_a_call_and_a_reason(path: Path, call: str, reason: str, told: str) -> None:
    with Ledger.read(path) as view, pytest.raises(LedgerError, match=told):
        draft_order(view, call, reason, NOW)


def test_what_a_crash_left_is_finished(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = signed(drafted(path), ("ann", ANN), ("bob", BOB))

    def power_fails(*_: object) -> None:
        raise KeyboardInterrupt

    with Ledger.open(path) as ledger:
        monkeypatch.setattr(erasure, "destroy", power_fails)
        with pytest.raises(KeyboardInterrupt):
            erase(ledger, order, PEOPLE, NOW)
        monkeypatch.undo()
    with Ledger.open(path) as ledger:
        assert not is_sealed(next(iter(ledger.read_stream(f"call:{CALL}"))).body)
        assert finish_erasures(ledger, NOW) == 2
        assert finish_erasures(ledger, NOW) == 0
        assert is_sealed(next(iter(ledger.read_stream(f"call:{CALL}"))).body)


def test_only_the_sound_can_be_erased(path: Path) -> None:
    with Ledger.read(path) as view:
        order = draft_order(view, CALL, "no sound is kept", NOW, ("audio",))
    with Ledger.open(path) as ledger:
        assert erase(ledger, signed(order, ("ann", ANN), ("bob", BOB)), PEOPLE, NOW)[2:] == (1, 1)
        assert not is_sealed(next(iter(ledger.read_stream(f"call:{CALL}"))).body)


def test_a_record_that_names_a_release_as_its_sound_deletes_no_release(path: Path) -> None:
    release = json.loads(CALLS[0][0].body)["release"]
    stream = "call:odd"
    with Ledger.open(path) as ledger:
        vault = ledger.vault
        assert vault is not None
        body = canonical_bytes(RecordingStored(at_ms=0, blob=release, from_ms=0, ms=1))
        ledger.submit([make_record(stream, 0, 0, "event", body, "0" * 64)])
        ledger.flush()
        writer = open_vault(path)
        writer.make(stream, 1)
        assert erasure.destroy(ledger, writer, ("odd",), ("audio",), NOW) == (1, 0)
        assert ledger.get_blob(release)
        writer.close()


def test_what_is_no_order_is_refused() -> None:
    for document in (b"", b"{}", b'{"format":"vw/erase/v2"}'):
        with pytest.raises(LedgerError, match="no order to erase"):
            parse_order(document)

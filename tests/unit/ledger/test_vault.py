"""The vault: keys are durable before use, found by readers, wrapped anew after a rotation, and gone when destroyed."""

import json
import os
from pathlib import Path

import apsw
import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import open_vault, seal_records, write_sealed
from tests.replay.golden import load

from voicewarden.config.keys import Keys
from voicewarden.ledger.note import VerifierKey
from voicewarden.ledger.prooffile import check_proof, prove
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.vaultfile import vault_path
from voicewarden.ledger.verify import verify
from voicewarden.ledger.wrapping import KEYS_VARIABLE
from voicewarden.model.content import is_sealed
from voicewarden.model.error import ContentSealed, LedgerBroken, LedgerError
from voicewarden.model.record import make_record

CALL = load(TOP / "tests" / "calls" / "booked.jsonl")
STREAM = CALL[0].stream
SAID = b"Tuesday at three"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return write_sealed(tmp_path / "ledger.db", [CALL])


def test_whoever_has_the_keys_reads_what_was_said(ledger: Path) -> None:
    with Ledger.read(ledger) as view:
        read = list(view.read_stream(STREAM))
        assert [record.body for record in read] == [record.body for record in CALL]
        assert all(is_sealed(record.stored) for record in read if record.stored)
        assert verify(view).ok and not any("seal" in note.what for note in verify(view).notes)


def test_nobody_else_does(ledger: Path) -> None:
    (ledger.parent / "keys").rename(ledger.parent / "elsewhere")
    files = [path.read_bytes() for path in ledger.parent.rglob("*") if path.is_file() and path.parent == ledger.parent]
    assert not any(SAID in content for content in files)
    with Ledger.read(ledger) as view:
        read = list(view.read_stream(STREAM))
        assert is_sealed(read[0].body) and not read[0].stored
        assert verify(view).ok


def test_keys_that_were_moved_are_named_by_the_environment(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (ledger.parent / "keys").rename(ledger.parent / "elsewhere")
    monkeypatch.setenv(KEYS_VARIABLE, str(ledger.parent / "elsewhere"))
    with Ledger.read(ledger) as view:
        assert next(iter(view.read_stream(STREAM))).body == CALL[0].body


def test_a_ledger_that_moves_with_its_keys_is_read_where_it_is(ledger: Path) -> None:
    place = ledger.parent.with_name("moved")
    ledger.parent.rename(place)
    with Ledger.read(place / "ledger.db") as view:
        assert next(iter(view.read_stream(STREAM))).body == CALL[0].body


def test_without_its_file_of_keys_a_ledger_is_structure(ledger: Path) -> None:
    for path in ledger.parent.glob("ledger.db.keys*"):
        path.unlink()
    with Ledger.read(ledger) as view:
        assert view.vault is None
        assert is_sealed(next(iter(view.read_stream(STREAM))).body)
        found = verify(view)
    assert found.ok
    assert any("no file of keys" in note.what for note in found.notes)


def test_a_broken_file_of_keys_is_told_and_stops_nothing(ledger: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in ledger.parent.glob("ledger.db.keys-*"):
        path.unlink()
    vault_path(ledger).write_bytes(b"x" * 8_192)
    with Ledger.read(ledger) as view:
        assert is_sealed(next(iter(view.read_stream(STREAM))).body)
    assert "stays sealed" in caplog.text
    with pytest.raises(LedgerError, match="keys can't be"):
        Vault.find(ledger)


def test_a_stream_gets_keys_once(ledger: Path) -> None:
    vault = open_vault(ledger)
    for stream in (STREAM, STREAM):
        with pytest.raises(LedgerError, match="has keys or had some"):
            vault.make(stream, 1)
    vault.destroy([STREAM], ("words", "audio"), 2)
    with pytest.raises(LedgerError, match="has keys or had some"):
        vault.make(STREAM, 3)
    vault.close()


def test_what_is_destroyed_leaves_no_byte_of_its_key(ledger: Path) -> None:
    vault = open_vault(ledger)
    vault.make("call:other", 5)
    kept = vault._file.get(STREAM, "words"), vault._file.get(STREAM, "audio")
    other = vault._file.get("call:other", "words")
    assert vault.destroy([STREAM], ("words", "audio"), 7) == 2
    assert vault.destroy([STREAM], ("words", "audio"), 8) == 0
    assert vault.is_destroyed(STREAM, "words") and not vault.has(STREAM, "words") and vault.words(STREAM) is None
    content = b"".join(path.read_bytes() for path in ledger.parent.glob("ledger.db.keys*"))
    assert other is not None and other.wrapped in content
    for key in kept:
        assert key is not None
        assert not any(key.wrapped[at : at + 8] in content for at in range(len(key.wrapped) - 8))
    vault.close()


def test_a_call_whose_words_are_gone_verifies_and_can_be_told_from_a_lost_key(ledger: Path) -> None:
    vault = open_vault(ledger)
    vault.destroy([STREAM], ("words",), 7)
    vault.close()
    with Ledger.read(ledger) as view:
        assert is_sealed(next(iter(view.read_stream(STREAM))).body)
        found = verify(view)
    assert found.ok
    assert any("no note says why" in note.what for note in found.notes)


def test_after_a_rotation_keys_lie_under_the_new_one(ledger: Path) -> None:
    keys = Keys.open(ledger.parent / "keys")
    old = keys.active_id("content-wrapping")
    keys.rotate("content-wrapping")
    with Ledger.read(ledger) as view:
        assert next(iter(view.read_stream(STREAM))).body == CALL[0].body
    open_vault(ledger).close()
    [path] = (ledger.parent / "keys").glob("content-wrapping.0001.key")
    path.unlink()
    vault = open_vault(ledger)
    assert vault._file.wrappers() == {keys.active_id("content-wrapping")} != {old}
    assert vault.words(STREAM) is not None
    vault.close()


def test_a_lost_wrapping_key_is_not_replaced_in_silence(ledger: Path) -> None:
    next((ledger.parent / "keys").glob("content-wrapping*")).unlink()
    with pytest.raises(LedgerError, match=r"content-wrapping .* restore it"):
        open_vault(ledger)
    with Ledger.read(ledger) as view:
        assert is_sealed(next(iter(view.read_stream(STREAM))).body)


def test_a_key_of_another_stream_does_not_open(ledger: Path) -> None:
    vault = open_vault(ledger)
    vault.make("call:other", 5)
    mine, other = vault._file.get(STREAM, "words"), vault._file.get("call:other", "words")
    assert mine is not None and other is not None
    vault._file.replace([mine._replace(wrapped=other.wrapped)])
    assert vault.words(STREAM) is None
    vault.close()


def test_a_hold_keeps_keys_until_it_is_lifted(ledger: Path) -> None:
    vault = open_vault(ledger)
    vault.hold(STREAM, "ann", "case 7", 1)
    assert [(hold.stream, hold.who, hold.reason) for hold in vault.holds()] == [(STREAM, "ann", "case 7")]
    vault.make("call:other", 5)
    with pytest.raises(LedgerError, match="legal hold"):
        vault.destroy(["call:other", STREAM], ("words",), 2)
    assert vault.has(STREAM, "words") and vault.has("call:other", "words")
    assert vault.lift(STREAM, "bob", "over", 3) and not vault.lift(STREAM, "bob", "over", 4)
    assert vault.holds(STREAM) == [] and vault.destroy([STREAM], ("words",), 5) == 1
    vault.close()


def test_the_files_are_private(ledger: Path) -> None:
    vault = open_vault(ledger)
    vault.hold(STREAM, "ann", "case 7", 1)
    assert {path.stat().st_mode & 0o777 for path in ledger.parent.glob("ledger.db.keys*")} == {0o600}
    vault.close()


def test_a_recording_is_stored_sealed(ledger: Path) -> None:
    with Ledger.open(ledger) as opened:
        vault = open_vault(ledger)
        opened.seal_with(vault)
        audio = vault.audio(STREAM)
        assert audio is not None
        name = opened.put_blob(audio.seal(b"RIFF sound"))
        assert opened.get_recording(STREAM.removeprefix("call:"), name) == b"RIFF sound"
        assert b"RIFF" not in opened.get_blob(name)
        plain = opened.put_blob(b"RIFF plain")
        assert opened.get_recording("any", plain) == b"RIFF plain"
        with pytest.raises(ContentSealed, match="is sealed; name the folder of keys"):
            opened.get_recording("another", name)
        vault.destroy([STREAM], ("audio",), 1)
        with pytest.raises(ContentSealed, match="was erased"):
            opened.get_recording(STREAM.removeprefix("call:"), name)
        assert next(iter(opened.read_stream(STREAM))).body == CALL[0].body


def test_a_box_put_under_another_record_is_found(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.execute("DROP TRIGGER records_keep_update")
    rows = connection.execute("SELECT id, body FROM records WHERE kind = 'event' ORDER BY id").fetchall()
    first, second, *_ = [row for row in rows if is_sealed(bytes(row[1]))]
    connection.execute("UPDATE records SET body = ? WHERE id = ?", (second[1], first[0]))
    connection.close()
    with Ledger.read(ledger) as view:
        found = verify(view)
    assert not found.ok
    assert {"its bytes are not those that were written", "it does not open with the key of its call"} <= {
        problem.what for problem in found.problems
    }


def test_a_plain_record_within_a_sealed_call_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as ledger:
        vault = open_vault(path)
        made = seal_records(CALL[:-1], vault.make(STREAM, 0).words)
        said = next(record.body for record in CALL if b"CallerSpoke" in record.body)
        ledger.submit([*made, make_record(STREAM, len(made), 99_999, "event", said, made[-1].hash)])
        vault.close()
    with Ledger.read(path) as view:
        assert any("is not sealed, as that of the call is" in problem.what for problem in verify(view).problems)


def test_a_disk_that_is_read_only_is_read_all_the_same(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write everywhere, so that the question is answered for it.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Ledger.read(ledger) as view:
        assert [record.body for record in view.read_stream(STREAM)] == [record.body for record in CALL]
    vault = Vault.find(ledger)
    assert vault is not None
    with pytest.raises(LedgerError, match="keys can't be used"):
        vault.destroy([STREAM], ("words",), 1)
    vault.close()


def test_a_key_that_was_altered_is_refused(ledger: Path) -> None:
    keys = Keys.open(ledger.parent / "keys")
    vault = open_vault(ledger)
    mine = vault._file.get(STREAM, "words")
    assert mine is not None
    vault._file.replace([mine._replace(wrapped=bytes(60))])
    vault.close()
    keys.rotate("content-wrapping")
    with pytest.raises((LedgerError, LedgerBroken), match="was altered"):
        open_vault(ledger)


def test_a_proof_can_say_what_was_sealed(ledger: Path) -> None:
    keys = Keys.open(ledger.parent / "keys")
    with Ledger.open(ledger) as opened:
        Sequencer.of(opened, keys.checkpoint_signing, keys.checkpoint_public).close()
    with Ledger.read(ledger) as view:
        seq = next(record.seq for record in CALL if b"CallerSpoke" in record.body)
        shut, shown = prove(view, STREAM, seq), prove(view, STREAM, seq, with_content=True)
        plain = prove(view, STREAM, next(r.seq for r in CALL if b"CallAnswered" in r.body), with_content=True)
    trusted = [VerifierKey.parse(text) for text in shown.keys]
    assert shown.record.content == CALL[seq].body.decode() and shut.record.content is plain.record.content_key is None
    assert [step.name for step in check_proof(shut.document().encode(), trusted)] == ["record", "tree", "checkpoint"]
    assert all(step.ok for step in check_proof(shown.document().encode(), trusted))
    lie = shown.document().replace(json.dumps(shown.record.content), json.dumps("{}"))
    assert [step.name for step in check_proof(lie.encode(), trusted) if not step.ok] == ["content"]
    vault = open_vault(ledger)
    vault.destroy([STREAM], ("words",), 1)
    vault.close()
    with Ledger.read(ledger) as view:
        assert prove(view, STREAM, seq).record.hash == shown.record.hash
        with pytest.raises(ContentSealed, match="no key here opens"):
            prove(view, STREAM, seq, with_content=True)

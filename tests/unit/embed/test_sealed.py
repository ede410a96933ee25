"""Embedded calls with a ledger are sealed: whoever keeps the records reads them, and the file does not show them."""

import json
from pathlib import Path

import pytest
from tests.unit.embed.policies import WANTED, desk

from voicewarden.embed import Call, read_records
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.ledger.wrapping import KEYS_VARIABLE
from voicewarden.model.content import is_sealed
from voicewarden.model.error import LedgerBroken, LedgerError
from voicewarden.replay.exact import replay_ledger

SAID = "A haircut for Ada Lovelace, please."


def talk(ledger: Ledger, *, sealed: bool = True) -> Call:
    call = Call(desk(), call="kept", agent="assistant", ledger=ledger, sealed=sealed)
    call.answered()
    call.shown()
    call.heard(SAID)
    call.request("book", WANTED)
    call.end()
    ledger.flush()
    return call


def test_what_was_said_is_read_by_us_and_by_no_stranger(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call = talk(ledger)
    assert any(SAID.encode() in record.body for record in call.records)
    assert not any(SAID.encode() in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    with Ledger.read(tmp_path / "ledger.db") as view:
        assert list(view.read_stream("call:kept")) == call.records
        assert verify(view).ok
        assert [result.difference for result in replay_ledger(view)] == [None]
    (tmp_path / "keys").rename(tmp_path / "elsewhere")
    with Ledger.read(tmp_path / "ledger.db") as view:
        assert is_sealed(next(iter(view.read_stream("call:kept"))).body)


def test_calls_of_one_ledger_share_its_keys_and_a_new_start_finds_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        with Ledger.open(tmp_path / "ledger.db") as ledger:
            Call(desk(), call=name, agent="assistant", ledger=ledger)
            Call(desk(), call=f"{name} more", agent="assistant", ledger=ledger)
    assert len(list((tmp_path / "keys").glob("content-wrapping*"))) == 1
    with Ledger.read(tmp_path / "ledger.db") as view:
        assert all(record.stored for stream in view.streams() for record in list(view.read_stream(stream))[:1])


def test_the_environment_says_where_the_keys_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, str(tmp_path / "safe"))
    with Ledger.open(tmp_path / "data" / "ledger.db") as ledger:
        talk(ledger)
    assert (tmp_path / "safe").is_dir() and not (tmp_path / "data" / "keys").exists()


def test_a_call_can_be_kept_open(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call = talk(ledger, sealed=False)
        assert list(ledger.read_stream("call:kept")) == call.records
        assert not any(record.stored for record in call.records)
    assert not (tmp_path / "keys").exists() and not (tmp_path / "ledger.db.keys").exists()


def test_a_file_of_sealed_records_holds_them_as_they_read_and_as_they_are_stored(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call = talk(ledger)
        with pytest.raises(LedgerError, match="sealed for the ledger that has it"):
            call.save(ledger)
    call.save(tmp_path / "call.jsonl")
    assert read_records(tmp_path / "call.jsonl") == call.records
    lines = (tmp_path / "call.jsonl").read_text().splitlines()
    assert "stored" in json.loads(lines[0])
    (tmp_path / "call.jsonl").write_text("\n".join(lines).replace('"stored":"{', '"stored":"{ ', 1) + "\n")
    with pytest.raises(LedgerBroken, match="altered"):
        read_records(tmp_path / "call.jsonl")


def test_a_call_in_memory_is_saved_as_it_is(tmp_path: Path) -> None:
    call = Call(desk(), call="kept", agent="assistant")
    call.heard(SAID)
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call.save(ledger)
        assert list(ledger.read_stream("call:kept")) == call.records

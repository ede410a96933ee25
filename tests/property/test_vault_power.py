"""The power fails at any moment: no record is left whose key is not there, and a key that was destroyed stays gone."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.power import Operation, RecordedDisk, images_after
from tests.fakes.rig import TOP
from tests.fakes.sealed import seal_records
from tests.replay.golden import load

from voicewarden.config.keys import Keys
from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.vaultfile import VaultFile
from voicewarden.model.content import is_sealed
from voicewarden.model.error import LedgerError
from voicewarden.model.record import make_record

IMAGES = 60
CALL = load(TOP / "tests" / "calls" / "mailbox.jsonl")
NAME = CALL[0].stream.removeprefix("call:").encode()


def recorded(folder: Path, count: int = 7) -> list[Operation]:
    """The diary of a ledger that takes sealed calls, every third of which is erased at once."""
    disk, path = RecordedDisk(), folder / "ledger.db"
    keys = Keys.open(folder / "keys")
    ledger = Ledger.open(path, vfs=disk.name)
    vault = Vault.open(path, keys.wrapping, keys.directory, vfs=disk.name)
    for number in range(count):
        stream = f"call:{number}"
        words = vault.make(stream, number).words
        disk.ack(f"made {stream}")
        moved, last = [], "0" * 64
        for record in CALL:
            body = record.body.replace(NAME, str(number).encode())
            moved.append(make_record(stream, record.seq, record.at_ms, record.kind, body, last))
            last = moved[-1].hash
        done = threading.Event()
        ledger.submit(seal_records(moved, words), on_durable=lambda error, done=done: done.set())
        assert done.wait(10)
        if number % 3 == 2:
            vault.destroy([stream], ("words",), number)
            disk.ack(f"gone {stream}")
    diary = list(disk.diary)
    vault.close()
    ledger.close()
    return diary


def losses(diary: list[Operation], folder: Path, keys: Path, count: int) -> Iterator[str]:
    """What is wrong after the power failed, for so many failures at moments of chance."""
    chance = random.Random(7)
    begin = next(at for at, operation in enumerate(diary) if operation.what == "ack")
    opened = Keys.open(keys)
    for number in range(count):
        end = chance.randrange(begin, len(diary) + 1)
        place = folder / str(number)
        place.mkdir()
        for file, content in images_after(diary, end, chance).items():
            (place / file).write_bytes(content)
        told = dict(reversed(operation.file.split()) for operation in diary[:end] if operation.what == "ack")
        try:
            with Ledger.open(place / "ledger.db", create=False) as ledger:
                ledger.seal_with(Vault.open(place / "ledger.db", opened.wrapping, opened.directory))
                yield from wrong(ledger, told)
        except LedgerError:
            yield "unreadable"


def wrong(ledger: Ledger, told: dict[str, str]) -> Iterator[str]:
    """Which records have lost their key, and which keys came back."""
    vault = ledger.vault
    assert vault is not None
    if not verify(ledger).ok:
        yield "chain"
    for stream, what in told.items():
        if what == "gone" and vault.has(stream, "words"):
            yield "came back"
        if what == "made" and not (vault.has(stream, "words") or vault.is_destroyed(stream, "words")):
            yield "acknowledged"
    for stream in ledger.streams("call:"):
        shut = any(is_sealed(record.body) for record in ledger.read_stream(stream))
        if shut and not vault.is_destroyed(stream, "words"):
            yield "lost key"


def test_no_record_outlives_its_key(tmp_path: Path) -> None:
    diary = recorded(tmp_path)
    assert sum(operation.what == "sync" and "keys" in operation.file for operation in diary) > 7
    (tmp_path / "after").mkdir()
    assert list(losses(diary, tmp_path / "after", tmp_path / "keys", IMAGES)) == []


def test_the_search_finds_losses_where_keys_are_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = VaultFile.add

    def careless(self: VaultFile, keys: object) -> None:
        self._connection.execute("PRAGMA synchronous=OFF").fetchall()
        honest(self, keys)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(VaultFile, "add", careless)
    diary = recorded(tmp_path)
    monkeypatch.undo()
    (tmp_path / "after").mkdir()
    assert "lost key" in list(losses(diary, tmp_path / "after", tmp_path / "keys", IMAGES))

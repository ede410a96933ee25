"""Blobs: what comes back under a name is what was stored under it."""

import hashlib
import os
from pathlib import Path

import pytest

from voicewarden.ledger import Ledger
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull


def test_a_blob_comes_back(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        name = ledger.put_blob(data)
        assert name == hashlib.sha256(data).hexdigest()
        assert ledger.put_blob(data) == name
        assert ledger.get_blob(name) == data
        assert ledger.get_blob(ledger.put_blob(b"")) == b""
    with Ledger.read(tmp_path / "ledger.db") as view:
        assert view.get_blob(name) == data
    files = [file for file in (tmp_path / "ledger.db.blobs").rglob("*") if file.is_file()]
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_a_changed_blob_is_found(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        name = ledger.put_blob(b"what was said")
        (tmp_path / "ledger.db.blobs" / name[:2] / name).write_bytes(b"what was not said")
        with pytest.raises(LedgerBroken, match="changed"):
            ledger.get_blob(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger, pytest.raises(LedgerError, match="64"):
        ledger.get_blob(name)


def test_a_missing_blob_is_named(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger, pytest.raises(LedgerError, match="blob folder"):
        ledger.get_blob("0" * 64)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with Ledger.open(tmp_path / "ledger.db") as ledger:
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(LedgerFull, match="room"):
            ledger.put_blob(b"data")
        monkeypatch.undo()
        assert [file for file in (tmp_path / "ledger.db.blobs").rglob("*") if file.is_file()] == []
        assert ledger.get_blob(ledger.put_blob(b"data")) == b"data"

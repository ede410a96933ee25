"""A backup can be gone back to: it verifies, it replays to the same bytes, and its streams end where they ended."""

from pathlib import Path

from tests.replay.text_ledger import write_ledger

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.backup import back_up
from voicewarden.replay.exact import replay_ledger


def test_a_backup_replays(tmp_path: Path) -> None:
    path = write_ledger(tmp_path / "var" / "ledger.db", ("booked", "refused"))
    copy = back_up(path, tmp_path / "copy").ledger
    path.unlink()
    with Ledger.open(copy, create=False) as restored:
        assert verify(restored).ok
        results = list(replay_ledger(restored))
        assert [(result.call, result.ok) for result in results] == [("golden-booked", True), ("golden-refused", True)]

"""The power fails at any moment: what the ledger acknowledged is there, its chains and its tree are whole, and what was
sealed can be opened. `scripts/crash-campaign` cuts a hundred thousand times.

The same search must find losses in a ledger that does not sync, or it would prove nothing.
"""

from collections import Counter
from pathlib import Path

from tests.campaign.power import Care, losses, record

IMAGES = 60


def found(folder: Path, care: Care, images: int) -> Counter[str]:
    """All losses of a few recordings."""
    total: Counter[str] = Counter()
    for seed in range(3):
        recording = record(folder / f"recorded-{seed}", seed, care)
        place = folder / f"cut-{seed}"
        place.mkdir()
        for item in losses(recording, place, seed, images // 3):
            total += item
    return total


def test_a_power_failure_loses_nothing_acknowledged(tmp_path: Path) -> None:
    assert found(tmp_path, "full", IMAGES) == Counter()


def test_the_search_finds_losses_where_grants_are_not_synced(tmp_path: Path) -> None:
    assert found(tmp_path, "normal", 24)["grant lost"]


def test_the_search_finds_losses_on_a_disk_that_lies(tmp_path: Path) -> None:
    assert found(tmp_path, "off", 24)["grant lost"]


def test_the_log_is_folded_while_it_is_watched(tmp_path: Path) -> None:
    diary = record(tmp_path / "recorded", 1).diary
    synced = Counter(operation.file for operation in diary if operation.what == "sync")
    assert synced["ledger.db"] > 3
    assert {"ledger.db-wal", "ledger.db.tree-wal", "ledger.db.keys-wal"} <= set(synced)
    kinds = Counter(operation.file.split()[0].split(":")[0] for operation in diary if operation.what == "ack")
    assert all(kinds[kind] for kind in ("call", "burnt", "signed", "key"))

"""Only releases that somebody else than their proposer approved run outside the development profile."""

from pathlib import Path

import pytest

from voicewarden.config.approvals import demand_approval
from voicewarden.model.error import ConfigError

HASH = "ab" * 32


def _write(folder: Path, approved_by: str) -> None:
    (folder / "approvals.yaml").write_text(
        f"approvals:\n  - {{release: {HASH}, proposed_by: ada, approved_by: [{approved_by}], "
        "on: 2026-11-20, why: Read.}\n"
    )


def test_an_approved_release_may_run(tmp_path: Path) -> None:
    _write(tmp_path, "grace")
    demand_approval(tmp_path, HASH)


def test_nobody_approves_what_they_proposed(tmp_path: Path) -> None:
    _write(tmp_path, "ada")
    with pytest.raises(ConfigError, match="not approved"):
        demand_approval(tmp_path, HASH)


def test_another_release_is_not_covered(tmp_path: Path) -> None:
    _write(tmp_path, "grace")
    with pytest.raises(ConfigError, match="development profile"):
        demand_approval(tmp_path, "cd" * 32)


def test_without_the_file_nothing_is_approved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="approvals"):
        demand_approval(tmp_path, HASH)

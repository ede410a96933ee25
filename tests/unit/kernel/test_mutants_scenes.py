"""Every scene comes out as it is written down; see `scenes.py`."""

from pathlib import Path

import pytest
from tests.unit.kernel.scenes import SCENES, outcome


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.txt")), ids=lambda path: path.stem)
def test_a_scene_comes_out_as_written(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    assert outcome(written).splitlines() == written.splitlines()

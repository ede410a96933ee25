"""Bytes of the files changed at random: found, or nothing that anybody reads. `scripts/tamper-campaign` tries all."""

import random
from pathlib import Path

import pytest
from tests.campaign.tamper import FILES, build, flipped


@pytest.mark.parametrize("file", FILES)
def test_a_changed_byte_is_found_or_changes_nothing(tmp_path: Path, file: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    build(source)
    size = (source / file).stat().st_size
    chance = random.Random(file)
    counts = flipped((str(source), file, 0, 4, 0))
    for _ in range(12):
        begin = chance.randrange(size)
        counts += flipped((str(source), file, begin, begin + 4, 0))
    assert counts.total() > 40
    assert not [what for what in counts if "MISSED" in what]
    assert any("found" in what for what in counts)

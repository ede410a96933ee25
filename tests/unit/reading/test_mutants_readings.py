"""Every reading comes out as it is written down; see `readings.py`."""

import pytest
from tests.unit.reading.readings import FUNCTIONS, READINGS, outcome

from voicewarden.reading.lexicon import Reader

LINES = READINGS.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_sentence_is_read_as_written(reader: Reader, name: str) -> None:
    lines = [line for line in LINES if line.startswith(f"{name} ")]
    assert lines
    assert [outcome(reader, line) for line in lines] == lines

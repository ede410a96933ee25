"""One reader of the shipped English lexicon for all tests of this room."""

from pathlib import Path

import msgspec
import pytest
import yaml

from voicewarden.reading.lexicon import Lexicon, Reader

LEXICON = Path(__file__).resolve().parents[3] / "config" / "lexicons" / "en.yaml"


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return msgspec.convert(yaml.safe_load(LEXICON.read_text(encoding="utf-8")), Lexicon)


@pytest.fixture(scope="session")
def reader(lexicon: Lexicon) -> Reader:
    return Reader(lexicon)

"""What we rely on in faster-whisper where we go between its steps. Needs no model."""

import inspect
from typing import Any

import numpy as np
import pytest

faster_whisper = pytest.importorskip("faster_whisper")


def test_the_step_that_we_stand_in_takes_what_it_took() -> None:
    from voicewarden.sensors.short_window import ShortWindowModel

    theirs = list(inspect.signature(faster_whisper.WhisperModel.find_alignment).parameters)
    assert theirs == list(inspect.signature(ShortWindowModel.find_alignment).parameters)


class Tokens:
    """A tokenizer as the alignment uses it."""

    sot_sequence = (1,)
    no_timestamps = 2


class Decoder:
    """A decoder that answers each look with the same logits."""

    def __init__(self, *logits: float) -> None:
        self.logits = logits
        self.prompts: list[list[int]] = []

    # Any: the options of ctranslate2.
    def generate(self, encoded: Any, prompts: list[list[int]], **options: Any) -> list[Any]:
        self.prompts += prompts
        assert options["return_logits_vocab"] and options["max_length"] == len(prompts[0]) + 1
        return [type("Result", (), {"logits": [list(self.logits)]})()]


def test_the_first_word_has_the_probability_of_its_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    from voicewarden.sensors.short_window import ShortWindowModel
    from voicewarden.sensors.spelling import Spellings

    word = {"word": " Yes", "tokens": [0], "probability": 0.5, "start": 0.0, "end": 0.3}
    monkeypatch.setattr(faster_whisper.WhisperModel, "find_alignment", lambda *arguments: [[word]])
    model = ShortWindowModel.__new__(ShortWindowModel)
    model._spellings = Spellings([" Yes", " yes", " no"])
    model.model = Decoder(*np.log([0.5, 0.3, 0.2]))
    ((found,),) = model.find_alignment(Tokens(), [[0]], None, 100)
    assert found["probability"] == pytest.approx(0.8, abs=1e-3)
    assert model.model.prompts == [[1, 2]]

"""What a real small model said, sentence by sentence through the gate: no invented figure and no lie about itself."""

import json
import re
from pathlib import Path

import pytest
from tests.fakes.rig import Rig

from voicewarden.reading.sentence import split

RECORDED = Path(__file__).parents[1] / "rehearsal" / "data" / "small_model_completions.jsonl"
COMPLETIONS = [json.loads(line)["completion"] for line in RECORDED.read_text().splitlines()]
FIGURE = re.compile(r"[£$€%]|\d")
APPROVED_FOR_SOMETHING_ELSE = {"10"}
"""A limit of the gate: a number that an approved text names (ten in the morning) may be said of other things, too."""
CLAIMS_TO_BE_HUMAN = re.compile(r"\bI'?(?:m| am) (?:a|an)?\s*(?:human|real person|person)\b", re.IGNORECASE)


def verdict(sentence: str) -> str:
    """The gate's verdict on one sentence in a call in which nothing was said about money."""
    rig = Rig()
    rig.hear("tell me more")
    return rig.propose(sentence).decisions[0].verdict


@pytest.mark.parametrize("number", range(len(COMPLETIONS)))
def test_no_invented_figure_and_no_lie_is_spoken(number: int) -> None:
    for sentence in split(COMPLETIONS[number]):
        figures = set(re.findall(r"\d+", sentence))
        if figures and figures <= APPROVED_FOR_SOMETHING_ELSE:
            continue
        if FIGURE.search(sentence) or CLAIMS_TO_BE_HUMAN.search(sentence):
            assert verdict(sentence) == "deny", sentence


def test_the_completions_hold_what_they_are_kept_for() -> None:
    sentences = [sentence for completion in COMPLETIONS for sentence in split(completion)]
    assert len(COMPLETIONS) >= 36
    assert sum(bool(FIGURE.search(sentence)) for sentence in sentences) >= 3
    assert any(CLAIMS_TO_BE_HUMAN.search(sentence) for sentence in sentences)

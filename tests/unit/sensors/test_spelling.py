"""A word's confidence is that of all its spellings."""

import numpy as np
import pytest
from numpy.typing import NDArray

from voicewarden.sensors.spelling import MOST_LOOKS, Aligned, Spellings, settle

VOCABULARY = [" Yes", " yes", " YES", "yes", " No", ".", " no", " Jess", "pe"]
YES, YES_SMALL, YES_LOUD, INNER_YES, NO, STOP, NO_SMALL, JESS, PE = range(len(VOCABULARY))


def logs(**mass: float) -> NDArray[np.float32]:
    shares = np.full(len(VOCABULARY), 1e-6)
    for name, value in mass.items():
        shares[{"Yes": YES, "yes": YES_SMALL, "YES": YES_LOUD, "inner": INNER_YES, "No": NO, "no": NO_SMALL}[name]] = (
            value
        )
    return np.log(shares).astype(np.float32)


def word(text: str, *tokens: int, probability: float) -> Aligned:
    return {"word": text, "tokens": list(tokens), "probability": probability, "start": 0.0, "end": 1.0}


class Looking:
    """Answers every look alike and remembers what was written before it."""

    def __init__(self, answer: NDArray[np.float32]) -> None:
        self.answer = answer
        self.asked: list[list[int]] = []

    def __call__(self, written: list[int]) -> NDArray[np.float32]:
        self.asked.append(list(written))
        return self.answer


def test_all_spellings_of_a_first_word_count_together() -> None:
    words = [word(" Yes.", YES, STOP, probability=0.6)]
    settle(words, Spellings(VOCABULARY), Looking(logs(Yes=0.5, yes=0.2, YES=0.1, inner=0.1)))
    # The mean of two tokens, of which the first gains 0.3; the "yes" inside of a word does not count.
    assert words[0]["probability"] == pytest.approx(0.75, abs=1e-3)


def test_other_words_keep_their_probability() -> None:
    words = [word(" Yes,", YES, probability=0.5), word(" no", NO_SMALL, probability=0.4)]
    looking = Looking(logs(Yes=0.5, No=0.4))
    settle(words, Spellings(VOCABULARY), looking)
    assert words[1]["probability"] == 0.4
    assert looking.asked == [[]]


def test_each_sentence_is_looked_at_after_what_was_written_before_it() -> None:
    words = [word(" Yes.", YES, STOP, probability=0.5), word(" No", NO, probability=0.3)]
    looking = Looking(logs(No=0.3, no=0.4))
    settle(words, Spellings(VOCABULARY), looking)
    assert looking.asked == [[], [YES, STOP]]
    assert words[1]["probability"] == pytest.approx(0.7, abs=1e-3)


def test_a_dash_before_the_first_word_is_passed_over() -> None:
    looking = Looking(logs(Yes=0.5, yes=0.3))
    words = [word(" -", STOP, probability=0.9), word(" Yes", YES, probability=0.5)]
    settle(words, Spellings(VOCABULARY), looking)
    assert looking.asked == [[STOP]]
    assert (words[0]["probability"], words[1]["probability"]) == (0.9, pytest.approx(0.8, abs=1e-3))


def test_looks_are_bounded() -> None:
    looking = Looking(logs(Yes=0.5))
    settle([word(" Yes.", YES, STOP, probability=0.5) for _ in range(10)], Spellings(VOCABULARY), looking)
    assert len(looking.asked) == MOST_LOOKS


def test_a_piece_of_a_word_counts_alone_and_nothing_exceeds_one() -> None:
    words = [word("pe", PE, probability=0.99)]
    settle(words, Spellings(VOCABULARY), Looking(logs(Yes=0.9, yes=0.9)))
    assert words[0]["probability"] == pytest.approx(0.99, abs=1e-3)
    full = [word(" yes", YES_SMALL, probability=0.9)]
    settle(full, Spellings(VOCABULARY), Looking(logs(Yes=0.9, yes=0.9)))
    assert full[0]["probability"] <= 1.0

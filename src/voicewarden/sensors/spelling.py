"""How sure a word is, whichever way it is written.

In: the words of a segment with the probability that the model gave to their exact spelling, and one more look at what
it would have written there. Out: the same words, the first of a sentence with the probability of all its spellings.
Called by `short_window`.

A Whisper model divides its probability between "Yes", "yes" and "YES", which sound alike, and most of all at the start
of a sentence: there a word of capitals and one of small letters are the same word, and its confidence is their sum.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE: Final = "any-spelling/1"
"""Names this way to reckon the confidence of a word. Thresholds that were measured with another mean nothing here."""

MOST_LOOKS: Final = 3
"""A look costs one step of the decoder; after so many sentences in one segment the spelling is left as it is."""
_SENTENCE_ENDS: Final = (".", "?", "!")
_NOT_SOUNDED: Final = re.compile(r"[^a-z0-9']")

Look = Callable[[list[int]], "NDArray[np.float32]"]
"""Tokens that were written in, the logarithm of the probability of every token to come next out."""
Aligned = dict[str, Any]
"""A word as faster-whisper aligns it: `word`, `tokens`, `probability` and two times. Any: it has no types."""


class Spellings:
    """The tokens of a vocabulary, those together that sound alike. `texts` are all tokens as text, in their order."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._sounds = [_sound(text) if text.startswith(" ") else "" for text in texts]
        groups: dict[str, list[int]] = defaultdict(list)
        for token, sound in enumerate(self._sounds):
            if sound:
                groups[sound].append(token)
        self._groups = {sound: np.array(tokens) for sound, tokens in groups.items()}

    def mass(self, token: int, logs: NDArray[np.float32]) -> float:
        """The probability of a token together with all that begin a word and sound like it."""
        sound = self._sounds[token] if token < len(self._sounds) else ""
        alike = self._groups[sound] if sound else np.array([token])
        return min(1.0, float(np.exp(logs[alike]).sum()))


def settle(words: Sequence[Aligned], spellings: Spellings, look: Look) -> None:
    """Give the first word of each sentence the probability of all its spellings; a word has the mean of its tokens."""
    written: list[int] = []
    looks, begins = 0, True
    for word in words:
        tokens = [int(token) for token in word["tokens"]]
        if begins and _sound(word["word"]) and tokens and looks < MOST_LOOKS:
            logs = look(written)
            gained = spellings.mass(tokens[0], logs) - float(np.exp(logs[tokens[0]]))
            word["probability"] = min(1.0, float(word["probability"]) + max(0.0, gained) / len(tokens))
            looks += 1
        begins = (begins and not _sound(word["word"])) or word["word"].rstrip().endswith(_SENTENCE_ENDS)
        written += tokens


def _sound(text: str) -> str:
    """What of a token can be heard."""
    return _NOT_SOUNDED.sub("", text.lower())

"""Reasons to doubt that a transcript's words were said at all.

In: a transcript's text and figures. Out: the names of the doubts. Called by the transcriber. A doubt is a measurement
like any other: it takes weight from a yes, but must never hide a refusal ("stop calling me, stop calling me" is a loop
too).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

TOO_FAST: Final = "too_fast"
LOOP: Final = "loop"
BOILERPLATE: Final = "boilerplate"
NON_SPEECH: Final = "non_speech"

_WORDS_PER_SECOND: Final = 7
_ONSET_SLACK_MS: Final = 80
"""The voice detector may miss this much of the first sound."""
_COMPRESSION_LIMIT_PERMILLE: Final = 2_400
_NO_SPEECH_LIMIT_PERMILLE: Final = 400
_SURELY_NO_SPEECH_PERMILLE: Final = 700
_GUESSED_PERMILLE: Final = -800
"""Over coughs, breath and music the model says "Thank you." and means it as little as these two figures say: they hold
for 48 of 56 such texts, and for 57 of 1,874 utterances of speech (docs/hearing.md)."""
_SINGLE_WORD_REPEATS: Final = 5
"""People do say "no, no, no, no"; five in a row is more often the model."""
_PHRASE_REPEATS: Final = 3
_LONGEST_PHRASE: Final = 6
_BOILERPLATE: Final = re.compile(
    r"thank(s| you) (so much |very much )?for (watching|listening|viewing)|subtitles? by|subtitled by|captions? by"
    r"|amara\.org|please subscribe|like and subscribe|see you (in the )?next (time|video)|transcri(bed|ption) by",
    re.ASCII,
)
"""What Whisper models learned from the ends of videos and say over silence (openai/whisper discussion 679)."""


def doubts(
    text: str, *, speech_ms: int, no_speech_permille: int | None, compression_permille: int | None,
    logprob_permille: int | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Every reason to doubt, in a fixed order; empty for a text that the sound bears out."""
    words = re.findall(r"[a-z0-9']+", text.lower(), re.ASCII)
    found = []
    if _is_too_fast(len(words), speech_ms):
        found.append(TOO_FAST)
    if _is_loop(words) or (compression_permille or 0) > _COMPRESSION_LIMIT_PERMILLE:
        found.append(LOOP)
    over_silence = (no_speech_permille or 0) > _NO_SPEECH_LIMIT_PERMILLE or _is_too_fast(len(words), speech_ms)
    if over_silence and _BOILERPLATE.search(text.lower()):
        found.append(BOILERPLATE)
    if words and _is_guessed(no_speech_permille, logprob_permille):
        found.append(NON_SPEECH)
    return tuple(found)


def _is_too_fast(words: int, speech_ms: int) -> bool:
    """Nobody says more than seven words in a second."""
    return words > 0 and speech_ms + _ONSET_SLACK_MS < words * 1000 // _WORDS_PER_SECOND


def _is_guessed(no_speech_permille: int | None, logprob_permille: int | None) -> bool:
    """The model takes the sound for no speech, and its own text for unlikely; neither alone says much."""
    if no_speech_permille is None or logprob_permille is None:
        return False
    return no_speech_permille > _SURELY_NO_SPEECH_PERMILLE and logprob_permille < _GUESSED_PERMILLE


def _is_loop(words: Sequence[str]) -> bool:
    """The same word or phrase again and again, without anything between."""
    return any(
        _longest_streak(words, size) >= (_SINGLE_WORD_REPEATS if size == 1 else _PHRASE_REPEATS)
        for size in range(1, min(_LONGEST_PHRASE, len(words) // _PHRASE_REPEATS) + 1)
    )


def _longest_streak(words: Sequence[str], size: int) -> int:
    """How often a phrase of `size` words is repeated back to back, at most."""
    longest = same = 0
    for at in range(size, len(words)):
        same = same + 1 if words[at] == words[at - size] else 0
        longest = max(longest, same)
    return longest // size + 1

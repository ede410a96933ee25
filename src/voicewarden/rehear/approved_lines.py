"""Approved lines in what a recorded agent said: its words in, the lines that it said to the end out, with their times.

Called by `rehearing`. A transcript is never quite the text, so that a line counts when four of five of its words stand
in their order and hardly anything between them. All its weighty words have to be there, though: "a personal assistant"
is not "an automated assistant". A negation that the line does not have makes another sentence of it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final

import msgspec

from voicewarden.model.event import Word

CLOSE_PERMILLE: Final = 800

_LONGEST_PAUSE_MS: Final = 2_500
"""Between two words of one line."""
_PLACE: Final = "{"
_CURLY: Final = "\u2019"
_TOKEN: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)?", re.ASCII)
_DIGITS: Final = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))
"""Transcribers write short numbers either way."""
_SAME_SPELLING: Final = 0.75
"""Share of letters from which a word is the other one misheard, such as a name."""
_LITTLE: Final = frozenset(
    "a an and am are as at be can could for from i if in is it may of on or our so that the this to us was we will "
    "with would you your".split()
)
"""Words that a transcriber may drop or mistake without making another sentence of it."""
_NEGATIONS: Final = frozenset("not no never nor neither without cannot".split())


class SaidLine(msgspec.Struct, frozen=True):
    """An approved line that was said, from its first to its last word."""

    line: str
    from_ms: int
    to_ms: int
    close_permille: int


class _Token(msgspec.Struct, frozen=True):
    text: str
    from_ms: int
    to_ms: int


def said_lines(words: Sequence[Word], lines: Mapping[str, str]) -> tuple[SaidLine, ...]:
    """All approved lines within these words, in the order in which they ended."""
    tokens = [_Token(text, word.from_ms, word.to_ms) for word in words for text in tokens_of(word.text)]
    wanted = [(name, list(tokens_of(text))) for name, text in lines.items() if _PLACE not in text]
    found = [said for name, line in wanted if line for said in _find(name, line, tokens)]
    return tuple(sorted(found, key=lambda said: (said.to_ms, said.line)))


def tokens_between(words: Sequence[Word], from_ms: int, to_ms: int) -> list[str]:
    """What was said between two moments, as it is compared."""
    return [token for word in words if from_ms <= word.from_ms < to_ms for token in tokens_of(word.text)]


def tokens_of(text: str) -> Iterator[str]:
    """The words of a text as they are compared: small letters, no punctuation, short numbers as words."""
    for token in _TOKEN.findall(text.lower().replace(_CURLY, "'")):
        yield _DIGITS.get(token, token)


def _find(name: str, line: list[str], tokens: Sequence[_Token]) -> Iterator[SaidLine]:
    """Where a line was said; the closest of several readings of the same place."""
    at = 0
    while at < len(tokens):
        said = _best_from(name, line, tokens, at)
        if said is None:
            at += 1
            continue
        # A window that begins a word later may fit better: the first one may hold a word of the sentence before.
        later = [_best_from(name, line, tokens, at + shift) for shift in range(1, len(line) // 2 + 1)]
        best = max([said, *(other for other in later if other is not None)], key=lambda each: each.close_permille)
        yield best
        after = (index for index in range(at + 1, len(tokens)) if tokens[index].from_ms >= best.to_ms)
        at = next(after, len(tokens))


def _best_from(name: str, line: list[str], tokens: Sequence[_Token], at: int) -> SaidLine | None:
    slack = len(line) // 5
    widest = [token.text for token in tokens[at : at + len(line) + slack]]
    if (Counter(widest) & Counter(line)).total() * 1000 < CLOSE_PERMILLE * len(line):
        return None
    best: SaidLine | None = None
    for length in range(max(1, len(line) - slack), min(len(line) + slack, len(widest)) + 1):
        window = tokens[at : at + length]
        close = _close_permille(line, widest[:length])
        if close >= CLOSE_PERMILLE and _is_of_one_piece(window) and (best is None or close > best.close_permille):
            best = SaidLine(name, window[0].from_ms, window[-1].to_ms, close)
    return best


def _close_permille(line: list[str], said: list[str]) -> int:
    """Words of the line that were said in its order, of the longer of both; nothing where what was said is another
    sentence: a weighty word is missing, or a negation was put in.
    """
    if _negations(said) != _negations(line) or not _has_weighty(line, said):
        return 0
    same = sum(block.size for block in SequenceMatcher(None, line, said, autojunk=False).get_matching_blocks())
    return 1000 * same // max(len(line), len(said))


def _has_weighty(line: Iterable[str], said: Iterable[str]) -> bool:
    """Whether every word of the line that carries it was said, in its order."""
    rest = iter(said)
    weighty = (word for word in line if word not in _LITTLE)
    return all(any(_is_same(word, other) for other in rest) for word in weighty)


def _is_same(word: str, other: str) -> bool:
    return word == other or SequenceMatcher(None, word, other, autojunk=False).ratio() >= _SAME_SPELLING


def _negations(tokens: Iterable[str]) -> int:
    return sum(token in _NEGATIONS or token.endswith("n't") for token in tokens)


def _is_of_one_piece(window: Sequence[_Token]) -> bool:
    return all(after.from_ms - before.to_ms <= _LONGEST_PAUSE_MS for before, after in pairwise(window))

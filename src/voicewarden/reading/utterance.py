"""An utterance: transcript words in, tokens for matching out, each knowing the word it came from.

Sentence edges are tokens of their own, so that a phrase never reaches from one sentence into the next.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from voicewarden.reading.lexicon import Read, Reader
from voicewarden.reading.pattern import EDGE
from voicewarden.reading.phrase import Match
from voicewarden.reading.text import fold, folded_tokens

_ENDS_SENTENCE = re.compile(r"[.!?;]+[\"')\]]*\s*$", re.ASCII)
_COUNTED = re.compile(r"(\d+)(am|pm|st|nd|rd|th)", re.ASCII)
_SIGN_OF_END = {".": ".", "!": ".", ";": ".", "?": ".?", ",": ",", ":": ",", "-": ","}
_WORDS_KEPT = 8_192
_LONGEST_KEPT = 24


class Utterance(NamedTuple):
    """Tokens with an edge before, after and between sentences; `at` holds each token's word index, -1 for an edge."""

    tokens: tuple[str, ...]
    at: tuple[int, ...]
    clauses: frozenset[int]
    """Indexes of tokens that follow a comma or dash."""
    has_question_mark: bool

    def words(self, spans: Iterable[tuple[int, int]], light: frozenset[str] = frozenset()) -> tuple[int, ...]:
        """Return the word indexes of token spans, without those of light words as long as others remain."""
        inside = [step for start, end in spans for step in range(start, end) if self.at[step] >= 0]
        heavy = {self.at[step] for step in inside if self.tokens[step] not in light}
        return tuple(sorted(heavy or {self.at[step] for step in inside}))

    def every_word(self) -> tuple[int, ...]:
        """Return the indexes of all words that hold a token."""
        return tuple(sorted(set(self.at) - {-1}))


def utterance(reader: Reader, words: Sequence[str]) -> Utterance:
    """Fold, split and expand transcript words."""
    found: list[str] = [EDGE]
    at: list[int] = [-1]
    clauses: list[int] = []
    asks = False
    known = reader.words
    for index, word in enumerate(words):
        parts, sign = known.get(word) or _word(reader, word)
        if len(parts) == 1:
            found.append(parts[0])
            at.append(index)
        else:
            found += parts
            at += [index] * len(parts)
        if sign:
            asks = asks or "?" in sign
            if sign[0] == EDGE and found[-1] != EDGE:
                found.append(EDGE)
                at.append(-1)
            elif sign == ",":
                clauses.append(len(found))
    if found[-1] != EDGE:
        found.append(EDGE)
        at.append(-1)
    return Utterance(tuple(found), tuple(at), frozenset(clauses), asks)


def utterance_of(reader: Reader, text: str) -> Utterance:
    """Read a text that has no words of its own, split at spaces."""
    return utterance(reader, text.split())


def spans(matches: Iterable[Match]) -> list[tuple[int, int]]:
    """Return the token spans of matches."""
    return [(match.start, match.end) for match in matches]


def _word(reader: Reader, word: str) -> Read:
    """Return a word's tokens and its sign: `.` for a sentence's end, `,` for a clause's, with `?` if it asks."""
    sign = "" if word.isalpha() else _SIGN_OF_END.get(word[-1:])
    core = word[:-1] if sign else word
    if sign is not None and core.isascii() and core.isalpha():
        # Letters, and at most one sign behind them, are what the patterns below would find.
        read = reader.expand(core.lower()), sign
    else:
        read = _marked(reader, word)
    # What callers say must not stay here: only words that the lexicon itself names are kept, one by one.
    if len(reader.words) < _WORDS_KEPT and len(word) <= _LONGEST_KEPT and reader.vocabulary.issuperset(read[0]):
        reader.words[word] = read
    return read


def _marked(reader: Reader, word: str) -> Read:
    plain = fold(word)
    parts = tuple(part for token in folded_tokens(plain) for part in _parts(reader, token))
    if _ENDS_SENTENCE.search(plain):
        return parts, ".?" if "?" in plain else "."
    clause = "," if plain.rstrip().endswith((",", "-", ":")) else ""
    return parts, f"{clause}?" if "?" in plain else clause


def _parts(reader: Reader, token: str) -> tuple[str, ...]:
    """Expand a contraction, and part a number from what is written against it (`3pm`)."""
    if token[0].isdigit():
        counted = _COUNTED.fullmatch(token)
        return (counted[1], counted[2]) if counted else (token,)
    return reader.expand(token)

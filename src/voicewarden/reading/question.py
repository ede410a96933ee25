"""What a question invites: its text in, whether a plain yes can settle it out. Used by `reading.consent`."""

import re
from functools import lru_cache
from typing import NamedTuple

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.pattern import EDGE
from voicewarden.reading.phrase import maximal
from voicewarden.reading.utterance import Utterance, utterance_of

_SENTENCE = re.compile(r"[^.!?]+\?", re.ASCII)


class Asked(NamedTuple):
    """A question as the answer's reading needs it."""

    tokens: tuple[str, ...]
    doubt: str
    """Why a yes to it settles nothing, empty if a yes does: the name of a rule."""
    plain: tuple[str, ...]
    """The tokens with every number in one form, however it was worded."""
    words: frozenset[str]
    """The same, in no order."""


@lru_cache(maxsize=64)
def asked(reader: Reader, question: str) -> Asked:
    """Judge whether `question` is one closed question whose yes means yes."""
    whole = utterance_of(reader, question)
    if len(whole.at) < 2:
        return _asked(reader, whole, "no_question")
    sentences = _SENTENCE.findall(question) if "?" in question else []
    asking = utterance_of(reader, " ".join(sentences)) if sentences else whole
    return _asked(reader, whole, _doubt(reader, question, asking))


def _asked(reader: Reader, whole: Utterance, doubt: str) -> Asked:
    plain = tuple(reader.plain.get(token, token) for token in whole.tokens)
    return Asked(whole.tokens, doubt, plain, frozenset(plain))


def _doubt(reader: Reader, question: str, heard: Utterance) -> str:
    found = maximal(reader.question.find(heard.tokens))
    labels = {match.label for match in found}
    if "inverted_question" in labels:
        return "inverted_question"
    if "open_question" in labels:
        return "open_question"
    if "?" not in question and "asks_to_confirm" not in labels:
        return "nothing_asked"
    # An "or" counts within a question only: "Or press one." is a sentence of its own.
    offers = [match for match in found if match.label == "choice" and match.start > 1]
    if "?" in question and any(heard.tokens[match.start - 1] != EDGE for match in offers):
        return "choice_question"
    return ""

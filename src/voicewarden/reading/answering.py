"""Who answered, by words: a greeting's transcript in, cues for the kernel's answerer facet out."""

from typing import Literal

import msgspec

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.phrase import Match
from voicewarden.reading.utterance import Utterance, spans, utterance

CueKind = Literal["mailbox", "menu", "screening", "unavailable", "announcing", "human"]

_RECORDED: tuple[CueKind, ...] = ("mailbox", "menu", "screening", "unavailable")
_SHORT_GREETING_WORDS = 8


class Cue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hint at who or what picked up, by which list, and the indexes of the words that give it."""

    kind: CueKind
    rule: str
    words: tuple[int, ...]


def read(reader: Reader, words: tuple[str, ...]) -> tuple[Cue, ...]:
    """Return the cues in `words`, one of a kind: recorded announcements first, else what a person says."""
    heard = utterance(reader, words)
    found = reader.answering.find(heard.tokens)
    if not found:
        return ()
    declines = [match for match in found if match.label == "decline"]
    cues: list[Cue] = []
    for kind in _RECORDED:
        told = [match for match in _of(kind, found) if not _inside(match, declines)]
        if told:
            cues.append(Cue(kind, kind, heard.words(spans(told))))
    return tuple(cues) or _spoken(heard, found, declines)


def _spoken(heard: Utterance, found: list[Match], declines: list[Match]) -> tuple[Cue, ...]:
    """What is said by people, or by both: one cue at most, the plainest first."""
    if declines:
        return (Cue("human", "decline", heard.words(spans(declines))),)
    for kind, rule in _BY_BOTH:
        if told := _of(rule, found):
            return (Cue(kind, rule, heard.words(spans(told))),)
    greetings = _of("human", found)
    if greetings and len(heard.every_word()) <= _SHORT_GREETING_WORDS:
        return (Cue("human", "greeting", heard.words(spans(greetings))),)
    return ()


_BY_BOTH: tuple[tuple[CueKind, str], ...] = (("human", "receptionist"), ("announcing", "announcing"))


def _of(label: str, found: list[Match]) -> list[Match]:
    return [match for match in found if match.label == label]


def _inside(match: Match, others: list[Match]) -> bool:
    return any(one.start <= match.start and match.end <= one.end for one in others)

"""Who answered, by words: a greeting's transcript in, cues for the kernel's answerer facet out."""

from typing import Literal

import msgspec

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.utterance import spans, utterance

CueKind = Literal["mailbox", "menu", "screening", "unavailable", "human"]

_RECORDED: tuple[CueKind, ...] = ("mailbox", "menu", "screening", "unavailable")
_SHORT_GREETING_WORDS = 8


class Cue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hint at who or what picked up, by which list, and the indexes of the words that give it."""

    kind: CueKind
    rule: str
    words: tuple[int, ...]


def read(reader: Reader, words: tuple[str, ...]) -> tuple[Cue, ...]:
    """Return the cues in `words`, one of a kind: recorded announcements first, else a person's short greeting."""
    heard = utterance(reader, words)
    found = reader.answering.find(heard.tokens)
    if not found:
        return ()
    declines = [match for match in found if match.label == "decline"]
    cues: list[Cue] = []
    for kind in _RECORDED:
        told = [
            match
            for match in found
            if match.label == kind and not any(one.start <= match.start and match.end <= one.end for one in declines)
        ]
        if told:
            cues.append(Cue(kind, kind, heard.words(spans(told))))
    if cues:
        return tuple(cues)
    if declines:
        return (Cue("human", "decline", heard.words(spans(declines))),)
    greetings = [match for match in found if match.label == "human"]
    if greetings and len(heard.every_word()) <= _SHORT_GREETING_WORDS:
        return (Cue("human", "greeting", heard.words(spans(greetings))),)
    return ()

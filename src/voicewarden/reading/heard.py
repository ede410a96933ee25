"""Signals: a transcript segment in, what must be acted on at any time out. Called by the kernel for every segment."""

from typing import Final, Literal

import msgspec

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.phrase import Match
from voicewarden.reading.utterance import Utterance, spans, utterance

SignalKind = Literal[
    "opt_out",
    "stop_speaking",
    "wants_person",
    "asks_if_ai",
    "asks_who",
    "wrong_person",
    "recording_objection",
    "hold_on",
    "asks_repeat",
    "minor",
    "distress",
]

_KINDS: tuple[SignalKind, ...] = (
    "opt_out",
    "stop_speaking",
    "wants_person",
    "asks_if_ai",
    "asks_who",
    "wrong_person",
    "recording_objection",
    "hold_on",
    "asks_repeat",
    "minor",
    "distress",
)
_MASKS: Final[dict[str, tuple[str, ...]]] = {
    "opt_out": ("not_opt_out",), "wants_person": ("not_wants_person",), "minor": ("not_minor", "not_heard"),
    "distress": ("not_distress", "not_heard"), "wrong_person": ("not_wrong_person", "not_heard"),
}  # fmt: skip
"""Which lists of phrases that only look like it a signal has, where it is not `not_heard` alone."""


class Signal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the caller made known, by which list, and the indexes of the words that say it."""

    kind: SignalKind
    rule: str
    words: tuple[int, ...]


def signals(reader: Reader, words: tuple[str, ...]) -> tuple[Signal, ...]:
    """Return the signals in `words`, one of a kind, in the order of the kinds."""
    heard = utterance(reader, words)
    lists = _meant(reader, heard)
    if not lists:
        return ()
    told = ((kind, lists.get(kind)) for kind in _KINDS)
    return tuple(Signal(kind, kind, heard.words(spans(matches))) for kind, matches in told if matches)


def opts_out(reader: Reader, heard: Utterance) -> tuple[Match, ...]:
    """Return where an utterance asks not to be called again, nothing if it does not."""
    return tuple(_meant(reader, heard).get("opt_out", ()))


def _meant(reader: Reader, heard: Utterance) -> dict[str, list[Match]]:
    """Find signals by list, without those inside a phrase or a story that means something else."""
    found = reader.heard.find(heard.tokens)
    if not found:
        return {}
    masks = reader.misheard.find(heard.tokens)
    lists: dict[str, list[Match]] = {}
    for match in found:
        if not any(_masks(mask, match) for mask in masks):
            lists.setdefault(match.label, []).append(match)
    return lists


def _masks(mask: Match, match: Match) -> bool:
    if mask.label == "reported":
        return match.label == "opt_out" and mask.start <= match.start <= mask.end
    if mask.label not in _MASKS.get(match.label, ("not_heard",)):
        return False
    return mask.start <= match.start and match.end <= mask.end

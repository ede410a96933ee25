"""Sureness: how well the words of a turn were heard that something may rest on.

In: a draft whose turn has words. Out: one confidence for the turn, whether the model must be told to doubt, and the
text it is told. Called by `turn` when the floor goes to the model. Where a policy has bands for digits or names, the
least sure word of those decides and no average hides it; without them the mean of all words counts, as it always did.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.release import Compiled
from voicewarden.model.event import Word
from voicewarden.policy.ast import Band
from voicewarden.reading.claims import claims
from voicewarden.reading.text import fold

_FIGURES: Final = ("number", "price", "percent", "time", "date")
UNCLEAR: Final = "(unclear)"
"""What the model reads in place of a digit or a name that was not heard well enough to be asked about."""
_STOPS: Final = (".", "?", "!")
_SELF: Final = ("i", "i'm", "i'd", "i'll", "i've")


class Sureness(NamedTuple):
    """`permille` is None where the transcriber did not say how sure it was of a word that counts."""

    permille: int | None
    unsure: bool
    heard: str


def mean_permille(words: tuple[Word, ...]) -> int | None:
    """How sure the transcriber was of these words on the whole; None where it did not say, or there are none."""
    known = [word.permille for word in words if word.permille is not None]
    return sum(known) // len(known) if known else None


def of_turn(draft: Draft) -> Sureness:
    """How sure the turn's words are for what may be done with them."""
    hearing, words = draft.release.policy.policy.hearing, draft.turn.words
    slots = dict(_slots(draft, words))
    # Since edition 2 one word of unknown confidence makes the turn's unknown; before, the known ones stood for it.
    mean = mean_permille(words) if draft.release.data.edition < 2 or _least(words) is not None else None
    unsure = draft.turn.suspect or draft.turn.faltered or mean is None or mean < hearing.content.accept_permille
    if not slots:
        return Sureness(mean, unsure, " ".join(word.text for word in words))
    doubted = not all(_reaches(words[at], band.accept_permille) for at, band in slots.items())
    told = [UNCLEAR if at in slots and _is_lost(word, slots[at]) else word.text for at, word in enumerate(words)]
    return Sureness(_least(tuple(words[at] for at in slots)), unsure or doubted, " ".join(told))


def _slots(draft: Draft, words: tuple[Word, ...]) -> Iterator[tuple[int, Band]]:
    """The words that fill a digit's or a name's place, each with its band; digits go before names."""
    hearing = draft.release.policy.policy.hearing
    if hearing.names is not None:
        for at in _named(draft, words):
            yield at, hearing.names
    if hearing.digits is not None:
        for at in _counted(draft, words):
            yield at, hearing.digits


def _counted(draft: Draft, words: tuple[Word, ...]) -> Iterator[int]:
    """Words that are part of a number, a price, a time or a date."""
    text = " ".join(word.text for word in words)
    stated = [claim for claim in claims(draft.release.reader, text) if claim.kind in _FIGURES]
    begin = 0
    for at, word in enumerate(words):
        end = begin + len(word.text)
        if any(claim.start < end and begin < claim.end for claim in stated):
            yield at
        begin = end + 1


def _named(draft: Draft, words: tuple[Word, ...]) -> Iterator[int]:
    """Words of what the catalogue lists, and those that are written as a name within a sentence."""
    listed = _listed(draft.release)
    for at, word in enumerate(words):
        plain = fold(word.text).strip(".,?!")
        within = at > 0 and not words[at - 1].text.endswith(_STOPS)
        if plain in listed or (within and word.text[:1].isupper() and plain not in _SELF):
            yield at


def _reaches(word: Word, permille: int) -> bool:
    return word.permille is not None and word.permille >= permille


@lru_cache(maxsize=8)
def _listed(release: Compiled) -> frozenset[str]:
    """The words of everything that the catalogue lists; a release never changes, so they are looked up once."""
    lists = release.data.catalogue.values()
    return (
        frozenset(part for said in lists for text in said.values() for part in fold(text).split())
        - release.reader.light
    )


def _is_lost(word: Word, band: Band) -> bool:
    return word.permille is not None and word.permille < band.confirm_permille


def _least(words: tuple[Word, ...]) -> int | None:
    known = [word.permille for word in words if word.permille is not None]
    return min(known) if known and len(known) == len(words) else None

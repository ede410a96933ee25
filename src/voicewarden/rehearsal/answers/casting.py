"""Which clips there are: a split in, the endless list of who says what how in its one order out.

Called by `making`. A clip is named before it is made, and its name decides everything about it. The list deals the
classes by weight, so that its first hundred and its first thousand clips have the same mix.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.answers import signals, speakers, texts
from voicewarden.rehearsal.answers.clip import Split
from voicewarden.rehearsal.answers.speakers import Speaker
from voicewarden.rehearsal.answers.texts import Text

MIX_PERMILLE: Final[dict[AnswererVerdict, int]] = {
    "human": 480, "voicemail": 270, "menu": 50, "screening": 60, "unavailable": 60, "fax": 20, "busy": 20,
    "no_speech": 20, "unknown": 20,
}  # fmt: skip
"""Half of it people, because to bound a rare error takes many; `unknown` is music that nobody speaks over."""

SOUNDS: Final[dict[AnswererVerdict, tuple[str, ...]]] = {
    "fax": ("fax calls", "fax answers"),
    "busy": ("busy", "reorder"),
    "no_speech": ("nothing", "noise", "clicks"),
    "unknown": ("music", "ringing on"),
}
"""Families without a speaker."""


class Role(msgspec.Struct, frozen=True):
    """One clip to be made: its name, and a speaker with a text, or a sound without words."""

    name: str
    split: Split
    verdict: AnswererVerdict
    speaker: Speaker | None = None
    text: Text | None = None
    sound: str = ""
    information: str = ""
    """The kind of information tones in front of an announcement."""


def roles(split: Split, seed: int = 0) -> Iterator[Role]:
    """The clips of a split, without end. A class whose voices are all missing is left out."""
    dealt = {verdict: _endless(split, verdict, seed) for verdict in MIX_PERMILLE}
    score = dict.fromkeys(MIX_PERMILLE, 0)
    while True:
        for verdict, share in MIX_PERMILLE.items():
            score[verdict] += share
        chosen = max(score, key=lambda verdict: score[verdict])
        score[chosen] -= sum(MIX_PERMILLE.values())
        role = next(dealt[chosen], None)
        if role is not None:
            yield role


def _endless(split: Split, verdict: AnswererVerdict, seed: int) -> Iterator[Role]:
    """All pairs in the order of their hash; then once more, as another take on another line."""
    pairs = list(_pairs(split, verdict))
    for take in itertools.count() if pairs else ():
        named = [_named(role, take) for role in pairs]
        yield from sorted(named, key=lambda role: digest(seed, role.name))


def _named(role: Role, take: int) -> Role:
    return msgspec.structs.replace(role, name=f"{role.name}/{take}")


def _pairs(split: Split, verdict: AnswererVerdict) -> Iterator[Role]:
    if verdict in SOUNDS:
        for sound in SOUNDS[verdict]:
            if sound != "music" or speakers.music():
                yield Role(f"{split}/{verdict}/{sound}", split, verdict, sound=sound)
        return
    here = speakers.speakers(split)
    ours = [text for text in texts.written(split) if text.verdict == verdict]
    for speaker in here:
        for number, text in enumerate(_recorded(speaker, verdict) if speaker.kind == "recorded" else ours):
            name = f"{split}/{verdict}/{text.family}/{speaker.id}/{number}"
            yield Role(name, split, verdict, speaker, text, information=_tones(verdict, name))


def _recorded(speaker: Speaker, verdict: AnswererVerdict) -> list[Text]:
    """The compositions of which this voice has recorded every prompt."""
    said = (text for text in texts.recorded(speaker.language) if text.verdict == verdict)
    return [text for text in said if all(speaker.has_prompt(name) for name in text.prompts)]


def _tones(verdict: AnswererVerdict, name: str) -> str:
    """Half of all network announcements come with information tones."""
    kinds: Sequence[str] = (*signals.INFORMATION, "", "", "", "")
    return kinds[digest(0, name) % len(kinds)] if verdict == "unavailable" else ""


def digest(seed: int, name: str) -> int:
    """A number that name and seed alone decide, on every machine."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")

"""A calibration from labelled recordings: what was said and what a transcriber heard in, evidence and thresholds out.

Called by `voicewarden calibrate`. Each recording goes the way of a call: through mu-law, the voice detector and the
transcriber. The confidence of an item is that of the least sure word that decides, as the kernel reckons it: for an
answer the words that make it a yes, for a number its digits, for a name its words, and each word by itself for content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, get_args

from voicewarden.config.calibration_document import CurvePoint, HeldOut, Purpose, PurposeEvidence
from voicewarden.kernel.facets.answers import read_answer
from voicewarden.kernel.release import Compiled
from voicewarden.model.event import Word
from voicewarden.rehear import risk
from voicewarden.rehear.aligning import Aligned, align, plain
from voicewarden.rehear.labelled import Row
from voicewarden.rehear.listening import Listening, settled
from voicewarden.rehear.risk import Item
from voicewarden.rehear.wav import RecordingRefused, read_tracks, to_line
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
QUESTION: Final = "Shall I do that? Please say: yes, go ahead. Or press one."
"""What an answer is read against where its row names no question."""
ENOUGH_SPEAKERS: Final = 20
"""With fewer, what was measured says little about the next one."""
_CURVE_STEP_PERMILLE: Final = 50


@dataclass(frozen=True, slots=True)
class Heard:
    """One recording: its row, and the words that were heard in it; `suspect` when they are doubted altogether."""

    row: Row
    words: tuple[Word, ...]
    suspect: bool


@dataclass(slots=True)
class Items:
    """What can be accepted or not, by purpose, with the counts of the word error rate beside it."""

    by_purpose: dict[Purpose, list[Item]] = field(default_factory=lambda: defaultdict(list))
    recordings: dict[Purpose, int] = field(default_factory=lambda: defaultdict(int))
    said: int = 0
    errors: int = 0

    @property
    def speakers(self) -> int:
        """How many people speak."""
        return len({item.speaker for items in self.by_purpose.values() for item in items})


def listen(
    folder: Path, rows: Sequence[Row], hearing: Hearing, release: Compiled, done: Callable[[], None]
) -> list[Heard]:
    """Hear every recording; `done` is called after each. Raises RecordingRefused for one that can't be used."""
    heard = []
    for row in rows:
        listening = Listening(hearing, pause_ms=release.policy.policy.hearing.end_of_turn_ms)
        listening.feed(settled(_caller(folder / row.file)))
        found = listening.utterances
        suspect = any(said.transcript is None or said.transcript.suspect for said in found)
        heard.append(Heard(row, tuple(word for said in found for word in said.words), suspect))
        done()
    return heard


def _caller(path: Path) -> Samples:
    tracks = read_tracks(path)
    if len(tracks.channels) != 1:
        raise RecordingRefused(
            f"{path}: has {len(tracks.channels)} channels, expected the caller's alone; take it out with "
            "`sox IN.wav OUT.wav remix 1`"
        )
    return to_line(tracks.channels[0], tracks.rate_hz)


def items_of(heard: Sequence[Heard], release: Compiled) -> Items:
    """Everything in the recordings that a threshold decides about."""
    found = Items()
    for one in heard:
        aligned = align(one.row.text, [word.text for word in one.words])
        found.said += aligned.said
        found.errors += aligned.errors
        _add(found, "content", one, [(word, wrong) for word, wrong in zip(one.words, aligned.wrong, strict=True)])
        if one.row.purpose == "decide":
            _add_answer(found, one, release)
        elif one.row.purpose != "content":
            _add_slot(found, one.row.purpose, one, aligned)
    return found


def _add(found: Items, purpose: Purpose, one: Heard, judged: Sequence[tuple[Word, bool]]) -> None:
    """Each word by itself. One of unknown confidence is nothing that a threshold decides about."""
    found.recordings[purpose] += 1
    for word, wrong in judged:
        if word.permille is not None:
            found.by_purpose[purpose].append(Item(one.row.unit, one.row.speaker, word.permille, wrong))


def _add_answer(found: Items, one: Heard, release: Compiled) -> None:
    """A yes that was heard is an item, and wrong where what was said is none. No other answer gives authority."""
    found.recordings["decide"] += 1
    if not one.words or one.suspect:
        return
    question = one.row.question or QUESTION
    answer = read_answer(release.reader, question, one.words)
    if answer.kind != "explicit" or answer.permille is None:
        return
    said = tuple(Word(text, 1000, 0, 0) for text in one.row.text.split())
    meant = read_answer(release.reader, question, said).kind
    found.by_purpose["decide"].append(Item(one.row.unit, one.row.speaker, answer.permille, meant != "explicit"))


def _add_slot(found: Items, purpose: Purpose, one: Heard, aligned: Aligned) -> None:
    """All that was heard in the slot's place is one item: wrong in one word, or with one missing, it is wrong."""
    found.recordings[purpose] += 1
    begin, end = _slot(one.row)
    inside = [
        (word, wrong)
        for word, wrong, (low, high) in zip(one.words, aligned.wrong, aligned.spans, strict=True)
        if low < end and (high > begin or (low == high and low > begin))
    ]
    known = [word.permille for word, _ in inside if word.permille is not None]
    if not known or len(known) < len(inside):
        return
    said = plain(one.row.text)[begin:end]
    wrong = any(bad for _, bad in inside) or [token for word, _ in inside for token in plain(word.text)] != said
    found.by_purpose[purpose].append(Item(one.row.unit, one.row.speaker, min(known), wrong))


def _slot(row: Row) -> tuple[int, int]:
    """Where the slot's tokens stand in the text; all of it where there is no such place."""
    text, slot = plain(row.text), plain(row.slot)
    for begin in range(len(text) - len(slot) + 1 if slot else 0):
        if text[begin : begin + len(slot)] == slot:
            return begin, begin + len(slot)
    return 0, len(text)


def evidence(found: Items, alpha_permille: int, delta_permille: int) -> dict[Purpose, PurposeEvidence]:
    """What the recordings show for each purpose that they hold anything of."""
    return {
        purpose: _evidence(found.by_purpose[purpose], found.recordings[purpose], alpha_permille, delta_permille)
        for purpose in PURPOSES
        if found.recordings[purpose]
    }


def _evidence(items: Sequence[Item], recordings: int, alpha_permille: int, delta_permille: int) -> PurposeEvidence:
    drawn = risk.one_a_call(items)
    bound = risk.bounding_threshold(drawn, alpha_permille, delta_permille)
    accepted, wrong = (bound.point.accepted, bound.point.wrong) if bound.point else (0, 0)
    return PurposeEvidence(
        recordings=recordings,
        items=len(items),
        wrong=sum(item.is_wrong for item in items),
        calls=len({item.call for item in items}),
        speakers=len({item.speaker for item in items}),
        drawn=len(drawn),
        needs=bound.needs,
        threshold_permille=bound.threshold_permille,
        accepted=accepted,
        accepted_wrong=wrong,
        upper_permille=risk.upper_permille(wrong, accepted, delta_permille),
        auroc_permille=risk.auroc_permille(items),
        ece_permille=risk.ece_permille(items),
        held_out=_held_out(drawn, alpha_permille, delta_permille),
        curve=[
            CurvePoint(accept_permille=point.accept_permille, accepted=point.accepted, wrong=point.wrong)
            for point in risk.curve(items, _CURVE_STEP_PERMILLE)
        ],
    )


def _held_out(drawn: Sequence[Item], alpha_permille: int, delta_permille: int) -> HeldOut | None:
    """Half of the speakers by lot, and what their threshold does with the others; None where it has none."""
    lots = sorted({item.speaker for item in drawn}, key=lambda speaker: sha256(speaker.encode()).digest())
    fitting, others = set(lots[::2]), set(lots[1::2])
    own = [item for item in drawn if item.speaker in fitting]
    level = risk.bounding_threshold(own, alpha_permille, delta_permille).threshold_permille
    if level is None or not others:
        return None
    accepted = [item for item in drawn if item.speaker in others and item.permille >= level]
    wrong = sum(item.is_wrong for item in accepted)
    return HeldOut(speakers=len(others), threshold_permille=level, accepted=len(accepted), wrong=wrong)

"""The thresholds: clips and their weights in, the sums at which somebody is a person or a machine out.

Called by `__main__`. A person who is hung up on costs ten times a machine that is spoken to; within that, who answered
is to be known soon. Judged on clips that the weights were not fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from voicewarden.kernel.weights import weight_of
from voicewarden.rehearsal.fitting.moments import Heard, Moment
from voicewarden.rehearsal.fitting.regression import Fitted, fit

COST_OF_LOSING_A_PERSON: Final = 10
COST_OF_DEAD_AIR: Final = 2
"""A person who is left waiting for the deadline often hangs up."""
_WAITS_MS: Final = 1_000
_HUMAN_AT: Final = range(-300, -49, 25)
_MACHINE_AT: Final = range(230, 396, 15)
"""From ln 10, where ten to one is even, to what a phrase of a recording weighs, which must do alone."""
_PARTS: Final = 5
Verdict = Literal["human", "machine", "deadline"]
Walk = tuple[tuple[int, int, bool], ...]
"""Times and sums of a clip, and whether it was quiet then."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The sums at or beyond which it is decided, and what it costs on held-out clips."""

    human_at: int
    machine_at: int
    cost_permille: int


def total(moment: Moment, fitted: Fitted, rhythm_at_most: int) -> int:
    """What the kernel adds up to at a moment."""
    rhythm = sum(weight_of(fitted.rhythm.get(name, ()), value) for name, value in moment.rhythm.items())
    words = fitted.cues[moment.cue] if moment.cue else weight_of(fitted.words, moment.words) if moment.words else 0
    return min(rhythm, rhythm_at_most) + words


def held_out(clips: Sequence[Heard], rhythm_at_most: int) -> list[tuple[Heard, Walk]]:
    """Each clip with its sums, under weights fitted to clips of other families of text."""
    families = sorted({clip.family for clip in clips})
    part = {family: place % _PARTS for place, family in enumerate(families)}
    walks: list[tuple[Heard, Walk]] = []
    for number in range(_PARTS):
        fitted = fit([clip for clip in clips if part[clip.family] != number])
        walks += [(clip, walk(clip, fitted, rhythm_at_most)) for clip in clips if part[clip.family] == number]
    return walks


def walk(clip: Heard, fitted: Fitted, rhythm_at_most: int) -> Walk:
    """The sums of a clip until a tone decides."""
    return tuple(
        (moment.at_ms, total(moment, fitted, rhythm_at_most), moment.is_quiet)
        for moment in clip.moments
        if not moment.tone
    )


def choose(walks: Sequence[tuple[Heard, Walk]]) -> Thresholds:
    """The cheapest pair; of equals the most reluctant."""
    judged = (
        Thresholds(human, machine, cost(walks, human, machine)) for human, machine in product(_HUMAN_AT, _MACHINE_AT)
    )
    return min(judged, key=lambda one: (one.cost_permille, one.human_at, -one.machine_at))


def cost(walks: Sequence[tuple[Heard, Walk]], human_at: int, machine_at: int) -> int:
    """Errors in thousandths of a class, at their price."""
    people = [pair for pair in walks if not pair[0].is_machine]
    machines = [pair for pair in walks if pair[0].is_machine and not any(one.tone for one in pair[0].moments)]
    lost = late = fooled = 0
    for clip, sums in people:
        verdict, at_ms = decided(clip, sums, human_at, machine_at)
        lost += verdict == "machine"
        late += verdict != "machine" and at_ms - (clip.greeting_end_ms or at_ms) > _WAITS_MS
    for clip, sums in machines:
        fooled += decided(clip, sums, human_at, machine_at)[0] != "machine"
    on_people = 1_000 * (COST_OF_LOSING_A_PERSON * lost + COST_OF_DEAD_AIR * late) // max(1, len(people))
    return on_people + 1_000 * fooled // max(1, len(machines))


def decided(clip: Heard, sums: Walk, human_at: int, machine_at: int) -> tuple[Verdict, int]:
    """The first verdict of a clip and its time."""
    for at_ms, added, is_quiet in sums:
        if added >= machine_at:
            return "machine", at_ms
        if added <= human_at and is_quiet:
            return "human", at_ms
    return "deadline", clip.deadline_ms

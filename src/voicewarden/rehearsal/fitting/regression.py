"""The weights themselves: moments with labels in, steps of integers out, by logistic regression in plain NumPy.

Called by `__main__`. A value is coded as the edges that it has reached, so that the penalty keeps neighbouring
steps close and what few clips speak for stays small. Newton's method on a strictly convex loss, in a fixed order and
without chance: the same clips give the same integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicewarden.kernel.weights import Steps
from voicewarden.rehearsal.fitting.moments import CUES, Heard, Moment

EDGES: Final[dict[str, tuple[int, ...]]] = {
    "saying_ms": (0, 600, 1_200, 1_800, 2_400, 3_000, 3_800, 4_800),
    "said_ms": (0, 400, 800, 1_300, 1_900, 2_600, 3_600),
    "quiet_ms": (400, 600, 900, 1_300),
    "longest_run_ms": (0, 800, 1_400, 2_000, 2_600, 3_200, 4_200),
    "bursts": (1, 2, 3, 4),
    "longest_gap_ms": (0, 250, 450, 700),
    "words": (1, 3, 5, 7, 10, 14),
}
"""Where a feature may change its weight: between the lengths at which greetings and recordings differ (Twilio's 2,400
and 1,200 ms, app_amd's 1,500 ms are among them or near), coarse enough that each step has clips of several voices.
"""
SCALE: Final = 100
"""Weights are hundredths of a nat."""
_PENALTY: Final = 1.0
"""Of the squared weights, in clips: what less evidence than that speaks for, stays near zero."""
BELIEVED: Final[dict[str, float]] = {
    "mailbox": 4.0, "screening": 4.0, "menu": 4.0, "unavailable": 4.0, "announcing": 1.5, "decline": -2.0,
    "receptionist": -2.0, "greeting": -1.0, "greeting_so_far": -0.5,
}  # fmt: skip
"""What cues are taken to weigh, in nats, before a clip has spoken: a phrase of a recording decides alone in every
detector that reads words (jambonz, dograh), and greetings begin recordings as well as answers. Clips move it.
"""
_UNDECIDED_MS: Final = 1_300
"""What a pause that is longer tells comes too late."""
_ROUNDS: Final = 60
_CLOSE: Final = 1e-10
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights in hundredths of a nat."""

    rhythm: dict[str, Steps]
    words: Steps
    cues: dict[str, int]


def fit(clips: Sequence[Heard]) -> Fitted:
    """Fit weights to clips. Each clip counts once, however long it is; people and machines count half each."""
    rows, is_machine, weight = _table(clips)
    return _steps(_solve(rows, is_machine, weight))


def columns(moment: Moment) -> list[int]:
    """The places of a moment's ones: every edge that its values have reached, and its cue."""
    found: list[int] = []
    place = 0
    for name, edges in EDGES.items():
        value = moment.words if name == "words" and not moment.cue else moment.rhythm.get(name)
        if value is not None and not (name == "words" and moment.words == 0):
            found += [place + step for step, edge in enumerate(edges) if value >= edge]
        place += len(edges)
    return [*found, place + CUES.index(moment.cue)] if moment.cue else found


def _table(clips: Sequence[Heard]) -> tuple[Floats, Floats, Floats]:
    used = [clip for clip in clips if any(_counts(moment) for moment in clip.moments)]
    machines = sum(clip.is_machine for clip in used)
    rows, labels, weights = [], [], []
    for clip in used:
        moments = [moment for moment in clip.moments if _counts(moment)]
        share = len(used) / 2 / (machines if clip.is_machine else len(used) - machines) / len(moments)
        for moment in moments:
            row = np.zeros(_WIDTH)
            row[columns(moment)] = 1.0
            rows.append(row)
            labels.append(float(clip.is_machine))
            weights.append(share)
    return np.array(rows), np.array(labels), np.array(weights)


def _counts(moment: Moment) -> bool:
    """A tone of the line decides by itself, and nothing is to be learned beside it."""
    return not moment.tone and bool(moment.rhythm) and moment.rhythm.get("quiet_ms", 0) <= _UNDECIDED_MS


def _solve(rows: Floats, is_machine: Floats, weight: Floats) -> Floats:
    believed = np.zeros(rows.shape[1])
    believed[-len(CUES) :] = [BELIEVED[cue] for cue in CUES]
    found = believed.copy()
    ridge = _PENALTY * np.eye(rows.shape[1])
    for _ in range(_ROUNDS):
        odds = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30.0, 30.0)))
        slope = rows.T @ (weight * (odds - is_machine)) + _PENALTY * (found - believed)
        bend = (rows * (weight * odds * (1.0 - odds))[:, None]).T @ rows + ridge
        step = np.linalg.solve(bend, slope)
        found -= step
        if float(np.abs(step).max()) < _CLOSE:
            break
    return found


def _steps(found: Floats) -> Fitted:
    """Rounded sums over the edges of each feature, and the cues."""
    steps: dict[str, Steps] = {}
    place = 0
    for name, edges in EDGES.items():
        sums = np.rint(SCALE * np.cumsum(found[place : place + len(edges)])).astype(int).tolist()
        steps[name] = tuple(zip(edges, sums, strict=True))
        place += len(edges)
    cues = {cue: round(SCALE * float(value)) for cue, value in zip(CUES, found[place:], strict=True)}
    words = steps.pop("words")
    return Fitted(steps, words, cues)


def _width(edges: Iterable[Sequence[int]]) -> int:
    return sum(len(one) for one in edges) + len(CUES)


_WIDTH: Final = _width(EDGES.values())

"""How evidence of who answered is weighed: a table of integers, part of the release.

In: `config/calibration/answerer.yaml`, read by the config room. Out: `AnswererWeights`, which the answerer facet adds
up, and `AS_BEFORE`, the table of releases that have none: their calls go on as they went.
"""

from typing import Final, Literal

import msgspec

Steps = tuple[tuple[int, int], ...]
"""`(from, weight)` in rising order: a value has the weight of the last step that it reaches, below the first none."""


class AnswererWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Weights in hundredths of a nat (natural logarithm of odds): above zero for a machine, below for a person."""

    version: str
    human_at: int
    """At or below this sum a person answered."""
    machine_at: int
    """At or above this sum a machine did."""
    revise_at: int
    """A single piece of evidence this strong still overturns a person."""
    rhythm: dict[str, Steps]
    """By feature of the rhythm, see `kernel.facets.rhythm`."""
    rhythm_at_most: int
    """However long somebody speaks: the rhythm alone speaks no louder for a machine."""
    cues: dict[str, int]
    """By the list of words that was heard, see `reading.answering`."""
    words: Steps = ()
    """By the number of words so far, while none of them is a cue."""
    tones: dict[str, int]
    carrier: dict[str, int]
    """By the verdict of the carrier."""
    turn_ms: Steps = ()
    """By the length of the first turn, where no rhythm was measured (calls in writing)."""
    beep_after_speech_ms: int = 1_500
    """A beep after so much of a greeting is a mailbox's."""
    revisable_ms: int = 30_000
    message_pause_ms: int = 2_500
    """A mailbox that has been silent this long is taken to record, beep or not."""
    heard_out_ms: int = 0
    """Whoever still speaks at the deadline is listened to for so much longer: nothing could be said to them anyway."""
    opens_after_ms: int = 0
    """So long after the deadline a person is spoken to even if something still sounds like speech; 0 is never."""
    message_by_ms: int = 30_000
    """However long a mailbox speaks, the message starts by then."""
    reckoning: Literal["first", "latest"] = "latest"
    """Which evidence of a kind counts: the latest or strongest; `first` is how it was before there were tables."""


AS_BEFORE: Final = AnswererWeights(
    version="before tables",
    human_at=-500,
    machine_at=800,
    revise_at=800,
    rhythm={"longest_run_ms": ((2_400, 400),)},
    rhythm_at_most=400,
    cues={"mailbox": 1_000, "menu": 1_000, "screening": 1_000, "unavailable": 1_000, "greeting": -600, "decline": -600},
    tones={"fax": 1_000, "busy": 1_000, "sit": 1_000, "beep": 300, "beep_after_speech": 1_000},
    carrier={
        "human": -300, "voicemail": 500, "menu": 500, "screening": 500, "unavailable": 500, "fax": 500, "busy": 500,
        "no_speech": 500,
    },
    turn_ms=((-10_000_000, -500), (2_501, 0)),
    reckoning="first",
)  # fmt: skip
"""The weighing of releases without a table, in thousandths of certainty. Never change it: their calls replay."""


def weight_of(steps: Steps, value: int) -> int:
    """The weight of a value."""
    weight = 0
    for start, stepped in steps:
        if value < start:
            break
        weight = stepped
    return weight

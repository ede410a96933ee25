"""The weights of the evidence of who answered: `calibration/answerer.yaml` comes in, `AnswererWeights` go out.

Called by `release`. The file is written by `scripts/fit-answerer` and says how it was fitted; every number in it says
why it is there. A configuration without it weighs as it was done before there were tables, which is coarser.
"""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from voicewarden.config.policy_blocks import Owner, Why
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import read_yaml
from voicewarden.kernel.weights import AnswererWeights

Feature = Literal["onset_ms", "longest_run_ms", "bursts", "longest_gap_ms", "saying_ms", "said_ms", "quiet_ms"]
Cue = Literal[
    "mailbox", "menu", "screening", "unavailable", "announcing", "receptionist", "decline", "greeting",
    "greeting_so_far",
]  # fmt: skip
ToneName = Literal["fax", "busy", "sit", "beep", "beep_after_speech"]
CarrierVerdict = Literal["human", "voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech"]
CentiNats = Annotated[int, Field(ge=-2_000, le=2_000)]
Milliseconds = Annotated[int, Field(ge=0, le=120_000)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]
Text = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]


class WeightEntry(Document):
    """One weight, in hundredths of a nat, and why."""

    weight: CentiNats
    why: Why


class StepsEntry(Document):
    """Weights of a feature's values, `[from, weight]` in rising order, and why."""

    steps: Annotated[list[Annotated[list[int], Field(min_length=2, max_length=2)]], Field(min_length=1, max_length=40)]
    why: Why

    @field_validator("steps")
    @classmethod
    def _rise(cls, steps: list[list[int]]) -> list[list[int]]:
        if any(one[0] >= other[0] for one, other in pairwise(steps)):
            raise ValueError("the steps must rise")
        return steps

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """As the kernel takes them."""
        return tuple((start, weight) for start, weight in self.steps)


class TimeEntry(Document):
    """A time, and why it is that long."""

    ms: Milliseconds
    why: Why


class PartEntry(Document):
    """What one side of the data was made of."""

    clips: Count
    humans: Count
    voices: Count
    texts: Count


class FittedEntry(Document):
    """How the numbers came about, so that anybody can fit them again and judge what they rest on."""

    script: Text
    seed: Count
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    packages: Annotated[list[Text], Field(min_length=1, max_length=40)]
    fit: PartEntry
    test: PartEntry
    found: Annotated[dict[str, Text], Field(max_length=20)]
    """What it came to on the test side."""
    provisional: bool
    why: Why


class AnswererDocument(Document):
    """The whole file."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,40}$")]
    owner: Owner
    about: Text
    fitted: FittedEntry
    human_at: WeightEntry
    machine_at: WeightEntry
    revise_at: WeightEntry
    rhythm_at_most: WeightEntry
    rhythm: dict[Feature, StepsEntry]
    cues: dict[Cue, WeightEntry]
    words: StepsEntry
    tones: dict[ToneName, WeightEntry]
    carrier: dict[CarrierVerdict, WeightEntry]
    turn_ms: StepsEntry
    beep_after_speech_ms: TimeEntry
    revisable_ms: TimeEntry
    message_pause_ms: TimeEntry
    heard_out_ms: TimeEntry
    opens_after_ms: TimeEntry
    message_by_ms: TimeEntry

    def weights(self) -> AnswererWeights:
        """As the kernel takes them."""
        return AnswererWeights(
            version=self.version, human_at=self.human_at.weight, machine_at=self.machine_at.weight,
            revise_at=self.revise_at.weight, rhythm_at_most=self.rhythm_at_most.weight,
            rhythm={name: entry.pairs() for name, entry in self.rhythm.items()},
            cues={name: entry.weight for name, entry in self.cues.items()}, words=self.words.pairs(),
            tones={name: entry.weight for name, entry in self.tones.items()},
            carrier={name: entry.weight for name, entry in self.carrier.items()}, turn_ms=self.turn_ms.pairs(),
            beep_after_speech_ms=self.beep_after_speech_ms.ms, revisable_ms=self.revisable_ms.ms,
            message_pause_ms=self.message_pause_ms.ms, opens_after_ms=self.opens_after_ms.ms,
            heard_out_ms=self.heard_out_ms.ms, message_by_ms=self.message_by_ms.ms,
        )  # fmt: skip


def load_answerer(config_dir: Path) -> AnswererWeights | None:
    """The weights of a configuration; None where it has none. Raises ConfigError with everything that is wrong."""
    path = config_dir / "calibration" / "answerer.yaml"
    return validate(AnswererDocument, read_yaml(path)).weights() if path.is_file() else None

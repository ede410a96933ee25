"""An answered call as sound with what is true of it: who answered, when they spoke, what was done to the line.

Made by `making` and `own`, read by `playing`, by whoever fits weights and by `benchmarks/hearing.py`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from voicewarden.model.action import AnswererVerdict
from voicewarden.sensors.mulaw import Samples

Split = Literal["fit", "test"]
NoiseKind = Literal["white", "pink", "babble"]


class Beep(msgspec.Struct, frozen=True):
    """The tone of a mailbox: frequency, onset and length, on the clock of the clip."""

    hz: int
    at_ms: int
    ms: int


class Perturbation(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the line did to the sound, besides mu-law, which it always does."""

    lead_ms: int = 0
    """Silence between the answer and the first sound; without any noise where `is_digital`."""
    is_digital: bool = False
    noise: NoiseKind | None = None
    snr_db: int = 0
    """Of the noise under speech of the usual level."""
    loss_permille: int = 0
    gain_db: int = 0
    ringback_ms: int = 0
    """So much of the last ring is still heard after the answer."""
    music_snr_db: int | None = None

    def kinds(self) -> tuple[str, ...]:
        """The names of everything that was done, for tables; `clean` where it was nothing."""
        done = {
            "long lead": self.lead_ms >= 3_000,
            str(self.noise): self.noise is not None,
            "loss": self.loss_permille > 0,
            "quiet": self.gain_db <= -6,
            "loud": self.gain_db >= 6,
            "ring-back": self.ringback_ms > 0,
            "music behind": self.music_snr_db is not None,
        }
        return tuple(name for name, is_done in done.items() if is_done) or ("clean",)


class Label(msgspec.Struct, frozen=True):
    """What is true of a clip.

    `family` names a group of near-same wordings, `voice` one way of speaking, `origin` the speaker or the engine behind
    it. `onset_ms` and `greeting_end_ms` frame the first greeting; both are None where nobody speaks.
    """

    verdict: AnswererVerdict
    shape: str
    family: str
    voice: str
    origin: str
    language: str
    split: Split
    perturbation: Perturbation
    onset_ms: int | None = None
    greeting_end_ms: int | None = None
    beep: Beep | None = None


class Clip(msgspec.Struct, frozen=True):
    """One answered call: int16 samples at 8 kHz from the moment of the answer, and their label."""

    name: str
    pcm: Samples
    label: Label

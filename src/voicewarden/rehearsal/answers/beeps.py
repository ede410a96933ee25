"""Are beeps heard, and only beeps? Tones in noise and hours of speech and music in, what the detector says out.

Called by `benchmarks/hearing.py`. Only `sensors.tones` is asked: nothing of the call decides here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from voicewarden.rehearsal.answers import line, signals, speakers
from voicewarden.rehearsal.answers.casting import digest
from voicewarden.rehearsal.answers.clip import Beep
from voicewarden.rehearsal.callers.engines import read_wav
from voicewarden.rehearsal.callers.loudness import to_line
from voicewarden.rehearsal.callers.recordings import TONES
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.tones import Tone, ToneDetector

LOWEST_HZ: Final = 350
HIGHEST_HZ: Final = 2_200
SHORTEST_MS: Final = 80
LONGEST_MS: Final = 800

_LEVEL_DBFS: Final = -20.0
_NEAR_HZ: Final = 25
_NEAR_MS: Final = 80
_EFFECTS: Final = frozenset({"tt-monkeys", *TONES})
"""Prompts that hold no speech."""


class BeepTrial(msgspec.Struct, frozen=True):
    """One beep in noise, and which tone was heard there."""

    beep: Beep
    snr_db: int
    heard: Tone | None
    others: int
    """Beeps that were heard elsewhere."""


def trials(snr_db: int, count: int, seed: int = 0) -> Iterator[BeepTrial]:
    """Beeps of any frequency (evenly in octaves) and length in white or pink noise, through mu-law."""
    for number in range(count):
        random = np.random.default_rng(digest(seed, f"beep {snr_db} {number}"))
        hz = round(LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** random.random())
        beep = Beep(hz, int(random.integers(800, 1_400)), int(random.integers(SHORTEST_MS, LONGEST_MS + 1)))
        heard = tones_in(_in_noise(beep, snr_db, random))
        found = [tone for tone in heard if tone.kind == "beep" and _is(tone, beep)]
        others = sum(tone.kind == "beep" for tone in heard) - len(found)
        yield BeepTrial(beep, snr_db, found[0] if found else None, others)


def _in_noise(beep: Beep, snr_db: int, random: np.random.Generator) -> Samples:
    tone = signals.tone((float(beep.hz),), beep.ms, _LEVEL_DBFS, float(random.uniform(0, 2 * math.pi)))
    sound = np.concatenate((signals.silence(beep.at_ms), tone, signals.silence(1_000)))
    noise = line.noise("white" if random.random() < 0.5 else "pink", sound.size, random)
    sound += noise * 10 ** ((_LEVEL_DBFS - snr_db) / 20)
    return _off_line(np.clip(np.rint(sound * 32_768), -32_768, 32_767).astype(np.int16))


def _is(tone: Tone, beep: Beep) -> bool:
    return abs(tone.hz - beep.hz) <= _NEAR_HZ and abs(tone.at_ms - beep.at_ms) <= _NEAR_MS


def tones_in(pcm: Samples) -> tuple[Tone, ...]:
    """Every tone in a piece of sound, as on a call of its own."""
    return ToneDetector().feed(pcm)


class FalseBeeps(msgspec.Struct, frozen=True):
    """Beeps that were heard where there are none, and in how much sound."""

    count: int
    hours: float
    files: int
    where: tuple[str, ...]

    @property
    def per_hour(self) -> float:
        """How often."""
        return self.count / self.hours if self.hours else 0.0

    @property
    def per_hour_at_most(self) -> float:
        """The 95 % upper bound of how often, if they come by chance (Poisson, exact)."""
        return poisson_upper(self.count) / self.hours if self.hours else math.inf


def false_beeps(files: tuple[Path, ...], *, are_leveled: bool = True) -> Iterator[FalseBeeps]:
    """Listen to recordings without beeps; yields what was found so far after each file."""
    count, seconds, where = 0, 0.0, list[str]()
    for number, path in enumerate(files, start=1):
        pcm, rate_hz = read_wav(path)
        sound = _off_line(to_line(pcm, rate_hz) if are_leveled else pcm)
        heard = [tone for tone in tones_in(np.concatenate((sound, _QUIET))) if tone.kind == "beep"]
        count, seconds = count + len(heard), seconds + sound.size / signals.RATE_HZ
        where += [f"{path.parent.name}/{path.stem} {tone.hz} Hz at {tone.at_ms} ms" for tone in heard]
        yield FalseBeeps(count, seconds / 3_600, number, tuple(where))


_QUIET: Final = np.zeros(4_000, dtype=np.int16)


def speech_files() -> tuple[Path, ...]:
    """All recorded speech that is installed, of every voice and language."""
    folders = {speakers.SOUNDS / one.folder for one in speakers.SPEAKERS if one.folder}
    found = (path for folder in sorted(folders) for path in sorted(folder.rglob("*.wav")))
    return tuple(path for path in found if path.stem not in _EFFECTS and path.parent.name != "silence")


def poisson_upper(count: int, confidence: float = 0.95) -> float:
    """The largest mean under which so few events are not rarer than 1 in 20; 3.0 for none."""
    low, high = 0.0, count + 10.0 * math.sqrt(count + 1) + 10.0
    for _ in range(60):
        middle = (low + high) / 2
        few = sum(math.exp(-middle + n * math.log(middle) - math.lgamma(n + 1)) for n in range(count + 1))
        low, high = (middle, high) if few > 1 - confidence else (low, middle)
    return high


def _off_line(pcm: Samples) -> Samples:
    return mulaw.decode(mulaw.encode(pcm))

"""What a telephone line does to an answered call: clean samples and a perturbation in, samples off the line out.

Called by `making`. All randomness comes from a generator that is seeded with the clip's name.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voicewarden.rehearsal.answers import signals
from voicewarden.rehearsal.answers.clip import NoiseKind, Perturbation
from voicewarden.rehearsal.answers.signals import Sound
from voicewarden.rehearsal.callers.loudness import SPEECH_DBFS
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples

RATE_HZ: Final = 8_000
_FRAME: Final = 160
_FULL_SCALE: Final = 32_768.0
_PINK_FROM_HZ: Final = 50.0


def draw(random: np.random.Generator) -> Perturbation:
    """A perturbation by chance; about one call in seven is clean but for its lead."""
    lead_ms = _lead(random)
    is_noisy = random.random() < 0.4
    noise: NoiseKind | None = None
    if is_noisy:
        noise = ("white", "pink", "babble")[int(random.integers(3))]
    return Perturbation(
        lead_ms=lead_ms,
        is_digital=bool(random.random() < 0.5),
        noise=noise,
        snr_db=int(random.integers(0, 21)) if is_noisy else 0,
        loss_permille=int(random.integers(10, 51)) if random.random() < 0.2 else 0,
        gain_db=int(random.integers(-12, 13)) if random.random() < 0.5 else 0,
        ringback_ms=int(random.integers(200, 1_500)) if random.random() < 0.1 else 0,
        music_snr_db=int(random.integers(8, 21)) if not is_noisy and random.random() < 0.08 else None,
    )


def _lead(random: np.random.Generator) -> int:
    """Most calls start at once; one in seven brings the seconds of silence that carriers are known for."""
    share = random.random()
    low, high = (200, 1_200) if share < 0.6 else (1_200, 3_000) if share < 0.86 else (3_000, 8_001)
    return int(random.integers(low, high) // 20 * 20)


def through(sound: Sound, done: Perturbation, random: np.random.Generator, *, babble: Sound, music: Sound) -> Samples:
    """The sound as it comes off the line; `babble` and `music` are other sound of any level, at least as long."""
    line = np.concatenate((signals.silence(done.lead_ms), sound))
    if done.ringback_ms:
        ring = signals.ringback(1)[: min(line.size, done.ringback_ms * 8)]
        line[: ring.size] += ring
    if done.noise is not None:
        line += _under_speech(_noise(done.noise, line.size, random, babble), done.snr_db)
    if done.music_snr_db is not None:
        line += _under_speech(music[: line.size], done.music_snr_db)
    if done.is_digital:
        line[: done.lead_ms * RATE_HZ // 1000] = 0.0
    line *= 10 ** (done.gain_db / 20)
    pcm = np.clip(np.rint(line * _FULL_SCALE), -32_768, 32_767).astype(np.int16)
    _lose(pcm, done.loss_permille, random)
    return mulaw.decode(mulaw.encode(pcm))


def noise(kind: NoiseKind, samples: int, random: np.random.Generator) -> Sound:
    """White or pink noise of level 1 (RMS)."""
    white = random.standard_normal(samples)
    if kind == "white":
        return white
    hz = np.maximum(np.fft.rfftfreq(samples, 1 / RATE_HZ), _PINK_FROM_HZ)
    shaped = np.fft.irfft(np.fft.rfft(white) / np.sqrt(hz), samples)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)))


def _noise(kind: NoiseKind, samples: int, random: np.random.Generator, babble: Sound) -> Sound:
    return babble[:samples].copy() if kind == "babble" else noise(kind, samples, random)


def _under_speech(sound: Sound, snr_db: int) -> Sound:
    level = np.sqrt(np.mean(sound**2))
    return np.asarray(sound * (10 ** ((SPEECH_DBFS - snr_db) / 20) / max(float(level), 1e-9)))


def _lose(pcm: Samples, loss_permille: int, random: np.random.Generator) -> None:
    """Lost packets of 20 ms arrive as silence."""
    if loss_permille:
        lost = random.random(pcm.size // _FRAME) < loss_permille / 1000
        for at in np.flatnonzero(lost):
            pcm[at * _FRAME : (at + 1) * _FRAME] = 0

"""Background noise without end: a kind, a level and a seed in, 20 ms int16 frames out, the same ones for the same seed.

Given to a Line, which mixes it under the caller. Babble-like noise is white noise with the long-term spectrum of
speech (a first-order low-pass at 500 Hz) whose level wanders at the rate of syllables.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from voicewarden.rehearsal.callers.loudness import LINE_HZ, SPEECH_DBFS, Pcm, amplitude

NoiseKind = Literal["white", "babble"]

_FRAME: Final = 160
_LOOP_S: Final = 8
_SYLLABLES_HZ: Final = 4.0
_TALKERS: Final = 6
_CORNER_HZ: Final = 500.0


class Noise:
    """An endless loop of seeded noise at a level in dBFS (RMS)."""

    def __init__(self, kind: NoiseKind, level_dbfs: float, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        shape = _white(generator) if kind == "white" else _babble(generator)
        scaled = shape * (amplitude(level_dbfs) / np.sqrt(np.mean(shape**2)))
        self._loop: Pcm = np.clip(scaled, -32000, 32000).astype(np.int16)
        self._at = 0

    def next_frame(self) -> Pcm:
        """Return the next 160 samples."""
        frame: Pcm = self._loop[self._at : self._at + _FRAME]
        self._at = (self._at + _FRAME) % self._loop.size
        return frame


def level_for_snr(snr_db: float, speech_dbfs: float = SPEECH_DBFS) -> float:
    """Return the noise level that gives a signal-to-noise ratio under speech of the usual level."""
    return speech_dbfs - snr_db


def mixed(pcm: Pcm, kind: NoiseKind, snr_db: float, seed: int = 0) -> Pcm:
    """Return a line with noise under it, for tests of hearing."""
    noise = Noise(kind, level_for_snr(snr_db), seed)
    frames = [noise.next_frame() for _ in range(-(-pcm.size // _FRAME))]
    total = pcm.astype(np.int32) + np.concatenate([*frames, pcm[:0]])[: pcm.size]
    line: Pcm = np.clip(total, -32768, 32767).astype(np.int16)
    return line


def _white(generator: np.random.Generator) -> npt.NDArray[np.float64]:
    return generator.standard_normal(_LOOP_S * LINE_HZ)


def _babble(generator: np.random.Generator) -> npt.NDArray[np.float64]:
    return np.asarray(np.sum([_talker(generator) for _ in range(_TALKERS)], axis=0), dtype=np.float64)


def _talker(generator: np.random.Generator) -> npt.NDArray[np.float64]:
    white = _white(generator)
    frequencies = np.fft.rfftfreq(white.size, 1 / LINE_HZ)
    voice = np.fft.irfft(np.fft.rfft(white) / (1 + 1j * frequencies / _CORNER_HZ), white.size)
    points = generator.uniform(0.05, 1.0, int(_LOOP_S * _SYLLABLES_HZ) + 1)
    seconds = np.arange(_LOOP_S * LINE_HZ) / LINE_HZ
    envelope = np.interp(seconds * _SYLLABLES_HZ, np.arange(points.size), points)
    return np.asarray(voice * envelope, dtype=np.float64)

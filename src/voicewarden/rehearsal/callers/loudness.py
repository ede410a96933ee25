"""Speech as a telephone delivers it: any int16 recording in, 8 kHz int16 at a fixed level without edges out.

Called by the voices and the recordings. Levels are RMS over the voiced frames, in dB below full scale.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

Pcm = npt.NDArray[np.int16]

LINE_HZ: Final = 8000
SPEECH_DBFS: Final = -20.0
_FULL_SCALE: Final = 32768.0
_FRAME: Final = 160
_VOICED_BELOW_LOUDEST_DB: Final = 30.0
_EDGE_FRAMES: Final = 3
"""Weak first and last consonants lie outside the voiced part; cutting them costs a recogniser the word."""
_PEAK: Final = 32000.0


def amplitude(level_dbfs: float) -> float:
    """Return the RMS in int16 units of a level."""
    return float(_FULL_SCALE * 10 ** (level_dbfs / 20))


def to_line(pcm: Pcm, rate_hz: float) -> Pcm:
    """Resample to 8 kHz, cut the edges to 60 ms and bring the voiced part to -20 dBFS."""
    samples = np.asarray(pcm, dtype=np.float32)
    if rate_hz != LINE_HZ:
        samples = np.asarray(soxr.resample(samples, rate_hz, LINE_HZ), dtype=np.float32)
    voiced = _voiced_frames(samples)
    if not voiced.size:
        return samples.astype(np.int16)
    start = max(0, int(voiced[0]) - _EDGE_FRAMES) * _FRAME
    end = (int(voiced[-1]) + 1 + _EDGE_FRAMES) * _FRAME
    trimmed = samples[start:end] * _gain(samples, voiced)
    line: Pcm = np.clip(trimmed, -_PEAK, _PEAK).astype(np.int16)
    return line


def speech_level_dbfs(pcm: Pcm) -> float:
    """Return the RMS level over the voiced frames; minus infinity for silence."""
    samples = np.asarray(pcm, dtype=np.float32)
    voiced = _voiced_frames(samples)
    return 20 * float(np.log10(_voiced_rms(samples, voiced) / _FULL_SCALE)) if voiced.size else float("-inf")


def _frames(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return samples[: samples.size // _FRAME * _FRAME].reshape(-1, _FRAME)


def _voiced_frames(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    power = np.mean(_frames(samples) ** 2, axis=1)
    if not power.size or power.max() < 1.0:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(power > power.max() * 10 ** (-_VOICED_BELOW_LOUDEST_DB / 10))


def _voiced_rms(samples: npt.NDArray[np.float32], voiced: npt.NDArray[np.intp]) -> float:
    return float(np.sqrt(np.mean(_frames(samples)[voiced] ** 2)))


def _gain(samples: npt.NDArray[np.float32], voiced: npt.NDArray[np.intp]) -> float:
    return amplitude(SPEECH_DBFS) / _voiced_rms(samples, voiced)

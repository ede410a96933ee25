"""The spectrum of the last 40 ms, reduced to what tells a tone from a voice.

In: frames of 160 int16 samples at 8 kHz. Out: a `Peak` when asked. Called by the tone detector only. Written for cost:
one 512-point transform a look, band energies as plain sums, and no more than the level when the line is quiet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import FRAME_SAMPLES, SAMPLE_RATE_HZ

_WINDOW_SAMPLES: Final = 2 * FRAME_SAMPLES
_POINTS: Final = 512
_BIN_HZ: Final = SAMPLE_RATE_HZ / _POINTS
_HANN: Final = np.hanning(_WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
_HANN_GAIN: Final = float(np.dot(_HANN, _HANN))
_LOWEST_BIN: Final = math.ceil(62 / _BIN_HZ)
_TONE_BINS: Final = (math.ceil(350 / _BIN_HZ), int(2200 / _BIN_HZ))
_LOBE_BINS: Final = 4
"""A Hann window of 40 ms spreads a pure tone over 50 Hz to each side."""
_NARROW_BINS: Final = 2
_QUIET_RMS: Final = 25.0
"""-62 dBFS; not worth a transform."""
_LEAST_PURITY: Final = 0.6
"""Keeps recall down to 3 dB over white noise without a false beep in 1510 s of prompts; 0.9 fails on noisy lines."""
_HARMONIC_SHARE: Final = 0.03
_HARMONIC_SHARE_IN_NOISE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Peak:
    """What stands out in one window: `hz` is None when nothing does; `purity` is the tone's share of the energy."""

    rms: float
    hz: float | None
    purity: float = 0.0


class Spectrum:
    """Slides a 40 ms window over the frames of one call, and can look one frame back."""

    def __init__(self) -> None:
        self._heard = np.zeros(_WINDOW_SAMPLES + FRAME_SAMPLES, dtype=np.float32)
        self._padded = np.zeros(_POINTS, dtype=np.float32)
        self._windowed = self._padded[:_WINDOW_SAMPLES]

    def push(self, frame: Samples) -> None:
        """Take the next frame."""
        self._heard[:_WINDOW_SAMPLES] = self._heard[FRAME_SAMPLES:]
        self._heard[_WINDOW_SAMPLES:] = frame

    def peak(self, *, frames_back: int = 0) -> Peak:
        """Judge the window that ends with the last frame, or with the one before."""
        start = FRAME_SAMPLES * (1 - frames_back)
        np.multiply(self._heard[start : start + _WINDOW_SAMPLES], _HANN, out=self._windowed)
        energy = float(np.dot(self._windowed, self._windowed))
        rms = math.sqrt(energy / _HANN_GAIN)
        if rms < _QUIET_RMS:
            return Peak(rms, None)
        parts = np.fft.rfft(self._padded).view(np.float32)
        np.square(parts, out=parts)
        power = parts[0::2] + parts[1::2]
        top = _LOWEST_BIN + int(power[_LOWEST_BIN:].argmax())
        if not _TONE_BINS[0] <= top <= _TONE_BINS[1]:
            return Peak(rms, None)
        # Parseval: the one-sided power adds up to half the points times the energy of the window.
        above_hum = energy * _POINTS / 2 - float(np.add.reduce(power[:_LOWEST_BIN]))
        purity = _energy(power, top, _LOBE_BINS) / max(above_hum, 1e-9)
        if purity < _LEAST_PURITY:
            return Peak(rms, None)
        centre = top + _offset(power, top)
        return Peak(rms, None if _has_harmonics(power, centre, purity) else centre * _BIN_HZ, purity)


def _has_harmonics(power: NDArray[np.float32], centre: float, purity: float) -> bool:
    """A voice has energy at twice, three times or half the frequency; a tone has only noise there."""
    share = max(_HARMONIC_SHARE, _HARMONIC_SHARE_IN_NOISE * (1 - purity))
    allowed = share * _energy(power, round(centre), _NARROW_BINS)
    return any(_energy(power, round(centre * ratio), _NARROW_BINS) > allowed for ratio in (2, 3, 0.5))


def _energy(power: NDArray[np.float32], centre: int, reach: int) -> float:
    """Power within `reach` bins of a bin; nothing above the band."""
    return float(np.add.reduce(power[centre - reach : centre + reach + 1]))


def _offset(power: NDArray[np.float32], top: int) -> float:
    """Where between the bins the peak lies: a parabola through three logarithms."""
    left, middle, right = (math.log(value + 1e-9) for value in power[top - 1 : top + 2].tolist())
    bend = left - 2 * middle + right
    return 0.0 if bend == 0 else 0.5 * (left - right) / bend

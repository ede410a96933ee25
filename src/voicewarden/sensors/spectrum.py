"""Short-time spectra: is there one steady, pure tone in the band of mailbox beeps?

In: 20 ms frames at 8 kHz. Out: a `Peak` for the 40 ms window that ends with a frame. Called by the tone detector only.
A purity threshold in disguise is a signal-to-noise threshold: 0.8 is 6 dB of white noise, 0.6 is 2 dB. What lies below
the telephone band is hum and counts for nothing.
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
_BAND_HZ: Final = (330, 2230)
"""Where beeps lie (350 to 2200 Hz), and a little more, so that one at the edge is a peak."""
_HUM_HZ: Final = 200
_LOWEST_BIN: Final = math.ceil(_HUM_HZ / _BIN_HZ)
_TONE_BINS: Final = (math.ceil(_BAND_HZ[0] / _BIN_HZ), int(_BAND_HZ[1] / _BIN_HZ))
_LOBE_BINS: Final = 4
"""A Hann window of 40 ms spreads a pure tone over 50 Hz to each side."""
_NARROW_BINS: Final = 2
_QUIET_RMS: Final = 25.0
"""-62 dBFS; not worth a transform."""
_LEAST_PURITY: Final = 0.6
"""Keeps recall down to 3 dB over white noise without a false beep in 1510 s of prompts; 0.9 fails on noisy lines."""
_HARMONIC_SHARE: Final = 0.03
_HARMONIC_SHARE_IN_NOISE: Final = 0.25
_STEP_HZ: Final = SAMPLE_RATE_HZ // _WINDOW_SAMPLES
_LEAST_GLANCE: Final = 0.5
"""The share of its energy that a window must have around one frequency to be worth a closer look."""


def _bank() -> tuple[NDArray[np.float32], int]:
    """Cosines and sines, Hann-windowed, of the frequencies below the telephone band and of those of beeps, a natural
    step apart, so that their powers add up to the energy; shape (samples, 2n). And how many are below.
    """
    below = list(range(_STEP_HZ, _HUM_HZ, _STEP_HZ))
    hertz = below + list(range(_BAND_HZ[0] // _STEP_HZ * _STEP_HZ, _BAND_HZ[1] + _STEP_HZ, _STEP_HZ))
    phase = 2 * np.pi * np.outer(np.arange(_WINDOW_SAMPLES) / SAMPLE_RATE_HZ, hertz)
    waves = np.concatenate((np.cos(phase), np.sin(phase)), axis=1) * _HANN[:, None]
    return np.ascontiguousarray(waves * math.sqrt(2 / _WINDOW_SAMPLES), dtype=np.float32), len(below)


_BANK, _BELOW = _bank()
_HERTZ_IN_BANK: Final = _BANK.shape[1] // 2


@dataclass(frozen=True, slots=True)
class Peak:
    """What stands out in one window: `hz` is None when nothing does; `purity` is the tone's share of the energy, `rms`
    the level of what is above the hum.
    """

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

    def glance(self) -> tuple[float, bool]:
        """The level of the last window, and whether it may hold a tone: a third of the price of `peak`."""
        np.multiply(self._heard[FRAME_SAMPLES:], _HANN, out=self._windowed)
        energy = float(np.dot(self._windowed, self._windowed))
        if energy < _QUIET_RMS**2 * _HANN_GAIN:
            return 0.0, False
        parts = self._heard[FRAME_SAMPLES:] @ _BANK
        np.square(parts, out=parts)
        power = parts[:_HERTZ_IN_BANK] + parts[_HERTZ_IN_BANK:]
        above_hum = max(energy - float(np.add.reduce(power[:_BELOW])), 0.0)
        top = _BELOW + int(power[_BELOW:].argmax())
        around = float(np.add.reduce(power[max(top - 1, _BELOW) : top + 2]))
        return math.sqrt(above_hum / _HANN_GAIN), around >= _LEAST_GLANCE * above_hum

    def peak(self, *, frames_back: int = 0) -> Peak:
        """Judge the window that ends with the last frame, or with the one before."""
        start = FRAME_SAMPLES * (1 - frames_back)
        np.multiply(self._heard[start : start + _WINDOW_SAMPLES], _HANN, out=self._windowed)
        parts = np.fft.rfft(self._padded).view(np.float32)
        np.square(parts, out=parts)
        power = parts[0::2] + parts[1::2]
        # Parseval: the one-sided power adds up to half the points times the energy of the window.
        above_hum = float(np.add.reduce(power[_LOWEST_BIN:])) * 2 / _POINTS
        rms = math.sqrt(above_hum / _HANN_GAIN)
        top = _LOWEST_BIN + int(power[_LOWEST_BIN:].argmax())
        if rms < _QUIET_RMS or not _TONE_BINS[0] <= top <= _TONE_BINS[1]:
            return Peak(rms, None)
        purity = _energy(power, top, _LOBE_BINS) * 2 / _POINTS / max(above_hum, 1e-9)
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

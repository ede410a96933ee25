"""Call progress tones made of two frequencies: ring-back and busy.

In: 20 ms frames at 8 kHz. Out: a `Pair` when two frequencies have filled 400 ms. Called by the tone detector only. Two
tones 40 Hz apart can't be told apart in 40 ms, so this looks at 200 ms at a time; voices never hold two exact
frequencies that long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import FRAME_MS, FRAME_SAMPLES

_BLOCK_FRAMES: Final = 10
_BLOCK_SAMPLES: Final = _BLOCK_FRAMES * FRAME_SAMPLES
_BLOCKS_NEEDED: Final = 2
_PAIRS: Final[dict[Literal["ringback", "busy"], tuple[int, int]]] = {"ringback": (440, 480), "busy": (480, 620)}
"""North American precise tone plan; reorder has the same frequencies as busy and counts as busy."""
_HERTZ: Final = sorted({hz for pair in _PAIRS.values() for hz in pair})
_LEAST_SHARE: Final = 0.7
_LEAST_EACH: Final = 0.15
_QUIET_RMS: Final = 25.0
_OFFSETS_HZ: Final = (-5.0, 0.0, 5.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two frequencies that were held: the lower one in Hz, the onset and the length so far in ms of fed audio."""

    kind: Literal["ringback", "busy"]
    low_hz: int
    at_ms: int
    ms: int


def _kernel() -> NDArray[np.float32]:
    """Cosines, then sines, of every frequency of the plan and its neighbours, Hann-windowed, shape (samples, 2n)."""
    hertz = [hz + offset for hz in _HERTZ for offset in _OFFSETS_HZ]
    phase = 2 * np.pi * np.outer(np.arange(_BLOCK_SAMPLES) / 8000, hertz)
    window = np.hanning(_BLOCK_SAMPLES + 1)[:-1, None]
    return np.concatenate((np.cos(phase) * window, np.sin(phase) * window), axis=1).astype(np.float32)


_KERNEL: Final = _kernel()
_WINDOW_SUM: Final = 0.5 * _BLOCK_SAMPLES


class PairListener:
    """Collects 200 ms blocks and compares them with the tone plan."""

    def __init__(self) -> None:
        self._block: Samples = np.zeros(_BLOCK_SAMPLES, dtype=np.int16)
        self._filled = 0
        self._blocks = 0
        self._kind: Literal["ringback", "busy"] | None = None
        self._streak = 0

    @property
    def is_sounding(self) -> bool:
        """A pair was held until the last block at least."""
        return self._streak >= _BLOCKS_NEEDED

    def feed(self, frame: Samples) -> Pair | None:
        """Take 160 samples; answers once when a pair has filled two blocks."""
        start = self._filled * FRAME_SAMPLES
        self._block[start : start + FRAME_SAMPLES] = frame
        self._filled += 1
        if self._filled < _BLOCK_FRAMES:
            return None
        self._filled = 0
        self._blocks += 1
        kind = _judge(self._block)
        self._streak = self._streak + 1 if kind is not None and kind == self._kind else int(kind is not None)
        self._kind = kind
        if kind is None or self._streak != _BLOCKS_NEEDED:
            return None
        block_ms = _BLOCK_FRAMES * FRAME_MS
        return Pair(kind, _PAIRS[kind][0], (self._blocks - _BLOCKS_NEEDED) * block_ms, _BLOCKS_NEEDED * block_ms)


def _judge(block: Samples) -> Literal["ringback", "busy"] | None:
    """The pair that holds most of a block's energy, if one does."""
    samples = block.astype(np.float32)
    energy = float(np.dot(samples, samples))
    if energy < _QUIET_RMS**2 * _BLOCK_SAMPLES:
        return None
    projected = samples @ _KERNEL
    half = projected.size // 2
    amplitude_squared = (projected[:half] ** 2 + projected[half:] ** 2) * (2 / _WINDOW_SUM) ** 2
    power = amplitude_squared.reshape(len(_HERTZ), len(_OFFSETS_HZ)).max(axis=1) / 2
    share = dict(zip(_HERTZ, (power * _BLOCK_SAMPLES / energy).tolist(), strict=True))
    for kind, (low, high) in _PAIRS.items():
        if min(share[low], share[high]) >= _LEAST_EACH and share[low] + share[high] >= _LEAST_SHARE:
            return kind
    return None

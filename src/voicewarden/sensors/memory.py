"""The sound of the last seconds, from which segments for the transcriber are cut.

In: 20 ms frames in order. Out: the samples between two audio times. Called by `segments`.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import FRAME_MS


class SoundMemory:
    """Keeps `keep_ms` of audio, more while somebody holds on to an earlier time."""

    def __init__(self, *, keep_ms: int) -> None:
        self._keep_frames: Final = -(-keep_ms // FRAME_MS)
        self._frames: deque[Samples] = deque()
        self._first = 0
        self._held: int | None = None

    def add(self, frame: Samples) -> None:
        """Take one frame in and forget the oldest that nobody holds."""
        self._frames.append(frame)
        while len(self._frames) > self._keep_frames and (self._held is None or self._first < self._held):
            self._frames.popleft()
            self._first += 1

    def hold(self, from_ms: int) -> int:
        """Keep everything from this time on; returns the time of the first sample that is there."""
        self._held = max(from_ms // FRAME_MS, self._first)
        return self._held * FRAME_MS

    def take(self, to_ms: int) -> Samples:
        """The samples from the held time until `to_ms`, and hold no longer."""
        first = self._first if self._held is None else self._held
        self._held = None
        frames = list(self._frames)[first - self._first : max(to_ms // FRAME_MS, first) - self._first]
        return np.concatenate(frames) if frames else np.empty(0, dtype=np.int16)

"""Is the caller speaking? webrtcvad AND an adaptive level floor: each sees through what fools the other.

In: int16 samples at 8 kHz in chunks of any size. Out: `Started` and `Stopped`, plus the verdict, the level and the
noise floor of each 20 ms frame. Called by the listening processor of `pipeline`, by `rehear` and by the transcriber.
All times are counted in samples from the first one fed, so that the same audio gives the same answer whatever its
chunking and whenever it is read.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import webrtcvad

from voicewarden.sensors.mulaw import Samples

SAMPLE_RATE_HZ: Final = 8000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000

_VAD_MODE: Final = 2
_QUIETEST_RMS: Final = 60.0
"""-55 dBFS: under this nothing is speech, and the floor never goes lower. Idle mu-law noise stays under 10."""
_DITHER: Final = np.random.default_rng(1).integers(-3, 4, (50, FRAME_SAMPLES), dtype=np.int16)
"""Webrtcvad goes deaf for half of a word after digital silence, which carriers send; it hears this instead."""
_ABOVE_FLOOR: Final = 2.0
"""Speech stands 6 dB above the noise."""
_NOTHING_RMS: Final = 10.0
_GRACE_BLOCKS: Final = 3
"""Carriers send digital silence before a line opens. What comes then is its noise, or at once a word, which must not be
taken for noise before it has had a pause.
"""
_LOUDEST_FLOOR_RMS: Final = 1_500.0
"""-27 dBFS: a call that begins in the middle of a word must not be taken for a noisy line."""
_FLOOR_BLOCK_FRAMES: Final = 10
_FLOOR_BLOCKS: Final = 10
"""Noise floor by minimum statistics (Martin 2001): the quietest frame of the last ten blocks of 200 ms."""


@dataclass(frozen=True, slots=True)
class Started:
    """The caller began to speak: decided at `at_ms`, the first voiced frame began at `onset_ms`."""

    at_ms: int
    onset_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The caller fell silent: decided at `at_ms`, the last voiced frame ended at `end_ms`."""

    at_ms: int
    end_ms: int


Transition = Started | Stopped


class Framer:
    """Cuts chunks of any size into frames of 160 samples and keeps what is left for the next one."""

    def __init__(self) -> None:
        self._rest: Samples = np.empty(0, dtype=np.int16)

    def cut(self, pcm: Samples) -> list[Samples]:
        """The frames that `pcm` completes, in order."""
        if self._rest.size:
            pcm = np.concatenate((self._rest, pcm))
        elif pcm.size == FRAME_SAMPLES:
            return [pcm]
        whole = pcm.size - pcm.size % FRAME_SAMPLES
        # A copy, because the carrier's buffer behind `pcm` may be reused.
        self._rest = pcm[whole:].copy()
        return [pcm[start : start + FRAME_SAMPLES] for start in range(0, whole, FRAME_SAMPLES)]


class NoiseFloor:
    """The level of the line when nobody speaks, learned from its quietest moments of the last two seconds.

    Of a call that has just begun, from all that was heard: a noisy line is known for one before somebody speaks.
    """

    def __init__(self) -> None:
        self._minima: deque[float] = deque(maxlen=_FLOOR_BLOCKS)
        self._block_minimum = math.inf
        self._block_frames = 0
        self._grace_blocks = 0
        self.rms = _QUIETEST_RMS

    def update(self, level_rms: float) -> None:
        """Take in the level of one more frame."""
        is_new = len(self._minima) < _FLOOR_BLOCKS
        if is_new and level_rms < _NOTHING_RMS:
            self._grace_blocks = _GRACE_BLOCKS
            return
        self._block_minimum = min(self._block_minimum, level_rms)
        self._block_frames += 1
        if self._block_frames == _FLOOR_BLOCK_FRAMES:
            self._minima.append(max(self._block_minimum, _QUIETEST_RMS))
            self._block_minimum = math.inf
            self._block_frames = 0
            self._grace_blocks = max(0, self._grace_blocks - 1)
            is_new = True
        if self._grace_blocks:
            self.rms = _QUIETEST_RMS
        elif is_new:
            self.rms = max(min((self._block_minimum, *self._minima)), _QUIETEST_RMS)
            if len(self._minima) < _FLOOR_BLOCKS:
                self.rms = min(self.rms, _LOUDEST_FLOOR_RMS)


class FrameVerdict:
    """Says for one 20 ms frame after the other whether it holds voice, and keeps its level."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(_VAD_MODE)
        self._dither = itertools.cycle(_DITHER)
        self.floor = NoiseFloor()
        self.level_rms = 0.0

    def is_voiced(self, frame: Samples) -> bool:
        """Judge 160 samples."""
        wide = frame.astype(np.float32)
        self.level_rms = math.sqrt(float(np.dot(wide, wide)) / FRAME_SAMPLES)
        loud = self.level_rms >= _QUIETEST_RMS and self.level_rms >= _ABOVE_FLOOR * self.floor.rms
        # The detector carries state from frame to frame, so that it hears the quiet ones too.
        heard = frame if self.level_rms >= _QUIETEST_RMS else frame + next(self._dither)
        voice = bool(self._vad.is_speech(heard.tobytes(), SAMPLE_RATE_HZ, FRAME_SAMPLES))
        self.floor.update(self.level_rms)
        return voice and loud


class VoiceActivity:
    """Turns samples into `Started` and `Stopped`.

    `start_ms` of voice within the last `start_ms + 20` start a run of speech; `stop_ms` without a voiced frame end it.
    Both are rounded up to whole frames of 20 ms.
    """

    def __init__(self, *, start_ms: int = 80, stop_ms: int = 200) -> None:
        if start_ms <= 0 or stop_ms <= 0:
            raise ValueError(f"start_ms and stop_ms must be positive, found {start_ms} and {stop_ms}; try 80 and 200")
        self._start_frames = -(-start_ms // FRAME_MS)
        self._stop_frames = -(-stop_ms // FRAME_MS)
        self._recent: deque[bool] = deque(maxlen=self._start_frames + 1)
        self._verdict = FrameVerdict()
        self._framer = Framer()
        self._frames = 0
        self._silent_frames = 0
        self.is_speaking = False
        self.last_frames: tuple[bool, ...] = ()

    @property
    def now_ms(self) -> int:
        """Milliseconds of audio judged so far."""
        return self._frames * FRAME_MS

    @property
    def level_rms(self) -> int:
        """Level of the last frame, as RMS of int16 samples."""
        return round(self._verdict.level_rms)

    @property
    def noise_rms(self) -> int:
        """Level of the line's noise, as RMS of int16 samples."""
        return round(self._verdict.floor.rms)

    def feed(self, pcm: Samples, *, is_tone: bool = False) -> tuple[Transition, ...]:
        """Take any number of int16 samples at 8 kHz; `last_frames` then holds the verdicts of the completed frames.

        With `is_tone` somebody knows that what sounds is no voice, which the detector can't tell.
        """
        transitions: list[Transition] = []
        verdicts: list[bool] = []
        for frame in self._framer.cut(pcm):
            voiced = self._verdict.is_voiced(frame) and not is_tone
            verdicts.append(voiced)
            transition = self._advance(voiced=voiced)
            if transition is not None:
                transitions.append(transition)
        self.last_frames = tuple(verdicts)
        return tuple(transitions)

    def _advance(self, *, voiced: bool) -> Transition | None:
        """Move one frame on."""
        self._frames += 1
        self._silent_frames = 0 if voiced else self._silent_frames + 1
        if self.is_speaking:
            return self._stop_if_silent()
        self._recent.append(voiced)
        if not voiced or sum(self._recent) < self._start_frames:
            return None
        self.is_speaking = True
        onset_frame = self._frames - len(self._recent) + self._recent.index(True)
        self._recent.clear()
        return Started(at_ms=self.now_ms, onset_ms=onset_frame * FRAME_MS)

    def _stop_if_silent(self) -> Stopped | None:
        """End the run of speech when the silence has lasted."""
        if self._silent_frames < self._stop_frames:
            return None
        self.is_speaking = False
        return Stopped(at_ms=self.now_ms, end_ms=(self._frames - self._silent_frames) * FRAME_MS)


def voiced_frames(pcm: Samples) -> tuple[bool, ...]:
    """The verdicts on a recording's whole 20 ms frames, judged like a live line."""
    verdict = FrameVerdict()
    return tuple(verdict.is_voiced(frame) for frame in Framer().cut(pcm))

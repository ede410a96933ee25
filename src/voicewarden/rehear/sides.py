"""The two sides of a recorded call, kept apart: one file with two channels or two files in, caller and agent out.

Called by `rehearing` and `hearing`. A mix is refused: in it the agent's words would count as the caller's, and a "yes"
that the agent read aloud would be a consent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicewarden.rehear.wav import RecordingRefused, read_tracks, to_line
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import SAMPLE_RATE_HZ

Side = Literal["left", "right"]

ALIKE_PERMILLE: Final = 500
"""From this share of common sound on, a recording is taken for a mix: separate sides stay far under it, and sides that
leak into each other at 6 dB under their own level far over it (tests/unit/rehear/test_sides.py)."""

_WINDOW: Final = 2 * SAMPLE_RATE_HZ
_FARTHEST: Final = 300 * SAMPLE_RATE_HZ // 1000
"""Channels may be this far apart in time: an echo, or two recorders that did not start together."""
_NEAR_DB: Final = 12.0
"""Sound that is so much quieter on one side is an echo, which every line has, and no mix."""
_AUDIBLE_RMS: Final = 60.0
"""As for the voice detector: under this nothing is speech."""


class Sides(NamedTuple):
    """Both sides at 8 kHz, of one length."""

    caller: Samples
    agent: Samples

    @property
    def ms(self) -> int:
        """Length in milliseconds."""
        return self.caller.size * 1000 // SAMPLE_RATE_HZ


def read_two_channels(path: Path, caller_channel: Side) -> Sides:
    """Both sides from one file. Raises RecordingRefused for a mix, and for what is no file of two channels."""
    rate_hz, channels = read_tracks(path)
    if len(channels) == 1:
        raise RecordingRefused(
            f"{path}: has one channel, in which caller and agent are mixed: whose word it was can't be told, and the "
            "agent's own words would pass for the caller's; record both channels, or give two files with --caller and "
            "--agent-audio"
        )
    if len(channels) != 2:
        raise RecordingRefused(f"{path}: has {len(channels)} channels, expected two: the caller's and the agent's")
    left, right = (to_line(channel, rate_hz) for channel in channels)
    return _apart(Sides(left, right) if caller_channel == "left" else Sides(right, left), str(path))


def read_two_files(caller: Path, agent: Path) -> Sides:
    """Both sides from a file each; the shorter one is followed by silence."""
    sounds = [read_side(path, 0) if len(read_tracks(path).channels) == 1 else None for path in (caller, agent)]
    for path, sound in zip((caller, agent), sounds, strict=True):
        if sound is None:
            raise RecordingRefused(f"{path}: has more than one channel; give it alone, or a file with one side only")
    longest = max(sound.size for sound in sounds if sound is not None)
    whole = [np.pad(sound, (0, longest - sound.size)) for sound in sounds if sound is not None]
    return _apart(Sides(*whole), f"{caller} and {agent}")


def read_side(path: Path, channel: int) -> Samples:
    """One channel of a file. Raises RecordingRefused when there is no such channel."""
    rate_hz, channels = read_tracks(path)
    if channel >= len(channels):
        raise RecordingRefused(f"{path}: has {len(channels)} channel; expected one more for the right side")
    return to_line(channels[channel], rate_hz)


def _apart(sides: Sides, name: str) -> Sides:
    alike = alike_permille(sides.caller, sides.agent)
    if alike >= ALIKE_PERMILLE:
        raise RecordingRefused(
            f"{name}: the two sides are too alike ({alike // 10} % of the sound is on both at about the same level): "
            "this is a mix, in which the agent's own words would pass for the caller's; record both channels apart"
        )
    return sides


def alike_permille(one: Samples, other: Samples) -> int:
    """How much of the sound is common to both: the squared cross-correlation, at the best shift, of each two seconds,
    weighted by their energy. Seconds in which one side is 12 dB quieter count as apart.
    """
    common = whole = 0.0
    for start in range(0, one.size, _WINDOW):
        first = one[start : start + _WINDOW].astype(np.float64)
        second = other[start : start + _WINDOW].astype(np.float64)
        energy = float(first @ first), float(second @ second)
        whole += sum(energy)
        quiet, loud = sorted(energy)
        if quiet < _AUDIBLE_RMS**2 * first.size or loud > quiet * 10 ** (_NEAR_DB / 10):
            continue
        common += sum(energy) * _correlation(first, second) ** 2 / (energy[0] * energy[1])
    return round(1000 * common / whole) if whole else 0


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The largest cross-correlation of two windows within the shift that is allowed, by way of their spectra."""
    size = first.size + second.size
    product = np.fft.irfft(np.fft.rfft(first, size) * np.conj(np.fft.rfft(second, size)), size)
    near = np.concatenate((product[: _FARTHEST + 1], product[-_FARTHEST:]))
    return float(np.max(np.abs(near)))

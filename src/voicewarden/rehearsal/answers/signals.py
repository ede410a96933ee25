"""What telephone networks and machines sound without speaking: tones as samples, in the cadences of their standards.

In: frequencies and lengths. Out: float samples at 8 kHz, where 1.0 is full scale. Called by `making` and by the
benchmark of beeps. North American plan (ITU-T E.180 supplement 2), special information tones after ITU-T E.180,
fax after ITU-T T.30.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE_HZ: Final = 8_000
RINGBACK_HZ: Final = (440, 480)
BUSY_HZ: Final = (480, 620)
FAX_CALL_HZ: Final = 1100
FAX_ANSWER_HZ: Final = 2100
INFORMATION: Final[dict[str, tuple[tuple[float, int], ...]]] = {
    "intercept": ((913.8, 274), (1370.6, 274), (1776.7, 380)),
    "vacant": ((985.2, 380), (1370.6, 274), (1776.7, 380)),
    "reorder": ((913.8, 274), (1428.5, 380), (1776.7, 380)),
    "no circuit": ((985.2, 380), (1428.5, 380), (1776.7, 380)),
}
_EDGE_MS: Final = 5
"""Switches let a tone swell for so long, which keeps it from clicking."""


def silence(ms: int) -> Sound:
    """Nothing."""
    return np.zeros(ms * RATE_HZ // 1000)


def tone(hz: tuple[float, ...], ms: int, level_dbfs: float, phase: float = 0.0) -> Sound:
    """Sines of equal level that have the given level (RMS) together."""
    at = np.arange(ms * RATE_HZ // 1000) / RATE_HZ
    sound = np.sum([np.sin(2 * np.pi * one * at + phase) for one in hz], axis=0)
    amplitude = 10 ** (level_dbfs / 20) * np.sqrt(2 / len(hz))
    edge = np.minimum(1.0, np.minimum(np.arange(at.size), np.arange(at.size)[::-1]) / (_EDGE_MS * RATE_HZ / 1000))
    return np.asarray(sound * amplitude * edge)


def cadence(hz: tuple[float, ...], on_ms: int, off_ms: int, times: int, level_dbfs: float) -> Sound:
    """A tone that comes and goes."""
    return np.concatenate([tone(hz, on_ms, level_dbfs), silence(off_ms)] * times)


def ringback(times: int, level_dbfs: float = -19.0) -> Sound:
    """The called phone rings: 2 s on, 4 s off."""
    return cadence(RINGBACK_HZ, 2_000, 4_000, times, level_dbfs)


def busy(times: int, level_dbfs: float = -20.0) -> Sound:
    """The line is taken."""
    return cadence(BUSY_HZ, 500, 500, times, level_dbfs)


def reorder(times: int, level_dbfs: float = -20.0) -> Sound:
    """The network is taken."""
    return cadence(BUSY_HZ, 250, 250, times, level_dbfs)


def information(kind: str, level_dbfs: float = -20.0) -> Sound:
    """The three rising tones in front of an announcement."""
    return np.concatenate([tone((hz,), ms, level_dbfs) for hz, ms in INFORMATION[kind]])


def fax_calls(times: int, level_dbfs: float = -20.0) -> Sound:
    """A fax that calls: half a second of 1100 Hz every 3.5 s."""
    return cadence((FAX_CALL_HZ,), 500, 3_000, times, level_dbfs)


def fax_answers(level_dbfs: float = -20.0) -> Sound:
    """A fax that answers: 3 s of 2100 Hz."""
    return np.concatenate((silence(1_800), tone((FAX_ANSWER_HZ,), 3_000, level_dbfs), silence(75)))

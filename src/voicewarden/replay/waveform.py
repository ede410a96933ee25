"""A waveform as peaks and as an SVG path: the loudest and the quietest sample of each column.

In: `Sound`. Out: peaks per mille of full scale, path data for a box of `columns` by 200 units. Used by the call report.
"""

from __future__ import annotations

from array import array
from typing import Final

import msgspec

from voicewarden.replay.sound import Sound

_SHORTEST_COLUMN_MS: Final = 25
_MOST_COLUMNS: Final = 4_000
_HALF: Final = 100


class Peaks(msgspec.Struct, frozen=True):
    """Lowest and highest sample of each column, from -1000 to 1000 of the loudest sample of the recording."""

    low: tuple[int, ...]
    high: tuple[int, ...]

    def path(self) -> str:
        """SVG path data of the filled shape; silence is a thin line."""
        if not self.high:
            return ""
        upper = [f"{x} {_HALF - max(value * _HALF // 1000, 1)}" for x, value in enumerate(self.high)]
        lower = [f"{x} {_HALF + max(-value * _HALF // 1000, 1)}" for x, value in enumerate(self.low)]
        return "M" + "L".join(upper) + "L" + "L".join(reversed(lower)) + "Z"


def peaks_of(sound: Sound) -> tuple[Peaks, ...]:
    """Peaks of each channel, on one scale, so that a quiet side looks quiet."""
    columns = max(1, min(_MOST_COLUMNS, sound.ms // _SHORTEST_COLUMN_MS))
    loudest = max(max(sound.samples, default=0), -min(sound.samples, default=0), 1)
    return tuple(
        _peaks(sound.samples[channel :: sound.channels], columns, loudest) for channel in range(sound.channels)
    )


def _peaks(samples: array[int], columns: int, loudest: int) -> Peaks:
    low, high = [], []
    for column in range(columns):
        part = samples[column * len(samples) // columns : (column + 1) * len(samples) // columns] or array("h", [0])
        low.append(min(part) * 1000 // loudest)
        high.append(max(part) * 1000 // loudest)
    return Peaks(tuple(low), tuple(high))

"""The 20 ms frame that the whole simulator counts in: its sizes, and its samples as int16 at 8 kHz.

Used by everything of the carrier that touches audio; the mu-law codec itself is the one of `sensors`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voicewarden.sensors.mulaw import Samples

Pcm = Samples

SAMPLE_RATE_HZ: Final = 8000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000


def silence(samples: int = FRAME_SAMPLES) -> Pcm:
    """Return a stretch of digital silence, one 20 ms frame by default."""
    return np.zeros(samples, dtype=np.int16)

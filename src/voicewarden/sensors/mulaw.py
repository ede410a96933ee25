"""G.711 mu-law by table lookup.

In: the bytes of a carrier's media message, or 16-bit samples on their way out. Out: int16 samples at the same rate, or
mu-law bytes. Called by the listening and the speaking processor of `pipeline`, by `rehear` and by the benchmarks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

SILENCE: Final = b"\xff"
"""The mu-law code of zero; a lost frame is filled with it."""

_BIAS: Final = 33
_CLIP: Final = 8158
_SEGMENT_ENDS: Final = (0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF)


def _decode_table() -> Samples:
    """All 256 codes as 16-bit samples (ITU-T G.711, table 2a; the 14-bit value shifted left by two)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> NDArray[np.uint8]:
    """The code of every 16-bit sample, indexed by the sample read as an unsigned number."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32) >> 2
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = np.searchsorted(np.array(_SEGMENT_ENDS), magnitude)
    code = (segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)
    table: NDArray[np.uint8] = (code ^ np.where(sample < 0, 0x7F, 0xFF)).astype(np.uint8)
    return table


_DECODED: Final = _decode_table()
_ENCODED: Final = _encode_table()


def decode(payload: bytes) -> Samples:
    """Turn mu-law bytes into int16 samples, shape (len(payload),)."""
    return _DECODED.take(np.frombuffer(payload, dtype=np.uint8))


def encode(pcm: Samples) -> bytes:
    """Turn int16 samples into mu-law bytes, one a sample."""
    return bytes(_ENCODED.take(pcm.view(np.uint16)).data)

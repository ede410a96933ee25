"""A recorded call's sound: two channels out of a WAV file, and back into a smaller one that a page can carry.

In: bytes of a WAV file. Out: `Sound` with the caller's and the agent's samples; mu-law WAV bytes (G.711, which is what
went over the wire, so nothing is lost). Standard library only. Used by the call report.
"""

from __future__ import annotations

import io
import struct
import wave
from array import array
from bisect import bisect_left
from functools import cache
from typing import Final

import msgspec

MULAW: Final = 7
"""WAVE_FORMAT_MULAW, RFC 2361."""


class Sound(msgspec.Struct, frozen=True):
    """Samples of one or two channels, 16 bits each, interleaved."""

    samples: array[int]
    channels: int
    rate: int

    @property
    def ms(self) -> int:
        """Length in milliseconds."""
        return len(self.samples) * 1000 // (self.rate * self.channels)


def read_wav(data: bytes) -> Sound | str:
    """Read a WAV file of 16-bit samples, or say in words why that is not possible."""
    try:
        with wave.open(io.BytesIO(data)) as reader:
            width, channels, rate = reader.getsampwidth(), reader.getnchannels(), reader.getframerate()
            frames = reader.readframes(reader.getnframes())
    except (wave.Error, EOFError, struct.error) as error:
        return f"The recording is no readable PCM WAV file ({error or type(error).__name__})."
    if width != 2 or channels not in (1, 2) or rate <= 0:
        return f"The recording has {channels} channels of {width * 8} bits; expected two channels of 16 bits."
    samples = array("h")
    samples.frombytes(frames[: len(frames) // (2 * channels) * 2 * channels])
    if struct.pack("=h", 1) != struct.pack("<h", 1):
        samples.byteswap()
    return Sound(samples, channels, rate)


def mulaw_wav(sound: Sound) -> bytes:
    """The same sound as a mu-law WAV file, half the size."""
    table = _encoding()
    payload = bytes([table[sample + 32_768] for sample in sound.samples])
    block = sound.channels
    form = struct.pack("<HHIIHHH", MULAW, sound.channels, sound.rate, sound.rate * block, block, 8, 0)
    fact = struct.pack("<I", len(payload) // block)
    chunks = b"".join((_chunk(b"fmt ", form), _chunk(b"fact", fact), _chunk(b"data", payload)))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _decoded(code: int) -> int:
    """Linear value of a mu-law code (G.711, 14 bits scaled to 16)."""
    flipped = ~code & 0xFF
    magnitude = (((flipped & 0x0F) << 3) + 0x84 << ((flipped & 0x70) >> 4)) - 0x84
    return -magnitude if flipped & 0x80 else magnitude


@cache
def _encoding() -> bytes:
    """Code of every 16-bit value, by nearest decoded value: what was mu-law before comes back unchanged."""
    codes = sorted((_decoded(code), code) for code in range(256) if code != 0x7F)  # 0x7F is the second zero
    values = [value for value, _ in codes]
    table = bytearray(65_536)
    for sample in range(-32_768, 32_768):
        place = min(bisect_left(values, sample), len(values) - 1)
        if place and sample - values[place - 1] <= values[place] - sample:
            place -= 1
        table[sample + 32_768] = codes[place][1]
    return bytes(table)

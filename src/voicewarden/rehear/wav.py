"""Sound files as they come: a WAV file of 16-bit samples or mu-law in, the samples of each channel at 8 kHz out.

Called by `sides`. What comes out has been through mu-law, as everything that a telephone call brings: the thresholds on
word confidence hold for that channel alone, and a studio recording would be understood better than any call.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from voicewarden.model.error import TranscriberFailed
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import SAMPLE_RATE_HZ

ACCEPTED: Final = "a WAV file with PCM of 16 bits or mu-law, such as `sox IN -e signed -b 16 OUT.wav` makes"

_PCM: Final = 1
_MULAW: Final = 7
_EXTENSIBLE: Final = 0xFFFE
"""RFC 2361; the real format stands in the first two bytes of the sub-format."""
_RATES_HZ: Final = range(8_000, 192_001)
_FORM: Final = struct.Struct("<HHIIHH")


class RecordingRefused(TranscriberFailed):
    """A recording that nothing can be said about; the text says why, and what is accepted."""


class Tracks(NamedTuple):
    """The channels of a sound file, int16, all of one length."""

    rate_hz: int
    channels: tuple[Samples, ...]


def read_tracks(path: Path) -> Tracks:
    """Read a WAV file. Raises RecordingRefused for one that can't be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingRefused(f"{path}: can't be read ({error.strerror}); name another file") from None
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise _refused(path, "this is no WAV file")
    chunks = dict(_chunks(data))
    form, sound = chunks.get(b"fmt "), chunks.get(b"data")
    if form is None or len(form) < _FORM.size or sound is None:
        raise _refused(path, "this WAV file is not whole: its format or its sound is missing")
    code, channels, rate_hz, _, _, bits = _FORM.unpack_from(form)
    if code == _EXTENSIBLE and len(form) >= 26:
        code = int.from_bytes(form[24:26], "little")
    if (code, bits) not in ((_PCM, 16), (_MULAW, 8)):
        raise _refused(path, f"it holds format {code} with {bits} bits")
    if channels < 1 or rate_hz not in _RATES_HZ:
        raise _refused(path, f"it has {channels} channels at {rate_hz} Hz; at least 8000 Hz is needed")
    return Tracks(rate_hz, _split(sound, channels, bits))


def _refused(path: Path, what: str) -> RecordingRefused:
    return RecordingRefused(f"{path}: {what} (accepted: {ACCEPTED})")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk. Programs that write to a pipe leave a wild length: then the rest is meant."""
    at = 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _split(sound: bytes, channels: int, bits: int) -> tuple[Samples, ...]:
    whole = len(sound) - len(sound) % (channels * bits // 8)
    mixed = mulaw.decode(sound[:whole]) if bits == 8 else np.frombuffer(sound[:whole], dtype="<i2").astype(np.int16)
    return tuple(np.ascontiguousarray(mixed[channel::channels]) for channel in range(channels))


def to_line(samples: Samples, rate_hz: int) -> Samples:
    """Samples as a telephone line would have brought them: 8 kHz, through mu-law."""
    if rate_hz != SAMPLE_RATE_HZ:
        import soxr

        resampled = soxr.resample(samples.astype(np.float32), rate_hz, SAMPLE_RATE_HZ)
        samples = np.clip(np.rint(resampled), -32_768, 32_767).astype(np.int16)
    return mulaw.decode(mulaw.encode(samples))

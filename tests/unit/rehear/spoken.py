"""Calls for tests: sound that detectors take for speech, and a transcriber that answers with texts it was given."""

from __future__ import annotations

import struct
import wave
from collections import deque
from functools import cache
from pathlib import Path

import numpy as np

from voicewarden.config.policy_reader import fact_defaults
from voicewarden.config.release import load_release
from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Value
from voicewarden.model.error import TranscriberFailed
from voicewarden.model.event import Word
from voicewarden.rehear.sides import Sides
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import Transcript

ROOT = Path(__file__).resolve().parents[3]
GAP_MS = 900


@cache
def release(policy: str = "outbound-sales") -> Compiled:
    """A shipped policy with everything around it."""
    return Compiled(load_release(ROOT / "config", ROOT / "agents", policy=policy, approved=True))


def defaults(policy: str = "outbound-sales") -> dict[str, Value]:
    """What its facts start with."""
    return fact_defaults(ROOT / "config", policy)


def quiet(ms: int) -> Samples:
    return np.zeros(8 * ms, dtype=np.int16)


def voice(ms: int) -> Samples:
    """A buzz of many harmonics with the rhythm of syllables."""
    at = np.arange(ms * 8) / 8000
    buzz = sum(np.sin(2 * np.pi * 130 * k * at + k * k) / k for k in range(1, 20))
    return np.asarray(buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)) * 4000, dtype=np.int16)


def tone(hz: float, ms: int) -> Samples:
    return np.asarray(6000 * np.sin(2 * np.pi * hz * np.arange(8 * ms) / 8000), dtype=np.int16)


class Texts:
    """A transcriber: the texts in order, their words spread over the segment; None fails."""

    def __init__(self, *texts: str | None, permille: int | None = 950) -> None:
        self._texts = deque(texts)
        self._permille = permille
        self.segments_ms: list[int] = []

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        self.segments_ms.append(len(pcm) // 8)
        text = self._texts.popleft() if self._texts else ""
        if text is None:
            raise TranscriberFailed("the fake was told to fail")
        said = text.split()
        length_ms, heard_ms = len(pcm) // 8, speech_ms or 0
        lead_ms = min(280, length_ms // 4)
        each_ms = (length_ms - lead_ms - 180) // max(1, len(said))
        words = tuple(
            Word(word, self._permille, lead_ms + each_ms * at, lead_ms + each_ms * (at + 1))
            for at, word in enumerate(said)
        )
        return Transcript(text, words, -200, 20, 900, 10_000, False, 1, heard_ms, ())


def talk(*turns: tuple[str, int]) -> Sides:
    """Both sides of a call: whose turn, and how long it is; a pause after each."""
    caller, agent = [quiet(400)], [quiet(400)]
    for side, ms in turns:
        speaks, listens = (caller, agent) if side == "caller" else (agent, caller)
        speaks += [voice(ms), quiet(GAP_MS)]
        listens.append(quiet(ms + GAP_MS))
    return Sides(np.concatenate(caller), np.concatenate(agent))


def write_wav(path: Path, rate_hz: int, *channels: Samples) -> Path:
    """A WAV file of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.stack(channels, axis=1).astype("<i2").tobytes())
    return path


def riff(code: int, channels: int, rate_hz: int, bits: int, sound: bytes, *, more: bytes = b"") -> bytes:
    """The bytes of a WAV file of any format."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * block, block, bits) + more
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    chunks += b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks

"""The call's two-channel recording: the caller left, the agent right, each sound where it was heard on the call's
clock.

In: frames of both sides with their times, kept only after the kernel said so. Out: a sealed blob, or a WAV file where
nothing is sealed, and `RecordingStored`. Called by the ear, the output transport and the voice. Until the end it holds
mu-law, which is what went over the wire, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from voicewarden.model.event import RecordingStored
from voicewarden.model.ports import EventSink
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import SILENCE, Samples

SAMPLES_A_MS: Final = 8
JITTER_MS: Final = 60
"""Frames whose times differ by less follow one another without a gap."""
LONGEST_MS: Final = 4 * 3_600_000
KeepRecording = Callable[[bytes], str]
"""Stores the content of a WAV file and returns its name; blocks on the disk."""


class Track:
    """One channel: mu-law bytes from the start of the recording."""

    def __init__(self) -> None:
        self.bytes = bytearray()

    def put(self, at_ms: int, payload: bytes) -> None:
        """Place sound at its time; a gap is filled with silence, an overlap is written behind what is there."""
        gap = at_ms * SAMPLES_A_MS - len(self.bytes)
        if gap > JITTER_MS * SAMPLES_A_MS or (gap > 0 and not self.bytes):
            self.bytes += SILENCE * gap
        self.bytes += payload

    def cut(self, at_ms: int) -> None:
        """Nothing was heard from this time on."""
        del self.bytes[max(0, at_ms) * SAMPLES_A_MS :]


class Recorder:
    """Records one call, or nothing when it has no file to write to."""

    def __init__(self, sink: EventSink, path: Path | None, keep: KeepRecording | None = None) -> None:
        self._sink = sink
        self._keep = keep or (None if path is None else lambda content: _write(path, content))
        self._from_ms: int | None = None
        self.is_recording = False
        """Frames are being stored."""
        self._caller = Track()
        self._agent = Track()

    def start(self) -> None:
        """Store frames from now on."""
        self.is_recording = self._keep is not None
        if self.is_recording and self._from_ms is None:
            self._from_ms = self._sink.now_ms()

    def stop(self) -> None:
        """Store no frame from now on; what was recorded before stays."""
        self.is_recording = False

    def caller_heard(self, pcm: Samples, at_ms: int) -> None:
        """A frame of the caller, whose first sample was heard at this call time."""
        if self.is_recording and self._from_ms is not None and self._from_ms <= at_ms < self._from_ms + LONGEST_MS:
            self._caller.put(at_ms - self._from_ms, mulaw.encode(pcm))

    def agent_sent(self, pcm: bytes, in_ms: int) -> None:
        """Sound of the agent that will play `in_ms` from now."""
        if self.is_recording and self._from_ms is not None:
            at_ms = self._sink.now_ms() + in_ms - self._from_ms
            if at_ms < LONGEST_MS:
                self._agent.put(at_ms, mulaw.encode(np.frombuffer(pcm, dtype=np.int16)))

    def agent_cleared(self) -> None:
        """The carrier dropped what it had not played."""
        if self._from_ms is not None:
            self._agent.cut(self._sink.now_ms() - self._from_ms)

    async def store(self) -> None:
        """Store the sound and report it; once, and only if there was a recording."""
        if self._from_ms is None or self._keep is None:
            return
        self.is_recording = False
        from_ms, self._from_ms = self._from_ms, None
        samples = max(len(self._caller.bytes), len(self._agent.bytes))
        content = await asyncio.to_thread(_wav, bytes(self._caller.bytes), bytes(self._agent.bytes), samples)
        blob = await asyncio.to_thread(self._keep, content)
        self._sink.post(RecordingStored(at_ms=-1, blob=blob, from_ms=from_ms, ms=samples // SAMPLES_A_MS))


def _wav(caller: bytes, agent: bytes, samples: int) -> bytes:
    """A WAV file of 16-bit samples, caller left and agent right."""
    both = np.stack([mulaw.decode(track.ljust(samples, SILENCE)) for track in (caller, agent)], axis=1)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLES_A_MS * 1000)
        writer.writeframes(both.astype("<i2").tobytes())
    return file.getvalue()


def _write(path: Path, content: bytes) -> str:
    """Write a whole file or none, readable by its owner only; returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    return hashlib.sha256(content).hexdigest()

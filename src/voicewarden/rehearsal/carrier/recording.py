"""The carrier's own recording: one caller frame and one agent frame a tick in, a two-channel WAV out.

Channel 0 is what the caller really said, channel 1 what the caller really heard, both 8 kHz int16 on one clock.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np

from voicewarden.rehearsal.carrier.frame import FRAME_MS, SAMPLE_RATE_HZ, Pcm, silence


class TwoChannelRecording:
    """Frames of both directions, kept in step by appending them together."""

    def __init__(self) -> None:
        self._caller: list[Pcm] = []
        self._agent: list[Pcm] = []

    def append(self, caller: Pcm, agent: Pcm) -> None:
        """Add the next 20 ms of both directions."""
        self._caller.append(caller)
        self._agent.append(agent)

    @property
    def duration_ms(self) -> int:
        """How much has been recorded."""
        return len(self._caller) * FRAME_MS

    def caller(self, from_ms: int = 0) -> Pcm:
        """Return what was said, from the frame that holds `from_ms` on."""
        return _joined(self._caller[from_ms // FRAME_MS :])

    def agent(self, from_ms: int = 0) -> Pcm:
        """Return what was heard, from the frame that holds `from_ms` on."""
        return _joined(self._agent[from_ms // FRAME_MS :])

    def wav_bytes(self) -> bytes:
        """Return the whole recording as a WAV file."""
        out = io.BytesIO()
        with wave.open(out, "wb") as wav:
            wav.setnchannels(2)
            wav.setsampwidth(2)
            wav.setframerate(SAMPLE_RATE_HZ)
            wav.writeframes(np.column_stack((self.caller(), self.agent())).astype("<i2").tobytes())
        return out.getvalue()

    def write_wav(self, path: Path) -> None:
        """Write the whole recording to `path`."""
        path.write_bytes(self.wav_bytes())


def _joined(frames: list[Pcm]) -> Pcm:
    return np.concatenate(frames) if frames else silence(0)

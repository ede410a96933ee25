"""The caller's end of a call: a script speaks, presses keys and listens; the audio path ticks it every 20 ms.

Comes in: what a script says, and each frame that was really heard. Goes out: the caller's next frame, and answers to
"has the agent started, has it finished". All waiting counts frames, not wall time, and ends at a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from voicewarden.rehearsal.carrier.frame import FRAME_MS, FRAME_SAMPLES, Pcm, silence

VOICED_RMS: Final = 200.0
"""A frame counts as agent speech from here on (int16 units, -44 dBFS): far above mu-law idle noise."""
VOICED_FRAMES: Final = 3
"""Fewer voiced frames are a click, not speech."""
DTMF_SPACING_MS: Final = 200
AUDIBLE: Final = 300
"""A sample from here on is heard (int16 units, -41 dBFS)."""


class LineClosed(Exception):
    """The call has ended while its caller script was still busy."""


@dataclass(frozen=True, slots=True)
class Span:
    """One thing the caller said, on the recording's clock: its first sample and its last audible one."""

    start_ms: int
    end_ms: int


class FrameSource(Protocol):
    """Something that makes background noise, frame by frame."""

    def next_frame(self) -> Pcm:
        """Return the next 160 samples."""
        ...


class Line:
    """What a caller script can do. Its clock, `now_ms`, is the one of the recording: 0 is the moment of answering."""

    def __init__(self, on_press: Callable[[str], None], on_hang_up: Callable[[], None]) -> None:
        self._on_press = on_press
        self._on_hang_up = on_hang_up
        self._speech = silence(0)
        self._noise: FrameSource | None = None
        self._noise_until_ms: float = 0
        self._heard: list[Pcm] = []
        self._voiced: list[bool] = []
        self._listen_from = 0
        self._waiters: list[tuple[Callable[[], bool], float, asyncio.Future[bool]]] = []
        self._is_closed = False
        self.spans: list[Span] = []

    @property
    def now_ms(self) -> int:
        """How long this end has been on the line."""
        return len(self._heard) * FRAME_MS

    async def say(self, pcm: Pcm, *, timeout_ms: int = 60_000) -> bool:
        """Speak 8 kHz int16 samples; true when the last one was played, false at the deadline (the rest is dropped)."""
        self._ensure_open()
        self._note_span(pcm)
        self._speech = np.concatenate((self._speech, pcm.astype(np.int16)))
        is_done = await self._until(lambda: not self._speech.size, timeout_ms)
        self._speech = silence(0)
        self._listen_from = len(self._heard)
        return is_done

    async def press(self, digits: str) -> None:
        """Press keys (0-9, *, #, A-D), 200 ms apart."""
        for digit in digits:
            self._ensure_open()
            self._on_press(digit)
            await self.wait(DTMF_SPACING_MS)
        self._listen_from = max(0, len(self._heard) - DTMF_SPACING_MS // FRAME_MS)

    async def wait(self, duration_ms: int) -> None:
        """Stay silent for a while."""
        await self._until(lambda: False, duration_ms)

    async def agent_started(self, *, timeout_ms: int = 15_000) -> bool:
        """Wait until the agent is heard since the caller's last act; false at the deadline."""
        return await self._until(self._has_started, timeout_ms)

    async def agent_finished(
        self, *, silence_ms: int = 700, timeout_ms: int = 30_000, least_ms: int = 0
    ) -> bool:
        """Wait until the agent has spoken (at least so long) since the caller's last act and then fell silent; false
        at the deadline.
        """
        is_done = await self._until(lambda: self._has_finished(silence_ms, least_ms), timeout_ms)
        self._listen_from = len(self._heard)
        return is_done

    def agent_audio_since(self, at_ms: int) -> Pcm:
        """Return what was heard from a moment of this line's clock on."""
        frames = self._heard[at_ms // FRAME_MS :]
        return np.concatenate(frames) if frames else silence(0)

    async def hang_up(self) -> None:
        """Leave the call; nothing more can be said on this line."""
        self._ensure_open()
        self._on_hang_up()

    def start_noise(self, source: FrameSource, *, for_ms: float = float("inf")) -> None:
        """Mix noise under everything the caller says, until the end of the call by default."""
        self._noise = source
        self._noise_until_ms = self.now_ms + for_ms

    def stop_noise(self) -> None:
        """End the background noise."""
        self._noise = None

    def next_frame(self) -> Pcm:
        """Take the caller's next 20 ms (the audio path calls this once a tick)."""
        frame = silence().astype(np.int32)
        spoken = self._speech[:FRAME_SAMPLES]
        self._speech = self._speech[FRAME_SAMPLES:]
        frame[: spoken.size] += spoken
        if self._noise is not None and self.now_ms < self._noise_until_ms:
            frame += self._noise.next_frame()
        return np.clip(frame, -32768, 32767).astype(np.int16)

    def hear(self, frame: Pcm) -> None:
        """Take in the 20 ms that the caller just heard and wake the waits that are now over."""
        self._heard.append(frame)
        samples = frame.astype(np.float64)
        self._voiced.append(bool(np.dot(samples, samples) / samples.size >= VOICED_RMS**2))
        waiting = []
        for predicate, deadline_ms, future in self._waiters:
            if future.done():
                continue
            is_true = predicate()
            if is_true or self.now_ms >= deadline_ms:
                future.set_result(is_true)
            else:
                waiting.append((predicate, deadline_ms, future))
        self._waiters = waiting

    def close(self) -> None:
        """End the line: every wait and every later act raises LineClosed."""
        self._is_closed = True
        for _, _, future in self._waiters:
            if not future.done():
                future.set_exception(LineClosed())
        self._waiters.clear()

    def _note_span(self, pcm: Pcm) -> None:
        audible = np.flatnonzero(np.abs(pcm.astype(np.int32)) >= AUDIBLE)
        if audible.size:
            end_ms = self.now_ms + int(audible[-1]) * FRAME_MS // FRAME_SAMPLES
            self.spans.append(Span(self.now_ms, end_ms))

    def _has_started(self, least_ms: int = 0) -> bool:
        return sum(self._voiced[self._listen_from :]) >= max(VOICED_FRAMES, least_ms // FRAME_MS)

    def _has_finished(self, silence_ms: int, least_ms: int) -> bool:
        quiet = max(1, silence_ms // FRAME_MS)
        return self._has_started(least_ms) and len(self._voiced) >= quiet and not any(self._voiced[-quiet:])

    async def _until(self, predicate: Callable[[], bool], timeout_ms: float) -> bool:
        self._ensure_open()
        if predicate():
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiters.append((predicate, self.now_ms + timeout_ms, future))
        return await future

    def _ensure_open(self) -> None:
        if self._is_closed:
            raise LineClosed

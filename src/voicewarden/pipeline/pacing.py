"""The carrier's WebSocket as a transport that sends a little ahead of real time.

In: sound and mark frames of released sentences. Out: media, mark and clear messages. pipecat's own transport sends at
real time without a cushion, so that any stall of the loop is an audible hole; here up to `lead_ms` may lie at the
carrier. Sound and marks of an epoch that has passed are dropped, even those that an interruption overtook in a queue.
Built by `line`.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from fastapi import WebSocket
from pipecat.frames.frames import Frame, InterruptionFrame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketOutputTransport,
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)

from voicewarden.pipeline.frames import MarkFrame, SpeechFrame
from voicewarden.pipeline.serializer import CHUNK_MS, RATE_HZ, PhoneSerializer


class Sent(Protocol):
    """Who wants to know what was sent and when it plays (the recorder)."""

    def agent_sent(self, pcm: bytes, in_ms: int) -> None:
        """Int16 samples that will play `in_ms` from now."""
        ...

    def agent_cleared(self) -> None:
        """Nothing of what was sent and has not played yet will be played."""
        ...


class Epoch(Protocol):
    """Tells which epoch of speaking it is."""

    @property
    def epoch(self) -> int:
        """Grows with each order to be silent."""
        ...


class PacedOutput(FastAPIWebsocketOutputTransport):
    """Sends sound up to `lead_ms` before it plays."""

    # The parameters are those of pipecat's class.
    def __init__(
        self, transport: PhoneTransport, params: FastAPIWebsocketParams, *, epoch: Epoch, sent: Sent, lead_ms: int
    ) -> None:
        super().__init__(transport, transport.client, params)
        self._epoch = epoch
        self._sent = sent
        self._lead_s = lead_ms / 1000
        self._plays_until_s = 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Drop what an order to be silent made void; forget the pace when the carrier's buffer is cleared."""
        if isinstance(frame, SpeechFrame | MarkFrame) and frame.epoch != self._epoch.epoch:
            return
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            self._plays_until_s = 0.0
            self._sent.agent_cleared()

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Tell when the sound will play, send it, and wait until there is room for the next."""
        now = asyncio.get_running_loop().time()
        starts_s = max(now, self._plays_until_s)
        self._plays_until_s = starts_s + len(frame.audio) / 2 / RATE_HZ
        self._sent.agent_sent(frame.audio, round((starts_s - now) * 1000))
        return await super().write_audio_frame(frame)

    async def _write_audio_sleep(self) -> None:
        """Replaces pipecat's sleep (pinned by test_contract)."""
        ahead_s = self._plays_until_s - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, ahead_s - self._lead_s))


class PhoneTransport(FastAPIWebsocketTransport):
    """pipecat's WebSocket transport with the paced output in the place of its own."""

    def __init__(
        self, websocket: WebSocket, serializer: PhoneSerializer, *, epoch: Epoch, sent: Sent, lead_ms: int
    ) -> None:
        params = FastAPIWebsocketParams(
            serializer=serializer,
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_10ms_chunks=CHUNK_MS // 10,
            audio_out_end_silence_secs=0,
            # The stream is opened by the carrier, which sends no Origin; `telephony` checks its signature and token.
            allowed_origins=[],
        )
        super().__init__(websocket, params)
        self.client = self._client
        self._output = PacedOutput(self, params, epoch=epoch, sent=sent, lead_ms=lead_ms)

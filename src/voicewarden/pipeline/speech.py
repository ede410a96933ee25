"""The speaking service: a released sentence to sound between its two marks.

In: `SentenceFrame`s in the order in which they are to be said. Out: start mark, sound in whole chunks, end mark.
It renders ahead of what plays. A sentence that can't be rendered in time is reported and skipped. Stands between the
mouth and the transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final, Protocol

from pipecat.frames.frames import Frame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService

from voicewarden.model.error import SpeechFailed
from voicewarden.pipeline.frames import MarkFrame, SentenceFrame, SpeechFrame
from voicewarden.pipeline.playout import Playout
from voicewarden.pipeline.serializer import CHUNK_MS, RATE_HZ

CHUNK_BYTES: Final = CHUNK_MS * RATE_HZ // 1000 * 2
"""A chunk of int16: the transport keeps an incomplete one back."""
PIECE_BYTES: Final = 200 // CHUNK_MS * CHUNK_BYTES


class Rendering(Protocol):
    """Turns text into sound (`speech_client.SpeechClient`)."""

    async def render(self, text: str, *, first: bool) -> bytes:
        """Int16 mono samples at 8 kHz; `first` asks for priority. Raises SpeechFailed."""
        ...


class SpeechTTS(TTSService):
    """Renders one sentence after the other."""

    def __init__(self, rendering: Rendering, playout: Playout, *, stream_sid: str, deadline_ms: int) -> None:
        super().__init__(
            settings=TTSSettings(model="voicewarden", voice="agent", language=None),
            sample_rate=RATE_HZ,
            push_text_frames=False,
            push_start_frame=True,
            push_stop_frames=True,
            # A sentence that failed is no reason to give up on the next one.
            max_consecutive_zero_audio_contexts=0,
        )
        self._rendering = rendering
        self._playout = playout
        self._stream_sid = stream_sid
        self._deadline_s = deadline_ms / 1000
        self._sentence: SentenceFrame | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Skip sentences of a past epoch, and know which one `run_tts` is for."""
        if isinstance(frame, SentenceFrame):
            if frame.epoch != self._playout.epoch:
                return
            self._sentence = frame
        try:
            await super().process_frame(frame, direction)
        finally:
            if isinstance(frame, SentenceFrame) and self._sentence is frame:
                # pipecat found nothing to say in it, or failed before it asked for the sound.
                self._playout.failed(frame.sentence)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Render the sentence and yield it between its marks, unless it became void meanwhile."""
        frame, self._sentence = self._sentence, None
        pcm = await self._render(frame) if frame is not None else b""
        marks = None
        if frame is not None and frame.epoch == self._playout.epoch and pcm:
            pcm += bytes(-len(pcm) % CHUNK_BYTES)
            marks = self._playout.sounded(frame.sentence, len(pcm) * 1000 // (2 * RATE_HZ))
        if frame is None or marks is None:
            # pipecat keeps a context without sound open for seconds, and the next sentence would wait behind it.
            if self.audio_context_available(context_id):
                await self.remove_audio_context(context_id)
            return
        yield self._mark(marks[0], frame.epoch)
        for piece in _pieces(pcm):
            yield SpeechFrame(piece, RATE_HZ, 1, context_id=context_id, epoch=frame.epoch)
        yield self._mark(marks[1], frame.epoch)

    async def _render(self, frame: SentenceFrame) -> bytes:
        """The sound of a sentence; none, and a report, where there is none to be had."""
        try:
            async with asyncio.timeout(self._deadline_s):
                pcm = await self._rendering.render(frame.text, first=frame.first)
        except (SpeechFailed, TimeoutError):
            pcm = b""
        if not pcm:
            self._playout.failed(frame.sentence)
        return pcm

    def _mark(self, name: str, epoch: int) -> MarkFrame:
        # Any: the carrier's message.
        message: dict[str, Any] = {"event": "mark", "streamSid": self._stream_sid, "mark": {"name": name}}
        return MarkFrame(message=message, epoch=epoch)


def _pieces(pcm: bytes) -> Iterator[bytes]:
    """Pieces of 200 ms, so that an order to be silent finds little in the queues."""
    return (pcm[start : start + PIECE_BYTES] for start in range(0, len(pcm), PIECE_BYTES))

"""The transcription service of one call: segments of speech in, `CallerSpoke` or `HearingFaltered` out, in order and
in time.

In: segments from the ear with their place in the call. Out: events, and a note to the ear when a segment is settled.
The model runs in the shared transcriber's threads, off the audio path. Called by the ear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from voicewarden.model.error import TranscriberFailed
from voicewarden.model.event import HearingFaltered
from voicewarden.model.ports import EventSink
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.segments import Segment
from voicewarden.sensors.transcriber import Transcript

MOST_WAITING: Final = 16


class Transcribing(Protocol):
    """The shared speech model (`sensors.queue.SharedTranscriber`)."""

    def submit(self, pcm: Samples, *, speech_ms: int | None = None, deadline_ms: int = 4_000) -> Awaitable[Transcript]:
        """Queue an utterance; both this and the answer may raise TranscriberFailed."""
        ...


class TranscriberService:
    """Transcribes the segments of one call, one after the other."""

    def __init__(
        self,
        sink: EventSink,
        transcribing: Transcribing,
        on_settled: Callable[[int], None],
        *,
        deadline_ms: int,
    ) -> None:
        self._sink = sink
        self._transcribing = transcribing
        self._on_settled = on_settled
        self._deadline_ms = deadline_ms
        self._waiting: asyncio.Queue[Segment] = asyncio.Queue(MOST_WAITING)
        self._open: dict[int, Segment] = {}
        self._revoked: set[int] = set()

    def submit(self, segment: Segment) -> None:
        """Queue a segment; when the queue is full its words are reported unknown at once."""
        try:
            self._waiting.put_nowait(segment)
            self._open[segment.number] = segment
        except asyncio.QueueFull:
            self._falter(segment)

    def revoke(self, number: int) -> Segment | None:
        """Take a segment back whose words are not out yet: it goes on, and a longer one will hold it."""
        segment = self._open.pop(number, None)
        if segment is not None:
            self._revoked.add(number)
        return segment

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            segment = await self._waiting.get()
            if self._is_revoked(segment):
                continue
            try:
                transcript = await self._transcribing.submit(
                    segment.pcm, speech_ms=segment.speech_ms, deadline_ms=self._deadline_ms
                )
            except TranscriberFailed:
                if not self._is_revoked(segment):
                    self._falter(segment)
            else:
                if not self._is_revoked(segment):
                    del self._open[segment.number]
                    self._sink.post(segment.spoken(transcript, -1))
                    self._on_settled(segment.turn)

    def _is_revoked(self, segment: Segment) -> bool:
        """Pass over a segment that was taken back: whoever took it waits for it no longer."""
        if segment.number not in self._revoked:
            return False
        self._revoked.discard(segment.number)
        return True

    def _falter(self, segment: Segment) -> None:
        self._open.pop(segment.number, None)
        self._sink.post(HearingFaltered(at_ms=-1, turn=segment.turn))
        self._on_settled(segment.turn)

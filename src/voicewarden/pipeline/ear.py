"""The listening processor: everything that is heard on the line becomes an event here, frame by frame.

In: the caller's sound (20 ms at 8 kHz), keys, mark echoes, the end of the stream. Out: events about speech, turns,
tones, cadence and keys; segments for the transcriber; echoes for the playout; sound for the recorder. First processor
behind the transport. It runs in the transport's own task, so that a frame costs no queue.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Final, Protocol

import msgspec
import numpy as np
from pipecat.frames.frames import Frame, InputAudioRawFrame, InputDTMFFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicewarden.model.action import AnswererVerdict
from voicewarden.model.event import CallerStartedSpeaking, CallerStoppedSpeaking, DtmfPressed, Event
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.frames import MarkEchoed, StreamStopped
from voicewarden.pipeline.hearing import TranscriberService, Transcribing
from voicewarden.pipeline.serializer import MEDIA_MS
from voicewarden.pipeline.settings import LineSettings
from voicewarden.pipeline.sound_watch import SoundWatch
from voicewarden.pipeline.timeline import AudioTimeline
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.segments import Segment, Segmenter
from voicewarden.sensors.voice import FRAME_MS, FRAME_SAMPLES, Framer

SILENT_LINE_MS: Final = 1_000
"""Without any sound frame for this long after speech, the turn is ended by the loop's clock."""


class Listener(Protocol):
    """Who wants the caller's sound (the recorder)."""

    def caller_heard(self, pcm: Samples, at_ms: int) -> None:
        """Int16 samples whose first one was heard at this call time."""
        ...


class Ear(FrameProcessor):
    """Listens to one call."""

    def __init__(
        self,
        sink: EventSink,
        transcribing: Transcribing,
        listener: Listener,
        settings: LineSettings,
        *,
        on_mark: Callable[[str], None],
        on_stop: Callable[[], None],
    ) -> None:
        super().__init__(enable_direct_mode=True)
        self._sink = sink
        self._listener = listener
        self._on_mark = on_mark
        self._on_stop = on_stop
        self._framer = Framer()
        self._timeline = AudioTimeline()
        self._segmenter = Segmenter(self, self._post, settings, pause_ms=settings.pause_ms)
        self.service = TranscriberService(
            sink, transcribing, self._segmenter.settled, deadline_ms=settings.transcript_deadline_ms
        )
        self._backstop: asyncio.TimerHandle | None = None
        self._sound = SoundWatch(sink)

    def listen_for(self, pause_ms: int) -> None:
        """From now on a pause of this length ends a turn."""
        self._segmenter.turns.pause_ms = pause_ms

    def find_out(self, answerer: AnswererVerdict) -> None:
        """Words are wanted early as long as it is not known who answered."""
        self._segmenter.finds_out = answerer == "unknown"

    def submit(self, segment: Segment) -> None:
        """Have a segment transcribed, with its words on the call's clock (see `segments.Words`)."""
        offset_ms = self._timeline.call_ms(segment.from_ms) - segment.from_ms
        self.service.submit(dataclasses.replace(segment, offset_ms=offset_ms))

    def revoke(self, number: int) -> Segment | None:
        """Take a segment back whose words are not out yet."""
        return self.service.revoke(number)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hear what is to be heard, pass what is not."""
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame():
                self._hear(frame)
            case InputDTMFFrame():
                self._sink.post(DtmfPressed(at_ms=-1, digit=frame.button.value))
            case MarkEchoed():
                self._on_mark(frame.mark)
            case StreamStopped():
                self._on_stop()
            case _:
                await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """Forget the timer."""
        await super().cleanup()  # type: ignore[no-untyped-call]  # pipecat leaves its return type out
        self._cancel_backstop()
        self._sound.cancel()

    def _hear(self, frame: InputAudioRawFrame) -> None:
        """Fill lost frames with silence, then listen to each 20 ms."""
        self._sound.heard()
        pcm = np.frombuffer(frame.audio, dtype=np.int16)
        missing_ms = self._timeline.missing_ms(frame.metadata.get(MEDIA_MS))
        if missing_ms:
            pcm = np.concatenate((np.zeros(missing_ms * FRAME_SAMPLES // FRAME_MS, dtype=np.int16), pcm))
        self._timeline.advance(pcm.size * FRAME_MS // FRAME_SAMPLES, self._sink.now_ms())
        for piece in self._framer.cut(pcm):
            self._listener.caller_heard(piece, self._timeline.call_ms(self._segmenter.now_ms))
            self._segmenter.feed(piece)

    def _post(self, event: Event) -> None:
        """Hand an event on; the loop dates it when it takes it."""
        if isinstance(event, CallerStartedSpeaking):
            self._cancel_backstop()
        self._sink.post(msgspec.structs.replace(event, at_ms=-1))
        if isinstance(event, CallerStoppedSpeaking):
            self._arm_backstop()

    def _cancel_backstop(self) -> None:
        if self._backstop is not None:
            self._backstop.cancel()

    def _arm_backstop(self) -> None:
        """Look after the turn again in case that no frame does it."""
        wait_s = (self._segmenter.turns.pause_ms + SILENT_LINE_MS) / 1000
        heard_ms = self._segmenter.now_ms
        self._backstop = asyncio.get_running_loop().call_later(wait_s, self._end_silent_turn, heard_ms)

    def _end_silent_turn(self, heard_ms: int) -> None:
        """If the carrier has sent nothing since, the pause has lasted although no frame says so."""
        turns = self._segmenter.turns
        if heard_ms == self._segmenter.now_ms and self._segmenter.end_turn(heard_ms + turns.pause_ms):
            return
        if turns.is_open and not self._segmenter.is_speaking:
            self._arm_backstop()

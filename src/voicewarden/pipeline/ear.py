"""The listening processor: everything that is heard on the line becomes an event here, frame by frame.

In: the caller's sound (20 ms at 8 kHz), keys, mark echoes, the end of the stream. Out: events about speech, turns,
tones, cadence and keys; segments for the transcriber; echoes for the playout; sound for the recorder. First processor
behind the transport. It runs in the transport's own task, so that a frame costs no queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from pipecat.frames.frames import Frame, InputAudioRawFrame, InputDTMFFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicewarden.model.event import (
    CadenceMeasured,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    DtmfPressed,
    ToneHeard,
)
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.frames import MarkEchoed, StreamStopped
from voicewarden.pipeline.hearing import Segment, TranscriberService, Transcribing
from voicewarden.pipeline.segments import SoundMemory
from voicewarden.pipeline.serializer import MEDIA_MS
from voicewarden.pipeline.settings import LineSettings
from voicewarden.pipeline.timeline import AudioTimeline
from voicewarden.pipeline.turns import Turns
from voicewarden.sensors.cadence import CadenceMeter
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.tones import ToneDetector
from voicewarden.sensors.voice import FRAME_MS, FRAME_SAMPLES, Framer, Started, Stopped, VoiceActivity

SILENT_LINE_MS: Final = 1_000
"""Without any sound frame for this long after speech, the turn is ended by the loop's clock."""
_MEMORY_MS: Final = 1_000


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
        self._settings = settings
        self._on_mark = on_mark
        self._on_stop = on_stop
        self.service = TranscriberService(
            sink, transcribing, self._segment_settled, deadline_ms=settings.transcript_deadline_ms
        )
        self._framer = Framer()
        self._voice = VoiceActivity()
        self._tones = ToneDetector()
        self._cadence = CadenceMeter()
        self._cadence_due_ms = settings.cadence_every_ms
        self._timeline = AudioTimeline()
        self._memory = SoundMemory(keep_ms=_MEMORY_MS)
        self._turns = Turns(pause_ms=settings.pause_ms)
        self._segments = 0
        self._before: Segment | None = None
        self._handed_to_ms = 0
        self._segment_from_ms = 0
        self._speech_from_ms = 0
        self._backstop: asyncio.TimerHandle | None = None

    def listen_for(self, pause_ms: int) -> None:
        """From now on a pause of this length ends a turn."""
        self._turns.pause_ms = pause_ms

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
        if self._backstop is not None:
            self._backstop.cancel()

    def _hear(self, frame: InputAudioRawFrame) -> None:
        """Fill lost frames with silence, then listen to each 20 ms."""
        pcm = np.frombuffer(frame.audio, dtype=np.int16)
        missing_ms = self._timeline.missing_ms(frame.metadata.get(MEDIA_MS))
        if missing_ms:
            pcm = np.concatenate((np.zeros(missing_ms * FRAME_SAMPLES // FRAME_MS, dtype=np.int16), pcm))
        self._timeline.advance(pcm.size * FRAME_MS // FRAME_SAMPLES, self._sink.now_ms())
        for piece in self._framer.cut(pcm):
            self._listen(piece)

    def _listen(self, pcm: Samples) -> None:
        """One frame: voice, turn, tones, cadence."""
        begins_ms = self._voice.now_ms
        self._memory.add(pcm)
        self._listener.caller_heard(pcm, self._timeline.call_ms(begins_ms))
        for transition in self._voice.feed(pcm):
            if isinstance(transition, Started):
                self._start(transition)
            else:
                self._stop(transition)
        voiced = self._voice.last_frames[-1]
        if self._voice.is_speaking:
            self._cut_long_speech(voiced=voiced)
        elif self._turns.ends(self._voice.now_ms):
            self._end_turn()
        for tone in self._tones.feed(pcm):
            self._sink.post(ToneHeard(at_ms=-1, tone=tone.kind, hz=tone.hz, ms=tone.ms))
        self._measure_cadence(voiced=voiced)

    def _start(self, started: Started) -> None:
        """Speech began."""
        goes_on = self._turns.is_open
        turn = self._turns.start()
        self._speech_from_ms = started.onset_ms
        if not (goes_on and self._take_back()):
            self._segment_from_ms = self._memory.hold(max(0, started.onset_ms - self._settings.preroll_ms))
        if self._backstop is not None:
            self._backstop.cancel()
        self._sink.post(CallerStartedSpeaking(at_ms=-1, turn=turn))
        self._post_cadence()

    def _take_back(self) -> bool:
        """Speech goes on before the words of its last piece are out: hear both as one, which the model understands
        far better than two halves of a sentence.
        """
        if self._voice.now_ms - self._segment_from_ms > self._settings.join_within_ms:
            return False
        before = self.service.revoke(self._segments)
        if before is None:
            return False
        self._before = before
        self._memory.hold(self._handed_to_ms)
        return True

    def _stop(self, stopped: Stopped) -> None:
        """Speech ended, the turn perhaps not."""
        speech_ms = stopped.end_ms - self._speech_from_ms
        self._turns.stop(stopped.end_ms)
        self._sink.post(CallerStoppedSpeaking(at_ms=-1, turn=self._turns.turn, speech_ms=max(0, speech_ms)))
        self._hand_in(stopped.at_ms, stopped.end_ms)
        self._post_cadence()
        self._arm_backstop()

    def _cut_long_speech(self, *, voiced: bool) -> None:
        """Hand in what was said so far, between two words if there is a gap."""
        length_ms = self._voice.now_ms - self._segment_from_ms
        settings = self._settings
        if length_ms >= settings.cut_latest_ms or (length_ms >= settings.cut_after_ms and not voiced):
            self._hand_in(self._voice.now_ms, self._voice.now_ms)
            self._segment_from_ms = self._memory.hold(self._voice.now_ms)

    def _hand_in(self, to_ms: int, speech_to_ms: int) -> None:
        """Give a segment to the transcriber."""
        pcm = self._memory.take(to_ms)
        speech_ms = speech_to_ms - max(self._speech_from_ms, self._segment_from_ms)
        before, self._before = self._before, None
        if before is not None:
            pcm, speech_ms = np.concatenate((before.pcm, pcm)), before.speech_ms + max(0, speech_ms)
        if speech_ms <= 0:
            # The silence behind a piece that was cut off at its last word; it would read as a turn without words.
            return
        from_ms = before.from_ms if before is not None else self._timeline.call_ms(self._segment_from_ms)
        self._segments += 1
        self._handed_to_ms = to_ms
        self._turns.wait_for_segment()
        self.service.submit(Segment(self._segments, self._turns.turn, pcm, from_ms, speech_ms))

    def _segment_settled(self, turn: int) -> None:
        """A transcript is there; it may be what the end of the turn waited for."""
        self._turns.settle_segment()
        if turn == self._turns.turn and self._turns.ends(self._voice.now_ms):
            self._end_turn()

    def _end_turn(self) -> None:
        if self._backstop is not None:
            self._backstop.cancel()
        self._sink.post(CallerTurnEnded(at_ms=-1, turn=self._turns.turn))

    def _arm_backstop(self) -> None:
        """Look after the turn again in case that no frame does it."""
        wait_s = (self._turns.pause_ms + SILENT_LINE_MS) / 1000
        self._backstop = asyncio.get_running_loop().call_later(wait_s, self._end_silent_turn, self._voice.now_ms)

    def _end_silent_turn(self, heard_ms: int) -> None:
        """If the carrier has sent nothing since, the pause has lasted although no frame says so."""
        if heard_ms == self._voice.now_ms and self._turns.ends(heard_ms + self._turns.pause_ms):
            self._end_turn()
        elif self._turns.is_open and not self._voice.is_speaking:
            self._arm_backstop()

    def _measure_cadence(self, *, voiced: bool) -> None:
        """Keep the rhythm, and report it every so often while it may tell who answered."""
        now_ms = self._voice.now_ms
        if now_ms > self._settings.cadence_until_ms:
            return
        self._cadence.feed(voiced=voiced)
        if now_ms >= self._cadence_due_ms:
            self._post_cadence()

    def _post_cadence(self) -> None:
        """Report the rhythm of the speech so far."""
        now_ms = self._voice.now_ms
        if now_ms > self._settings.cadence_until_ms:
            return
        self._cadence_due_ms = now_ms + self._settings.cadence_every_ms
        cadence = self._cadence.measure()
        self._sink.post(
            CadenceMeasured(
                at_ms=-1,
                onset_ms=cadence.onset_ms or 0,
                speech_ms=cadence.speech_ms,
                longest_run_ms=cadence.longest_run_ms,
                bursts=cadence.bursts,
                trailing_silence_ms=cadence.trailing_silence_ms,
            )
        )

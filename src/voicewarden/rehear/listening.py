"""One channel of sound in chunks of any size in, the events of the live ear out: the same sensors in the same order.

Called by `rehearing` and `hearing`. Nothing waits here: words are taken to be there `words_ms` after the segment ends,
which is what the transcriber needs on an idle machine, so that the same recording gives the same events everywhere.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from voicewarden.model.error import TranscriberFailed
from voicewarden.model.event import (
    CadenceMeasured,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    Event,
    HearingFaltered,
    ToneHeard,
    Word,
)
from voicewarden.sensors.cadence import CadenceMeter
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.tones import Tone, ToneDetector
from voicewarden.sensors.transcriber import Transcript
from voicewarden.sensors.voice import FRAME_MS, Framer, Started, Stopped, VoiceActivity

SETTLE_MS: Final = 1_000
"""After this much silence everything that was said is out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How the live line listens (`pipeline.settings.LineSettings` has the same numbers; a test compares them)."""

    preroll_ms: int = 300
    join_within_ms: int = 5_000
    cut_after_ms: int = 4_000
    cut_latest_ms: int = 5_500
    cadence_every_ms: int = 500
    cadence_until_ms: int = 15_000
    words_ms: int = 300


@dataclass(frozen=True, slots=True)
class Utterance:
    """A segment of speech with its words on the clock of the recording; no transcript where it failed."""

    turn: int
    from_ms: int
    to_ms: int
    speech_ms: int
    text: str
    words: tuple[Word, ...]
    transcript: Transcript | None


@dataclass(frozen=True, slots=True)
class _Segment:
    """A piece of a turn on its way to the transcriber; `from_ms` is its first sample, `voice_ms` its first voice."""

    turn: int
    pcm: Samples
    from_ms: int
    voice_ms: int
    to_ms: int
    speech_ms: int
    due_ms: int


class Listening:
    """Listens to one side of a recording. `pause_ms` may change at any time, as the kernel orders."""

    def __init__(self, hearing: Hearing, *, pause_ms: int, rhythm: Rhythm | None = None) -> None:
        self.pause_ms = pause_ms
        self.utterances: list[Utterance] = []
        self.tones: list[Tone] = []
        self.speech: list[tuple[int, int]] = []
        self._hearing = hearing
        self._rhythm = rhythm or Rhythm()
        self._framer = Framer()
        self._voice = VoiceActivity()
        self._detector = ToneDetector()
        self._cadence = CadenceMeter()
        self._cadence_due_ms = self._rhythm.cadence_every_ms
        self._sound: list[Samples] = []
        self._events: list[Event] = []
        self._turn = 0
        self._turn_open = False
        self._speech_ended_ms = 0
        self._waiting: deque[_Segment] = deque()
        self._before: _Segment | None = None
        self._held_ms = 0
        self._handed_to_ms = 0
        self._segment_from_ms = 0
        self._speech_from_ms = 0

    @property
    def now_ms(self) -> int:
        """Milliseconds heard so far."""
        return self._voice.now_ms

    def feed(self, pcm: Samples) -> list[Event]:
        """Take any number of int16 samples at 8 kHz; returns what happened in the frames that they complete."""
        self._events = []
        for frame in self._framer.cut(pcm):
            self._listen(frame)
        return self._events

    def _listen(self, frame: Samples) -> None:
        """One frame, in the order of the live ear: words that are due, voice, turn, tones, cadence."""
        self._settle_words()
        self._sound.append(frame)
        for transition in self._voice.feed(frame):
            if isinstance(transition, Started):
                self._start(transition)
            else:
                self._stop(transition)
        voiced = self._voice.last_frames[-1]
        if self._voice.is_speaking:
            self._cut_long_speech(voiced=voiced)
        else:
            self._end_turn_after_pause()
        for tone in self._detector.feed(frame):
            self.tones.append(tone)
            self._events.append(ToneHeard(at_ms=self.now_ms, tone=tone.kind, hz=tone.hz, ms=tone.ms))
        self._measure_cadence(voiced=voiced)

    def _start(self, started: Started) -> None:
        goes_on = self._turn_open
        self._turn += not goes_on
        self._turn_open = True
        self._speech_from_ms = started.onset_ms
        self.speech.append((started.onset_ms, self.now_ms))
        if not (goes_on and self._take_back()):
            self._segment_from_ms = self._held_ms = max(0, started.onset_ms - self._rhythm.preroll_ms)
        self._events.append(CallerStartedSpeaking(at_ms=self.now_ms, turn=self._turn))
        self._post_cadence()

    def _take_back(self) -> bool:
        """Speech that goes on before the words of its last piece are out is heard as one with it."""
        if self.now_ms - self._segment_from_ms > self._rhythm.join_within_ms or not self._waiting:
            return False
        self._before = self._waiting.pop()
        self._held_ms = self._handed_to_ms
        return True

    def _stop(self, stopped: Stopped) -> None:
        speech_ms = max(0, stopped.end_ms - self._speech_from_ms)
        self._speech_ended_ms = stopped.end_ms
        self.speech[-1] = (self.speech[-1][0], stopped.end_ms)
        self._events.append(CallerStoppedSpeaking(at_ms=self.now_ms, turn=self._turn, speech_ms=speech_ms))
        self._hand_in(stopped.at_ms, stopped.end_ms)
        self._post_cadence()

    def _cut_long_speech(self, *, voiced: bool) -> None:
        """Hand in what was said so far, between two words if there is a gap."""
        self.speech[-1] = (self.speech[-1][0], self.now_ms)
        length_ms, rhythm = self.now_ms - self._segment_from_ms, self._rhythm
        if length_ms >= rhythm.cut_latest_ms or (length_ms >= rhythm.cut_after_ms and not voiced):
            self._hand_in(self.now_ms, self.now_ms)
            self._segment_from_ms = self._held_ms = self.now_ms

    def _hand_in(self, to_ms: int, speech_to_ms: int) -> None:
        frames = self._sound[self._held_ms // FRAME_MS : to_ms // FRAME_MS]
        voice_ms = max(self._speech_from_ms, self._segment_from_ms)
        speech_ms, from_ms = speech_to_ms - voice_ms, self._segment_from_ms
        before, self._before = self._before, None
        if before is not None:
            frames = [before.pcm, *frames]
            voice_ms, from_ms = before.voice_ms, before.from_ms
            speech_ms = before.speech_ms + max(0, speech_ms)
        if speech_ms <= 0:
            return
        self._handed_to_ms = to_ms
        due_ms = self.now_ms + self._rhythm.words_ms
        pcm = np.concatenate(frames)
        self._waiting.append(_Segment(self._turn, pcm, from_ms, voice_ms, speech_to_ms, speech_ms, due_ms))

    def _settle_words(self) -> None:
        """Transcribe the segments whose words are due by now."""
        while self._waiting and self._waiting[0].due_ms <= self.now_ms:
            segment = self._waiting.popleft()
            self._understand(segment)
            if segment.turn == self._turn:
                self._end_turn_after_pause()

    def _understand(self, segment: _Segment) -> None:
        try:
            found = self._hearing.transcribe(segment.pcm, speech_ms=segment.speech_ms)
        except TranscriberFailed:
            self._events.append(HearingFaltered(at_ms=self.now_ms, turn=segment.turn))
            self.utterances.append(_utterance(segment, (), None))
            return
        words = tuple(
            Word(word.text, word.permille, word.from_ms + segment.from_ms, word.to_ms + segment.from_ms)
            for word in found.words
        )
        self.utterances.append(_utterance(segment, words, found))
        self._events.append(
            CallerSpoke(
                at_ms=self.now_ms, turn=segment.turn, text=found.text, words=words, speech_ms=found.speech_ms,
                logprob_permille=found.logprob_permille, no_speech_permille=found.no_speech_permille,
                compression_permille=found.compression_permille, suspect=found.suspect,
            )
        )  # fmt: skip

    def _end_turn_after_pause(self) -> None:
        paused_ms = self.now_ms - self._speech_ended_ms
        if self._turn_open and not self._voice.is_speaking and not self._waiting and paused_ms >= self.pause_ms:
            self._turn_open = False
            self._events.append(CallerTurnEnded(at_ms=self.now_ms, turn=self._turn))

    def _measure_cadence(self, *, voiced: bool) -> None:
        if self.now_ms <= self._rhythm.cadence_until_ms:
            self._cadence.feed(voiced=voiced)
            if self.now_ms >= self._cadence_due_ms:
                self._post_cadence()

    def _post_cadence(self) -> None:
        if self.now_ms > self._rhythm.cadence_until_ms:
            return
        self._cadence_due_ms = self.now_ms + self._rhythm.cadence_every_ms
        found = self._cadence.measure()
        self._events.append(
            CadenceMeasured(
                at_ms=self.now_ms, onset_ms=found.onset_ms or 0, speech_ms=found.speech_ms,
                longest_run_ms=found.longest_run_ms, bursts=found.bursts,
                trailing_silence_ms=found.trailing_silence_ms,
            )
        )  # fmt: skip


def _utterance(segment: _Segment, words: tuple[Word, ...], found: Transcript | None) -> Utterance:
    text = "" if found is None else found.text
    return Utterance(segment.turn, segment.voice_ms, segment.to_ms, segment.speech_ms, text, words, found)


def settled(pcm: Samples) -> Samples:
    """A recording with enough silence behind it that all of it is heard to the end."""
    return np.concatenate((pcm, np.zeros(SETTLE_MS * 8, dtype=np.int16)))

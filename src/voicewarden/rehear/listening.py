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
from voicewarden.model.event import CallerStartedSpeaking, CallerStoppedSpeaking, Event, HearingFaltered, Word
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.segments import Rhythm, Segment, Segmenter
from voicewarden.sensors.tones import Tone
from voicewarden.sensors.transcriber import Transcript
from voicewarden.sensors.voice import Framer

SETTLE_MS: Final = 1_000
"""After this much silence everything that was said is out."""
WORDS_MS: Final = 300


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


class Listening:
    """Listens to one side of a recording. `pause_ms` may change at any time, as the kernel orders."""

    def __init__(
        self, hearing: Hearing, *, pause_ms: int, rhythm: Rhythm | None = None, words_ms: int = WORDS_MS,
        finds_out: bool = False,
    ) -> None:  # fmt: skip
        """With `finds_out` it is open at the beginning who answered, so that words are wanted early."""
        self.utterances: list[Utterance] = []
        self.tones: list[Tone] = []
        self.speech: list[tuple[int, int]] = []
        self._hearing = hearing
        self._words_ms = words_ms
        self._framer = Framer()
        self._segmenter = Segmenter(self, self._note, rhythm or Rhythm(), pause_ms=pause_ms)
        self._segmenter.finds_out = finds_out
        self._events: list[Event] = []
        self._waiting: deque[tuple[int, Segment]] = deque()

    @property
    def now_ms(self) -> int:
        """Milliseconds heard so far."""
        return self._segmenter.now_ms

    @property
    def pause_ms(self) -> int:
        """The pause that ends a turn."""
        return self._segmenter.turns.pause_ms

    @pause_ms.setter
    def pause_ms(self, pause_ms: int) -> None:
        self._segmenter.turns.pause_ms = pause_ms

    def feed(self, pcm: Samples) -> list[Event]:
        """Take any number of int16 samples at 8 kHz; returns what happened in the frames that they complete."""
        self._events = []
        for frame in self._framer.cut(pcm):
            self._settle_words()
            self.tones += self._segmenter.feed(frame)
            if self._segmenter.is_speaking:
                self._speech_to(self.now_ms)
        return self._events

    def submit(self, segment: Segment) -> None:
        """Transcribe a segment when its words are due (see `segments.Words`)."""
        self._waiting.append((self.now_ms + self._words_ms, segment))

    def revoke(self, number: int) -> Segment | None:
        """Give the last segment back, if its words are not out yet."""
        return self._waiting.pop()[1] if self._waiting else None

    def _note(self, event: Event) -> None:
        self._events.append(event)
        if isinstance(event, CallerStartedSpeaking):
            self.speech.append((self._segmenter.onset_ms, self.now_ms))
        elif isinstance(event, CallerStoppedSpeaking):
            self._speech_to(self._segmenter.turns.ended_ms)

    def _speech_to(self, to_ms: int) -> None:
        self.speech[-1] = (self.speech[-1][0], to_ms)

    def _settle_words(self) -> None:
        """Transcribe the segments whose words are due by now."""
        while self._waiting and self._waiting[0][0] <= self.now_ms:
            _, segment = self._waiting.popleft()
            self._understand(segment)
            self._segmenter.settled(segment.turn)

    def _understand(self, segment: Segment) -> None:
        try:
            found = self._hearing.transcribe(segment.pcm, speech_ms=segment.speech_ms)
        except TranscriberFailed:
            self._events.append(HearingFaltered(at_ms=self.now_ms, turn=segment.turn))
            self.utterances.append(_utterance(segment, (), None))
            return
        spoke = segment.spoken(found, self.now_ms)
        self.utterances.append(_utterance(segment, spoke.words, found))
        self._events.append(spoke)


def _utterance(segment: Segment, words: tuple[Word, ...], found: Transcript | None) -> Utterance:
    text = "" if found is None else found.text
    return Utterance(segment.turn, segment.voice_ms, segment.to_ms, segment.speech_ms, text, words, found)


def settled(pcm: Samples) -> Samples:
    """A recording with enough silence behind it that all of it is heard to the end."""
    return np.concatenate((pcm, np.zeros(SETTLE_MS * 8, dtype=np.int16)))

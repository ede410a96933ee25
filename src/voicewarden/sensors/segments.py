"""One channel of sound, frame by frame, as events: speech, turns, segments for the transcriber, tones, rhythm.

In: 20 ms frames in order, and a note for each segment whose words are settled. Out: events dated in audio time,
segments to whoever transcribes. No clock and nothing that waits, so that the live ear (`pipeline.ear`) and the ear for
recordings (`rehear.listening`) are this same class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from voicewarden.model.event import (
    CadenceMeasured,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    Event,
    ToneHeard,
    Word,
)
from voicewarden.sensors.cadence import CadenceMeter
from voicewarden.sensors.memory import SoundMemory
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.tones import Tone, ToneDetector
from voicewarden.sensors.transcriber import Transcript
from voicewarden.sensors.turns import Turns
from voicewarden.sensors.voice import Started, Stopped, VoiceActivity

_OF_THE_LINE: Final = ("ringback", "busy", "sit", "fax")
"""Tones of the network: what sounded until then was no voice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Into which pieces speech is cut, and how often its rhythm is reported."""

    preroll_ms: int = 300
    join_within_ms: int = 5_000
    """Pieces of a turn up to this length are transcribed as one when speech goes on before the first one's words."""
    cut_after_ms: int = 4_000
    """Longer speech is transcribed in pieces."""
    cut_latest_ms: int = 5_500
    early_cut_after_ms: int = 2_500
    """The same while it must be found out who answered: a greeting tells by its words, which must be there before the
    deadline, 3.5 s after its beginning; in two shorter pieces half as many phrases of recordings are recognised.
    """
    early_cut_latest_ms: int = 2_900
    early_until_ms: int = 6_000
    """From the first speech; later words come too late for that."""
    cadence_every_ms: int = 500
    cadence_until_ms: int = 15_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a turn for the transcriber, in audio time: `from_ms` is its first sample, `voice_ms` its first voice,
    `to_ms` its last.
    """

    number: int
    turn: int
    pcm: Samples
    from_ms: int
    voice_ms: int
    to_ms: int
    speech_ms: int
    offset_ms: int = 0
    """What leads from audio time to the clock that its words are dated on."""

    def spoken(self, found: Transcript, at_ms: int) -> CallerSpoke:
        """The event of its words."""
        shift_ms = self.from_ms + self.offset_ms
        words = tuple(
            Word(word.text, word.permille, word.from_ms + shift_ms, word.to_ms + shift_ms) for word in found.words
        )
        return CallerSpoke(
            at_ms=at_ms, turn=self.turn, text=found.text, words=words, speech_ms=found.speech_ms,
            logprob_permille=found.logprob_permille, no_speech_permille=found.no_speech_permille,
            compression_permille=found.compression_permille, suspect=found.suspect,
        )  # fmt: skip


class Words(Protocol):
    """Whoever transcribes; calls `Segmenter.settled` once for each segment that is not taken back."""

    def submit(self, segment: Segment) -> None:
        """Take a segment in."""
        ...

    def revoke(self, number: int) -> Segment | None:
        """Give a segment back whose words are not out yet; None when they are."""
        ...


class Segmenter:
    """Listens to one side of a call. `pause_ms` of silence end a turn and may change at any time."""

    def __init__(self, words: Words, emit: Callable[[Event], None], rhythm: Rhythm, *, pause_ms: int) -> None:
        self.turns = Turns(pause_ms=pause_ms)
        self.onset_ms = 0
        """Where the last run of speech began."""
        self.finds_out = False
        """Whether it is open who answered, so that words are wanted early."""
        self._first_ms: int | None = None
        self._is_line = False
        self._words = words
        self._emit = emit
        self._rhythm = rhythm
        self._voice = VoiceActivity()
        self._tones = ToneDetector()
        self._cadence = CadenceMeter()
        self._cadence_due_ms = rhythm.cadence_every_ms
        self._memory = SoundMemory(keep_ms=rhythm.join_within_ms)
        self._segments = 0
        self._before: Segment | None = None
        self._handed_to_ms = 0
        self._segment_from_ms = 0

    @property
    def now_ms(self) -> int:
        """Milliseconds heard so far."""
        return self._voice.now_ms

    @property
    def is_speaking(self) -> bool:
        """Voice activity goes on."""
        return self._voice.is_speaking

    def feed(self, frame: Samples) -> tuple[Tone, ...]:
        """Hear one frame: voice, turn, tones, rhythm. Returns the tones that were recognised in it."""
        self._memory.add(frame)
        tones = self._tones.feed(frame)
        for transition in self._voice.feed(frame, is_tone=self._tones.is_sounding):
            if isinstance(transition, Started):
                self._start(transition)
            else:
                self._stop(transition)
        voiced = self._voice.last_frames[-1]
        if self._voice.is_speaking:
            self._cut_long_speech(voiced=voiced)
        else:
            self.end_turn(self.now_ms)
        for tone in tones:
            self._emit(ToneHeard(at_ms=self.now_ms, tone=tone.kind, hz=tone.hz, ms=tone.ms))
            if tone.kind in _OF_THE_LINE:
                self._is_line, self._first_ms = True, None
                self._cadence.forget()
        self._measure_cadence(voiced=voiced)
        return tones

    def settled(self, turn: int) -> None:
        """The words of a segment are out, or will never be; it may be what the end of its turn waited for."""
        self.turns.settle_segment()
        if turn == self.turns.turn:
            self.end_turn(self.now_ms)

    def end_turn(self, now_ms: int) -> bool:
        """End the turn if it is over at this audio time; true when it was ended."""
        ends = self.turns.ends(now_ms)
        if ends:
            self._emit(CallerTurnEnded(at_ms=self.now_ms, turn=self.turns.turn))
        return ends

    def _start(self, started: Started) -> None:
        goes_on = self.turns.is_open
        turn = self.turns.start()
        self.onset_ms = started.onset_ms
        self._first_ms = started.onset_ms if self._first_ms is None else self._first_ms
        self._is_line = False
        if not (goes_on and self._take_back()):
            self._segment_from_ms = self._memory.hold(max(0, started.onset_ms - self._rhythm.preroll_ms))
        self._emit(CallerStartedSpeaking(at_ms=self.now_ms, turn=turn))
        self._report_cadence()

    def _take_back(self) -> bool:
        """Speech goes on before the words of its last piece are out: hear both as one, which the model understands
        far better than two halves of a sentence.
        """
        if self.now_ms - self._segment_from_ms > self._rhythm.join_within_ms:
            return False
        before = self._words.revoke(self._segments)
        if before is None:
            return False
        self.turns.settle_segment()
        self._before = before
        self._memory.hold(self._handed_to_ms)
        return True

    def _stop(self, stopped: Stopped) -> None:
        """Speech ended, the turn perhaps not."""
        speech_ms = max(0, stopped.end_ms - self.onset_ms)
        self.turns.stop(stopped.end_ms)
        self._emit(CallerStoppedSpeaking(at_ms=self.now_ms, turn=self.turns.turn, speech_ms=speech_ms))
        self._hand_in(stopped.at_ms, stopped.end_ms)
        self._report_cadence()

    def _cut_long_speech(self, *, voiced: bool) -> None:
        """Hand in what was said so far, between two words if there is a gap."""
        length_ms, rhythm = self.now_ms - self._segment_from_ms, self._rhythm
        after_ms, latest_ms = rhythm.cut_after_ms, rhythm.cut_latest_ms
        if self.finds_out and self.now_ms - (self._first_ms or 0) < rhythm.early_until_ms:
            after_ms, latest_ms = rhythm.early_cut_after_ms, rhythm.early_cut_latest_ms
        if length_ms >= latest_ms or (length_ms >= after_ms and not voiced):
            self._hand_in(self.now_ms, self.now_ms)
            self._segment_from_ms = self._memory.hold(self.now_ms)

    def _hand_in(self, to_ms: int, speech_to_ms: int) -> None:
        """Give a segment to the transcriber."""
        pcm = self._memory.take(to_ms)
        from_ms, voice_ms = self._segment_from_ms, max(self.onset_ms, self._segment_from_ms)
        speech_ms = speech_to_ms - voice_ms
        before, self._before = self._before, None
        if before is not None:
            pcm, from_ms, voice_ms = np.concatenate((before.pcm, pcm)), before.from_ms, before.voice_ms
            speech_ms = before.speech_ms + max(0, speech_ms)
        if self._is_line:
            return  # nobody said that
        if speech_ms <= 0:
            # The silence behind a piece that was cut off at its last word; it would read as a turn without words.
            return
        self._segments += 1
        self._handed_to_ms = to_ms
        self.turns.wait_for_segment()
        self._words.submit(Segment(self._segments, self.turns.turn, pcm, from_ms, voice_ms, speech_to_ms, speech_ms))

    def _measure_cadence(self, *, voiced: bool) -> None:
        """Keep the rhythm, and report it every so often while it may tell who answered."""
        if self.now_ms <= self._rhythm.cadence_until_ms:
            self._cadence.feed(voiced=voiced)
            if self.now_ms >= self._cadence_due_ms:
                self._report_cadence()

    def _report_cadence(self) -> None:
        if self.now_ms > self._rhythm.cadence_until_ms:
            return
        self._cadence_due_ms = self.now_ms + self._rhythm.cadence_every_ms
        found = self._cadence.measure()
        self._emit(
            CadenceMeasured(
                at_ms=self.now_ms, onset_ms=found.onset_ms or 0, speech_ms=found.speech_ms,
                longest_run_ms=found.longest_run_ms, bursts=found.bursts,
                trailing_silence_ms=found.trailing_silence_ms, longest_gap_ms=found.longest_gap_ms,
            )
        )  # fmt: skip

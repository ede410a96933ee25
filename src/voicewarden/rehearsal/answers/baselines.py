"""Other people's rules for who answered, run on the same clips: sound or turns in, a verdict with its moment out.

Called by `benchmarks/hearing.py`. Each is written after its published source with its own defaults, and hears with its
own ears where it has any: `app_amd` measures level, the others get the voice verdicts and words of our sensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from voicewarden.rehear.listening import Utterance
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import FRAME_MS, FRAME_SAMPLES

Opinion = Literal["human", "machine", "unknown"]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule said and when; `unknown` is what it says when it gives up."""

    opinion: Opinion
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAmd:
    """Asterisk's `app_amd` (apps/app_amd.c): words by level alone. Defaults of the code; all lengths in ms.

    `max_words` words are a machine, as in most versions; the newest ask for one more, so that their 2 is a 3 here.
    """

    initial_silence: int = 2_500
    greeting: int = 1_500
    after_greeting_silence: int = 800
    total_analysis: int = 5_000
    min_word: int = 100
    between_words_silence: int = 50
    max_words: int = 3
    max_word: int = 5_000
    threshold: int = 256

    def judge(self, pcm: Samples) -> Judged:
        """Judge a call from its first frame."""
        silence = voice = run = words = at_ms = 0
        in_word, in_greeting = True, False
        for level in _mean_levels(pcm):
            at_ms += FRAME_MS
            if at_ms >= self.total_analysis:
                break
            if level < self.threshold:
                silence += FRAME_MS
                if silence >= self.between_words_silence:
                    in_word, run = False, 0
                if not in_greeting and silence >= self.initial_silence:
                    return Judged("machine", at_ms)
                if in_greeting and silence >= self.after_greeting_silence:
                    return Judged("human", at_ms)
                continue
            silence, run, voice = 0, run + FRAME_MS, voice + FRAME_MS
            if run >= self.min_word and not in_word:
                in_word, words = True, words + 1
            if run >= self.max_word or words >= self.max_words or (in_greeting and voice >= self.greeting):
                return Judged("machine", at_ms)
            in_greeting = in_greeting or voice >= self.min_word
        return Judged("unknown", at_ms)


def _mean_levels(pcm: Samples) -> Sequence[float]:
    """Mean of the absolute samples of each frame, which is what Asterisk calls silence or not."""
    frames = pcm[: pcm.size - pcm.size % FRAME_SAMPLES].astype(np.int32).reshape(-1, FRAME_SAMPLES)
    levels: list[float] = np.mean(np.abs(frames), axis=1).tolist()
    return levels


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechClock:
    """Speech longer than a limit is a machine, a pause after less of it a person."""

    speech: int
    speech_end: int
    no_speech: int

    def judge(self, voiced: Sequence[bool]) -> Judged:
        """Judge by the voice verdict of each frame; a single voiced frame is no speech yet."""
        onset: int | None = None
        run = silence = 0
        for number, is_voiced in enumerate(voiced, start=1):
            at_ms = number * FRAME_MS
            run = run + FRAME_MS if is_voiced else 0
            if onset is None:
                if run >= _FIRST_VOICE_MS:
                    onset, silence = at_ms - run, 0
                elif at_ms >= self.no_speech:
                    return Judged("unknown", at_ms)
                continue
            silence = 0 if is_voiced else silence + FRAME_MS
            if silence >= self.speech_end:
                return Judged("human", at_ms)
            if at_ms - silence - onset > self.speech:
                return Judged("machine", at_ms)
        return Judged("unknown", len(voiced) * FRAME_MS)


_FIRST_VOICE_MS: Final = 80
TWILIO: Final = SpeechClock(speech=2_400, speech_end=1_200, no_speech=5_000)
"""Twilio's documented thresholds of machine detection."""
SHORT_GREETING: Final = SpeechClock(speech=2_500, speech_end=500, no_speech=10_000)
"""LiveKit's fast path: a short greeting and half a second of silence."""

_NINE: Final = 9
_WORDS_MS: Final = 300
_DECISION_MS: Final = 15_000


def nine_words(turns: Sequence[Utterance], *, no_speech_ms: int = 5_000) -> Judged:
    """jambonz: nine words or more in what was said without a long pause are a machine, fewer a person."""
    if not turns or turns[0].from_ms >= no_speech_ms:
        return Judged("unknown", no_speech_ms)
    spoken, at_ms = 0, 0
    for said in turns:
        if said.turn != turns[0].turn or said.from_ms > _DECISION_MS:
            break
        spoken, at_ms = spoken + len(said.words), said.to_ms + _WORDS_MS
        if spoken >= _NINE:
            return Judged("machine", at_ms)
    return Judged("human" if spoken else "unknown", at_ms)

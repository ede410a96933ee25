"""What the ears make of one side of a recording: its samples in, answerer, tones, speech and words out.

Called by `voicewarden hear`.
"""

from __future__ import annotations

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model.event import Event, Word
from voicewarden.rehear.answered import Answered, AnswererWatch
from voicewarden.rehear.listening import Listening, Utterance, settled
from voicewarden.rehear.recorded_call import RecordedCall
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.voice import FRAME_SAMPLES

_DEADLINES = ("answerer.no_speech", "answerer.decide")


class HeardTone(msgspec.Struct, frozen=True):
    """A tone on the line."""

    kind: str
    hz: int
    at_ms: int
    ms: int


class HeardWord(msgspec.Struct, frozen=True):
    """A word, how sure the transcriber was of it, and when it was said."""

    word: str
    permille: int | None
    from_ms: int
    to_ms: int


class HeardText(msgspec.Struct, frozen=True):
    """A piece of speech; `text` is empty when no words were found."""

    text: str
    words: tuple[HeardWord, ...]
    from_ms: int
    to_ms: int
    turn: int
    speech_ms: int
    no_speech_permille: int | None
    suspect: tuple[str, ...]
    understood: bool = True
    """False when the transcriber failed: the words are unknown then."""


class HeardSide(msgspec.Struct, frozen=True):
    """Everything that was heard on one side."""

    answerer: Answered
    tones: tuple[HeardTone, ...]
    speech: tuple[tuple[int, int], ...]
    utterances: tuple[HeardText, ...]
    length_ms: int


def hear(pcm: Samples, release: Compiled, hearing: Hearing) -> HeardSide:
    """Listen to one side as to whoever answers a call of ours.

    Where the recording ends before the verdict, the line is taken to stay silent until the answerer's deadline.
    """
    watch, listening = AnswererWatch(), _listening(release, hearing)

    def see(before: State, event: Event, taken: Step) -> None:
        watch.see(before, event, taken)

    call = RecordedCall(release, next(iter(release.data.agents)), "outbound", {}, watch=see)
    sound = settled(pcm)
    for start in range(0, sound.size, FRAME_SAMPLES):
        events = listening.feed(sound[start : start + FRAME_SAMPLES])
        call.advance(listening.now_ms)
        for event in events:
            call.take(event)
    while waiting := [call.state.timers[name] for name in _DEADLINES if name in call.state.timers]:
        call.advance(min(waiting))
    return HeardSide(
        answerer=watch.result(),
        tones=tuple(HeardTone(tone.kind, tone.hz, tone.at_ms, tone.ms) for tone in listening.tones),
        speech=tuple(listening.speech),
        utterances=tuple(heard_text(said) for said in listening.utterances),
        length_ms=pcm.size // 8,
    )


def _listening(release: Compiled, hearing: Hearing) -> Listening:
    return Listening(hearing, pause_ms=release.policy.policy.hearing.end_of_turn_ms, finds_out=True)


def heard_text(said: Utterance) -> HeardText:
    """A piece of speech as it is told."""
    found = said.transcript
    return HeardText(
        text=said.text, words=heard_words(said.words), from_ms=said.from_ms, to_ms=said.to_ms, turn=said.turn,
        speech_ms=said.speech_ms, no_speech_permille=None if found is None else found.no_speech_permille,
        suspect=() if found is None else found.suspect, understood=found is not None,
    )  # fmt: skip


def heard_words(words: tuple[Word, ...]) -> tuple[HeardWord, ...]:
    """Words as they are told."""
    return tuple(HeardWord(word.text, word.permille, word.from_ms, word.to_ms) for word in words)

"""One clip through the real sensors and the real `kernel.step`: a clip in, who was heard to answer and when out.

Called by whoever fits weights and by `benchmarks/hearing.py`. Nothing here judges: the same listening and the same call
as in `voicewarden hear` do, and this module writes down the moments that a single verdict at the end would hide.
"""

from __future__ import annotations

from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.event import CadenceMeasured, Event
from voicewarden.rehear.answered import AnswererWatch, Evidence
from voicewarden.rehear.listening import Listening, Utterance, settled
from voicewarden.rehear.recorded_call import RecordedCall
from voicewarden.rehearsal.answers.clip import Clip
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.tones import Tone
from voicewarden.sensors.voice import FRAME_MS

_DEADLINES: Final = ("answerer.no_speech", "answerer.decide")


class Verdict(msgspec.Struct, frozen=True):
    """Who was taken to have answered, from when on, and by a deadline rather than by evidence."""

    verdict: AnswererVerdict
    at_ms: int


class Outcome(msgspec.Struct, frozen=True):
    """What came of a clip.

    `verdicts` has the first and, where it was revised, the last. `opened_at_ms` is when the first words of ours may be
    heard, `message_ready_at_ms` when a message may be left; None where that never came.
    """

    verdict: AnswererVerdict
    decided_at_ms: int | None
    verdicts: tuple[Verdict, ...]
    evidence: tuple[Evidence, ...]
    opened_at_ms: int | None
    message_ready_at_ms: int | None
    tones: tuple[Tone, ...]
    speech: tuple[tuple[int, int], ...]
    utterances: tuple[Utterance, ...]
    cadences: tuple[CadenceMeasured, ...]


class _Watch:
    """Looks at every step for the moments that matter."""

    def __init__(self) -> None:
        self.answered = AnswererWatch()
        self.verdicts: list[Verdict] = []
        self.opened_at_ms: int | None = None
        self.message_ready_at_ms: int | None = None
        self.cadences: list[CadenceMeasured] = []

    def see(self, before: State, event: Event, taken: Step) -> None:
        """Take one step in."""
        self.answered.see(before, event, taken)
        was, now, at_ms = before.answerer, taken.state.answerer, taken.state.now_ms
        if now.decided and (not was.decided or was.verdict != now.verdict):
            self.verdicts.append(Verdict(now.verdict, at_ms))
        if now.opened and self.opened_at_ms is None:
            self.opened_at_ms = at_ms
        if self.message_ready_at_ms is None and taken.state.facts.get("message_ready") is not None:
            self.message_ready_at_ms = at_ms
        if isinstance(event, CadenceMeasured):
            self.cadences.append(event)


def play(clip: Clip, release: Compiled, hearing: Hearing, *, chunk_ms: int = FRAME_MS) -> Outcome:
    """Listen to a clip as to whoever answers a call of ours, in chunks as a carrier might send them.

    Where the clip ends before the verdict, the line is taken to stay silent until the answerer's deadline.
    """
    pause_ms = release.policy.policy.hearing.end_of_turn_ms
    watch, listening = _Watch(), Listening(hearing, pause_ms=pause_ms, finds_out=True)
    call = RecordedCall(release, next(iter(release.data.agents)), "outbound", {}, watch=watch.see)
    sound, chunk = settled(clip.pcm), chunk_ms * 8
    for start in range(0, sound.size, chunk):
        for event in listening.feed(sound[start : start + chunk]):
            call.advance(event.at_ms)
            call.take(event)
        call.advance(listening.now_ms)
    while waiting := [call.state.timers[name] for name in _DEADLINES if name in call.state.timers]:
        call.advance(min(waiting))
    result = watch.answered.result()
    return Outcome(
        verdict=result.verdict, decided_at_ms=result.decided_at_ms, verdicts=tuple(watch.verdicts),
        evidence=result.evidence, opened_at_ms=watch.opened_at_ms, message_ready_at_ms=watch.message_ready_at_ms,
        tones=tuple(listening.tones), speech=tuple(listening.speech), utterances=tuple(listening.utterances),
        cadences=tuple(watch.cadences),
    )  # fmt: skip

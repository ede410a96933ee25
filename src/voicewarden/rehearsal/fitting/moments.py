"""What the kernel would know of an answered call, moment by moment: a clip in, the evidence after each step out.

The kernel itself collects it, under a table that weighs everything and decides nothing, so that what is fitted is what
a call sees. Called by `__main__`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from voicewarden.kernel.facets.evidence import RHYTHM, WORD_COUNT, WORDS, is_quiet
from voicewarden.kernel.release import Compiled, Release
from voicewarden.kernel.state import Evidence, State
from voicewarden.kernel.step import Step
from voicewarden.kernel.weights import AnswererWeights
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.event import Event
from voicewarden.rehear.listening import Listening, settled
from voicewarden.rehear.recorded_call import RecordedCall
from voicewarden.rehearsal.answers.clip import Clip
from voicewarden.sensors.queue import Hearing
from voicewarden.sensors.voice import FRAME_SAMPLES

RHYTHM_FEATURES: Final = ("longest_run_ms", "bursts", "longest_gap_ms", "saying_ms", "said_ms", "quiet_ms")
"""Without `onset_ms`: when somebody speaks first is drawn alike for all clips, so that nothing can be learned of it."""
CUES: Final = (
    "mailbox", "screening", "menu", "unavailable", "announcing", "decline", "receptionist", "greeting",
    "greeting_so_far",
)  # fmt: skip
"""The plainest first: where several are heard, that one counts."""
_FOR_MACHINES: Final = CUES[:5]
HEARD_OUT_MS: Final = 2_500
_NEVER: Final = 10**9
_MOST_WORDS: Final = 60


class Moment(msgspec.Struct, frozen=True):
    """The evidence at one time: values of the rhythm, the cue, how many words there were, the tone of the line."""

    at_ms: int
    rhythm: dict[str, int]
    cue: str
    words: int
    tone: str
    is_quiet: bool


class Heard(msgspec.Struct, frozen=True):
    """A clip as the kernel hears it until its deadline."""

    name: str
    verdict: AnswererVerdict
    voice: str
    family: str
    onset_ms: int | None
    greeting_end_ms: int | None
    deadline_ms: int
    moments: tuple[Moment, ...]

    @property
    def is_machine(self) -> bool:
        """Whether something other than a person answered."""
        return self.verdict != "human"


def probing(release: Release) -> Compiled:
    """The release under a table that weighs everything by its rank and decides nothing."""
    ranks = {cue: (len(CUES) - place) * (1 if cue in _FOR_MACHINES else -1) for place, cue in enumerate(CUES)}
    table = AnswererWeights(
        version="probe", human_at=-_NEVER, machine_at=_NEVER, revise_at=_NEVER, rhythm_at_most=_NEVER,
        rhythm=dict.fromkeys(RHYTHM_FEATURES, ((-_NEVER, 1),)), cues=ranks,
        words=tuple((count, count) for count in range(1, _MOST_WORDS)),
        heard_out_ms=HEARD_OUT_MS,
        tones=dict.fromkeys(("fax", "busy", "sit", "beep", "beep_after_speech"), 1), carrier={},
    )  # fmt: skip
    return Compiled(msgspec.structs.replace(release, answerer=table))


class _Collector:
    """Writes down the evidence whenever it has changed."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.deadline_ms = 0

    def see(self, before: State, event: Event, taken: Step) -> None:
        """Take one step in."""
        now = taken.state.answerer
        if not before.answerer.decided and now.decided:
            self.deadline_ms = taken.state.now_ms
        if not now.decided and now.evidence != before.answerer.evidence:
            self.moments.append(_moment(taken.state, now.evidence))


def collect(clip: Clip, release: Compiled, hearing: Hearing) -> Heard:
    """Listen to a clip until the answerer's deadline."""
    pause_ms = release.policy.policy.hearing.end_of_turn_ms
    collector, listening = _Collector(), Listening(hearing, pause_ms=pause_ms, finds_out=True)
    call = RecordedCall(release, next(iter(release.data.agents)), "outbound", {}, watch=collector.see)
    sound = settled(clip.pcm)
    for start in range(0, sound.size, FRAME_SAMPLES):
        events = listening.feed(sound[start : start + FRAME_SAMPLES])
        call.advance(listening.now_ms)
        for event in events:
            call.take(event)
        if call.state.answerer.decided:
            break
    while not call.state.answerer.decided and call.state.timers:
        call.advance(min(call.state.timers.values()))
    label = clip.label
    return Heard(
        clip.name, label.verdict, label.voice, label.family, label.onset_ms, label.greeting_end_ms,
        collector.deadline_ms, tuple(collector.moments),
    )  # fmt: skip


def _moment(state: State, evidence: tuple[Evidence, ...]) -> Moment:
    said = next((one for one in evidence if one.family == WORDS), None)
    tone = next((one.what for one in evidence if one.family not in (WORDS, RHYTHM)), "")
    return Moment(
        at_ms=state.now_ms, rhythm={one.what: one.value for one in evidence if one.family == RHYTHM},
        cue="" if said is None or said.what == WORD_COUNT else said.what, words=0 if said is None else said.value,
        tone=tone, is_quiet=is_quiet(state),
    )  # fmt: skip

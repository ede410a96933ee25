"""Who answered: weighs tones, rhythm, words and the carrier's opinion, in integers, each family once.

In: measurements. Out: the fact `answerer`, revised at most once, and what the policy makes of it. Every path has a
deadline; the default is a person who has consented to nothing. When a message may start is a question of its own.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, disclosure, question
from voicewarden.kernel.facets.ending import hang_up, stop_speaking
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.event import CadenceMeasured, CarrierJudgedAnswerer, ToneHeard
from voicewarden.reading.answering import read

HUMAN_AT: Final = -500
MACHINE_AT: Final = 800
_LONG_RUN_MS: Final = 2_400
"""Unbroken speech of this length is rare in a person's greeting (the threshold of Twilio's detector)."""
_SHORT_GREETING_MS: Final = 2_500
_REVISABLE_MS: Final = 30_000
_BEEP_AFTER_SPEECH_MS: Final = 1_500
MESSAGE_PAUSE_MS: Final = 2_500
"""A mailbox that has been silent this long is taken to record, beep or not."""
_VERDICT_OF_CUE: Final[dict[str, AnswererVerdict]] = {
    "mailbox": "voicemail", "menu": "menu", "screening": "screening", "unavailable": "unavailable",
}  # fmt: skip
_VERDICT_OF_TONE: Final[dict[str, AnswererVerdict]] = {"fax": "fax", "busy": "busy", "sit": "unavailable"}


def on_answered(draft: Draft) -> None:
    """The line is open: somebody who called us is a person; on a call of ours it must be found out."""
    if draft.identity.direction == "inbound":
        decide(draft, "human")
        open_conversation(draft)
        return
    draft.start_timer("answerer.no_speech", draft.release.policy.policy.answerer.no_speech_ms)


def on_speech(draft: Draft) -> None:
    """First sound of a voice: from here on the deadline counts."""
    draft.answerer = replace(draft.answerer, last_sound_ms=draft.now_ms)
    draft.cancel_timer("message_ready")
    if draft.answerer.onset_ms is None and draft.identity.answered_ms is not None:
        draft.answerer = replace(draft.answerer, onset_ms=draft.now_ms)
        draft.cancel_timer("answerer.no_speech")
        if not draft.answerer.decided:
            draft.start_timer("answerer.decide", draft.release.policy.policy.answerer.decide_by_ms)


def on_words(draft: Draft, words: tuple[str, ...]) -> None:
    """Words of a segment, as evidence."""
    if draft.identity.direction == "inbound":
        return
    for cue in read(draft.release.reader, words):
        verdict = _VERDICT_OF_CUE.get(cue.kind)
        if verdict is not None:
            _weigh(draft, cue.kind, 1_000, verdict)
        elif cue.kind == "human":
            _weigh(draft, "human words", -600, "human")


def on_turn_ended(draft: Draft, speech_ms: int) -> None:
    """A short greeting and then a wait for an answer is how people pick up."""
    if speech_ms <= _SHORT_GREETING_MS:
        _weigh(draft, "short greeting", -500, "human")


def after_screening(draft: Draft, words: tuple[str, ...]) -> None:
    """The screen was told who calls; words that are no machine's come from the person behind it."""
    if words and not any(cue.kind in _VERDICT_OF_CUE for cue in read(draft.release.reader, words)):
        draft.lower()
        decide(draft, "human")


def on_cadence(draft: Draft, event: CadenceMeasured) -> None:
    """Rhythm: a long unbroken run speaks for a recording."""
    if event.longest_run_ms >= _LONG_RUN_MS:
        _weigh(draft, "long run", 400, "voicemail")


def on_tone(draft: Draft, event: ToneHeard) -> None:
    """A tone: signalling tones decide at once, a beep after speech is a mailbox's."""
    if draft.identity.direction == "inbound" or draft.identity.answered_ms is None:
        return
    verdict = _VERDICT_OF_TONE.get(event.tone)
    if verdict is not None:
        _weigh(draft, event.tone, 1_000, verdict)
    elif event.tone == "beep":
        onset = draft.answerer.onset_ms
        after_speech = onset is not None and draft.now_ms - onset >= _BEEP_AFTER_SPEECH_MS
        _weigh(draft, "beep", 1_000 if after_speech else 300, "voicemail")
        if draft.answerer.verdict == "voicemail":
            message_ready(draft)


def on_carrier(draft: Draft, event: CarrierJudgedAnswerer) -> None:
    """The carrier's opinion: one voice among others, never the only one."""
    if event.verdict == "human":
        _weigh(draft, "carrier", -300, "human")
    elif event.verdict != "unknown":
        _weigh(draft, "carrier", 500, event.verdict)


def _weigh(draft: Draft, family: str, weight: int, verdict: AnswererVerdict) -> None:
    part = draft.answerer
    if family in part.counted or draft.identity.direction == "inbound":
        return
    if draft.identity.ending or draft.identity.ended:
        return
    score = part.score + weight
    draft.answerer = replace(part, score=score, counted=(*part.counted, family))
    if not part.decided:
        if score >= MACHINE_AT:
            _machine(draft, verdict if weight > 0 else "voicemail")
        elif score <= HUMAN_AT:
            decide(draft, "human")
            if not draft.turn.open:
                greet(draft)  # nobody else would: the deadline that could was cancelled by deciding
        return
    answered = draft.identity.answered_ms or 0
    early = draft.now_ms - answered <= _REVISABLE_MS
    if part.verdict == "human" and not part.revised and early and weight >= MACHINE_AT:
        draft.answerer = replace(draft.answerer, revised=True)
        draft.lower()
        question.void(draft)
        stop_speaking(draft)
        _machine(draft, verdict)


def decide(draft: Draft, verdict: AnswererVerdict) -> None:
    """Settle who answered."""
    draft.answerer = replace(draft.answerer, verdict=verdict, decided=True)
    draft.know("answerer", verdict)
    draft.cancel_timer("answerer.decide")
    draft.cancel_timer("answerer.no_speech")
    draft.cancel_timer("screening")


def on_nobody_behind(draft: Draft) -> None:
    """A screen was told who calls, and nobody came."""
    hang_up(draft, "answered_by_screening")


def _machine(draft: Draft, verdict: AnswererVerdict) -> None:
    decide(draft, verdict)
    draft.answerer = replace(draft.answerer, opened=False)
    draft.cancel_timer("silence")
    todo = draft.release.policy.policy.answerer.when.get(verdict, "end_call")
    if todo == "leave_voicemail":
        draft.start_timer("voicemail", _REVISABLE_MS)
    elif todo == "identify":
        draft.say_line("screening.identify", "line")
        draft.start_timer("screening", _REVISABLE_MS)
    else:
        hang_up(draft, f"answered_by_{verdict}")


def waits_for_message(draft: Draft) -> bool:
    """A mailbox has answered and no message was tried yet."""
    return draft.answerer.verdict == "voicemail" and draft.value("message_ready") is not True


def on_pause(draft: Draft) -> None:
    """The other side fell silent: a mailbox may have begun to record."""
    if waits_for_message(draft):
        draft.start_timer("message_ready", MESSAGE_PAUSE_MS)


def message_ready(draft: Draft) -> None:
    """The mailbox records now: leave a message if the policy permits one, else hang up without a word."""
    if not waits_for_message(draft) or draft.identity.ending:
        return
    draft.cancel_timer("message_ready")
    draft.cancel_timer("voicemail")
    draft.know("message_ready", True)
    if actions.submit_own(draft, "leave_voicemail", {}).verdict != "allow":
        hang_up(draft, "answered_by_voicemail")


def on_deadline(draft: Draft) -> None:
    """Time is up: the policy's default, which can still be revised once."""
    if draft.answerer.decided:
        return
    decide(draft, draft.release.policy.policy.answerer.default)
    if not draft.turn.open:
        greet(draft)


def on_no_speech(draft: Draft) -> None:
    """Nobody said anything."""
    if draft.answerer.decided:
        return
    decide(draft, "no_speech")
    if draft.release.policy.policy.answerer.when.get("no_speech") == "end_call":
        hang_up(draft, "answered_by_no_speech")
    else:
        open_conversation(draft)


def greet(draft: Draft) -> None:
    """A person is there: open the conversation, and reach somebody where the greeting asked for it already."""
    open_conversation(draft)
    if draft.value("asked_for_person") is True:
        actions.reach_person(draft)


def open_conversation(draft: Draft) -> None:
    """Begin to speak: what must be said first, then the role's opening line."""
    if draft.answerer.opened or draft.identity.ending:
        return
    draft.answerer = replace(draft.answerer, opened=True)
    disclosure.say_missing(draft)
    agent = draft.release.data.agents.get(draft.identity.agent)
    if agent is not None:
        draft.say_line(agent.opening, "line")
    draft.start_timer("backstop", draft.release.policy.policy.silence.backstop_ms)

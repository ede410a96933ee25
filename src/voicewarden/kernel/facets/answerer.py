"""Who answered: what the evidence of tones, rhythm, words and the carrier leads to.

In: measurements. Out: the fact `answerer`, revised at most once, and what the policy makes of it. Every path has a
deadline; the default is a person who has consented to nothing. When a message may start is a question of its own.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, disclosure, question
from voicewarden.kernel.facets.ending import hang_up, stop_speaking
from voicewarden.kernel.facets.evidence import (
    WORD_COUNT,
    WORDS,
    counts_latest,
    has_rhythm,
    is_quiet,
    machine_of,
    table,
    take,
    take_cue,
    take_rhythm,
    weighed,
)
from voicewarden.kernel.state import Evidence
from voicewarden.kernel.weights import weight_of
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.directive import TreatAs
from voicewarden.model.event import CadenceMeasured, CarrierJudgedAnswerer, ToneHeard
from voicewarden.reading.answering import read

_RECORDED: Final = frozenset({"mailbox", "menu", "screening", "unavailable"})
_VERDICT_OF_TONE: Final[dict[str, AnswererVerdict]] = {"fax": "fax", "busy": "busy", "sit": "unavailable"}
_SAID_ALL_MS: Final = 500
"""Time for the words of what was said last."""
_GOES_ON: Final = ("leave_voicemail", "identify")
_BEHIND_A_SCREEN: Final = ("voicemail", "unavailable")
"""Where a screen puts a caller through to whom nobody wants to speak."""


def on_answered(draft: Draft) -> None:
    """The line is open: somebody who called us is a person; on a call of ours it must be found out."""
    if draft.identity.direction == "inbound":
        decide(draft, "human")
        open_conversation(draft)
        return
    draft.start_timer("answerer.no_speech", draft.release.policy.policy.answerer.no_speech_ms)
    if counts_latest(draft):
        _record(draft, "unknown", draft.timers["answerer.no_speech"])


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
    """Words of a segment, as evidence; a phrase may have begun in the segment before."""
    if _is_idle(draft):
        return
    if counts_latest(draft):
        draft.answerer = replace(draft.answerer, words=draft.answerer.words + len(words))
        words = tuple(word.text for word in draft.turn.words)
    cues = read(draft.release.reader, words)
    for cue in cues:
        _judge(draft, take_cue(draft, cue, len(words)))
    if counts_latest(draft) and not cues and not draft.answerer.decided:
        count = draft.answerer.words
        _judge(draft, take(draft, WORDS, WORD_COUNT, count, weight_of(table(draft).words, count), "voicemail"))


def on_turn_ended(draft: Draft, speech_ms: int) -> None:
    """A short greeting and then a wait for an answer is how people pick up."""
    if _is_idle(draft):
        return
    if counts_latest(draft):
        for cue in read(draft.release.reader, tuple(word.text for word in draft.turn.words)):
            _judge(draft, take_cue(draft, cue, len(draft.turn.words)))
        if has_rhythm(draft):
            if not draft.answerer.decided:
                _settle(draft)
            return
    weight = weight_of(table(draft).turn_ms, speech_ms)
    # In writing nobody goes on after the end of a turn.
    _judge(draft, take(draft, "turn", "short greeting", speech_ms, weight, "human"), is_over=counts_latest(draft))


def after_screening(draft: Draft, words: tuple[str, ...]) -> None:
    """The screen was told who calls; words that are no machine's come from the person behind it."""
    if words and not any(cue.kind in _RECORDED for cue in read(draft.release.reader, words)):
        draft.lower()
        if counts_latest(draft):
            # Somebody else is on the line: what was heard before says nothing of them.
            draft.answerer = replace(draft.answerer, evidence=(), score=0, revised=False, watched_from_ms=draft.now_ms)
        decide(draft, "human")


def on_cadence(draft: Draft, event: CadenceMeasured) -> None:
    """Rhythm: people say a word and wait, recordings go on."""
    if _is_idle(draft) or draft.answerer.decided:
        return
    take_rhythm(draft, event)
    _settle(draft)


def on_tone(draft: Draft, event: ToneHeard) -> None:
    """A tone: signalling tones decide at once, a beep after speech is a mailbox's."""
    if draft.identity.direction == "inbound" or draft.identity.answered_ms is None:
        return
    verdict = _VERDICT_OF_TONE.get(event.tone)
    if verdict is not None:
        weight = table(draft).tones.get(event.tone, 0)
        if not _is_idle(draft):
            _judge(draft, take(draft, event.tone, event.tone, event.hz, weight, verdict))
    elif event.tone == "beep":
        _on_beep(draft, event)
    elif event.tone == "ringback" and counts_latest(draft):
        _still_ringing(draft)


def _on_beep(draft: Draft, event: ToneHeard) -> None:
    weights, onset = table(draft), draft.answerer.onset_ms
    after_speech = onset is not None and draft.now_ms - onset >= weights.beep_after_speech_ms
    name = "beep_after_speech" if after_speech else "beep"
    if not _is_idle(draft):
        what, weight = name.replace("_", " "), weights.tones.get(name, 0)
        _judge(draft, take(draft, "beep", what, event.hz, weight, "voicemail"))
    if draft.answerer.verdict == "voicemail":
        message_ready(draft)


def _still_ringing(draft: Draft) -> None:
    """The far end has not picked up yet, whatever the carrier says: what was heard so far was the line."""
    if _is_idle(draft) or draft.answerer.decided:
        return
    draft.answerer = replace(draft.answerer, onset_ms=None, evidence=(), score=0, words=0)
    draft.cancel_timer("answerer.decide")
    draft.start_timer("answerer.no_speech", draft.release.policy.policy.answerer.no_speech_ms)


def on_carrier(draft: Draft, event: CarrierJudgedAnswerer) -> None:
    """The carrier's opinion: one voice among others, never the only one."""
    if not _is_idle(draft):
        weight = table(draft).carrier.get(event.verdict, 0)
        verdict = event.verdict if weight > 0 else "human"
        _judge(draft, take(draft, "carrier", f"carrier says {event.verdict}", 0, weight, verdict))


def _is_idle(draft: Draft) -> bool:
    """Nobody asks any more, or never did, who is there."""
    identity = draft.identity
    return identity.direction == "inbound" or bool(identity.ending) or identity.ended


def _judge(draft: Draft, piece: Evidence | None, *, is_over: bool = False) -> None:
    """What a new piece of evidence changes."""
    if piece is None:
        return
    if not draft.answerer.decided:
        _settle(draft, piece, is_over=is_over)
    elif piece.weight >= table(draft).revise_at:
        _revise(draft, piece)


def _settle(draft: Draft, piece: Evidence | None = None, *, is_over: bool = False) -> None:
    """Decide if the evidence is enough; for a person only once they are silent, unless their greeting is over."""
    score, weights = draft.answerer.score, table(draft)
    if score >= weights.machine_at:
        if draft.value("answerer") == "human":
            draft.lower()  # it held since the deadline
        if piece is not None and not counts_latest(draft):
            _machine(draft, piece.verdict if piece.weight > 0 else "voicemail")
        else:
            _machine(draft, machine_of(draft))
    elif score <= weights.human_at and _may_be_person(draft, is_over=is_over):
        decide(draft, "human")
        if not draft.turn.open:
            greet(draft)  # nobody else would: the deadline that could was cancelled by deciding


def _may_be_person(draft: Draft, *, is_over: bool) -> bool:
    """The carrier's opinion is never the only one, and whoever goes on speaking has not finished their greeting."""
    if not counts_latest(draft):
        return True
    return (is_over or is_quiet(draft)) and any(one.family != "carrier" for one in draft.answerer.evidence)


def _revise(draft: Draft, piece: Evidence) -> None:
    """A person turns out to be a machine: once, and only soon after they came to the telephone."""
    part = draft.answerer
    if part.revised or draft.now_ms > _watched_until(draft):
        return
    behind_screen = counts_latest(draft) and part.verdict == "screening" and piece.verdict in _BEHIND_A_SCREEN
    if part.verdict != "human" and not behind_screen:
        return
    draft.answerer = replace(part, revised=True)
    draft.lower()
    question.void(draft)
    stop_speaking(draft)
    _machine(draft, piece.verdict)


def decide(draft: Draft, verdict: AnswererVerdict, *, until_ms: int | None = None) -> None:
    """Settle who answered; `until_ms` is the deadline of what this leads to."""
    draft.answerer = replace(draft.answerer, verdict=verdict, decided=True)
    draft.know("answerer", verdict)
    draft.cancel_timer("answerer.decide")
    draft.cancel_timer("answerer.no_speech")
    draft.cancel_timer("answerer.open")
    draft.cancel_timer("screening")
    if counts_latest(draft) and draft.identity.direction == "outbound":
        _record(draft, verdict, _watched_until(draft) if until_ms is None and verdict == "human" else until_ms)


def _record(draft: Draft, verdict: AnswererVerdict, until_ms: int | None) -> None:
    """Put the verdict with all its evidence on record; whoever listens wants words early while there is none."""
    score, version = draft.answerer.score, table(draft).version
    draft.put(TreatAs(answerer=verdict, score=score, evidence=weighed(draft), weights=version, until_ms=until_ms))


def _watched_until(draft: Draft) -> int:
    """Until when a person may turn out to be a machine."""
    began_ms = draft.answerer.watched_from_ms
    return (draft.identity.answered_ms or 0 if began_ms is None else began_ms) + table(draft).revisable_ms


def on_nobody_behind(draft: Draft) -> None:
    """A screen was told who calls, and nobody came."""
    hang_up(draft, "answered_by_screening")


def _machine(draft: Draft, verdict: AnswererVerdict) -> None:
    todo = draft.release.policy.policy.answerer.when.get(verdict, "end_call")
    decide(draft, verdict, until_ms=draft.now_ms + (table(draft).message_by_ms if todo in _GOES_ON else 0))
    draft.answerer = replace(draft.answerer, opened=False)
    draft.cancel_timer("silence")
    if todo == "leave_voicemail":
        draft.start_timer("voicemail", table(draft).message_by_ms)
        if counts_latest(draft) and not draft.turn.speaking:
            on_pause(draft)  # it may have said all that it says
    elif todo == "identify":
        draft.say_line("screening.identify", "line")
        draft.start_timer("screening", table(draft).message_by_ms)
    else:
        hang_up(draft, f"answered_by_{verdict}")


def waits_for_message(draft: Draft) -> bool:
    """A mailbox has answered and no message was tried yet."""
    return draft.answerer.verdict == "voicemail" and draft.value("message_ready") is not True


def _decides_by(draft: Draft) -> int:
    """The policy's deadline."""
    return (draft.answerer.onset_ms or 0) + draft.release.policy.policy.answerer.decide_by_ms


def on_pause(draft: Draft) -> None:
    """The other side fell silent: a mailbox may have begun to record, and who was heard out has said what they say."""
    if table(draft).heard_out_ms and "answerer.decide" in draft.timers and draft.now_ms >= _decides_by(draft):
        draft.start_timer("answerer.decide", _SAID_ALL_MS)
    if waits_for_message(draft):
        draft.start_timer("message_ready", table(draft).message_pause_ms)


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
    """Time is up: the policy's default holds, which can still be revised once. While somebody speaks nothing follows
    from it, so that they are heard out before the question is closed.
    """
    if draft.answerer.decided:
        return
    until_ms = _decides_by(draft) + table(draft).heard_out_ms
    if draft.turn.speaking and draft.now_ms < until_ms:
        draft.know("answerer", draft.release.policy.policy.answerer.default)
        draft.start_timer("answerer.decide", until_ms - draft.now_ms)
        return
    decide(draft, draft.release.policy.policy.answerer.default)
    if not draft.turn.open:
        greet(draft)
    elif table(draft).opens_after_ms:
        draft.start_timer("answerer.open", table(draft).opens_after_ms)


def on_patience(draft: Draft) -> None:
    """A line whose noise sounds like speech never falls silent: whoever is there must not be left without a word."""
    if draft.answerer.verdict == "human" and not draft.answerer.opened and not draft.identity.ending:
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
    draft.cancel_timer("answerer.open")
    disclosure.say_missing(draft)
    agent = draft.release.data.agents.get(draft.identity.agent)
    if agent is not None:
        draft.say_line(agent.opening, "line")
    draft.start_timer("backstop", draft.release.policy.policy.silence.backstop_ms)

"""The gate for sentences, and what it means that one was heard.

In: `SentenceProposed` (the model wants to say it), `SentenceStarted`, `SentencePlayed`, `SpeechFaltered`, and the
model's failures. Out: the sentence, an approved line instead, or silence; each with a decision.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, call, disclosure, patience, question, silence
from voicewarden.kernel.facets.ending import drop_generation, end_politely, hang_up, stop_speaking
from voicewarden.kernel.gate import Request, deny_reason, permit, refuse
from voicewarden.kernel.state import Sentence
from voicewarden.model.decision import Reason
from voicewarden.model.directive import ListenFor
from voicewarden.model.event import (
    GenerationEnded,
    ModelFaltered,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    SpeechFaltered,
)
from voicewarden.reading import claims
from voicewarden.reading.asking import asks_for_spelling
from voicewarden.reading.honesty import refusals

SILENT_MODEL_MS: Final = 1_500
"""How long nothing may follow an answer of the model that said and asked for nothing."""
_ASK_NOTHING: Final = (
    patience.FILLER, "not_heard", "silence.hold", "silence.keys", "silence.reprompt", "silence.rephrase",
)  # fmt: skip
"""Lines after which the caller still answers what was asked before."""


def on_proposed(draft: Draft, event: SentenceProposed) -> None:
    """Decide on one sentence of the model."""
    request = Request(
        id=event.sentence, action="speak", args={"text": event.text}, principal=draft.identity.agent, turn=event.turn
    )
    silent = _silent_reasons(draft, event)
    if silent:
        refuse(draft, request, silent)
        drop_generation(draft)
        return
    late = _overdue_reasons(draft)
    if late:
        refuse(draft, request, late)
        drop_generation(draft)
        _has_answered(draft)
        disclosure.say_missing(draft)
        draft.floor = replace(draft.floor, owed=True, spoke=True)
        return
    content = _content_reasons(draft, event.text)
    if content:
        refuse(draft, request, content)
        drop_generation(draft)
        _say_instead(draft, content)
        return
    permit(draft, request)
    disclosure.say_missing(draft)
    draft.floor = replace(draft.floor, spoke=True)
    _has_answered(draft)
    draft.say(event.text, "model", sentence=event.sentence)


def _has_answered(draft: Draft) -> None:
    """The model has said something; if it was asked again meanwhile, that answer is still awaited."""
    if not draft.floor.consulted:
        draft.cancel_timer("model")


def _silent_reasons(draft: Draft, event: SentenceProposed) -> list[Reason]:
    """Reasons to say nothing at all: the moment for this sentence is over, or never was."""
    identity = draft.identity
    reasons = []
    if event.generation <= draft.floor.dropped:
        reasons.append(deny_reason("dropped", "generation", f"is after {draft.floor.dropped}", str(event.generation)))
    if event.turn != draft.floor.answering:
        reasons.append(deny_reason("stale_turn", "turn", "is the one being answered", str(event.turn)))
    if identity.ending or identity.ended or identity.fault:
        reasons.append(deny_reason("ending", "call", "is going on", identity.ending or identity.fault or "ended"))
    for name in ("opted_out", "paused"):
        fact = draft.facts.get(name)
        if fact is not None and fact.value is not False:
            reasons.append(deny_reason(name, name, "is false", "true", fact.seq))
    if draft.consent.pending is not None:
        reasons.append(deny_reason("question_open", "question", "is settled", "waits for the caller's answer"))
    if any(item.purpose == "model" and item.text == event.text for item in draft.floor.queue):
        reasons.append(deny_reason("repeats", "sentence", "is a new one", "waits to be said already"))
    if not draft.answerer.opened:
        reasons.append(deny_reason("not_opened", "answerer", "is known", draft.answerer.verdict))
    return reasons


def _overdue_reasons(draft: Draft) -> list[Reason]:
    """Reasons in what was not said: a must-say line that is past its deadline comes before any other word."""
    return [
        Reason(f"speech.must_say.{item}", f"disclosed.{item}", "was heard in time", "not heard", "deny")
        for item in disclosure.overdue(draft)
    ]


def _content_reasons(draft: Draft, text: str) -> list[Reason]:
    """Reasons in the words themselves: lies about itself, private data, figures that nobody approved."""
    reader = draft.release.reader
    reasons = [
        Reason(f"speech.refuse.{found.kind}", "sentence", f"does not match {found.kind}", found.rule, "deny")
        for found in refusals(reader, text, draft.release.policy.policy.speech.refuse)
    ]
    approved = draft.release.grounded(draft.identity.day)
    for value in claims.ungrounded(reader, text, approved, draft.heard_claims):
        reasons.append(
            Reason("speech.facts", "claim", "an approved fact, the caller's words or a result", value, "deny")
        )
    return reasons


def _say_instead(draft: Draft, reasons: list[Reason]) -> None:
    rules = {reason.rule for reason in reasons}
    draft.floor = replace(draft.floor, refusals=draft.floor.refusals + 1, spoke=True)
    _has_answered(draft)
    if "speech.refuse.denies_ai" in rules:
        draft.say_line("disclosures.ai", "must_say")
    elif "speech.facts" in rules:
        draft.say_line("no_figure", "line")
    else:
        draft.say_line("not_allowed", "line")


def on_started(draft: Draft, event: SentenceStarted) -> None:
    """A sentence can be heard now."""
    started, now_ms = event.sentence, draft.now_ms
    queue = [replace(item, started_ms=now_ms) if item.id == started else item for item in draft.floor.queue]
    draft.floor = replace(draft.floor, queue=tuple(queue))


def on_played(draft: Draft, event: SentencePlayed) -> None:
    """A sentence is over: heard to the end, or cut."""
    sentence = _take(draft, event.sentence)
    if sentence is None:
        return
    if event.whole:
        if sentence.purpose == "model":
            draft.floor = replace(draft.floor, falters=0)
        draft.mention(sentence.text)
        disclosure.sentence_heard(draft, sentence.line)
        actions.sentence_ended(draft, sentence.id)
    else:
        draft.turn = replace(draft.turn, cut=(*draft.turn.cut, sentence))
    question.sentence_ended(draft, sentence.id, whole=event.whole)
    if draft.floor.queue:
        return
    if draft.identity.ending and not draft.turn.open:
        hang_up(draft, draft.identity.ending)
    elif draft.floor.owed and not draft.turn.open and not disclosure.overdue(draft):
        draft.floor = replace(draft.floor, owed=False)
        actions.consult(draft)
    else:
        _listen(draft, sentence)
        call.warn_now(draft)
        silence.arm(draft)
        patience.watch_pause(draft)


def _listen(draft: Draft, last: Sentence) -> None:
    hearing = draft.release.policy.policy.hearing
    if last.line in _ASK_NOTHING and draft.release.data.edition >= 2:
        return  # what was asked for before is still awaited
    if hearing.end_of_turn_spelling_ms != hearing.end_of_turn_ms:
        asks = asks_for_spelling(last.text)
        pause_ms = hearing.end_of_turn_spelling_ms if asks else hearing.end_of_turn_ms
        if pause_ms != (draft.floor.pause_ms or hearing.end_of_turn_ms):
            draft.floor = replace(draft.floor, pause_ms=pause_ms)
            draft.put(ListenFor(pause_ms=pause_ms))


def _take(draft: Draft, sentence: str) -> Sentence | None:
    queue = draft.floor.queue
    for found in queue:
        if found.id == sentence:
            draft.floor = replace(draft.floor, queue=tuple([item for item in queue if item.id != sentence]))
            return found
    return None


def on_speech_faltered(draft: Draft, event: SpeechFaltered) -> None:
    """A sentence could not be spoken: it counts as not heard, and twice ends the call."""
    sentence = _take(draft, event.sentence)
    if sentence is None:
        return
    question.sentence_ended(draft, sentence.id, whole=False)
    draft.floor = replace(draft.floor, falters=draft.floor.falters + 1)
    if draft.identity.ending:
        if not draft.floor.queue:
            hang_up(draft, draft.identity.ending)
        return
    # What is queued behind it would fail as well, each after a wait of its own.
    stop_speaking(draft)
    if sentence.purpose == "safe" or draft.floor.falters >= 2:
        end_politely(draft, "speech_failed", "safe")
    else:
        draft.say_line("trouble", "safe")


def on_generation_ended(draft: Draft, event: GenerationEnded) -> None:
    """The model has finished; if it neither spoke nor asked for anything, somebody else must speak."""
    if event.generation < draft.floor.generation or draft.floor.consulted:
        return
    draft.floor = replace(draft.floor, thinking=False)
    draft.cancel_timer("model")
    if not draft.floor.spoke and not patience.says_something(draft) and not draft.identity.ending:
        draft.start_timer("silent_model", SILENT_MODEL_MS)
    silence.arm(draft)


def on_silent_model(draft: Draft) -> None:
    """Nothing followed the model's empty answer."""
    waiting = (
        patience.says_something(draft) or draft.floor.thinking or draft.turn.open or draft.consent.pending
    )
    if not (waiting or draft.grants.open or draft.identity.ending):
        falter(draft)


def on_model_faltered(draft: Draft, event: ModelFaltered) -> None:
    """The model failed in this generation."""
    if event.what == "overlong":
        drop_generation(draft)
        return
    if event.what == "invalid_arguments":
        return
    draft.floor = replace(draft.floor, thinking=False)
    draft.cancel_timer("model")
    drop_generation(draft)
    if not draft.floor.spoke and not draft.turn.open:
        falter(draft)
    silence.arm(draft)


def falter(draft: Draft) -> None:
    """The caller would hear nothing: say so once, and end politely the second time."""
    if draft.identity.ending:
        return
    draft.floor = replace(draft.floor, falters=draft.floor.falters + 1, thinking=False)
    if draft.floor.falters >= 2:
        end_politely(draft, "model_failed", "safe")
    else:
        draft.say_line("trouble", "safe")

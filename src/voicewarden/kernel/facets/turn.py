"""Turns: what the caller's speech sets in motion.

In: voice activity, transcript segments, the end of a turn. Out: opt-outs and wishes for a person at
once; at the turn's end an answer to the open question, a repetition, or the floor for the model.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import (
    actions,
    answerer,
    answers,
    budget,
    disclosure,
    patience,
    question,
    silence,
    sureness,
    vulnerable,
)
from voicewarden.kernel.facets.ending import end_politely, hang_up, stop_speaking
from voicewarden.kernel.state import Sentence
from voicewarden.model.directive import ConsultModel, StopRecording
from voicewarden.model.event import (
    CallerSpoke,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    CallerTurnEnded,
    HearingFaltered,
)
from voicewarden.reading.claims import values
from voicewarden.reading.heard import signals

_WORDLESS_ANSWERS: Final = 2
"""How often in a row a sound without words is answered before the silence ladder takes over."""
_REPEATS: Final = 6
_MISHEARD: Final = 6
"""How often in a call the caller may be told that they were not understood; after that the line is no use."""


def on_started(draft: Draft, event: CallerStartedSpeaking) -> None:
    """The caller begins: the agent falls silent and waits."""
    if not draft.turn.open:
        draft.turn = replace(
            draft.turn, number=event.turn, open=True, words=(), suspect=False, faltered=False, cut=(),
            tool_calls=0, segments=0, filled=False,
        )  # fmt: skip
    draft.turn = replace(draft.turn, speaking=True)
    draft.cancel_timer("silence")
    draft.cancel_timer("answer")
    draft.cancel_timer("silent_model")
    answerer.on_speech(draft)
    if draft.turn.wordless < _WORDLESS_ANSWERS:
        take_floor(draft)  # else the line is noisy: from now on only words may interrupt


def take_floor(draft: Draft) -> None:
    """The caller has the floor: what the agent was saying, and what the model was asked, is over."""
    if draft.identity.ending:
        return
    if draft.turn.speaking or patience.says_something(draft) or not draft.floor.queue:
        stop_speaking(draft)
    draft.cancel_timer("model")
    draft.floor = replace(draft.floor, answering=None, thinking=False, consulted=False)


def on_stopped(draft: Draft, event: CallerStoppedSpeaking) -> None:
    """A pause, perhaps the end of the turn."""
    draft.turn = replace(draft.turn, speaking=False)
    draft.answerer = replace(draft.answerer, last_sound_ms=draft.now_ms)
    answerer.on_pause(draft)
    patience.watch_pause(draft)


def on_spoke(draft: Draft, event: CallerSpoke) -> None:
    """A segment's words: read at once for what can't wait, and collected for the turn."""
    words = tuple(word.text for word in event.words)
    if _lowering_heard(draft, words) or event.turn != draft.turn.number:
        return
    turn = draft.turn
    draft.turn = replace(
        turn, words=(*turn.words, *event.words), suspect=turn.suspect or bool(event.suspect),
        segments=turn.segments + bool(words),
    )  # fmt: skip
    if not words:
        return
    if _understood(draft):
        take_floor(draft)
    if figures := values(draft.release.reader, event.text):
        draft.heard_claims |= figures
    draft.mention(event.text)
    silence.words_heard(draft)
    answerer.on_words(draft, words)


def _lowering_heard(draft: Draft, words: tuple[str, ...]) -> bool:
    """What counts at any time, in whichever turn it was said; True when it ends the call."""
    for signal in signals(draft.release.reader, words):
        match signal.kind:
            case "opt_out":
                opt_out(draft)
                return True
            case "wants_person":
                draft.know("asked_for_person", True)
            case "asks_if_ai":
                draft.asked_if_ai = True
            case "recording_objection":
                draft.know("recording_refused", True)
                draft.put(StopRecording())
            case "minor" | "distress" | "wrong_person":
                if vulnerable.recognise(draft, signal.kind):
                    return True
            case _:
                pass
    return False


def opt_out(draft: Draft) -> None:
    """Nobody wants to be called: authority falls at once, only the goodbye is left."""
    if draft.value("opted_out") is True:
        return
    draft.know("opted_out", True)
    draft.lower()
    actions.withdraw_unspent(draft)
    stop_speaking(draft)
    end_politely(draft, "opt_out", "opt_out.goodbye")


def on_hearing_faltered(draft: Draft, event: HearingFaltered) -> None:
    """Words were said and are not known: not silence, and no answer either."""
    if event.turn == draft.turn.number:
        draft.turn = replace(draft.turn, faltered=True)


def on_ended(draft: Draft, event: CallerTurnEnded) -> None:
    """The caller's turn is over: decide who speaks now."""
    if event.turn != draft.turn.number or not draft.turn.open:
        return
    understood = _understood(draft)
    turn = replace(draft.turn, open=False, speaking=False, wordless=0 if understood else draft.turn.wordless + 1)
    draft.turn = turn
    budget.new_turn(draft)
    if draft.identity.answered_ms is not None:
        draft.know("call_ms", draft.now_ms - draft.identity.answered_ms)
    if draft.identity.ended:
        return
    # What was said in two breaths was in no segment as a whole.
    if turn.segments > 1 and _lowering_heard(draft, tuple(word.text for word in turn.words)):
        return
    if draft.identity.ending:
        if not draft.floor.queue:
            hang_up(draft, draft.identity.ending)
        return
    if draft.answerer.decided and draft.answerer.verdict not in ("human", "screening", "no_speech"):
        return
    if not draft.answerer.opened:
        _greeted(draft)
    elif understood or (turn.words and _may_matter(draft)):
        _answer(draft)
    else:
        _wordless(draft)


def _may_matter(draft: Draft) -> bool:
    """Words that were hardly heard still count where something waits for them: a question, a wish for a person."""
    return draft.consent.pending is not None or _asked_now(draft)


def _greeted(draft: Draft) -> None:
    """The first words on a call of ours: a greeting, a machine, or not enough to tell yet."""
    onset = draft.answerer.onset_ms if draft.answerer.onset_ms is not None else draft.now_ms
    pause = draft.release.policy.policy.hearing.end_of_turn_ms
    if draft.turn.words or draft.turn.faltered:
        answerer.on_turn_ended(draft, draft.now_ms - onset - pause)
    if draft.answerer.verdict == "screening":
        answerer.after_screening(draft, tuple(word.text for word in draft.turn.words))
    if draft.answerer.decided and draft.answerer.verdict == "human":
        answerer.greet(draft)


def _wordless(draft: Draft) -> None:
    """A sound without words must not leave the line dead: go on where the agent was cut, or say so."""
    if draft.turn.held:
        patience.wait(draft)  # whoever looks something up makes noises
        return
    repeated = _repeat(draft)
    if draft.consent.pending is not None:
        if not repeated:
            _say_not_heard(draft)
        draft.start_timer("answer", patience.answer_ms(draft))
    if repeated or draft.consent.pending is not None:
        return
    if draft.floor.queue:
        return  # the agent has gone on speaking through the noise
    if draft.turn.wordless > _WORDLESS_ANSWERS:
        silence.arm(draft)
    elif draft.floor.misheard >= _MISHEARD or not silence.may_prompt(draft):
        end_politely(draft, "not_understood")
    else:
        _say_not_heard(draft)


def _say_not_heard(draft: Draft) -> None:
    """Tell the caller that nothing was understood, so often and no more, and never over other words."""
    if not draft.floor.queue and draft.floor.misheard < _MISHEARD and silence.may_prompt(draft):
        draft.floor = replace(draft.floor, misheard=draft.floor.misheard + 1)
        draft.say_line("not_heard", "line")


def _repeat(draft: Draft) -> bool:
    pending = draft.consent.pending
    if pending is not None and pending.armed_ms is None:
        answers.ask_again(draft, pending)
        return True
    cut = tuple(item for item in draft.turn.cut if item.purpose != "question" and item.line != patience.FILLER)
    if not cut or draft.floor.repeats >= _REPEATS or not silence.may_prompt(draft):
        return False
    draft.floor = replace(draft.floor, repeats=draft.floor.repeats + 1)
    for sentence in cut:
        _say_again(draft, sentence)
    return True


def _say_again(draft: Draft, sentence: Sentence) -> None:
    again = draft.say(sentence.text, sentence.purpose, sentence.line)
    for grant, opened in draft.grants.open.items():
        if opened.after == sentence.id:
            moved = replace(opened, after=again)
            draft.grants = replace(draft.grants, open={**draft.grants.open, grant: moved})


def _answer(draft: Draft) -> None:
    """The turn has words: what was owed first, then the open question, then the model."""
    for opened in tuple(draft.grants.open.values()):
        if opened.after in {item.id for item in draft.turn.cut} and not opened.handed:
            # The caller spoke up before the effect: it is not what they want now.
            actions.withdraw(draft, opened)
    disclosure.say_missing(draft)
    if draft.asked_if_ai:
        draft.asked_if_ai = False
        if not any(item.line == "disclosures.ai" for item in draft.floor.queue):
            draft.say_line("disclosures.ai", "must_say")
    if _asked_now(draft):
        question.void(draft)
        actions.reach_person(draft)
        return
    pending = draft.consent.pending
    if patience.asked_for_time(draft):
        patience.hold(draft)
        return
    if pending is not None and _wants_repetition(draft):
        answers.ask_again(draft, pending)
        return
    if pending is not None and answers.settle_turn(draft, pending):
        return
    _consult(draft)


def _asked_now(draft: Draft) -> bool:
    """The caller has asked for a person in this turn, or said what needs one."""
    asked = draft.facts.get("asked_for_person")
    began = min((word.from_ms for word in draft.turn.words), default=draft.now_ms + 1)
    if asked is not None and asked.value is True and asked.at_ms >= began:
        return True
    return vulnerable.needs_person(draft, began)


def _wants_repetition(draft: Draft) -> bool:
    found = signals(draft.release.reader, tuple(word.text for word in draft.turn.words))
    return bool(found) and all(signal.kind == "asks_repeat" for signal in found)


def _understood(draft: Draft) -> bool:
    """Whether the turn has words that count as heard: unknown confidence does, confidence below the band does not."""
    mean, band = sureness.mean_permille(draft.turn.words), draft.release.policy.policy.hearing.content
    return bool(draft.turn.words) and (mean is None or mean >= band.confirm_permille)


def _consult(draft: Draft) -> None:
    sure = sureness.of_turn(draft)
    if sure.permille is not None:
        draft.know("hearing_permille", sure.permille)
    elif draft.release.data.edition >= 2:
        draft.forget("hearing_permille")  # what an earlier turn was heard with says nothing about this one
    draft.ask_model()
    draft.put(ConsultModel(turn=draft.turn.number, heard=sure.heard, unsure=sure.unsure))
    draft.start_timer("model", actions.MODEL_DEADLINE_MS)

"""Keys of the caller's telephone: they count like words, and as surely as nothing that is heard.

In: `DtmfPressed`. Out: 1 agrees to the open question and 9 opts out, whatever the policy; its own keys refuse the
question or reach a person (`keys`). Where the policy takes numbers (`keys.entry_pause_ms`) and the agent has just asked
for one, the keys are its digits until a pause or `#`; `*` begins anew. The model reads a number as an outcome, never as
words of the caller.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, answers, disclosure, patience, question, silence
from voicewarden.kernel.facets.ending import stop_speaking
from voicewarden.kernel.facets.turn import opt_out, take_floor
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.model.directive import TellModel
from voicewarden.model.event import DtmfPressed
from voicewarden.policy.ast import Keys
from voicewarden.reading.claims import values

_NO_KEYS: Final = Keys()
_LONGEST_NUMBER: Final = 32


def _keys(draft: Draft) -> Keys:
    return draft.release.policy.policy.keys or _NO_KEYS


def on_key(draft: Draft, event: DtmfPressed) -> None:
    """A key was pressed."""
    silence.words_heard(draft)
    keys, digit = _keys(draft), event.digit
    if takes_number(draft.release, draft):
        _take_digit(draft, digit)
    elif digit == "9":
        opt_out(draft)
    elif draft.identity.ending:
        pass
    elif digit == "1":
        if draft.consent.pending is not None and draft.consent.pending.armed_ms is not None:
            stop_speaking(draft)
        answers.on_confirm_key(draft)
    elif digit == keys.no:
        _refuse(draft)
    elif digit == keys.person:
        _reach_person(draft)
    silence.arm(draft)
    patience.watch_pause(draft)


def takes_number(release: Compiled, state: State | Draft) -> bool:
    """Keys are digits of a number now: the agent asked for one, and no question is open."""
    rules = release.policy.policy
    if rules.keys is None or not rules.keys.entry_pause_ms or state.consent.pending is not None:
        return False
    if state.identity.ending or not state.answerer.opened:
        return False
    return bool(state.turn.keyed) or state.floor.pause_ms > rules.hearing.end_of_turn_ms


def _take_digit(draft: Draft, digit: str) -> None:
    if digit == "9" and not draft.turn.keyed:
        # It may become a number, or stay alone: until that is known nothing may start (law 7).
        draft.lower()
        actions.withdraw_unspent(draft)
    take_floor(draft)
    keyed = "" if digit == "*" else draft.turn.keyed + digit.strip("#")
    draft.turn = replace(draft.turn, keyed=keyed)
    if digit == "#" or len(keyed) >= _LONGEST_NUMBER:
        on_entered(draft)
    else:
        draft.start_timer("keypad", _keys(draft).entry_pause_ms)


def on_entered(draft: Draft) -> None:
    """The number is complete; one key alone means what it always means."""
    number, draft.turn = draft.turn.keyed, replace(draft.turn, keyed="")
    draft.cancel_timer("keypad")
    if number == "9":
        opt_out(draft)
    elif number and number == _keys(draft).person:
        _reach_person(draft)
    elif number and not draft.identity.ending:
        draft.heard_claims |= values(draft.release.reader, number)
        draft.put(TellModel(action="keypad", status="entered", result={"digits": number}))
        actions.consult(draft)
    silence.arm(draft)


def _refuse(draft: Draft) -> None:
    if draft.consent.pending is not None:
        stop_speaking(draft)
        answers.on_refuse_key(draft)


def _reach_person(draft: Draft) -> None:
    """The same as asking for a person in words; in the midst of a turn its end sees to it."""
    draft.know("asked_for_person", True)
    if draft.turn.open or not draft.answerer.opened:
        return
    stop_speaking(draft)
    question.void(draft)
    disclosure.say_missing(draft)
    actions.reach_person(draft)

"""The silence ladder: ask again, rephrase, offer keys, say goodbye; each step counts from the end of the last playout.

In: the moments in which nobody speaks and nothing is under way. Out: one timer, and a line when it fires.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets.ending import end_politely

_LINES: Final = {"reprompt": "silence.reprompt", "rephrase": "silence.rephrase", "offer_keys": "silence.keys"}


def arm(draft: Draft) -> None:
    """Start counting silence, if it is really the caller's turn to speak."""
    if _busy(draft):
        return
    rules = draft.release.policy.policy.silence
    if not rules.ladder:
        return
    step = rules.ladder[min(draft.silence_step, len(rules.ladder) - 1)]
    draft.start_timer("silence", rules.hold_ms if draft.turn.held else step.after_ms)


def _busy(draft: Draft) -> bool:
    if draft.floor.queue or draft.turn.open or draft.floor.thinking or draft.consent.pending is not None:
        return True
    if draft.turn.keyed:
        return True
    if draft.identity.ending or draft.identity.ended or not draft.answerer.opened:
        return True
    return any(opened.handed for opened in draft.grants.open.values())


def on_timer(draft: Draft) -> None:
    """Silence lasted long enough for the next step."""
    if _busy(draft):
        return
    ladder = draft.release.policy.policy.silence.ladder
    step = ladder[min(draft.silence_step, len(ladder) - 1)]
    draft.silence_step += 1
    draft.turn = replace(draft.turn, held=False) if draft.turn.held else draft.turn
    if step.do == "goodbye" or not may_prompt(draft):
        end_politely(draft, "silence", "silence.goodbye")
    else:
        if draft.release.policy.policy.silence.times_per_call:
            draft.floor = replace(draft.floor, reminders=draft.floor.reminders + 1)
        draft.say_line(_LINES[step.do], "line")


def may_prompt(draft: Draft) -> bool:
    """Whether the caller may be reminded or told once more that they were not understood: one limit over all of it."""
    floor, most = draft.floor, draft.release.policy.policy.silence.times_per_call
    return not most or floor.reminders + floor.misheard + floor.repeats < most


def words_heard(draft: Draft) -> None:
    """The caller said something: the ladder starts anew, and so does the wall-clock backstop."""
    draft.silence_step = 0
    draft.turn = replace(draft.turn, held=False) if draft.turn.held else draft.turn
    draft.cancel_timer("silence")
    if draft.identity.ending or draft.identity.ended:
        return
    draft.start_timer("backstop", draft.release.policy.policy.silence.backstop_ms)

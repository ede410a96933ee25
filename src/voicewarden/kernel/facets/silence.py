"""The silence ladder: ask again, rephrase, say goodbye; each step counts from the end of the last playout.

In: the moments in which nobody speaks and nothing is under way. Out: one timer, and a line when it fires.
"""

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.facets.ending import end_politely

_LINES = {"reprompt": "silence.reprompt", "rephrase": "silence.rephrase"}


def arm(draft: Draft) -> None:
    """Start counting silence, if it is really the caller's turn to speak."""
    if _busy(draft):
        return
    ladder = draft.release.policy.policy.silence.ladder
    if not ladder:
        return
    step = ladder[min(draft.silence_step, len(ladder) - 1)]
    draft.start_timer("silence", step.after_ms)


def _busy(draft: Draft) -> bool:
    if draft.floor.queue or draft.turn.open or draft.floor.thinking or draft.consent.pending is not None:
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
    if step.do == "goodbye":
        end_politely(draft, "silence", "silence.goodbye")
    else:
        draft.say_line(_LINES[step.do], "line")


def words_heard(draft: Draft) -> None:
    """The caller said something: the ladder starts anew, and so does the wall-clock backstop."""
    draft.silence_step = 0
    draft.cancel_timer("silence")
    if draft.identity.ending or draft.identity.ended:
        return
    draft.start_timer("backstop", draft.release.policy.policy.silence.backstop_ms)

"""Ending a call: politely while the line holds, at once where that is the only safe thing. Never denied (law 5, class
0).

In: a draft and a reason. Out: the goodbye line, deadlines and the order to hang up. Used by every other facet.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets.question import void
from voicewarden.model.directive import DropGeneration, HangUp, StopSpeaking

GOODBYE_DEADLINE_MS: Final = 8_000
"""However slow the goodbye plays, the call is over after this long."""


def stop_speaking(draft: Draft) -> None:
    """Silence the agent and let the running generation say nothing more."""
    if draft.floor.queue or draft.floor.thinking:
        draft.put(StopSpeaking())
    drop_generation(draft)


def drop_generation(draft: Draft) -> None:
    """Whatever the model still says in this generation is not heard."""
    if draft.floor.generation > draft.floor.dropped:
        draft.floor = replace(draft.floor, dropped=draft.floor.generation)
        draft.put(DropGeneration(generation=draft.floor.generation))


def end_politely(draft: Draft, reason: str, line: str = "goodbye", *, interrupt: bool = False) -> None:
    """Say one last approved line and hang up when it was heard, or at its deadline."""
    if draft.identity.ending or draft.identity.ended:
        return
    void(draft)
    draft.identity = replace(draft.identity, ending=reason)
    if interrupt:
        stop_speaking(draft)
    else:
        drop_generation(draft)
    for timer in (
        "silence", "backstop", "model", "answer", "filler", "keypad", "answerer.decide", "answerer.no_speech",
    ):  # fmt: skip
        draft.cancel_timer(timer)
    draft.say_line(line, "goodbye")
    draft.start_timer("goodbye", GOODBYE_DEADLINE_MS)


def hang_up(draft: Draft, reason: str) -> None:
    """End the call now; asking twice is no error."""
    if draft.identity.hung_up or draft.identity.ended:
        return
    ending = draft.identity.ending or reason
    draft.identity = replace(draft.identity, ending=ending, hung_up=True)
    draft.put(HangUp(reason=ending))

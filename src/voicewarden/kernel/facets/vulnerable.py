"""People with whom nothing may be agreed: a child, somebody in distress, somebody who is not the one that was meant.

In: a draft and what the caller's words gave away (`reading.heard`). Out: a fact that policies can look at, authority
lowered, the open question void; then an end with an approved line, or a person offered. Called by `turn`.
"""

from typing import Final, Literal

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.facets import actions, question
from voicewarden.kernel.facets.ending import end_politely, stop_speaking

Plight = Literal["minor", "distress", "wrong_person"]

PLIGHTS: Final[tuple[Plight, ...]] = ("minor", "distress", "wrong_person")
"""Names of the facts, which are also those of the signals."""
_SINCE_EDITION: Final = 2
_OFFERED: Final[tuple[Plight, ...]] = ("minor", "distress")


def begin(draft: Draft) -> None:
    """At the start of a call nothing of the kind is known."""
    if draft.release.data.edition >= _SINCE_EDITION:
        for plight in PLIGHTS:
            draft.know(plight, False)


def recognise(draft: Draft, plight: Plight) -> bool:
    """Restrain the agent towards this caller; True when that ends the call.

    We called, and have an approved line for it (`minor.goodbye`): it is said and the call is over. Else the call goes
    on without what was about to happen, and `needs_person` has a person offered.
    """
    if draft.release.data.edition < _SINCE_EDITION or draft.value(plight) is True or draft.identity.ending:
        return False
    draft.know(plight, True)
    draft.lower()
    actions.withdraw_unspent(draft)
    question.void(draft)
    line = f"{plight}.goodbye"
    if draft.identity.direction != "outbound" or line not in draft.release.data.lines:
        return False
    stop_speaking(draft)
    end_politely(draft, plight, line)
    return True


def needs_person(draft: Draft, since_ms: int) -> bool:
    """Whether it turned out since then that the caller is better off with a person."""
    facts = [draft.facts.get(plight) for plight in _OFFERED]
    return any(fact is not None and fact.value is True and fact.at_ms >= since_ms for fact in facts)

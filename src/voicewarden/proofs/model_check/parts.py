"""Parts of a state in normal form that need nothing but the state: its floor, its answerer, its open grants.

In: a state and new names. Out: parts, from which `abstraction` puts the normal form together.
"""

from typing import Final

from voicewarden.kernel.draft import replace
from voicewarden.kernel.state import AnswererPart, ConsentPart, Floor, OpenGrant, Sentence, State
from voicewarden.policy.fact import Fact
from voicewarden.proofs.model_check.naming import Names, request_name

NOW_MS: Final = 1_000_000_000
SEQ: Final = 1_000
TURN: Final = 2
INFERENCE: Final = 3
_ONSET_MS: Final = 10_000
"""Longer than any greeting that `answerer` tells from a longer one."""
_SILENT_MS: Final = 1_000
"""Longer than a pause that says that somebody has finished."""
_WATCHED_MS: Final = 100_000
"""Longer than whoever answered is watched for signs of a machine."""
NOISY: Final = 3
"""Turns without words in a row: from here on one more makes no difference."""
_FALTERS: Final = 2
CONSENT: Final = "consent."


def nothing_left(state: State) -> State:
    """A call that is ending, without what nobody reads any more."""
    facts = state.facts
    if any(name.startswith(CONSENT) for name in facts):
        facts = {name: fact for name, fact in facts.items() if not name.startswith(CONSENT)}
    return replace(
        state, facts=facts, silence_step=0, heard_claims=frozenset(), asked_if_ai=False, desk="",
        turn=replace(state.turn, wordless=0, tool_calls=0),
        floor=replace(state.floor, falters=0, repeats=0, misheard=0, answering=None, consulted=False, spoke=False),
        consent=ConsentPart(pending=state.consent.pending),
        grants=replace(state.grants, minted={}, minted_at_ms={}),
    )  # fmt: skip


def is_explicit(fact: Fact | None) -> bool:
    """Whether a fact is an explicit yes."""
    return fact is not None and fact.value == "explicit"


def sentence_of(item: Sentence, names: Names) -> Sentence:
    """A sentence under its new name."""
    name = names.sentence(item.id)
    return item if item.id == name and item.started_ms is None else replace(item, id=name, started_ms=None)


def floor_of(state: State, names: Names) -> Floor:
    """Who speaks: turns and inferences by what they are to the current ones."""
    floor = state.floor
    answering = floor.answering
    if answering is not None:
        answering = (TURN if state.turn.number else 0) if answering == state.turn.number else 1
    begun = bool(floor.generation)
    return replace(
        floor, queue=tuple(sentence_of(item, names) for item in floor.queue), answering=answering,
        generation=INFERENCE if begun else 0,
        dropped=max(0, INFERENCE - min(floor.generation - floor.dropped, 2)) if begun else 0,
        refusals=0, falters=min(floor.falters, _FALTERS),
    )  # fmt: skip


def answerer_of(state: State) -> AnswererPart:
    """Who picked up, with the evidence in one order."""
    part = state.answerer
    onset = part.onset_ms
    if onset is not None:
        inbound = state.identity.direction == "inbound"  # who calls us is a person: no greeting is measured
        onset = NOW_MS - (0 if inbound else min(state.now_ms - onset, _ONSET_MS))
    watched = part.watched_from_ms
    if watched is not None:
        watched = NOW_MS - min(state.now_ms - watched, _WATCHED_MS)
    evidence = sorted((replace(one, value=0, at_ms=NOW_MS) for one in part.evidence), key=lambda one: one.what)
    return replace(
        part, onset_ms=onset, last_sound_ms=_last_sound(state), evidence=tuple(evidence),
        words=0 if part.decided else part.words, watched_from_ms=watched,
    )  # fmt: skip


def _last_sound(state: State) -> int:
    """When something was heard last, as long as it is asked for: until it is known who answered."""
    part = state.answerer
    if part.decided or state.identity.direction == "inbound":
        return 0
    return NOW_MS - min(state.now_ms - part.last_sound_ms, _SILENT_MS)


def opened_of(item: OpenGrant, state: State, names: Names) -> OpenGrant:
    """An open grant: of this version and epoch, or of an older one."""
    grant = item.grant
    normal = replace(
        grant, id=names.grant(grant.id), seq=0, version=1 if grant.version == state.version else 0,
        epoch=1 if grant.epoch == state.identity.epoch else 0, confirmed="yes" if grant.confirmed else "",
        minted_at_ms=NOW_MS, expires_at_ms=NOW_MS,
    )  # fmt: skip
    return replace(item, grant=normal, request=request_name(item.request), after=names.sentence(item.after))

"""The alphabet: single things that can happen in a call, each made to fit the state it happens in.

In: a cast and a state. Out: events, or None where the thing can't happen now. A letter may hold several events in a row
(a caller's whole turn). Called by `scene` (which letters make a check) and `search`.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from voicewarden.kernel.state import OpenGrant, State
from voicewarden.model import event as events
from voicewarden.model.action import Outcome, Stage
from voicewarden.proofs.model_check.cast import Cast, Wish

Maker = Callable[[Cast, State], events.Event | None]
"""Makes an event that fits the state, None where it can't happen."""

EARLY_MS: Final = 1_000
"""How long before now an early answer began."""
SURE: Final = 950
HARDLY: Final = 480
_TALKATIVE: Final = 8
"""So many words in one turn are enough: what comes after them is another turn."""


class Letter(NamedTuple):
    """One thing that can happen: its name, and the events it consists of or the time that passes."""

    name: str
    makers: tuple[Maker, ...] = ()
    wait_ms: int = 0


def letter(name: str, *makers: Maker) -> Letter:
    """A letter of these events, one after the other."""
    return Letter(name, makers)


def voice(cast: Cast, state: State) -> events.Event | None:
    """The caller begins to make a sound."""
    if state.turn.speaking:
        return None
    turn = state.turn.number if state.turn.open else state.turn.number + 1
    return events.CallerStartedSpeaking(at_ms=state.now_ms, turn=turn)


def falls_silent(cast: Cast, state: State) -> events.Event | None:
    """The caller pauses."""
    if not state.turn.speaking:
        return None
    return events.CallerStoppedSpeaking(at_ms=state.now_ms, turn=state.turn.number, speech_ms=EARLY_MS)


def turn_ends(cast: Cast, state: State) -> events.Event | None:
    """The caller's turn is over."""
    if not state.turn.open:
        return None
    return events.CallerTurnEnded(at_ms=state.now_ms, turn=state.turn.number)


def words_lost(cast: Cast, state: State) -> events.Event | None:
    """What the caller said could not be transcribed."""
    if not state.turn.open or state.turn.faltered:
        return None
    return events.HearingFaltered(at_ms=state.now_ms, turn=state.turn.number)


def says(text: str, permille: int = SURE, early_ms: int = 0) -> Maker:
    """The caller says these words in the open turn, beginning so long ago."""

    def make(cast: Cast, state: State) -> events.Event | None:
        if not state.turn.open or len(state.turn.words) > _TALKATIVE:
            return None
        at_ms = max(0, state.now_ms - early_ms)
        words = tuple(events.Word(word, permille, at_ms, at_ms) for word in text.split())
        return events.CallerSpoke(
            at_ms=state.now_ms, turn=state.turn.number, text=text, words=words, speech_ms=EARLY_MS
        )

    return make


def turn_of(*makers: Maker) -> tuple[Maker, ...]:
    """A caller's whole turn around these segments."""
    return (voice, *makers, falls_silent, turn_ends)


def presses(digit: str) -> Maker:
    """The caller presses a key."""
    return lambda cast, state: events.DtmfPressed(at_ms=state.now_ms, digit=digit)


def sound_stops(cast: Cast, state: State) -> events.Event | None:
    """No sound comes from the caller's side any more."""
    return None if state.turn.held else events.SoundStopped(at_ms=state.now_ms)


def sound_resumes(cast: Cast, state: State) -> events.Event | None:
    """The caller can be heard again."""
    return events.SoundResumed(at_ms=state.now_ms) if state.turn.held else None


def requests(choose: Callable[[Cast], Wish | None]) -> Maker:
    """The model asks for an action, in the turn it believes to answer."""

    def make(cast: Cast, state: State) -> events.Event | None:
        wish = choose(cast)
        if wish is None:
            return None
        return events.ActionRequested(
            at_ms=state.now_ms, request="r", action=wish.action, args=wish.args, principal=state.identity.agent,
            turn=state.turn.number,
        )  # fmt: skip

    return make


def begins_inference(cast: Cast, state: State) -> events.Event | None:
    """The model was consulted and begins."""
    if not state.floor.consulted:
        return None
    return events.TokensReserved(at_ms=state.now_ms, inference=state.floor.generation + 1, tokens=40)


def proposes(text: str) -> Maker:
    """The model wants to say something in its newest inference."""

    def make(cast: Cast, state: State) -> events.Event | None:
        if not state.floor.generation:
            return None
        return events.SentenceProposed(
            at_ms=state.now_ms, sentence=f"m{state.seq}", generation=state.floor.generation, turn=state.turn.number,
            text=text,
        )  # fmt: skip

    return make


def settles_tokens(cast: Cast, state: State) -> events.Event | None:
    """The newest inference is settled; it has cost nothing, so that only what is reserved counts."""
    if state.floor.generation not in state.budget.reserved:
        return None
    return events.TokensSpent(at_ms=state.now_ms, inference=state.floor.generation, tokens=0)


def ends_inference(cast: Cast, state: State) -> events.Event | None:
    """The model has nothing more to say."""
    if not state.floor.generation or not state.floor.thinking:
        return None
    return events.GenerationEnded(at_ms=state.now_ms, generation=state.floor.generation)


def model_fails(cast: Cast, state: State) -> events.Event | None:
    """The model fails in its newest inference."""
    if not state.floor.thinking:
        return None
    return events.ModelFaltered(at_ms=state.now_ms, generation=state.floor.generation, what="timeout")


def is_heard(cast: Cast, state: State) -> events.Event | None:
    """The sentence that is being said was heard to its end."""
    if not state.floor.queue:
        return None
    return events.SentencePlayed(at_ms=state.now_ms, sentence=state.floor.queue[0].id, played_ms=1, whole=True)


def is_cut(cast: Cast, state: State) -> events.Event | None:
    """The sentence that is being said is cut."""
    if not state.floor.queue:
        return None
    return events.SentencePlayed(at_ms=state.now_ms, sentence=state.floor.queue[0].id, played_ms=0, whole=False)


def is_mute(cast: Cast, state: State) -> events.Event | None:
    """The sentence that is to be said can't be turned into sound."""
    if not state.floor.queue:
        return None
    return events.SpeechFaltered(at_ms=state.now_ms, sentence=state.floor.queue[0].id)


def fires(timer: str) -> Maker:
    """A timer comes due, however long it was to run: early and late ones are covered alike."""

    def make(cast: Cast, state: State) -> events.Event | None:
        due_ms = state.timers.get(timer)
        return None if due_ms is None else events.TimerFired(at_ms=state.now_ms, timer=timer, due_ms=due_ms)

    return make


def spending_fires(cast: Cast, state: State) -> events.Event | None:
    """A grant has waited long enough for its sentence."""
    timer = next((name for name in state.timers if name.startswith("spend:")), None)
    return None if timer is None else fires(timer)(cast, state)


def handed_grants(state: State) -> list[OpenGrant]:
    """Grants that an effector holds, in the order of their minting."""
    return [opened for opened in state.grants.open.values() if opened.handed]


def returns(which: int, outcome: Outcome) -> Maker:
    """The effect of a grant that an effector holds ends like this."""

    def make(cast: Cast, state: State) -> events.Event | None:
        handed = handed_grants(state)
        if which >= len(handed):
            return None
        return events.ReceiptReturned(at_ms=state.now_ms, grant=handed[which].grant.id, outcome=outcome)

    return make


def tightens(stage: Stage) -> Maker:
    """A person lowers the stage."""
    return lambda cast, state: events.AuthorityTightened(
        at_ms=state.now_ms, stage=stage, epoch=state.identity.epoch + 1, operator="o"
    )


def revokes(cast: Cast, state: State) -> events.Event | None:
    """A person takes the right to act away."""
    return events.AuthorityRevoked(at_ms=state.now_ms, epoch=state.identity.epoch + 1, operator="o")


def pauses(cast: Cast, state: State) -> events.Event | None:
    """A person pauses all calls."""
    return events.CallsPaused(at_ms=state.now_ms, epoch=state.identity.epoch + 1, operator="o")


def learns(fact: str, value: bool) -> Maker:
    """A record says something."""
    return lambda cast, state: events.FactLearned(at_ms=state.now_ms, fact=fact, value=value, source="record")

"""The onlooker: what somebody who only sees events and outputs knows about authority, apart from the kernel's state.

In: each event with what the kernel put out. Out: a `Watch`, on which `invariants` judges. It repeats no code of the
kernel: words mean what `MEANINGS` says, a yes counts for the question that was heard last, and for nothing else.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

from voicewarden.kernel.facets.keypad import takes_number
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.model import event as events
from voicewarden.model.action import STAGES, Stage

Meaning = Literal["yes", "no", "other", "stop", "person", "mailbox", "filler", "moment", "unclear"]
MEANINGS: Final[dict[str, Meaning]] = {
    "yes": "yes", "no thank you": "no", "what does it cost?": "other", "stop calling me": "stop",
    "I want to talk to a real person": "person", "please leave a message after the tone": "mailbox",
    "hello": "other", "hmm": "filler", "hold on": "moment",
}  # fmt: skip
"""The texts of the alphabets and what they mean; a test compares them with what `reading` makes of them."""
_ENDS_AUTHORITY: Final[frozenset[type]] = frozenset(
    {events.CallsPaused, events.AuthorityRevoked, events.LeaseLost, events.LedgerFaltered}
)
_TAKES: Final = ("opted_out", "paused", "revoked")


class _Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something the onlooker remembers."""


class Asked(_Seen, frozen=True, kw_only=True):
    """The question that was put to the caller last."""

    action: str
    digest: str
    unheard: tuple[str, ...]
    """Sentences up to the last argument that were not heard to their end yet."""
    heard_ms: int | None = None
    """When the last argument had been heard."""


class Said(_Seen, frozen=True, kw_only=True):
    """A segment of the caller's open turn."""

    meaning: Meaning
    permille: int
    from_ms: int
    to_ms: int


class Yes(_Seen, frozen=True, kw_only=True):
    """An answer that allows one thing once."""

    action: str
    digest: str
    at_ms: int


class Live(_Seen, frozen=True, kw_only=True):
    """A grant that was minted and has not ended."""

    grant: str
    handed: bool = False
    lowered: bool = False
    """Authority went down after it was minted and before it was handed over."""


class Watch(_Seen, frozen=True, kw_only=True):
    """What the onlooker knows."""

    asked: Asked | None = None
    said: tuple[Said, ...] = ()
    yeses: tuple[Yes, ...] = ()
    live: tuple[Live, ...] = ()
    opted_out: bool = False
    wants_person: bool = False
    stopped: bool = False
    """A person or a fault ended all authority of this call."""
    stage: Stage = "autonomous"
    approved: tuple[str, ...] = ()


replace = msgspec.structs.replace


def lowers(watch: Watch, release: Compiled, before: State, event: events.Event) -> bool:
    """Whether this event takes authority away, whatever the kernel makes of it."""
    if isinstance(event, events.CallerSpoke):
        return MEANINGS.get(event.text) == "stop" and not watch.opted_out
    if isinstance(event, events.DtmfPressed):
        within_number = takes_number(release, before) and bool(before.turn.keyed)
        return event.digit == "9" and not watch.opted_out and not within_number
    if isinstance(event, events.FactLearned):
        return event.fact in _TAKES and event.value is True
    return isinstance(event, events.AuthorityTightened) or type(event) in _ENDS_AUTHORITY


def hear(watch: Watch, release: Compiled, before: State, event: events.Event) -> Watch:
    """What the event itself says, before anything that the kernel makes of it."""
    if lowers(watch, release, before, event):
        watch = replace(watch, live=lowered(watch), stopped=watch.stopped or type(event) in _ENDS_AUTHORITY)
    handler = _HEARD.get(type(event))
    return watch if handler is None else handler(watch, release, before, event)


def lowered(watch: Watch) -> tuple[Live, ...]:
    """The live grants after authority went down: what no effector holds yet must never be spent."""
    return tuple(item if item.handed else replace(item, lowered=True) for item in watch.live)


def _begin_turn(watch: Watch, release: Compiled, before: State, event: events.CallerStartedSpeaking) -> Watch:
    return replace(watch, said=()) if watch.said and not before.turn.open else watch


def _lose_words(watch: Watch, release: Compiled, before: State, event: events.HearingFaltered) -> Watch:
    if event.turn != before.turn.number:
        return watch
    at_ms = max(before.now_ms, event.at_ms)
    lost = Said(meaning="unclear", permille=0, from_ms=at_ms, to_ms=at_ms)
    return replace(watch, said=(*watch.said, lost))


def _end_any_turn(watch: Watch, release: Compiled, before: State, event: events.CallerTurnEnded) -> Watch:
    return _end_turn(watch, release) if before.turn.open and event.turn == before.turn.number else watch


def _press(watch: Watch, release: Compiled, before: State, event: events.DtmfPressed) -> Watch:
    keys = release.policy.policy.keys
    if takes_number(release, before):
        return _end_number(watch, before) if event.digit == "#" else watch
    if event.digit == "9":
        return replace(watch, opted_out=True)
    if keys is not None and event.digit == keys.person:
        return replace(watch, wants_person=True)
    if keys is not None and event.digit == keys.no:
        return replace(watch, asked=None)
    return _agree(watch, max(before.now_ms, event.at_ms)) if event.digit == "1" else watch


def _end_number(watch: Watch, before: State) -> Watch:
    """A nine that stayed alone is no number."""
    return replace(watch, opted_out=True) if before.turn.keyed == "9" else watch


def _fire(watch: Watch, release: Compiled, before: State, event: events.TimerFired) -> Watch:
    due = event.timer == "keypad" and before.timers.get("keypad") == event.due_ms
    return _end_number(watch, before) if due else watch


def _learn(watch: Watch, release: Compiled, before: State, event: events.FactLearned) -> Watch:
    if event.fact not in _TAKES or event.value is not True:
        return watch
    return replace(watch, opted_out=True) if event.fact == "opted_out" else replace(watch, stopped=True)


def _tighten(watch: Watch, release: Compiled, before: State, event: events.AuthorityTightened) -> Watch:
    return replace(watch, stage=min(watch.stage, event.stage, key=STAGES.index))


def _approve(watch: Watch, release: Compiled, before: State, event: events.OperatorApproved) -> Watch:
    """Each approval serves once; which action it is about may be left to the kernel where the arguments tell."""
    return replace(watch, approved=tuple(sorted((*watch.approved, f"{event.action}:{event.digest}"))))


def _hear_sentence(
    watch: Watch, release: Compiled, before: State, event: events.SentencePlayed | events.SpeechFaltered
) -> Watch:
    asked = watch.asked
    if asked is None or event.sentence not in asked.unheard:
        return watch
    if isinstance(event, events.SpeechFaltered) or not event.whole:
        return replace(watch, asked=None)
    unheard = tuple(item for item in asked.unheard if item != event.sentence)
    heard_ms = None if unheard else max(before.now_ms, event.at_ms)
    return replace(watch, asked=replace(asked, unheard=unheard, heard_ms=heard_ms))


def _hear_words(watch: Watch, release: Compiled, before: State, event: events.CallerSpoke) -> Watch:
    meaning = MEANINGS.get(event.text, "other" if event.words else "unclear")
    watch = replace(
        watch, opted_out=watch.opted_out or meaning == "stop", wants_person=watch.wants_person or meaning == "person"
    )
    if not event.words or event.turn != before.turn.number or not before.turn.open:
        return watch
    known = [word.permille for word in event.words if word.permille is not None]
    sure = min(known) if len(known) == len(event.words) and not event.suspect else 0
    said = Said(
        meaning=meaning, permille=sure, from_ms=min(word.from_ms for word in event.words),
        to_ms=max(word.to_ms for word in event.words),
    )  # fmt: skip
    return replace(watch, said=(*watch.said, said))


def _end_turn(watch: Watch, release: Compiled) -> Watch:
    """A turn settles the question that was heard; it is a yes where nothing else was said, surely and late enough.

    A filler beside the yes takes nothing back; words that were lost might.
    """
    asked, said = watch.asked, watch.said
    watch = replace(watch, said=())
    if asked is None or not said:
        return watch
    rules = release.policy.policy
    since = None if asked.heard_ms is None else asked.heard_ms - rules.questions.answer_tolerance_ms
    counting = [
        item
        for item in said
        if item.meaning == "yes" and since is not None and item.from_ms >= since
        and item.permille >= rules.hearing.decide.accept_permille
    ]  # fmt: skip
    if counting and all(item.meaning in ("yes", "filler") for item in said):
        return _agree(watch, max(item.to_ms for item in counting))
    if all(item.meaning == "moment" for item in said):
        return watch  # no answer yet
    return replace(watch, asked=None)


def _agree(watch: Watch, at_ms: int) -> Watch:
    asked = watch.asked
    if asked is None or asked.heard_ms is None:
        return watch
    others = tuple(item for item in watch.yeses if item.action != asked.action)
    yes = Yes(action=asked.action, digest=asked.digest, at_ms=at_ms)
    return replace(watch, asked=None, yeses=(*others, yes))


# Any: each handler takes its own event type; the table pairs them.
_HEARD: Final[dict[type, Callable[[Watch, Compiled, State, Any], Watch]]] = {
    events.CallerStartedSpeaking: _begin_turn, events.CallerSpoke: _hear_words, events.HearingFaltered: _lose_words,
    events.CallerTurnEnded: _end_any_turn, events.DtmfPressed: _press, events.SentencePlayed: _hear_sentence,
    events.SpeechFaltered: _hear_sentence, events.FactLearned: _learn, events.AuthorityTightened: _tighten,
    events.OperatorApproved: _approve, events.TimerFired: _fire,
}  # fmt: skip

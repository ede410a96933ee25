"""Stories: a call as lines of English with the time of each, for people who do not read events.

In: the moments of a driven call, or events with what the kernel made of them. Out: text, one line a thing that a
listener would notice or that the kernel decided. Called by diffs and by whatever prints a counterexample as a call.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model import event as events
from voicewarden.model.action import Arguments, Value, Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.model.directive import HangUp
from voicewarden.proofs.driven_call import SURE_PERMILLE, Moment

VERDICTS: Final[dict[Verdict, str]] = {
    "allow": "allowed", "confirm": "to be confirmed first", "escalate": "left to a person", "deny": "refused",
}  # fmt: skip
_ANSWERERS: Final = {
    "human": "a person", "voicemail": "a mailbox", "menu": "a menu", "screening": "a screening service",
    "unavailable": "an announcement", "fax": "a fax", "busy": "a busy line", "no_speech": "silence",
}  # fmt: skip
_LONG_MS: Final = 3_000
_MOST_QUOTED: Final = 3


def clock(ms: int) -> str:
    """A moment of the call, such as 01:04.2."""
    minutes, rest = divmod(max(0, ms), 60_000)
    return f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000 // 100}"


def tell(moments: Sequence[Moment]) -> list[str]:
    """The call in lines such as `00:09.2 the caller says "yes, book it"`."""
    return [
        f"{clock(at_ms)} {text}"
        for index, moment in enumerate(moments)
        if not (_is_cut(moment) and index and _is_cut(moments[index - 1]))
        for at_ms, text in told_moment(moment.before, moment.event, moment.taken)
    ]


def _is_cut(moment: Moment) -> bool:
    return isinstance(moment.event, events.SentencePlayed) and not moment.event.whole


def told_moment(before: State, event: events.Event, taken: Step) -> Iterator[tuple[int, str]]:
    """What is to be told of one event: when, and what; nothing where only the machinery moved."""
    at_ms = taken.state.now_ms
    for text in _told_event(before, event):
        began_ms = event.words[0].from_ms if isinstance(event, events.CallerSpoke) and event.words else at_ms
        yield began_ms, text
    for text in (*_learnt(before, taken.state), *_decided(taken.decisions)):
        yield at_ms, text
    for output in taken.outputs:
        if isinstance(output, HangUp):
            yield at_ms, f"the call is ended: {output.reason.replace('_', ' ')}"


def _told_event(before: State, event: events.Event) -> Iterator[str]:
    match event:
        case events.CallStarted():
            yield from _started(event)
        case events.CallAnswered():
            yield "it is answered"
        case events.CallerSpoke():
            yield _spoken(event)
        case events.CallerTurnEnded():
            yield from _turn_ended(before, event)
        case events.SentencePlayed():
            yield from _played(before, event)
        case events.DtmfPressed(digit=digit):
            yield f"the caller presses {digit}"
        case events.ToneHeard(tone=tone):
            yield f"a tone is heard: {tone}"
        case events.ActionRequested():
            who = event.principal or "somebody"
            yield f"{who} asks for {event.action}{_arguments(event.args)}"
        case events.ReceiptReturned(grant=grant, outcome=outcome):
            opened = before.grants.open.get(grant)
            yield f"{opened.grant.action if opened else 'an effect'} ends: {outcome}"
        case events.CountReserved(limit=limit, used=used):
            yield f"other calls have used {used} of {limit}"
        case events.FactLearned(fact=fact, value=value):
            yield f"a record says: {fact} is {shown(value)}"
        case events.OperatorApproved(action=action):
            yield f"an operator approves {action or 'these arguments'}"
        case events.AuthorityTightened(stage=stage):
            yield f"an operator lowers the stage to {stage}"
        case events.AuthorityRevoked():
            yield "an operator takes the right to act away"
        case events.CallsPaused():
            yield "an operator pauses all calls"
        case events.SentenceProposed(text=text):
            yield f'the model wants to say "{text}"'
        case events.TimerFired(timer=timer) if timer in ("answer", "silence", "answerer.no_speech"):
            yield "nobody says anything"
        case events.LeaseLost() | events.LedgerFaltered() | events.MediaEnded() | events.CallEnded():
            yield _TROUBLES[type(event)]
        case _:
            pass


_TROUBLES: Final[dict[type, str]] = {
    events.LeaseLost: "the worker loses its lease on the call", events.MediaEnded: "the sound ends",
    events.LedgerFaltered: "records can't be made durable", events.CallEnded: "the call is over",
}  # fmt: skip


def _started(event: events.CallStarted) -> Iterator[str]:
    yield f"the call starts ({event.direction}, agent {event.agent}, stage {event.stage})"
    if event.facts:
        yield "on record: " + ", ".join(f"{name} is {shown(value)}" for name, value in event.facts.items())


def _spoken(event: events.CallerSpoke) -> str:
    if not event.words:
        return "a noise without words was all that was heard"
    known = [word.permille for word in event.words if word.permille is not None]
    unsure = f" (heard with only {min(known)} of 1000)" if known and min(known) < SURE_PERMILLE else ""
    return f'the caller says "{event.text}"{unsure}'


def _turn_ended(before: State, event: events.CallerTurnEnded) -> Iterator[str]:
    last = max((word.to_ms for word in before.turn.words), default=event.at_ms)
    if before.turn.open and event.at_ms - last >= _LONG_MS:
        yield f"only now the caller's turn ends, {seconds(event.at_ms - last)} after these words"


def _played(before: State, event: events.SentencePlayed) -> Iterator[str]:
    queue = before.floor.queue
    sentence = next((item for item in queue if item.id == event.sentence), None)
    if sentence is not None and event.whole:
        yield f'the caller has heard "{sentence.text}"'
    elif sentence is not None:
        # What stands behind a sentence that is cut is cut with it.
        unheard = queue[queue.index(sentence) :]
        more = f" and {len(unheard) - _MOST_QUOTED} more" if len(unheard) > _MOST_QUOTED else ""
        quoted = ", ".join(f'"{item.text}"' for item in unheard[:_MOST_QUOTED])
        yield f"the agent falls silent; not heard: {quoted}{more}"


def _learnt(before: State, after: State) -> Iterator[str]:
    """Facts that the call itself has just established."""
    for name, fact in after.facts.items():
        known = before.facts.get(name)
        if (known is not None and known.value == fact.value) or not before.identity.call:
            continue
        if name == "answerer":
            yield f"who answered is taken for {_ANSWERERS.get(str(fact.value), str(fact.value))}"
        elif name == "message_ready" and fact.value is True:
            yield "the mailbox records"
        elif name == "opted_out" and fact.value is True:
            yield "the caller wants no more calls"
        elif name.startswith("consent.") and fact.value != "explicit":
            yield f"to {name.removeprefix('consent.')} that is no plain yes: {fact.value}"
        elif name == "asked_for_person" and fact.value is True:
            yield "the caller has asked for a person"


def _decided(decisions: Iterable[Decision]) -> Iterator[str]:
    for decision in decisions:
        if decision.action == "speak" or decision.request.startswith("escape:"):
            continue
        why = f": {because(decision)}" if decision.verdict in ("deny", "escalate") else ""
        yield f"{decision.action} is {VERDICTS[decision.verdict]}{why}"


def because(decision: Decision) -> str:
    """What decided against a request: of each rule that demanded this verdict what it needed and what was found."""
    against = [reason for reason in decision.reasons if reason.verdict == decision.verdict != "allow"]
    return "; ".join(_reason(reason) for reason in against)


def _reason(reason: Reason) -> str:
    """`answerer must be human, but was voicemail`; for several facts the demand as the policy words it."""
    if ", " in reason.fact:
        return f"it needs that {reason.needed}, but {reason.found}"
    for opening, demand in (("is ", "must be "), ("no older", "must be no older")):
        if reason.needed.startswith(opening):
            return f"{reason.fact} {demand}{reason.needed.removeprefix(opening)}, but was {reason.found}"
    return f"{reason.fact}: needed {reason.needed}, found {reason.found}"


def shown(value: Value) -> str:
    """A value as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def seconds(ms: int) -> str:
    """A length of time, such as 95 s or 0.8 s."""
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms / 1000:.3f}".rstrip("0").rstrip(".") + " s"


def _arguments(args: Arguments) -> str:
    return f" ({', '.join(f'{name} {shown(value)}' for name, value in args.items())})" if args else ""

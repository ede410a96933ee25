"""Plans: calls that could lead to a situation, as lists of moves, each from the first ring to the last request.

In: a release, an action and the context that is wanted. Out: plans, none of which is sure to succeed: `reach` plays
them and looks. Knows for each family of facts how a call comes by them; nothing else has to be complete or right.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import msgspec

from voicewarden.kernel.arguments import sample_arguments
from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Direction, Value
from voicewarden.policy.ast import ActionRule
from voicewarden.proofs.context import Context
from voicewarden.proofs.driven_call import SURE_PERMILLE, DrivenCall

Move = Callable[[DrivenCall], None]
Plan = tuple[Move, ...]

MOST_GRANTS: Final = 12
"""So many earlier grants of the same action a plan can begin with."""
_CUES: Final = {
    "voicemail": "Please leave a message after the tone.",
    "menu": "Please listen carefully as our menu options have changed.",
    "screening": "Please state your name and why you are calling.",
    "unavailable": "The number you have dialed is not in service.",
}
_TONES: Final = {"fax": "fax", "busy": "busy", "unavailable": "sit"}
_ANSWERS: Final = {
    "ambiguous": ("Maybe.",), "refused": ("No, thank you.",),
    # Taking a consent back, without wanting no calls any more: that would end the call.
    "revoked": ("I withdraw my yes.",),
    "conditional": ("Yes, if it is in the morning.",), "question": ("What does it cost?",),
    "other": ("The weather is nice today.",),
}  # fmt: skip
_PERSON: Final = "Can I talk to a person?"
_PLIGHTS: Final = {
    "minor": "I am only twelve years old.", "distress": "My husband just died.",
    "wrong_person": "You have the wrong number.",
}  # fmt: skip
_FROM_CALL: Final = ("consent.", "disclosed.", "done.", "counted.")
_OWN: Final = frozenset(
    ["answerer", "direction", "stage", "agent", "asked_for_person", "paused", "revoked", "recording",
     "recording_refused", "hearing_permille", "call_ms", "message_ready", *_PLIGHTS]
)  # fmt: skip


def is_on_record(fact: str) -> bool:
    """Whether a fact comes from a record and not from the call itself."""
    return fact not in _OWN and not fact.startswith(_FROM_CALL)


class Wanted(msgspec.Struct, frozen=True):
    """What a plan shall lead to: an action asked for in a context of which `looked_at` matters."""

    release: Compiled
    action: str
    context: Context
    looked_at: frozenset[str]
    recorded: dict[str, Value]
    """Facts that the call's start brings along."""

    @property
    def rule(self) -> ActionRule:
        """The action's rule under the policy that is shown."""
        return self.release.policy.policy.actions[self.action]

    @property
    def agent(self) -> str:
        """The role that speaks: the one that asks, if such an agent exists."""
        agents = self.release.data.agents
        candidates = (self.context.role, *self.rule.requested_by, *sorted(agents))
        return next((role for role in candidates if role in agents), self.context.role)

    @property
    def is_undisclosed(self) -> bool:
        """Some line that must be said shall not have been heard."""
        return any(name.startswith("disclosed.") and self.value(name) is not True for name in self.looked_at)

    def value(self, fact: str) -> Value | None:
        """The value that is wanted of a fact."""
        return self.context.facts.get(fact, (None, 0))[0]


def plans(wanted: Wanted) -> Iterator[Plan]:
    """All plans for a context, the simple ones first."""
    for opening in _openings(wanted):
        for wish in _wishes(wanted):
            for final in _finals(wanted):
                yield (*opening, *wish, *_earlier_grants(wanted), *final)


def _openings(wanted: Wanted) -> Iterator[Plan]:
    """From the first ring until the agent has said what shall have been heard."""
    directions: tuple[Direction, ...] = ("inbound", "outbound")
    for direction in directions:
        if wanted.value("direction") in (None, direction):
            start: Plan = (
                partial(
                    DrivenCall.start, direction=direction, agent=wanted.agent, stage=wanted.context.stage,
                    facts=wanted.recorded,
                ),
                *_reserved(wanted), *_approval(wanted),
            )  # fmt: skip
            for answered in _answered(wanted, direction):
                yield (*start, *answered)


def _answered(wanted: Wanted, direction: Direction) -> Iterator[Plan]:
    wish = str(wanted.value("answerer") or ("unknown" if "answerer" in wanted.looked_at else "human"))
    heard = _heard(wanted)
    greeting: Plan = () if direction == "inbound" else (partial(_say, text="Hello?"),)
    person: Plan = (DrivenCall.answer, *greeting, *heard)
    if wanted.action == "place_call" or wish == "unknown":
        yield ()
    if wish == "human":
        yield person
        return
    if direction == "inbound":
        return
    if wish == "unknown":
        yield (DrivenCall.answer,)
    if wish == "no_speech":
        yield (DrivenCall.answer, partial(DrivenCall.wait, ms=wanted.release.policy.policy.answerer.no_speech_ms))
    for cue in _cues(wish):
        ready: Plan = (partial(DrivenCall.tone, kind="beep"),) if wanted.value("message_ready") is True else ()
        yield (DrivenCall.answer, cue, *ready)
        yield (*person, cue, *ready)


def _cues(wish: str) -> Iterator[Move]:
    if wish in _CUES:
        yield partial(_say, text=_CUES[wish])
    if wish in _TONES:
        yield partial(DrivenCall.tone, kind=_TONES[wish])


def _heard(wanted: Wanted) -> Plan:
    """Play the opening as far as lines of it are wanted: they are said in the policy's order."""
    lines = wanted.release.policy.policy.speech.must_say
    names = [f"disclosed.{item.id}" for item in lines]
    if wanted.value("recording") is True:
        names = [name if item.before != "recording" else "recording" for name, item in zip(names, lines, strict=True)]
    last = max((index for index, name in enumerate(names, 1) if wanted.value(name) is True), default=0)
    return (partial(DrivenCall.play, most=last),) if last else ()


def _reserved(wanted: Wanted) -> Plan:
    """What other calls have used, of windows that the old policy counts as well."""
    counts = {name: value for name, (value, _) in wanted.context.facts.items() if name.startswith("counted.")}
    return tuple(
        partial(DrivenCall.reserve, limit=name.removeprefix("counted."), used=used)
        for name, used in counts.items() if type(used) is int
    )  # fmt: skip


def _wishes(wanted: Wanted) -> Iterator[Plan]:
    """What the caller says before, as far as a fact rests on it."""
    said: list[Move] = []
    if wanted.value("recording_refused") is True:
        said.append(partial(_say, text="Please do not record this."))
    said += [partial(_say, text=text) for fact, text in _PLIGHTS.items() if wanted.value(fact) is True]
    for name in sorted(wanted.looked_at):
        other = name.removeprefix("done.")
        if name.startswith("done.") and wanted.value(name) is True and other in wanted.release.policy.policy.actions:
            said += [*_perform(wanted, other, 0), partial(DrivenCall.receipt, action=other, outcome="done")]
    sure = wanted.value("hearing_permille")
    if sure is not None or "call_ms" in wanted.looked_at:
        said.append(DrivenCall.linger_as_timed)
        permille = sure if type(sure) is int else SURE_PERMILLE
        said.append(partial(_say, text="I would like that.", permille=permille))
    if wanted.value("asked_for_person") is True:
        yield (*said, partial(_say, text=_PERSON))
        yield (*said, partial(DrivenCall.interject, text=_PERSON))
    else:
        yield tuple(said)


def _earlier_grants(wanted: Wanted) -> Plan:
    found: list[Move] = []
    for count in range(min(wanted.context.minted, MOST_GRANTS)):
        if count and wanted.rule.cooldown_ms:
            found.append(partial(DrivenCall.linger, ms=wanted.rule.cooldown_ms))
        found += _perform(wanted, wanted.action, count)
    return tuple(found)


def _perform(wanted: Wanted, action: str, count: int) -> Plan:
    """Ask for an action, and have the caller agree where that is asked."""
    rule = wanted.release.policy.policy.actions[action]
    request = _request(wanted, rule, count)
    if not rule.question:
        return (request,)
    return (request, *_question_heard(wanted), DrivenCall.agree)


def _question_heard(wanted: Wanted) -> Plan:
    """The question alone is heard: a noise cuts the opening lines that stand before it, and only it is asked again."""
    return (DrivenCall.noise, DrivenCall.play) if wanted.is_undisclosed else (DrivenCall.play,)


def _request(wanted: Wanted, rule: ActionRule, count: int) -> Move:
    principal = wanted.context.role if rule.requested_by else wanted.agent
    return partial(DrivenCall.request, action=rule.name, args=sample_arguments(wanted.release.data, rule, count),
                   principal=principal)  # fmt: skip


def _approval(wanted: Wanted) -> Plan:
    if not wanted.context.approved:
        return ()
    args = sample_arguments(wanted.release.data, wanted.rule, wanted.context.minted)
    return (partial(DrivenCall.approve, action=wanted.action, args=args),)


def _finals(wanted: Wanted) -> Iterator[Plan]:
    """The request that is shown, with the answer of the caller that it needs."""
    request = _request(wanted, wanted.rule, wanted.context.minted)
    answer = wanted.value(f"consent.{wanted.action}")
    asked: Plan = (DrivenCall.linger_as_timed, request, *_question_heard(wanted))
    band = wanted.release.policy.policy.hearing.decide
    if answer is None:
        yield (DrivenCall.linger_as_timed, request)
    elif answer == "explicit":
        yield (*asked, DrivenCall.agree_as_timed)
        yield (*asked, partial(DrivenCall.press, digit="1"))
    elif answer == "none":
        yield (*asked, partial(DrivenCall.agree, permille=max(0, band.confirm_permille - 1)))
        yield (*asked, partial(DrivenCall.wait, ms=wanted.release.policy.policy.questions.answer_within_ms))
    elif answer == "ambiguous":
        yield (*asked, partial(DrivenCall.agree, permille=band.confirm_permille))
        yield (*asked, partial(_answer, texts=_ANSWERS["ambiguous"]))
    else:
        yield (*asked[1:], partial(_answer, texts=_ANSWERS[str(answer)]), DrivenCall.linger_as_timed, request)


def _say(call: DrivenCall, text: str, permille: int = SURE_PERMILLE) -> None:
    call.say(text, permille=permille)


def _answer(call: DrivenCall, texts: tuple[str, ...]) -> None:
    call.say(*texts)

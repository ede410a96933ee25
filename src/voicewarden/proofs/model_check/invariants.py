"""The promises that every step of every call must keep, each judged from outside.

In: what was known before, the event, what the step put out. Out: the names of promises that this step broke, and what
is known after it. Called by `search` on every transition and by the stateful tests on every event.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from voicewarden.kernel.draft import replace
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model import event as events
from voicewarden.model.action import EFFECTLESS, STAGES, Stage
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import (
    AnswerInference,
    ConsultModel,
    HangUp,
    Speak,
    SpendGrant,
    StartRecording,
    SwitchAgent,
)
from voicewarden.policy.ast import ActionRule, Condition
from voicewarden.policy.fact import Fact
from voicewarden.policy.generator import atoms
from voicewarden.policy.interpreter import holds
from voicewarden.proofs.model_check import noting
from voicewarden.proofs.model_check import watch as watching
from voicewarden.proofs.model_check.waiting import standing_faults
from voicewarden.proofs.model_check.watch import Live, Watch, Yes

INVARIANTS: Final[dict[str, str]] = {
    "allowed": "a grant is minted only behind a decision that allows exactly this request",
    "live": "an effect starts only with a live grant, under the authority that minted it",
    "once": "a grant is handed to its effector at most once",
    "lowered": "a grant that was not handed over when authority went down is never spent",
    "version": "whatever lowers authority makes every older grant void",
    "own_yes": "what needs a yes gets its own: to this action and these arguments, heard before, fresh, and used once",
    "stage": "nothing is granted above the stage; an operator's approval, where it needs one, serves once",
    "stopped": "after an opt-out, a pause, a revocation or a fault nothing is granted and nothing starts",
    "ended": "after the end of a call nothing is said, asked, started or spent",
    "goodbye": "while a call is ending only the goodbye or the safe line is said, and no model is asked",
    "one_end": "a call is hung up once",
    "alive": "while the line is open somebody speaks, something is under way, or a deadline runs",
    "question": "an open question is being said, or its answer is awaited with a deadline",
    "thinking": "a model that was asked and has not begun has a deadline, or the agent speaks",
    "ending": "a call that is ending has a deadline",
    "fault": "no event makes a handler fail",
}


class Moment(NamedTuple):
    """One step of a call with what it stands between."""

    release: Compiled
    watch: Watch
    before: State
    event: events.Event
    step: Step


class Judgement(NamedTuple):
    """Promises that a step broke, and what the onlooker knows after it."""

    broken: tuple[str, ...]
    watch: Watch


def judge(moment: Moment) -> Judgement:
    """Look at one step."""
    release, event, taken = moment.release, moment.event, moment.step
    outputs = taken.outputs
    broken = [] if _version_holds(moment) else ["version"]
    watch = watching.hear(moment.watch, release, moment.before, event)
    if outputs:
        watch = noting.note_request(watch, event, outputs)
        watch = noting.note_role(watch, outputs)
        watch, found = _authority_faults(moment, watch)
        watch = noting.note_question(watch, release, outputs, taken.state)
        broken += [*found, *_speech_faults(moment)]
    broken += standing_faults(taken.state)
    watch = noting.note_ended(watch, taken.state)
    return Judgement(tuple(dict.fromkeys(broken)) if broken else (), watch)


def _authority_faults(moment: Moment, watch: Watch) -> tuple[Watch, list[str]]:
    """Grants and what is spent, in the order in which the step put them out."""
    broken: list[str] = []
    decision: Decision | None = None
    for output in moment.step.outputs:
        if isinstance(output, Decision):
            decision = output
        elif isinstance(output, Grant) and not output.escape:
            broken += _mint_faults(moment, watch, decision, output)
            watch = _minted(moment, watch, output)
        elif isinstance(output, SpendGrant):
            broken += _spend_faults(moment, watch, output.grant)
            watch = replace(watch, live=tuple(_hand(item, output.grant) for item in watch.live))
    return watch, broken


def _hand(item: Live, grant: str) -> Live:
    return replace(item, handed=True) if item.grant == grant else item


def _minted(moment: Moment, watch: Watch, grant: Grant) -> Watch:
    """The grant is live, and the yes and the approval that it rests on are used up."""
    yeses = tuple(item for item in watch.yeses if item.action != grant.action)
    approved = list(watch.approved)
    rule = moment.release.policy.policy.actions.get(grant.action)
    needed = rule is not None and rule.stages.get(_stage(moment, watch)) == "approve"
    if needed and (key := noting.approval(watch, grant.action, grant.digest)):
        approved.remove(key)
    return replace(watch, yeses=yeses, approved=tuple(approved), live=(*watch.live, Live(grant=grant.id)))


def _version_holds(moment: Moment) -> bool:
    before, after = moment.before, moment.step.state
    was, is_now = before.facts.get("answerer"), after.facts.get("answerer")
    lowers = (
        watching.lowers(moment.watch, moment.release, before, moment.event)
        or any(isinstance(item, SwitchAgent) for item in moment.step.outputs)
        or (was is not None and was.value == "human" and (is_now is None or is_now.value != "human"))
    )
    return after.version > before.version if lowers else after.version >= before.version


def _mint_faults(moment: Moment, watch: Watch, decision: Decision | None, grant: Grant) -> Iterable[str]:
    after = moment.step.state
    allowed = (
        decision is not None
        and decision.verdict == "allow"
        and (decision.action, decision.digest) == (grant.action, grant.digest)
        and grant.version == after.version
    )
    if not allowed:
        yield "allowed"
    if watch.opted_out or watch.stopped or moment.before.identity.fault:
        yield "stopped"
    if after.identity.ended:
        yield "ended"
    rule = moment.release.policy.policy.actions.get(grant.action)
    if rule is None or not _stage_allows(moment, watch, rule, grant):
        yield "stage"
    if rule is not None and not _earned(moment, watch, rule, grant):
        yield "own_yes"


def _stage(moment: Moment, watch: Watch) -> Stage:
    """The stage of the call: no person's order makes it higher again."""
    return min(watch.stage, moment.step.state.identity.stage, key=STAGES.index)


def _stage_allows(moment: Moment, watch: Watch, rule: ActionRule, grant: Grant) -> bool:
    effect = rule.stages.get(_stage(moment, watch))
    return effect == "allow" or (effect == "approve" and bool(noting.approval(watch, rule.name, grant.digest)))


def _earned(moment: Moment, watch: Watch, rule: ActionRule, grant: Grant) -> bool:
    """Every requirement that looks at the consent holds: by the yes that the onlooker heard, or without any."""
    consent = f"consent.{rule.name}"
    given = next((item for item in watch.yeses if (item.action, item.digest) == (grant.action, grant.digest)), None)
    for item in rule.require:
        looked_at = any(atom.fact == consent for atom in atoms(item.condition))
        if looked_at and not _holds_for(moment, watch, item.condition, consent, grant, given):
            return False
    return True


def _holds_for(
    moment: Moment, watch: Watch, condition: Condition, consent: str, grant: Grant, given: Yes | None
) -> bool:
    state = moment.step.state
    facts = {name: fact for name, fact in state.facts.items() if name != consent}
    if given is not None:
        facts[consent] = Fact("explicit", given.at_ms, 0, given.digest)
    if not watch.wants_person:
        facts["asked_for_person"] = Fact(False, 0, 0)
    return holds(condition, facts, state.now_ms, consent, grant.digest)


def _spend_faults(moment: Moment, watch: Watch, grant: str) -> Iterable[str]:
    live = next((item for item in watch.live if item.grant == grant), None)
    opened = moment.step.state.grants.open.get(grant) or moment.before.grants.open.get(grant)
    if live is None or opened is None or opened.grant.version != moment.step.state.version:
        yield "live"
    if live is not None and live.handed:
        yield "once"
    if live is not None and live.lowered:
        yield "lowered"
    harmless = opened is not None and opened.grant.action in EFFECTLESS
    if (watch.opted_out or watch.stopped) and not harmless:
        yield "stopped"
    if moment.before.identity.ended:
        yield "ended"


def _speech_faults(moment: Moment) -> list[str]:
    identity, outputs = moment.before.identity, moment.step.outputs
    ends = sum(isinstance(item, HangUp) for item in outputs)
    broken = ["one_end"] if ends > (0 if identity.hung_up else 1) else []
    if not identity.ending and not identity.fault:  # whoever has ended is ending
        return broken
    acting = (Speak, ConsultModel, SpendGrant, StartRecording, HangUp, SwitchAgent)
    if identity.ended and any(isinstance(item, acting) or _gives_tokens(item) for item in outputs):
        broken.append("ended")
    if any(_goes_on(item) for item in outputs):
        broken.append("goodbye")
    return broken


def _gives_tokens(output: object) -> bool:
    return isinstance(output, AnswerInference) and output.tokens > 0


def _goes_on(output: object) -> bool:
    if isinstance(output, Speak):
        return output.purpose not in ("goodbye", "safe")
    return isinstance(output, ConsultModel | SwitchAgent) or _gives_tokens(output)

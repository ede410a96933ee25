"""The tree of a policy: a checked document comes in, a `policy.ast.Policy` goes out; called by `policy_reader`.

Two actions are made here and not written in files: `place_call` follows from `contact`, and `end_call` is always there.
Rules are numbered from 1, as in `book.require.4`.
"""

from typing import Final

import msgspec

from voicewarden.config.fact_type import SUPPLIED_FACTS, declared_type
from voicewarden.config.policy_actions import ActionEntry, ConditionEntry, RuleEntry
from voicewarden.config.policy_blocks import BandEntry, ContactEntry, KeysEntry, SilenceEntry
from voicewarden.config.policy_document import PolicyDocument
from voicewarden.model.action import EFFECTLESS, STAGES, StageEffect
from voicewarden.policy.ast import (
    ActionRule,
    All,
    AnswererRules,
    AnyOf,
    Argument,
    Atom,
    Band,
    Budget,
    CallLength,
    Condition,
    Contact,
    Hearing,
    Keys,
    Limit,
    MustSay,
    Oversight,
    Policy,
    Questions,
    Rule,
    Silence,
    SilenceStep,
    Speech,
    Window,
)
from voicewarden.policy.vocabulary import CONSENT_LEVELS

_VERDICTS: Final = ("voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech")
_ALWAYS: Final[dict[str, StageEffect]] = dict.fromkeys(STAGES, "allow")


def to_policy(document: PolicyDocument) -> Policy:
    """Build the tree of a document that has passed all checks."""
    owner = document.owner or document.oversight.owner or ""
    actions = {
        name: _with_roles(document, _action(name, entry, owner), owner) for name, entry in document.actions.items()
    }
    actions["place_call"] = _place_call(document.contact, document.contact.owner or owner)
    if "end_call" not in actions:
        why = "Stopping is never denied."
        actions["end_call"] = ActionRule(name="end_call", owner=owner, why=why, stages=_ALWAYS)
    declared = {**SUPPLIED_FACTS, **{name: declared_type(entry) for name, entry in document.facts.items()}}
    return Policy(
        name=document.policy,
        owner=owner,
        about=document.about,
        facts={name: fact for name, fact in declared.items() if fact is not None},
        hearing=_hearing(document),
        answerer=_answerer(document),
        silence=_silence(document.silence),
        call=CallLength(longest_ms=document.call.longest_ms, warn_before_ms=document.call.warn_before_ms),
        budget=_budget(document),
        questions=_questions(document),
        speech=_speech(document),
        contact=_contact(document.contact),
        oversight=_oversight(document, owner),
        actions=actions,
        keys=None if document.keys is None else _keys(document.keys),
    )


def _silence(entry: SilenceEntry) -> Silence:
    return Silence(
        ladder=tuple(SilenceStep(after_ms=step.after_ms, do=step.do) for step in entry.ladder),
        backstop_ms=entry.backstop_ms,
        hold_ms=entry.hold_ms or 0,
        filler_ms=entry.filler_ms or 0,
        times_per_call=entry.times_per_call or 0,
    )


def _keys(entry: KeysEntry) -> Keys:
    return Keys(no=entry.no or "", person=entry.person or "", entry_pause_ms=entry.entry_pause_ms or 0)


def _band(entry: BandEntry) -> Band:
    return Band(accept_permille=entry.accept_permille, confirm_permille=entry.confirm_permille)


def _hearing(document: PolicyDocument) -> Hearing:
    entry = document.hearing
    return Hearing(
        transcriber=entry.transcriber,
        end_of_turn_ms=entry.end_of_turn_ms,
        end_of_turn_spelling_ms=entry.end_of_turn_spelling_ms,
        decide=_band(entry.bands.decide),
        content=_band(entry.bands.content),
        digits=_band(entry.bands.digits) if entry.bands.digits else None,
        names=_band(entry.bands.names) if entry.bands.names else None,
    )


def _answerer(document: PolicyDocument) -> AnswererRules:
    """What a file leaves out under `when` ends the call, the restrained choice."""
    entry = document.answerer
    when = dict.fromkeys(_VERDICTS, "end_call") | {str(verdict): then for verdict, then in entry.when.items()}
    return AnswererRules(
        no_speech_ms=entry.no_speech_ms, decide_by_ms=entry.decide_by_ms, default=entry.default, when=when
    )


def _budget(document: PolicyDocument) -> Budget:
    entry = document.budget
    return Budget(
        per_turn_tokens=entry.per_turn_tokens,
        per_call_tokens=entry.per_call_tokens,
        tool_calls_per_turn=entry.tool_calls_per_turn,
    )


def _questions(document: PolicyDocument) -> Questions:
    entry = document.questions
    return Questions(
        answer_within_ms=entry.answer_within_ms,
        answer_tolerance_ms=entry.answer_tolerance_ms,
        times_per_arguments=entry.times_per_arguments,
        times_per_action=entry.times_per_action,
    )


def _speech(document: PolicyDocument) -> Speech:
    lines = [
        MustSay(id=entry.id, line=entry.line, within_ms=entry.within_ms, before=entry.before or "")
        for entry in document.speech.must_say
    ]
    return Speech(must_say=tuple(lines), refuse=tuple(document.speech.refuse))


def _contact(entry: ContactEntry) -> Contact:
    windows = tuple(Window(at_most=window.at_most, in_s=window.in_s) for window in entry.per_person)
    return Contact(consent_level=entry.consent_level, jurisdictions=entry.jurisdictions or "", per_person=windows)


def _oversight(document: PolicyDocument, owner: str) -> Oversight:
    entry = document.oversight
    return Oversight(
        owner=entry.owner or owner,
        review_days=entry.review_days,
        contact=entry.contact,
        pause_finishes_calls=entry.pause_finishes_calls,
    )


def _action(name: str, entry: ActionEntry, around: str) -> ActionRule:
    owner = entry.owner or around
    args = [
        Argument(name=arg, kind=given.type, source=given.source or "", optional=given.optional)
        for arg, given in entry.args.items()
    ]
    limits = [
        Limit(
            id=f"{name}.limits.{number}",
            at_most=limit.at_most,
            per=limit.per,
            in_s=limit.in_s or 0,
            shadow=limit.shadow,
            otherwise=limit.otherwise,
            why=limit.why,
            owner=limit.owner or owner,
        )
        for number, limit in enumerate(entry.limits, 1)
    ]
    return ActionRule(
        name=name,
        owner=owner,
        why=entry.why,
        args=tuple(args),
        requested_by=tuple(entry.requested_by),
        stages=_ALWAYS if name == "end_call" else {str(stage): effect for stage, effect in entry.stages.items()},
        effect=entry.effect and name not in EFFECTLESS,
        read_back=tuple(entry.read_back),
        question=entry.question or "",
        expires_ms=entry.expires_ms,
        cooldown_ms=entry.cooldown_ms,
        require=tuple(_rule(f"{name}.require.{number}", rule, owner) for number, rule in enumerate(entry.require, 1)),
        limits=tuple(limits),
    )


def _with_roles(document: PolicyDocument, action: ActionRule, around: str) -> ActionRule:
    """The action with what single roles need beside it: a rule that holds for every other role by itself."""
    added: list[Rule] = []
    for role, entry in sorted(document.roles.items()):
        rules = entry.actions[action.name].require if action.name in entry.actions else []
        others = Atom(fact="agent", not_in=(role,))
        for number, given in enumerate(rules, 1):
            rule = _rule(f"{action.name}.roles.{role}.{number}", given, entry.owner or around)
            added.append(msgspec.structs.replace(rule, condition=AnyOf(items=(others, rule.condition))))
    return msgspec.structs.replace(action, require=(*action.require, *added)) if added else action


def _rule(rule_id: str, entry: RuleEntry, owner: str) -> Rule:
    return Rule(
        id=rule_id,
        condition=_condition(entry),
        otherwise=entry.otherwise,
        offer=entry.offer,
        shadow=entry.shadow,
        why=entry.why,
        owner=entry.owner or owner,
    )


def _condition(entry: ConditionEntry) -> Condition:
    if entry.any is not None:
        return AnyOf(items=tuple(_condition(item) for item in entry.any))
    if entry.all is not None:
        return All(items=tuple(_condition(item) for item in entry.all))
    return Atom(
        fact=entry.fact or "",
        is_=entry.is_,
        in_=None if entry.in_ is None else tuple(entry.in_),
        at_least=entry.at_least,
        at_most=entry.at_most,
        between=None if entry.between is None else (entry.between[0], entry.between[1]),
        within_ms=entry.within_ms,
        known=entry.known,
    )


def _place_call(contact: ContactEntry, owner: str) -> ActionRule:
    levels = CONSENT_LEVELS[CONSENT_LEVELS.index(contact.consent_level) :]
    conditions = [
        (Atom(fact="opted_out", is_=False), "Who said no is not called again."),
        (Atom(fact="paused", is_=False), "While calls are paused nobody is called."),
        (Atom(fact="contact.consent", in_=levels), contact.why),
    ]
    for window in contact.per_person:
        attempts = Atom(fact=f"contact.attempts_{window.in_s}", at_most=window.at_most - 1)
        conditions.append((attempts, contact.why))
    rules = [
        Rule(id=f"place_call.require.{number}", condition=condition, otherwise="deny", why=why, owner=owner)
        for number, (condition, why) in enumerate(conditions, 1)
    ]
    stages: dict[str, StageEffect] = {**_ALWAYS, "observe": "log"}
    return ActionRule(name="place_call", owner=owner, why=contact.why, stages=stages, require=tuple(rules))

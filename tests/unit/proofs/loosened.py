"""Every systematic way to loosen one requirement of an action: what a difference of policies must catch."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from voicewarden.model.action import STAGES, StageEffect, Verdict
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Policy, Rule
from voicewarden.policy.vocabulary import fact_type
from voicewarden.proofs.context import STOPPERS

_replace = msgspec.structs.replace
_MILDER: dict[Verdict, Verdict] = {"deny": "escalate", "escalate": "confirm"}
_EFFECTS: tuple[StageEffect, ...] = ("log", "approve", "allow")


def with_action(policy: Policy, name: str, **changes: object) -> Policy:
    """The policy with parts of one action replaced."""
    return _replace(policy, actions={**policy.actions, name: _replace(policy.actions[name], **changes)})


def loosened(policy: Policy, name: str) -> Iterator[tuple[str, Policy]]:
    """All versions in which one requirement of the action is looser, each with a word for what was done."""
    rule = policy.actions[name]
    for index in range(len(rule.require)):
        for what, changed in _rules(policy, rule, index):
            require = (*rule.require[:index], *changed, *rule.require[index + 1 :])
            yield f"{rule.require[index].id} {what}", with_action(policy, name, require=require)
    yield from _limits(policy, rule)
    yield from _stages(policy, rule)
    if rule.requested_by:
        yield "a role is added", with_action(policy, name, requested_by=(*rule.requested_by, _other_role(rule)))
        yield "any role", with_action(policy, name, requested_by=())
    if rule.cooldown_ms:
        yield "cool-down halved", with_action(policy, name, cooldown_ms=rule.cooldown_ms // 2)
        yield "no cool-down", with_action(policy, name, cooldown_ms=0)


def _rules(policy: Policy, action: ActionRule, index: int) -> Iterator[tuple[str, tuple[Rule, ...]]]:
    rule = action.require[index]
    yield "dropped", ()
    yield "made a shadow", (_replace(rule, shadow=True),)
    if rule.otherwise in _MILDER:
        milder = _MILDER[rule.otherwise]
        yield f"else {milder}", (_replace(rule, otherwise=milder),)
    for what, condition in conditions(policy, rule.condition):
        yield what, (_replace(rule, condition=condition),)


def conditions(policy: Policy, condition: Condition) -> Iterator[tuple[str, Condition]]:
    """Looser versions of one condition."""
    match condition:
        case Atom():
            yield from _atoms(policy, condition)
        case All(items=items):
            for index, item in enumerate(items):
                yield f"without part {index}", All(items=(*items[:index], *items[index + 1 :]))
                for what, looser in conditions(policy, item):
                    yield what, All(items=(*items[:index], looser, *items[index + 1 :]))
        case AnyOf(items=items):
            yield "with another way", AnyOf(items=(*items, Atom(fact="direction", is_="outbound")))
            for index, item in enumerate(items):
                for what, looser in conditions(policy, item):
                    yield what, AnyOf(items=(*items[:index], looser, *items[index + 1 :]))


def _atoms(policy: Policy, atom: Atom) -> Iterator[tuple[str, Condition]]:
    if atom.within_ms is not None:
        yield "older by 5 s", _replace(atom, within_ms=atom.within_ms + 5_000)
        yield "of any age", _replace(atom, within_ms=None)
    if atom.at_least is not None:
        yield "lower by one", _replace(atom, at_least=atom.at_least - 1)
    if atom.at_most is not None:
        yield "higher by one", _replace(atom, at_most=atom.at_most + 1)
    if atom.between is not None:
        yield "wider by one", _replace(atom, between=(atom.between[0] - 1, atom.between[1]))
    kind = fact_type(atom.fact, policy.facts)
    accepted = atom.in_ if atom.in_ is not None else (atom.is_,) if atom.is_ is not None else ()
    if kind is not None and accepted and kind.kind == "enum":
        for value in kind.values:
            if value not in accepted:
                yield f"or {value}", _replace(atom, is_=None, in_=(*accepted, value))
    if accepted and kind is not None and kind.kind == "bool" and atom.fact not in STOPPERS:
        yield "or known", _replace(atom, is_=None, in_=None, known=True)


def _limits(policy: Policy, rule: ActionRule) -> Iterator[tuple[str, Policy]]:
    for index, limit in enumerate(rule.limits):
        before, after = rule.limits[:index], rule.limits[index + 1 :]
        yield f"{limit.id} dropped", with_action(policy, rule.name, limits=(*before, *after))
        more = _replace(limit, at_most=limit.at_most + 1)
        yield f"{limit.id} raised by one", with_action(policy, rule.name, limits=(*before, more, *after))
        if limit.otherwise == "deny":
            milder = _replace(limit, otherwise="escalate")
            yield f"{limit.id} else escalate", with_action(policy, rule.name, limits=(*before, milder, *after))


def _stages(policy: Policy, rule: ActionRule) -> Iterator[tuple[str, Policy]]:
    for stage in STAGES:
        effect = rule.stages.get(stage, "log")
        for low, high in pairwise(_EFFECTS):
            if effect == low:
                stages = {**rule.stages, stage: high}
                yield f"stage {stage} {high}", with_action(policy, rule.name, stages=stages)


def _other_role(rule: ActionRule) -> str:
    return next((role for role in ("transfer", "closing", "booking") if role not in rule.requested_by), "visitor")

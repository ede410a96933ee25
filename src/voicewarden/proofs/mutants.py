"""Mutants: a policy with one small mistake in it, of every systematic kind.

In: a policy. Out: for each of its actions the versions with one thing changed: a threshold by one, a comparator
flipped, a value exchanged, added or left out, an operator left out, `any` for `all`, an item or a rule left out,
another `else`, a limit by one or of another scope, a stage, a role, a cool-down, a shadow. Called by `survivors`.
"""

from collections.abc import Iterator
from typing import Final, get_args

import msgspec

from voicewarden.model.action import STAGES, Value, Verdict
from voicewarden.policy.ast import ActionRule, Atom, Condition, Limit, LimitScope, Policy, Rule
from voicewarden.proofs.cases import ANOTHER_ROLE
from voicewarden.proofs.context import NEVER_DENIED
from voicewarden.proofs.points import OPERATORS, Points
from voicewarden.proofs.tree import nodes, replaced, swapped, without_item

_VERDICTS: Final[tuple[Verdict, ...]] = ("confirm", "escalate", "deny")


class Mutant(msgspec.Struct, frozen=True):
    """One action with one thing changed."""

    action: str
    item: str
    """Id of the rule or limit that was changed; empty for what stands around them."""
    kind: str
    what: str
    rule: ActionRule

    def applied(self, policy: Policy) -> Policy:
        """The policy with this action alone, changed: what other actions do is not touched."""
        return msgspec.structs.replace(policy, actions={self.action: self.rule})


def mutants_of(policy: Policy) -> Iterator[Mutant]:
    """Every mutant of every action that the policy decides, in order."""
    for action, rule in policy.actions.items():
        if action in NEVER_DENIED:
            continue
        points = Points(policy, action)
        for index, item in enumerate(rule.require):
            for kind, what, changed in _rules(item, points):
                yield _with_rule(rule, index, item.id, kind, what, changed)
        for index, limit in enumerate(rule.limits):
            for kind, what, other in _limits(limit):
                yield _with_limit(rule, index, limit.id, kind, what, other)
        yield from _around(policy, rule)


def _with_rule(
    rule: ActionRule, index: int, item: str, kind: str, what: str, changed: tuple[Rule, ...]
) -> Mutant:
    require = (*rule.require[:index], *changed, *rule.require[index + 1 :])
    return Mutant(rule.name, item, kind, f"{item}: {what}", msgspec.structs.replace(rule, require=require))


def _with_limit(
    rule: ActionRule, index: int, item: str, kind: str, what: str, changed: tuple[Limit, ...]
) -> Mutant:
    limits = (*rule.limits[:index], *changed, *rule.limits[index + 1 :])
    return Mutant(rule.name, item, kind, f"{item}: {what}", msgspec.structs.replace(rule, limits=limits))


def _rules(rule: Rule, points: Points) -> Iterator[tuple[str, str, tuple[Rule, ...]]]:
    yield "rule deleted", "deleted", ()
    for verdict in _VERDICTS:
        if verdict != rule.otherwise:
            what = f"else {rule.otherwise} -> {verdict}"
            yield "else", what, (msgspec.structs.replace(rule, otherwise=verdict),)
    yield "shadow", f"shadow {not rule.shadow}", (msgspec.structs.replace(rule, shadow=not rule.shadow),)
    for path, node in nodes(rule.condition):
        for kind, what, other in _nodes(node, points):
            changed = msgspec.structs.replace(rule, condition=replaced(rule.condition, path, other))
            yield kind, what, (changed,)


def _nodes(node: Condition, points: Points) -> Iterator[tuple[str, str, Condition]]:
    if isinstance(node, Atom):
        for kind, what, changes in _atoms(node, points):
            yield kind, f"{node.fact}: {what}", msgspec.structs.replace(node, **changes)
        return
    yield "any<->all", "any <-> all", swapped(node)
    for index in range(len(node.items)):
        yield "item dropped", f"item {index + 1} dropped", without_item(node, index)


def _atoms(atom: Atom, points: Points) -> Iterator[tuple[str, str, dict[str, object]]]:
    for operator in OPERATORS:
        if getattr(atom, operator) is not None:
            yield "operator dropped", f"{operator} dropped", {operator: None}
    yield from _values(atom, points)
    for operator in ("at_least", "at_most", "within_ms"):
        edge = getattr(atom, operator)
        if edge is not None:
            kind = "within" if operator == "within_ms" else "threshold"
            for step in (-1, 1):
                yield kind, f"{operator} {edge} -> {edge + step}", {operator: edge + step}
    for one, other in (("at_least", "at_most"), ("at_most", "at_least")):
        if getattr(atom, one) is not None and getattr(atom, other) is None:
            yield "comparator", f"{one} -> {other}", {one: None, other: getattr(atom, one)}
    if atom.between is not None:
        low, high = atom.between
        for between in ((low - 1, high), (low + 1, high), (low, high - 1), (low, high + 1)):
            yield "threshold", f"between {low}..{high} -> {between[0]}..{between[1]}", {"between": between}
    if atom.known is not None:
        yield "known", f"known {atom.known} -> {not atom.known}", {"known": not atom.known}


def _values(atom: Atom, points: Points) -> Iterator[tuple[str, str, dict[str, object]]]:
    values = _alternatives(atom, points)
    if atom.is_ is not None:
        for value in values:
            if value != atom.is_:
                yield "is", f"is {atom.is_} -> {value}", {"is_": value}
                yield "value added", f"is {atom.is_} or {value}", {"is_": None, "in_": (atom.is_, value)}
    if atom.in_ is not None:
        for value in atom.in_:
            rest = tuple(other for other in atom.in_ if other != value)
            yield "value removed", f"in without {value}", {"in_": rest}
        for value in values:
            if value not in atom.in_:
                yield "value added", f"in with {value}", {"in_": (*atom.in_, value)}


def _alternatives(atom: Atom, points: Points) -> tuple[Value, ...]:
    domain = points.domain(atom.fact)
    if domain.kind != "int":
        return points.values(atom.fact)
    numbers = [value for value in (atom.is_, *(atom.in_ or ())) if type(value) is int]
    return tuple(dict.fromkeys(number + step for number in numbers for step in (-1, 1)))


def _limits(limit: Limit) -> Iterator[tuple[str, str, tuple[Limit, ...]]]:
    yield "limit deleted", "deleted", ()
    for step in (-1, 1):
        if limit.at_most + step >= 0:
            what = f"at_most {limit.at_most} -> {limit.at_most + step}"
            yield "limit", what, (msgspec.structs.replace(limit, at_most=limit.at_most + step),)
    for verdict in _VERDICTS:
        if verdict != limit.otherwise:
            what = f"else {limit.otherwise} -> {verdict}"
            yield "else", what, (msgspec.structs.replace(limit, otherwise=verdict),)
    yield "shadow", f"shadow {not limit.shadow}", (msgspec.structs.replace(limit, shadow=not limit.shadow),)
    for scope in get_args(LimitScope):
        if scope != limit.per:
            window = 0 if scope == "call" else limit.in_s or 86_400
            yield "scope", f"per {limit.per} -> {scope}", (msgspec.structs.replace(limit, per=scope, in_s=window),)
    for step in (-1, 1) if limit.per != "call" else ():
        what = f"in_s {limit.in_s} -> {limit.in_s + step}"
        yield "window", what, (msgspec.structs.replace(limit, in_s=limit.in_s + step),)


def _around(policy: Policy, rule: ActionRule) -> Iterator[Mutant]:
    for stage in STAGES:
        for effect in ("log", "approve", "allow", None):
            if effect == rule.stages.get(stage):
                continue
            stages = {name: kept for name, kept in rule.stages.items() if name != stage}
            changed = stages if effect is None else {**stages, stage: effect}
            what = f"{stage} {rule.stages.get(stage)} -> {effect}"
            yield _changed(rule, "stage", what, stages=changed)
    roles = {role for other in policy.actions.values() for role in other.requested_by} | {ANOTHER_ROLE}
    for role in rule.requested_by:
        yield _changed(rule, "role", f"role {role} dropped", requested_by=tuple(sorted({*rule.requested_by} - {role})))
    for role in sorted(roles - set(rule.requested_by)):
        yield _changed(rule, "role", f"role {role} added", requested_by=(*rule.requested_by, role))
    for step in (-1, 1):
        if rule.cooldown_ms + step >= 0:
            what = f"cool-down {rule.cooldown_ms} -> {rule.cooldown_ms + step}"
            yield _changed(rule, "cool-down", what, cooldown_ms=rule.cooldown_ms + step)


def _changed(rule: ActionRule, kind: str, what: str, **changes: object) -> Mutant:
    return Mutant(rule.name, "", kind, f"{rule.name}: {what}", msgspec.structs.replace(rule, **changes))

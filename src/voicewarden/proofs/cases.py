"""Cases at the boundaries: the smallest situations that show what every part of a policy does.

In: a policy. Out: cases, generated from its tree: each operator of each atom alone decides its rule, at every value and
age where it can change its mind; each item of `any` and `all` alone; each rule alone unmet; counts, stages, roles and
cool-downs at their edges; answers to other arguments; values of the wrong type. This is MC/DC (DO-178C) over the
rules' trees with boundary values at the leaves. Called by `mutants`, `agreement` and `voicewarden policy cases`.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec

from voicewarden.model.action import STAGES, Value
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.proofs.case import Case, Row, context_of, observe, row_of
from voicewarden.proofs.context import NEVER_DENIED, STOPPERS, Context
from voicewarden.proofs.points import NOW_MS, OPERATORS, Point
from voicewarden.proofs.search import BUDGET, COUNT, Found, Pin, Search
from voicewarden.proofs.tree import nodes, replaced, swapped, without_item

MET: Condition = All(items=())
UNMET: Condition = AnyOf(items=())
ANOTHER_ROLE: Final = "another"


class _Seen(NamedTuple):
    about: str
    found: Found


def cases_of(policy: Policy) -> tuple[Case, ...]:
    """The boundary cases of all actions, in the policy's order, each situation once."""
    return tuple(case for action in policy.actions for case in cases_for(policy, action))


def rows_of(policy: CompiledPolicy) -> tuple[Row, ...]:
    """The boundary cases with what the policy says in them."""
    return tuple(row_of(case, observe(policy, case)) for case in cases_of(policy.policy))


def cases_for(policy: Policy, action: str, *, budget: int = BUDGET) -> tuple[Case, ...]:
    """The boundary cases of one action; `budget` counts the points that the search for one may try."""
    if action in NEVER_DENIED:
        return (Case(action=action, about="never denied", context=Context(facts={})),)
    search = Search(policy, action, budget=budget)
    rule = policy.actions[action]
    made = [*_around(policy, rule, search), *_inside(rule, search)]
    unique: dict[bytes, Case] = {}
    for case in made:
        unique.setdefault(msgspec.json.encode((case.context, case.other_arguments), order="sorted"), case)
    return tuple(unique.values())


def _inside(rule: ActionRule, search: Search) -> Iterator[Case]:
    for item in rule.require:
        for about, found in _of_rule(item, search):
            yield _case(rule, about, found)
    for limit in rule.limits:
        for about, found in _of_limit(limit, search):
            yield _case(rule, about, found)


def _of_rule(rule: Rule, search: Search) -> Iterator[_Seen]:
    for value, wanted in ((UNMET, "met"), (MET, "not met")):
        yield from _seen(f"{rule.id} is {wanted}", search.differing(rule.condition, value, of=rule))
    for path, node in nodes(rule.condition):
        met, unmet = replaced(rule.condition, path, MET), replaced(rule.condition, path, UNMET)
        if isinstance(node, Atom):
            yield from _of_atom(rule, path, node, search)
            unknown: dict[str, Pin] = {node.fact: lambda point: point is None}
            yield from _seen(f"{rule.id}: {node.fact} is not known", search.differing(met, unmet, unknown, of=rule))
            continue
        where = f"{rule.id}, {'all' if isinstance(node, All) else 'any'} at {_place(path)}"
        yield from _seen(f"{where} decides, met", search.differing(rule.condition, unmet, of=rule))
        yield from _seen(f"{where} decides, not met", search.differing(rule.condition, met, of=rule))
        other = replaced(rule.condition, path, swapped(node))
        yield from _seen(f"{where}: some items only", search.differing(rule.condition, other, of=rule))
        for index in range(len(node.items)):
            other = replaced(rule.condition, path, without_item(node, index))
            yield from _seen(f"{where}: item {index + 1} alone", search.differing(rule.condition, other, of=rule))


def _of_atom(rule: Rule, path: tuple[int, ...], atom: Atom, search: Search) -> Iterator[_Seen]:
    """Each operator decides alone, at every value or age of its fact."""
    never = replaced(rule.condition, path, UNMET)
    # An atom without `known` still asks that its fact is known.
    for operator in dict.fromkeys((*(name for name in OPERATORS if getattr(atom, name) is not None), "known")):
        rest = msgspec.structs.replace(atom, **{operator: None})
        always = replaced(rule.condition, path, rest)
        for label, pin in _pins(atom.fact, operator, search):
            found = search.differing(always, never, {atom.fact: pin}, of=rule)
            yield from _seen(f"{rule.id}: {atom.fact} {label}", found)


def _pins(fact: str, operator: str, search: Search) -> Iterator[tuple[str, Pin]]:
    if operator == "within_ms":
        for age_ms in search.points.ages(fact):
            yield f"is {age_ms} ms old", partial(_has_age, age_ms)
        return
    for value in search.points.values(fact):
        yield f"is {_spoken(value)}", partial(_has_value, value)


def _has_age(age_ms: int, point: Point) -> bool:
    return point is not None and NOW_MS - point.at_ms == age_ms


def _has_value(value: Value, point: Point) -> bool:
    return point is not None and point.value == value


def _of_limit(limit: Limit, search: Search) -> Iterator[_Seen]:
    if limit.per == "call":
        for minted in sorted({max(limit.at_most + step, 0) for step in (-1, 0, 1)}):
            found = search.find([], _counts(minted), of=limit)
            yield from _seen(f"{limit.id}: granted {minted} times in this call", found)
        return
    for minted in (0, 1):
        pins = _counts(minted)
        unknown: dict[str, Pin] = {limit.counted: lambda point: point is None}
        yield from _seen(f"{limit.id}: nobody knows the count", search.find([], pins | unknown, of=limit))
        for step in (-1, 0, 1):
            others = limit.at_most - minted + step
            exactly: dict[str, Pin] = {limit.counted: partial(_has_value, others)}
            found = search.find([], pins | exactly, of=limit)
            yield from _seen(f"{limit.id}: {others} in other calls, {minted} in this one", found)


def _counts(minted: int) -> dict[str, Pin]:
    return {COUNT: partial(_has_value, minted)}


def _around(policy: Policy, rule: ActionRule, search: Search) -> Iterator[Case]:
    """What stands around the rules: stages, roles, cool-down, what stops all, other arguments, wrong types."""
    base = _case(rule, "as much as possible is met", search.mildest())
    yield base
    for stage in STAGES:
        for approved in (False, True):
            about = f"stage {stage}, {'approved' if approved else 'not approved'}"
            yield _but(base, about, stage=stage, approved=approved)
    for name in STOPPERS:
        for value in (True, False):
            yield _but(base, f"{name} is {_spoken(value)}", facts={**base.context.facts, name: (value, 0)})
    if f"consent.{rule.name}" in base.context.facts:
        yield msgspec.structs.replace(base, about="the answer belongs to other arguments", other_arguments=True)
    yield from _wrong_types(base)
    found = search.not_denied(stage_allows=bool({"allow", "approve"} & set(rule.stages.values())))
    if found is not None:
        base = _case(rule, "not denied", found)
    for name in sorted({role for other in policy.actions.values() for role in other.requested_by} | {ANOTHER_ROLE}):
        yield _but(base, f"asked by {name}", role=name)
    for since_ms in sorted({max(rule.cooldown_ms + step, 0) for step in (-1, 0, 1)} | {0}):
        yield _but(base, f"last granted {since_ms} ms ago", since_last_ms=since_ms)


def _wrong_types(base: Case) -> Iterator[Case]:
    """A flag where a number or a word is wanted, and the other way round: equal in Python, not equal here."""
    for name, (value, age_ms) in base.context.facts.items():
        trap: Value = int(value) if isinstance(value, bool) else True
        facts = {**base.context.facts, name: (trap, age_ms)}
        trapped = _but(base, f"{name} is {trap!r}, a value of the wrong type", facts=facts)
        yield msgspec.structs.replace(trapped, typed=False)


def _but(base: Case, about: str, **changes: object) -> Case:
    return msgspec.structs.replace(base, about=about, context=msgspec.structs.replace(base.context, **changes))


def _case(rule: ActionRule, about: str, found: Found) -> Case:
    """A situation in the most open stage, with approval, asked by a role that may."""
    role = rule.requested_by[0] if rule.requested_by else ""
    stages = [stage for effect in ("approve", "allow") for stage in STAGES if rule.stages.get(stage) == effect]
    stage = stages[-1] if stages else "bounded"
    around = {"role": role, "stage": stage, "approved": True}
    context = msgspec.structs.replace(context_of(found.facts, found.minted), **around)
    return Case(action=rule.name, about=about, context=context)


def _seen(about: str, found: Found | None) -> Iterator[_Seen]:
    if found is not None:
        yield _Seen(about, found)


def _place(path: tuple[int, ...]) -> str:
    return ".".join(str(index + 1) for index in path) or "the top"


def _spoken(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

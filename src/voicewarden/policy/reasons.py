"""Reasons as data and English: what a rule needs, what was found, and what is still to be earned.

In: rules and facts. Out: `Reason` values for decisions, and sentences that a person who does not program understands.
"""

from typing import assert_never

import msgspec

from voicewarden.model.action import Value, Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.policy.ast import All, AnyOf, Atom, Condition, Limit, Rule
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.generator import atoms
from voicewarden.policy.interpreter import visible


class Wording(msgspec.Struct, frozen=True, gc=False):
    """What is said of a rule whatever was found: made once a policy, because every decision needs it."""

    names: tuple[str, ...]
    """The facts that it looks at."""
    fact: str
    needed: str


def wording(condition: Condition) -> Wording:
    """The lasting part of a rule's reasons."""
    names = tuple(dict.fromkeys(leaf.fact for leaf in atoms(condition)))
    return Wording(names, ", ".join(names), needed(condition, alone=len(names) == 1))


def rule_reason(
    rule: Rule, said: Wording, verdict: Verdict, facts: Facts, now_ms: int, consent: str, digest: str
) -> Reason:
    """Why this rule was met (`allow`) or not."""
    names = said.names
    evidence: tuple[int, ...]
    if len(names) == 1:
        fact = visible(facts, names[0], consent, digest)
        found = _found(fact, now_ms)
        evidence = () if fact is None else (fact.seq,)
    else:
        seen = [visible(facts, name, consent, digest) for name in names]
        found = ", ".join([f"{name} is {_found(fact, now_ms)}" for name, fact in zip(names, seen, strict=True)])
        evidence = tuple(dict.fromkeys([fact.seq for fact in seen if fact is not None]))
    return Reason(
        rule.id, said.fact, said.needed, found, verdict, evidence, rule.offer if verdict != "allow" else None
    )


def limit_needed(limit: Limit) -> str:
    """What a limit asks for, in words."""
    where = "in a call" if limit.per == "call" else f"per {limit.per} in {_age(limit.in_s * 1000)}"
    return f"at most {limit.at_most} {where}"


def limit_reason(limit: Limit, verdict: Verdict, facts: Facts, minted: int) -> Reason:
    """Why a limit was met or not."""
    if limit.per == "call":
        return Reason(limit.id, "granted in this call", f"at most {limit.at_most}", str(minted), verdict)
    others = facts.get(limit.counted)
    counted = "unknown" if others is None else str(others.value)
    return Reason(
        limit.id, f"granted to this {limit.per} in {_age(limit.in_s * 1000)}", f"at most {limit.at_most}",
        f"{minted} in this call, {counted} in others", verdict, () if others is None else (others.seq,),
    )  # fmt: skip


def _found(fact: Fact | None, now_ms: int) -> str:
    return "unknown" if fact is None else f"{_value(fact.value)}, {_age(now_ms - fact.at_ms)} ago"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _age(ms: int) -> str:
    return f"{ms} ms" if ms < 1000 else f"{ms // 1000} s"


def needed(condition: Condition, *, alone: bool = False) -> str:
    """What a condition asks for, in words; with `alone` the name of the fact is left out."""
    match condition:
        case Atom():
            return _needed_atom(condition) if alone else f"{condition.fact} {_needed_atom(condition)}"
        case All(items=items):
            return " and ".join(_part(item, AnyOf) for item in items)
        case AnyOf(items=items):
            return " or ".join(_part(item, All) for item in items)
        case _:
            assert_never(condition)


def _part(item: Condition, other: type[All] | type[AnyOf]) -> str:
    """An item of a group; brackets keep an `or` within an `and` together, and the other way round."""
    told = needed(item)
    return f"({told})" if isinstance(item, other) and len(item.items) > 1 else told


def _needed_atom(atom: Atom) -> str:
    parts: list[str] = []
    if atom.is_ is not None:
        parts.append(f"is {_value(atom.is_)}")
    if atom.in_ is not None:
        parts.append("is one of " + ", ".join(_value(item) for item in atom.in_))
    if atom.not_in is not None:
        parts.append("is not " + " and not ".join(_value(item) for item in atom.not_in))
    if atom.at_least is not None:
        parts.append(f"is at least {atom.at_least}")
    if atom.at_most is not None:
        parts.append(f"is at most {atom.at_most}")
    if atom.between is not None:
        parts.append(f"is between {atom.between[0]} and {atom.between[1]}")
    if atom.within_ms is not None:
        parts.append(f"no older than {_age(atom.within_ms)}")
    if atom.known is not None:
        parts.append("is known" if atom.known else "is never met")
    return ", ".join(parts) or "is known"


def sentence(decision: Decision) -> str:
    """One decision as a sentence."""
    verb = {"allow": "was allowed", "confirm": "must first be confirmed", "escalate": "goes to a person",
            "deny": "was refused"}[decision.verdict]  # fmt: skip
    open_reasons = [reason for reason in decision.reasons if reason.verdict != "allow"]
    if decision.verdict == "allow":
        because = "; ".join(f"{r.fact} {r.needed} (found {r.found})" for r in decision.reasons) or "nothing forbids it"
    else:
        because = "; ".join(f"{_must(r)}, but found {r.found}" for r in open_reasons)
    stage = f" The rules alone would say {decision.would}." if decision.would else ""
    return f"{decision.action} {verb}: {because}.{stage}"


def _must(reason: Reason) -> str:
    if reason.needed.startswith("is "):
        return f"{reason.fact} must be {reason.needed.removeprefix('is ')}"
    return f"{reason.fact}: needed {reason.needed}"


def still_to_earn(decision: Decision) -> tuple[str, ...]:
    """What would have to become true before the action could be allowed."""
    return tuple(f"{r.fact} {r.needed}" for r in decision.reasons if r.verdict != "allow")

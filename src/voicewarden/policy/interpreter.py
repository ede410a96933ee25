"""The reference interpreter: what a policy means, written to be read.

In: one action's rules, the facts, the time, the digest of the arguments and the number of grants minted so far. Out:
a bit mask of the rules and limits that are not met (bit i is `require[i]`, limits follow). The generated code must
give the same mask for every input; tests and an optional production mode compare the two.
"""

from typing import assert_never

from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit
from voicewarden.policy.fact import Fact, Facts


def unmet(action: ActionRule, facts: Facts, now_ms: int, digest: str, minted: int) -> int:
    """Bit mask of what is not met for this action with these arguments."""
    mask = 0
    consent = f"consent.{action.name}"
    for index, rule in enumerate(action.require):
        if not holds(rule.condition, facts, now_ms, consent, digest):
            mask |= 1 << index
    for index, limit in enumerate(action.limits):
        if not within(limit, facts, minted):
            mask |= 1 << (len(action.require) + index)
    return mask


def within(limit: Limit, facts: Facts, minted: int) -> bool:
    """Whether one more grant keeps to the limit; a count that nobody knows does not."""
    if limit.per == "call":
        return minted < limit.at_most
    others = facts.get(limit.counted)
    return others is not None and type(others.value) is int and others.value + minted < limit.at_most


def holds(condition: Condition, facts: Facts, now_ms: int, consent: str, digest: str) -> bool:
    """Whether a condition is met; `consent` names the fact that belongs to `digest` alone."""
    match condition:
        case Atom():
            return _atom(condition, visible(facts, condition.fact, consent, digest), now_ms)
        case All(items=items):
            return all(holds(item, facts, now_ms, consent, digest) for item in items)
        case AnyOf(items=items):
            return any(holds(item, facts, now_ms, consent, digest) for item in items)
        case _:
            assert_never(condition)


def visible(facts: Facts, name: str, consent: str, digest: str) -> Fact | None:
    """The fact as this request may see it: an answer to other arguments is no answer."""
    fact = facts.get(name)
    if fact is not None and name == consent and fact.digest != digest:
        return None
    return fact


def _atom(atom: Atom, fact: Fact | None, now_ms: int) -> bool:
    if fact is None:
        return False
    value = fact.value
    is_number = type(value) is int
    checks = (
        atom.is_ is None or (type(value) is type(atom.is_) and value == atom.is_),
        atom.in_ is None or any(type(value) is type(item) and value == item for item in atom.in_),
        atom.not_in is None or not any(type(value) is type(item) and value == item for item in atom.not_in),
        atom.at_least is None or (is_number and int(value) >= atom.at_least),
        atom.at_most is None or (is_number and int(value) <= atom.at_most),
        atom.between is None or (is_number and atom.between[0] <= int(value) <= atom.between[1]),
        atom.within_ms is None or 0 <= now_ms - fact.at_ms <= atom.within_ms,
        atom.known is None or atom.known is True,
    )
    return all(checks)

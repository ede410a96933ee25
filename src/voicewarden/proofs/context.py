"""A context: one concrete situation in which an action may be asked for, and what a policy says to it there.

In: facts with their ages, counts, role, stage. Out: the verdict of the compiled policy and of the gate's own checks.
Called by proofs, diffs and cases; what z3 finds is told in these terms.
"""

from typing import Final

import msgspec

from voicewarden.model.action import Stage, Value, Verdict
from voicewarden.policy.ast import Limit, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy, RuleOutcome
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.generator import atoms

NEVER_DENIED: Final = frozenset({"end_call"})
"""Actions that the kernel permits without asking the policy (`kernel.facets.actions.submit`)."""

STOPPERS: Final = ("paused", "revoked", "opted_out")
"""Facts that deny every action that is asked for, whatever its rules say (`kernel.gate._call_reasons`)."""

_NOW_MS: Final = 1_000_000
_DIGEST: Final = "these arguments"


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One concrete situation in which an action may be asked for."""

    facts: dict[str, tuple[Value, int]]
    """Known facts: name to value and age in milliseconds; an answer listed here belongs to the arguments asked for."""
    minted: int = 0
    """Grants of this action so far in the call."""
    since_last_ms: int | None = None
    """Time since this action was last granted, for the cool-down; None is never."""
    stage: Stage = "bounded"
    role: str = ""
    approved: bool = False
    """An operator approved these arguments."""

    def as_facts(self, now_ms: int, digest: str) -> Facts:
        """The facts as the interpreter and the generated code take them."""
        return {
            name: Fact(value, now_ms - age_ms, 0, digest if name.startswith("consent.") else "")
            for name, (value, age_ms) in self.facts.items()
        }


def rules_in(policy: CompiledPolicy, action: str, context: Context) -> RuleOutcome:
    """What rules and limits alone lead to. Raises KeyError for an action that the policy does not name."""
    return policy.decide(action, context.as_facts(_NOW_MS, _DIGEST), _NOW_MS, _DIGEST, context.minted)


def decide_in(policy: CompiledPolicy, action: str, context: Context) -> Verdict:
    """What the gate says to a well-formed request in a call that goes on; `confirm` while questions may still be asked.

    The checks are those of `kernel.gate.decide` in its order; tests compare the two.
    """
    if action in NEVER_DENIED:
        return "allow"
    rule = policy.policy.actions.get(action)
    if rule is None or _stopped(policy.policy, action, context):
        return "deny"
    if context.since_last_ms is not None and context.since_last_ms < rule.cooldown_ms:
        return "deny"
    if rule.requested_by and context.role not in rule.requested_by:
        return "deny"
    verdict = rules_in(policy, action, context).verdict
    if verdict != "allow":
        return verdict
    effect = rule.stages.get(context.stage)
    return "allow" if effect == "allow" or (effect == "approve" and context.approved) else "deny"


def _stopped(policy: Policy, action: str, context: Context) -> bool:
    if any(name in context.facts and context.facts[name][0] is not False for name in STOPPERS):
        return True
    before = (item.id for item in policy.speech.must_say if item.before == action)
    return any(context.facts.get(f"disclosed.{item}", (False, 0))[0] is not True for item in before)


def facts_of(policy: Policy, action: str) -> tuple[str, ...]:
    """Names of all facts that this action's verdict may depend on, shadows included, in the policy's order."""
    rule = policy.actions.get(action)
    items: tuple[Rule | Limit, ...] = () if rule is None else (*rule.require, *rule.limits)
    names: dict[str, None] = {}
    for item in items:
        if isinstance(item, Rule):
            names |= dict.fromkeys(atom.fact for atom in atoms(item.condition))
        elif item.per != "call":
            names[item.counted] = None
    names |= {f"disclosed.{item.id}": None for item in policy.speech.must_say if item.before == action}
    return (*names, *(name for name in STOPPERS if name not in names))


def told(context: Context, *, policy: Policy, action: str) -> str:
    """The context in English, in one line: what this action looks at, and what of it is unknown."""
    rule = policy.actions.get(action)
    parts = [f"stage {context.stage}" + (", approved by an operator" if context.approved else "")]
    if context.role:
        parts.append(f"asked by {context.role}")
    looked_at = facts_of(policy, action)
    parts += [_told_fact(name, *context.facts[name]) for name in looked_at if name in context.facts]
    unknown = [name for name in looked_at if name not in context.facts and name not in STOPPERS]
    if unknown:
        parts.append(f"unknown: {', '.join(unknown)}")
    if context.minted:
        parts.append(f"granted {'once' if context.minted == 1 else f'{context.minted} times'} before")
    if context.since_last_ms is not None and rule is not None and rule.cooldown_ms:
        parts.append(f"last granted {_told_ms(context.since_last_ms)} ago")
    return "; ".join(parts)


def _told_fact(name: str, value: Value, age_ms: int) -> str:
    said = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    when = "" if age_ms == 0 else f" ({_told_ms(age_ms)} ago)" if age_ms > 0 else f" (in {_told_ms(-age_ms)})"
    return f"{name} is {said}{when}"


def _told_ms(ms: int) -> str:
    return f"{ms // 1000} s" if ms >= 1000 and ms % 1000 == 0 else f"{ms} ms"

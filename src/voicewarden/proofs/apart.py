"""Told apart: whether any situation at all shows a difference between a policy and a mutant of it, by z3.

In: a policy and a mutant. Out: yes or no, proved, and a situation that shows it. Called by `survivors` and tests.
Needs the extra `proofs`.
"""

import msgspec

from voicewarden.policy.ast import ActionRule, Policy
from voicewarden.proofs.context import Context
from voicewarden.proofs.mutants import Mutant
from voicewarden.proofs.terms import Terms, z3


def version() -> str:
    """Name and version of the solver."""
    return f"z3 {z3.get_version_string()}"


def told_apart(policy: Policy, mutant: Mutant) -> bool:
    """Whether some situation shows the difference."""
    return telling(policy, mutant) is not None


def telling(policy: Policy, mutant: Mutant) -> Context | None:
    """A situation in which anything that can be observed differs (see `case.Observation`), or None: there is none."""
    old, new = policy.actions[mutant.action], mutant.rule
    if mutant.item and mutant.kind != "else":
        # Rules are observed one by one, so that nothing but the changed one can tell; a verdict needs them all.
        old, new = _alone(old, mutant.item), _alone(new, mutant.item)
    before, after = (msgspec.structs.replace(policy, actions={mutant.action: rule}) for rule in (old, new))
    real = counted_shadows(before), counted_shadows(after)
    terms = Terms(before, after, *real)
    differences = [
        terms.verdict(before, mutant.action) != terms.verdict(after, mutant.action),
        terms.rules(before, mutant.action) != terms.rules(after, mutant.action),
        terms.rules(real[0], mutant.action) != terms.rules(real[1], mutant.action),
        *_differences(_missed(terms, before, mutant.action), _missed(terms, after, mutant.action)),
    ]
    solver = z3.Solver()
    solver.add(*terms.axioms, z3.Or(*differences))
    result = solver.check()
    if result == z3.unknown:
        raise AssertionError(f"{mutant.what}: the solver gave up, although the question is decidable")
    return terms.context(solver.model()) if result == z3.sat else None


def _alone(rule: ActionRule, item: str) -> ActionRule:
    require = tuple(one for one in rule.require if one.id == item)
    limits = tuple(one for one in rule.limits if one.id == item)
    return msgspec.structs.replace(rule, require=require, limits=limits)


def counted_shadows(policy: Policy) -> Policy:
    """The policy with its shadows made real."""
    actions = {
        name: msgspec.structs.replace(
            rule,
            require=tuple(msgspec.structs.replace(item, shadow=False) for item in rule.require),
            limits=tuple(msgspec.structs.replace(limit, shadow=False) for limit in rule.limits),
        )
        for name, rule in policy.actions.items()
    }
    return msgspec.structs.replace(policy, actions=actions)


_Missed = dict[str, tuple[z3.BoolRef, bool]]
"""By id of a rule or limit: the term for its not being met, and whether it is a shadow."""


def _differences(before: _Missed, after: _Missed) -> list[z3.BoolRef]:
    found: list[z3.BoolRef] = []
    never = (z3.BoolVal(False), False)
    for item in {**before, **after}:
        (one, one_shadow), (other, other_shadow) = before.get(item, never), after.get(item, never)
        found.append(z3.Xor(one, other) if one_shadow == other_shadow else z3.Or(one, other))
    return found


def _missed(terms: Terms, policy: Policy, action: str) -> _Missed:
    return {item.id: (term, item.shadow) for item, term in terms.unmet(policy, action)}

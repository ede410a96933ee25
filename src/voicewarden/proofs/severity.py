"""Claims about how outcomes are put together: the most severe one stands, in whatever order the rules are written.

In: a `World`. Out: the first `Breach`, None when there is none. Called by `theorems`. Each is proved about the terms
and then seen in the compiled policy, over every combination of unmet rules.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import msgspec

from voicewarden.model.action import SEVERITY
from voicewarden.policy.ast import ActionRule, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.proofs.terms import z3
from voicewarden.proofs.world import Breach, World

# Any: rules, limits and conditions are put in another order by the same function.
Turn = Callable[[Sequence[Any]], tuple[Any, ...]]
_EVERY_MASK_BITS: Final = 10
"""With more rules, only combinations of up to two unmet ones and all of them are tried in the compiled policy."""


def severity_order(world: World) -> Breach | None:
    """The outcome is the greatest of what is unmet: deny over escalate over confirm over allow."""
    if sorted(SEVERITY, key=SEVERITY.__getitem__) != ["allow", "confirm", "escalate", "deny"]:
        return Breach("", "the order of severities is another one")
    for action in world.decided:
        rules = world.terms.rules(world.policy, action)
        unmet = [(SEVERITY[item.otherwise], term) for item, term in world.terms.unmet(world.policy, action)
                 if not item.shadow]  # fmt: skip
        milder = [z3.And(term, rules < level) for level, term in unmet]
        given = z3.Or(rules == 0, *(z3.And(term, rules == level) for level, term in unmet))
        wrong = z3.Or(*milder, z3.Not(given), world.verdict(action) < rules)
        found = world.breach(action, lambda _: "not the greatest severity of what is unmet", wrong)
        if found is not None:
            return found
        for mask in masks(len(unmet_items(world.policy.actions[action]))):
            if SEVERITY[world.compiled.outcome(action, mask).verdict] != _greatest(world.policy.actions[action], mask):
                return Breach(action, f"the compiled policy differs where the unmet rules are {mask:#b}")
    return None


def unmet_items(rule: ActionRule) -> tuple[Rule | Limit, ...]:
    """Rules and limits in the order of a mask's bits."""
    return (*rule.require, *rule.limits)


def _greatest(rule: ActionRule, mask: int) -> int:
    levels = [SEVERITY[item.otherwise] for bit, item in enumerate(unmet_items(rule)) if mask >> bit & 1 and
              not item.shadow]  # fmt: skip
    return max(levels, default=0)


def masks(bits: int) -> Iterator[int]:
    """Every combination of unmet rules; with many rules none, one, two and all of them."""
    if bits <= _EVERY_MASK_BITS:
        yield from range(1 << bits)
        return
    yield 0
    yield (1 << bits) - 1
    for count in (1, 2):
        for chosen in combinations(range(bits), count):
            yield sum(1 << bit for bit in chosen)


def order_independence(world: World) -> Breach | None:
    """Writing rules, limits and the items of any and all in another order changes nothing."""
    for turned in (reversed_policy(world.policy), _rotated(world.policy)):
        for action in world.decided:
            one, other = world.verdict(action), world.terms.verdict(turned, action)
            found = world.breach(action, lambda _: "another verdict with the rules in another order", one != other)
            if found is not None:
                return found
    return _masks_differ(world, CompiledPolicy(reversed_policy(world.policy)))


def _masks_differ(world: World, turned: CompiledPolicy) -> Breach | None:
    for action in world.decided:
        order = [item.id for item in unmet_items(world.policy.actions[action])]
        other = [item.id for item in unmet_items(turned.policy.actions[action])]
        if len({*order}) < len(order):
            return Breach(action, "two of its rules have the same id")
        place = [other.index(name) for name in order]
        for mask in masks(len(order)):
            moved = sum(1 << place[bit] for bit in range(len(order)) if mask >> bit & 1)
            if world.compiled.outcome(action, mask).verdict != turned.outcome(action, moved).verdict:
                return Breach(action, f"the compiled policy differs in another order where the unmet are {mask:#b}")
    return None


def reversed_policy(policy: Policy) -> Policy:
    """The same policy with rules, limits and the items of every any and all written backwards."""
    return _rearranged(policy, lambda items: tuple(reversed(items)))


def _rotated(policy: Policy) -> Policy:
    return _rearranged(policy, lambda items: (*items[1:], *items[:1]))


def _rearranged(policy: Policy, turn: Turn) -> Policy:
    def action(rule: ActionRule) -> ActionRule:
        require = turn([msgspec.structs.replace(item, condition=inside(item.condition)) for item in rule.require])
        return msgspec.structs.replace(rule, require=require, limits=turn(rule.limits))

    def inside(condition: Condition) -> Condition:
        if isinstance(condition, Atom):
            return condition
        return msgspec.structs.replace(condition, items=turn([inside(item) for item in condition.items]))

    return msgspec.structs.replace(policy, actions={name: action(rule) for name, rule in policy.actions.items()})

"""The claim that no action inherits authority from another.

In: a `World`. Out: the first `Breach`, which names the pair and the change, None when there is none. Called by
`theorems`.
"""

from collections.abc import Iterable
from typing import Any

from voicewarden.proofs.terms import in_range, z3
from voicewarden.proofs.world import Breach, World, named


def no_inheritance(world: World) -> Breach | None:
    """Changing consent to, grants of and receipts of one action alone makes no other action's verdict less severe."""
    for action in world.decided:
        others = sorted({_owner(world, name) for name in world.terms.facts} - {"", action})
        # All of them at once is the stronger claim and mostly holds; only where it does not, each pair is asked.
        if _inherits(world, action, others) is None:
            continue
        for other in others:
            found = _inherits(world, action, [other])
            if found is not None:
                return found
    return None


def _owner(world: World, fact: str) -> str:
    """The action that a fact is consent to, a receipt of or a count of; empty for every other fact."""
    name = fact.partition("#")[0]
    family, _, rest = name.partition(".")
    if family in ("consent", "done"):
        return rest
    counted = (action for action, rule in world.policy.actions.items() if name in {one.counted for one in rule.limits})
    return next(counted, "")


def _inherits(world: World, action: str, others: Iterable[str]) -> Breach | None:
    twins = {name: world.twin(name) for name in world.terms.facts if _owner(world, name) in others}
    before = world.verdict(action)
    after = z3.substitute(before, *world.swap(twins))

    def how(model: Any) -> str:
        change = world.changes(twins, model)
        return f"{action} goes from {named(before, model)} to {named(after, model)} when only {change}"

    ranges = [term for twin in twins.values() for term in in_range(twin)]
    return world.breach(action, how, *ranges, after < before)

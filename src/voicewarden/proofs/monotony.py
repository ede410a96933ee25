"""Claims about order: more consent is never worse, a lower stage never better, a layer never wider than its base.

In: a `World`. Out: the first `Breach`, None when there is none. Called by `theorems`.
"""

from typing import Any

from voicewarden.model.action import STAGES
from voicewarden.policy.ast import Policy
from voicewarden.proofs.terms import equals, in_range, z3
from voicewarden.proofs.world import Breach, Swap, World, named


def consent_monotone(world: World) -> Breach | None:
    """Raising consent to an action to explicit never makes it more severe; lowering it never less."""
    for action in world.decided:
        name = f"consent.{action}"
        symbol = world.terms.facts.get(name)
        if symbol is None or not symbol.domain.holds("explicit"):
            continue  # its verdict does not look at consent
        other = world.twin(name)
        twins = {name: other}
        explicit = z3.And(symbol.known, equals(symbol, "explicit"))
        fresher = z3.Or(symbol.age_ms == other.age_ms, z3.And(symbol.age_ms >= 0, symbol.age_ms <= other.age_ms))
        weaker = z3.Or(z3.Not(other.known), z3.And(z3.Not(equals(other, "explicit")), fresher))
        for before in _severities(world, world.policy, action):
            after = z3.substitute(before, *world.swap(twins))

            def how(model: Any, before: Any = before, after: Any = after, twins: Any = twins) -> str:
                return f"{named(before, model)} becomes {named(after, model)} when {world.changes(twins, model)}"

            found = world.breach(action, how, *in_range(other), explicit, weaker, after < before)
            if found is not None:
                return found
    return None


def stage_monotone(world: World) -> Breach | None:
    """A lower stage is never less severe."""
    lower = z3.Int("lower stage")
    swap: Swap = [(world.terms.stage, lower)]
    ranges = [lower >= 0, lower < world.terms.stage]
    if "stage" in world.terms.facts:  # a rule looks at the stage too: the fact follows it
        twin = world.twin("stage")
        swap += world.swap({"stage": twin})
        ranges += [*in_range(twin), *(z3.substitute(link, *swap) for link in world.terms.in_a_call)]
    for action in world.decided:
        before = world.verdict(action)
        after = z3.substitute(before, *swap)

        def how(model: Any, before: Any = before, after: Any = after) -> str:
            stage = STAGES[model.eval(lower, model_completion=True).as_long()]
            return f"{named(before, model)} becomes {named(after, model)} when the stage falls to {stage}"

        found = world.breach(action, how, *ranges, after < before)
        if found is not None:
            return found
    return None


def narrows_base(world: World) -> Breach | None:
    """No action of the base is less severe here than there."""
    if (base := world.base) is None:
        return None
    for action in base.actions:
        pairs = zip(_severities(world, world.policy, action), _severities(world, base, action), strict=True)
        for here, there in pairs:

            def how(model: Any, here: Any = here, there: Any = there) -> str:
                return f"{named(here, model)} here, {named(there, model)} under the policy that this one extends"

            found = world.breach(action, how, here < there)
            if found is not None:
                return found
    return None


def _severities(world: World, policy: Policy, action: str) -> tuple[Any, Any]:
    """Where a request can end, and what rules and limits alone say. The first makes the better counterexample."""
    return world.terms.settled(policy, action), world.terms.rules(policy, action)

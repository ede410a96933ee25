"""Claims about what is always denied: what nobody named or knows, stopped calls, the stage that only watches, and
grants that are out of date.

In: a `World`. Out: the first `Breach`, None when there is none. Called by `theorems`.
"""

from typing import Any, Final

import msgspec

from voicewarden.model.action import BUILT_IN_ACTIONS, EFFECTLESS, SEVERITY, STAGES
from voicewarden.policy.generator import atoms
from voicewarden.proofs.bare_release import gate_says
from voicewarden.proofs.context import STOPPERS, Context, facts_of
from voicewarden.proofs.lowering import stale_grants
from voicewarden.proofs.terms import either, equals, z3
from voicewarden.proofs.world import Breach, World, named

_STRANGER: Final = "an_action_that_nobody_named"
_DENY: Final = SEVERITY["deny"]


def default_deny(world: World) -> Breach | None:
    """Not named, not known, no stage entry: never allowed."""
    best = Context(dict.fromkeys(STOPPERS, (False, 0)), stage="autonomous", role=world.terms.roles[0])
    for name in (*sorted(BUILT_IN_ACTIONS - {*world.policy.actions}), _STRANGER):
        if gate_says(world.release, name, best) != "deny":
            return Breach(name, "the kernel's gate does not deny what the policy does not name", best)
    for action in world.decided:
        found = _knows_less(world, action) or _unknown_met(world, action) or _absent_stage(world, action)
        if found:
            return found
    return None


def _knows_less(world: World, action: str) -> Breach | None:
    swap: list[tuple[Any, Any]] = []
    for name in facts_of(world.policy, action):
        if name in world.terms.facts and name not in STOPPERS:
            swap.append((world.terms.facts[name].known, z3.FreshBool("known")))
    rules = world.terms.rules(world.policy, action)
    with_less = z3.substitute(rules, *swap)

    def how(model: Any) -> str:
        lost = [str(known).removesuffix(".known") for known, less in swap
                if z3.is_true(model.eval(known)) and not z3.is_true(model.eval(less))]  # fmt: skip
        return f"without {', '.join(lost)} the rules say {named(with_less, model)} instead of {named(rules, model)}"

    return world.breach(action, how, *(z3.Implies(less, known) for known, less in swap), with_less < rules)


def _unknown_met(world: World, action: str) -> Breach | None:
    met = []
    for rule in world.policy.actions[action].require:
        if not rule.shadow and SEVERITY[rule.otherwise]:
            names = sorted({atom.fact for atom in atoms(rule.condition)} & {*world.terms.facts})
            unknown = [z3.Not(world.terms.facts[name].known) for name in names]
            met.append(z3.And(world.terms.holds(rule.condition), *unknown))
    return world.breach(action, lambda _: "a rule is met although nothing is known that it looks at", either(met))


def _absent_stage(world: World, action: str) -> Breach | None:
    given = world.policy.actions[action].stages
    absent = either([world.terms.stage == index for index, stage in enumerate(STAGES) if stage not in given])
    return world.breach(action, lambda _: "allowed in a stage without an entry", absent, world.verdict(action) == 0)


def pause(world: World) -> Breach | None:
    """While calls are paused, everything that the gate decides is denied."""
    return _stopped(world, "paused")


def revoked(world: World) -> Breach | None:
    """After the right to act was taken away, everything that the gate decides is denied."""
    return _stopped(world, "revoked")


def opt_out(world: World) -> Breach | None:
    """After an opt-out, everything that the gate decides is denied."""
    return _stopped(world, "opted_out")


def _stopped(world: World, fact: str) -> Breach | None:
    symbol = world.terms.facts[fact]
    holds = z3.And(symbol.known, equals(symbol, True))
    for action in world.decided:
        found = world.breach(action, lambda _: f"not denied while {fact}", holds, world.verdict(action) != _DENY)
        context = world.allowed(action)
        if found or context is None:
            if found:
                return found
            continue
        # The same in the kernel's own gate, and that it would have been allowed otherwise.
        stopped = msgspec.structs.replace(context, facts={**context.facts, fact: (True, 0)})
        for case, expected in ((context, "allow"), (stopped, "deny")):
            if gate_says(world.release, action, case) != expected:
                return Breach(action, f"the kernel's gate does not say {expected} here", case)
    return None


def observe(world: World) -> Breach | None:
    """In the stage that only watches, nothing with an effect is allowed, not even with an approval."""
    watching = world.terms.stage == STAGES.index("observe")
    for action in world.decided:
        if action not in EFFECTLESS and world.policy.actions[action].effect:
            found = world.breach(
                action, lambda _: "allowed in the stage that only watches", watching, world.verdict(action) == 0
            )
            if found:
                return found
    return None


def stale_grant(world: World) -> Breach | None:
    """Every lowering event kills open grants, tried over the real step."""
    _, told = stale_grants(world.release)
    return Breach(told.partition(",")[0].partition(":")[0], told) if told else None

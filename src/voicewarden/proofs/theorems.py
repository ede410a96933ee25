"""Theorems about a policy: what it can never allow, whatever happens in a call.

In: a policy and what it extends. Out: a `Receipt` with every theorem, proved or with a counterexample. Called by
`voicewarden policy prove`, at activation and by the control plane. Nothing here decides a call.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from voicewarden.model.canonical import digest_of
from voicewarden.policy.ast import Policy
from voicewarden.proofs.denial import default_deny, observe, opt_out, pause, revoked, stale_grant
from voicewarden.proofs.inheritance import no_inheritance
from voicewarden.proofs.monotony import consent_monotone, narrows_base, stage_monotone
from voicewarden.proofs.receipt import Receipt, Theorem
from voicewarden.proofs.severity import order_independence, severity_order
from voicewarden.proofs.solver import NoAnswer
from voicewarden.proofs.world import Breach, World

_STOP: Final = (
    "{} every action that the gate decides is denied. The kernel checks it before any rule, so no policy can undo it; "
    "proved over the terms and seen in the kernel's gate for every action that is ever allowed. Ending the call is "
    "always possible."
)


class _Claim(NamedTuple):
    name: str
    says: str
    check: Callable[[World], Breach | None]


CLAIMS: Final = (
    _Claim(
        "default_deny",
        "What is not named, not known or has no entry for the stage is never allowed. An action that the policy does "
        "not name is denied (tried on the kernel's gate), knowing less never makes rules and limits milder, a rule "
        "about nothing that is known is not met, and no action is allowed in a stage for which it has no entry. An "
        "action without any rule needs only its role and its stage.",
        default_deny,
    ),
    _Claim(
        "no_inheritance",
        "Changing only one action's facts (consent to it, its receipt, the count of its grants) never makes another's "
        "verdict less severe, for every ordered pair of actions. This forbids `done.x` as a requirement of "
        "another action too, because then the receipt of one opens the other; say what is needed with a fact of the "
        "world instead.",
        no_inheritance,
    ),
    _Claim("pause", _STOP.format("While calls are paused,"), pause),
    _Claim("revoked", _STOP.format("Once the right to act was taken away,"), revoked),
    _Claim("opt_out", _STOP.format("Once the caller has opted out,"), opt_out),
    _Claim(
        "observe",
        "In the stage `observe` no action with an effect is allowed, not even with an operator's approval. Every "
        "action has one but those that look up, hand over or end the call, and those declared with `effect: false`.",
        observe,
    ),
    _Claim(
        "stale_grant",
        "Pausing, revoking, tightening, an opt-out, a lost lease, a failed ledger and a hand-over raise the version of "
        "the call and take back every grant that no effector holds; a grant of an older version is never handed over. "
        "Tried for every action and event on the real `kernel.step`, not proved for all histories (that is the model "
        "check's). An effector refuses a grant of an older version, epoch or policy by comparing them, in the runtime.",
        stale_grant,
    ),
    _Claim(
        "consent_monotone",
        "A plain yes to an action, as old as another reading or fresher, never makes that action more severe than the "
        "other reading or none; so taking a yes back never makes it less severe. Proved for rules and limits, and for "
        "where a request can end: a stage that does not allow counts as a deny before the question too (the gate asks "
        "first, and the stage denies after the yes).",
        consent_monotone,
    ),
    _Claim("stage_monotone", "A lower stage never makes a verdict less severe.", stage_monotone),
    _Claim(
        "severity_order",
        "The outcome of rules and limits is the most severe of what is unmet, deny over escalate over confirm over "
        "allow; role, cool-down and stage only add to it. Proved over the terms, and tried on the compiled policy for "
        "the combinations of unmet rules (all of them up to ten rules an action, else up to two at once).",
        severity_order,
    ),
    _Claim(
        "order_independence",
        "The order in which rules, limits and the items of `any` and `all` are written changes nothing: they mean the "
        "same backwards and rotated. Proved over the terms; "
        "backwards also tried on the compiled policy.",
        order_independence,
    ),
)
NARROWS_BASE: Final = _Claim(
    "narrows_base",
    "No action of the policy that this one extends is less severe here than there, in any context: neither its rules "
    "and limits nor where a request can end (a stage that does not allow counts as a deny before the question). "
    "Actions that only this policy has, words, and timers are not compared; `policy diff` lists them.",
    narrows_base,
)


def names_of(*, base: bool) -> tuple[str, ...]:
    """Names of all theorems about a policy, one that extends a base or one that does not."""
    return tuple(claim.name for claim in (*CLAIMS, *((NARROWS_BASE,) if base else ())))


def prove(policy: Policy, *, base: Policy | None = None, second_solver: bool = False) -> Receipt:
    """Prove every theorem about a policy; with `base` also that it only narrows that one.

    `second_solver` asks cvc5 every question too; where it disagrees, nothing is proved. Raises MissingPart without it.
    """
    began = time.perf_counter()
    world = World(policy, base, second_solver=second_solver)
    claims = CLAIMS if base is None else (*CLAIMS, NARROWS_BASE)
    theorems = []
    for claim in claims:
        theorems.append(_theorem(claim, world, began))
        began = time.perf_counter()
    return Receipt(
        policy=world.compiled.hash, name=policy.name, solver=world.solver.name, theorems=tuple(theorems),
        base="" if base is None else digest_of(base),
    )  # fmt: skip


def _theorem(claim: _Claim, world: World, began: float) -> Theorem:
    try:
        breach = claim.check(world)
    except NoAnswer as error:
        breach = Breach("", str(error))
    ms = round((time.perf_counter() - began) * 1000)
    if breach is None:
        return Theorem(name=claim.name, says=claim.says, proved=True, ms=ms)
    return Theorem(
        name=claim.name, says=claim.says, proved=False, ms=ms, action=breach.action, counterexample=breach.context,
        told=breach.told,
    )  # fmt: skip

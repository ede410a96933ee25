"""Makes a policy ready to decide: generated code loaded once, verdicts of masks remembered.

In: a policy. Out: `CompiledPolicy`, which the kernel asks for the mask of what is not met and for what that leads to.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from voicewarden.model.action import SEVERITY, Verdict
from voicewarden.model.canonical import digest_of
from voicewarden.policy.ast import ActionRule, All, Limit, Policy, Rule
from voicewarden.policy.fact import Facts
from voicewarden.policy.generator import generate
from voicewarden.policy.interpreter import unmet
from voicewarden.policy.reasons import Wording, wording

Decider = Callable[[Facts, int, str, int], int]
"""(facts, now_ms, digest, minted) -> mask of what is not met."""


class RuleOutcome(msgspec.Struct, frozen=True):
    """What a mask leads to: the most severe verdict, and the rules and limits that were not met, shadows apart."""

    verdict: Verdict
    failed: tuple[Rule | Limit, ...]
    shadow: Verdict = "allow"
    """The verdict if the shadows counted; never milder."""
    shadow_failed: tuple[Rule | Limit, ...] = ()
    """What was not met with the shadows counted; empty when no shadow is among it."""


DISAGREEMENT: Final = RuleOutcome(
    "deny",
    (
        Rule(
            id="kernel.two_opinions", condition=All(items=()), otherwise="deny",
            why="Generated code and interpreter gave two answers, and a gate that is not sure says no.",
        ),
    ),
)  # fmt: skip
"""What a decision becomes when its second opinion differs; nothing else ever gives it."""


class CompiledPolicy:
    """A policy with its deciders. Built once a policy, shared by all calls, never changed after."""

    def __init__(self, policy: Policy, *, second_opinion: bool = False) -> None:
        """`second_opinion` asks the interpreter too, at every decision: where the two differ the answer is no."""
        self.policy = policy
        self.second_opinion = second_opinion
        self.hash = digest_of(policy)
        self.source = generate(policy)
        self.source_hash = digest_of(self.source)
        # Any: the namespace that exec fills holds exactly the functions that `generate` wrote.
        namespace: dict[str, Any] = {}
        exec(compile(self.source, f"<policy {self.hash[:12]}>", "exec"), namespace)
        self.deciders: dict[str, Decider] = {name: namespace[f"decide_{name}"] for name in policy.actions}
        self.wordings: dict[str, Wording] = {
            rule.id: wording(rule.condition) for action in policy.actions.values() for rule in action.require
        }
        self._outcomes: dict[str, dict[int, RuleOutcome]] = {name: {} for name in policy.actions}

    def outcome(self, action: str, mask: int) -> RuleOutcome:
        """The verdict that a mask of this action leads to."""
        known = self._outcomes[action]
        found = known.get(mask)
        if found is None:
            found = known[mask] = _outcome(self.policy.actions[action], mask)
        return found

    def decide(self, action: str, facts: Facts, now_ms: int, digest: str, minted: int) -> RuleOutcome:
        """Mask and outcome in one call. Raises KeyError for an action that the policy does not name."""
        mask = self.deciders[action](facts, now_ms, digest, minted)
        if self.second_opinion and mask != unmet(self.policy.actions[action], facts, now_ms, digest, minted):
            return DISAGREEMENT
        # Most masks were seen before: asking here spares a call.
        return self._outcomes[action].get(mask) or self.outcome(action, mask)


def _outcome(rule: ActionRule, mask: int) -> RuleOutcome:
    all_rules: tuple[Rule | Limit, ...] = (*rule.require, *rule.limits)
    missed = tuple(item for index, item in enumerate(all_rules) if mask >> index & 1)
    failed = tuple(item for item in missed if not item.shadow)
    return RuleOutcome(severest(failed), failed, severest(missed), missed if len(missed) > len(failed) else ())


def severest(rules: Iterable[Rule | Limit]) -> Verdict:
    """The most severe of what these rules demand; `allow` of none."""
    return max((item.otherwise for item in rules), key=SEVERITY.__getitem__, default="allow")


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Compile a policy; equal policies give equal hashes and equal source."""
    return CompiledPolicy(policy)

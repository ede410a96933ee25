"""Makes a policy ready to decide: generated code loaded once, verdicts of masks remembered.

In: a policy. Out: `CompiledPolicy`, which the kernel asks for the mask of what is not met and for what that leads to.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from voicewarden.model.action import SEVERITY, Verdict
from voicewarden.model.canonical import digest_of
from voicewarden.policy.ast import ActionRule, Limit, Policy, Rule
from voicewarden.policy.fact import Facts
from voicewarden.policy.generator import generate

Decider = Callable[[Facts, int, str, int], int]
"""(facts, now_ms, digest, minted) -> mask of what is not met."""


class RuleOutcome(msgspec.Struct, frozen=True):
    """What a mask leads to: the most severe verdict, and the rules and limits that were not met."""

    verdict: Verdict
    failed: tuple[Rule | Limit, ...]


class CompiledPolicy:
    """A policy with its deciders. Built once a policy, shared by all calls, never changed after."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hash = digest_of(policy)
        self.source = generate(policy)
        self.source_hash = digest_of(self.source)
        # Any: the namespace that exec fills holds exactly the functions that `generate` wrote.
        namespace: dict[str, Any] = {}
        exec(compile(self.source, f"<policy {self.hash[:12]}>", "exec"), namespace)
        self.deciders: dict[str, Decider] = {name: namespace[f"decide_{name}"] for name in policy.actions}
        self._outcomes: dict[tuple[str, int], RuleOutcome] = {}

    def outcome(self, action: str, mask: int) -> RuleOutcome:
        """The verdict that a mask of this action leads to."""
        key = (action, mask)
        known = self._outcomes.get(key)
        if known is None:
            known = self._outcomes[key] = _outcome(self.policy.actions[action], mask)
        return known

    def decide(self, action: str, facts: Facts, now_ms: int, digest: str, minted: int) -> RuleOutcome:
        """Mask and outcome in one call. Raises KeyError for an action that the policy does not name."""
        return self.outcome(action, self.deciders[action](facts, now_ms, digest, minted))


def _outcome(rule: ActionRule, mask: int) -> RuleOutcome:
    all_rules: tuple[Rule | Limit, ...] = (*rule.require, *rule.limits)
    failed = tuple(item for index, item in enumerate(all_rules) if mask >> index & 1)
    verdict: Verdict = "allow"
    for item in failed:
        if SEVERITY[item.otherwise] > SEVERITY[verdict]:
            verdict = item.otherwise
    return RuleOutcome(verdict, failed)


def compile_policy(policy: Policy) -> CompiledPolicy:
    """Compile a policy; equal policies give equal hashes and equal source."""
    return CompiledPolicy(policy)

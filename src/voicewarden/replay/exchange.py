"""A recorded release with its policy exchanged: what asks another policy in the very moments of a recorded call.

In: a ledger's releases and the other policy. Out: `Exchanges`, which gives replay the release it needs, and what-if
the same release under the other policy. Called by `whatif`.
"""

import copy
from collections.abc import Callable
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.policy.vocabulary import BUILT_IN_FACTS
from voicewarden.proofs.reach import governed_by
from voicewarden.replay.exact import Releases

_MADE_BY_THE_KERNEL: Final = ("consent.", "done.")


class Exchange(msgspec.Struct, frozen=True):
    """One release under both policies."""

    recorded: Compiled
    """As it was, but it learns the facts too that only the other policy declares: they change none of its decisions."""
    other: Compiled
    unrecorded: frozenset[str]
    """Facts that the other policy looks at and that no call under this release can hold, because nobody asked."""


class Exchanges(Releases):
    """Releases by hash, each with its exchange."""

    def __init__(self, load: Callable[[str], bytes], policy: Policy, made: dict[str, Compiled] | None = None) -> None:
        super().__init__(load, made)
        self.policy = CompiledPolicy(policy)
        self.rule_facts = _facts_of_rules(policy, self.policy)
        """The facts that each rule and limit of the other policy looks at."""
        self._exchanges: dict[str, Exchange] = {}

    def get(self, name: str) -> Compiled:
        """The release of this hash, as it was. Raises LedgerError when the ledger does not hold it."""
        return self.exchange(name).recorded

    def exchange(self, name: str) -> Exchange:
        """The release of this hash under both policies. Raises LedgerError when the ledger does not hold it."""
        known = self._exchanges.get(name)
        if known is None:
            known = self._exchanges[name] = self._exchanged(super().get(name))
        return known

    def _exchanged(self, release: Compiled) -> Exchange:
        recorded = copy.copy(release)
        recorded.declared = {**self.policy.policy.facts, **release.declared}
        other = governed_by(recorded, self.policy.policy, self.policy)
        # The call names the release that it was started with, and what another shadow says is not asked for.
        other.hash, other.shadow = release.hash, None
        looked_at = {fact for facts in self.rule_facts.values() for fact in facts}
        return Exchange(recorded, other, frozenset(looked_at - _recordable(release)))


def _recordable(release: Compiled) -> set[str]:
    """Facts that a call under this release can hold."""
    policy = release.data.policy
    made = {f"{prefix}{action}" for prefix in _MADE_BY_THE_KERNEL for action in policy.actions}
    said = {f"disclosed.{item.id}" for item in policy.speech.must_say}
    attempts = {f"contact.attempts_{window.in_s}" for window in policy.contact.per_person}
    counted = {limit.counted for rule in policy.actions.values() for limit in rule.limits if limit.per != "call"}
    return {*release.declared, *BUILT_IN_FACTS, *made, *said, *attempts, *counted}


def _facts_of_rules(policy: Policy, compiled: CompiledPolicy) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for action in policy.actions.values():
        found |= {rule.id: compiled.wordings[rule.id].names for rule in action.require}
        found |= {limit.id: () if limit.per == "call" else (limit.counted,) for limit in action.limits}
    for line in policy.speech.must_say:
        found[f"speech.must_say.{line.id}"] = (f"disclosed.{line.id}",)
    return found

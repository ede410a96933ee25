"""A subject: one policy under comparison, with everything that is costly to make kept beside it.

In: a policy. Out: its compiled form, its boundary cases, and what Cedar and z3 make of it, each made when it is first
asked for. Called by `agreement` and `mismatch`.
"""

from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Literal

from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import CompiledPolicy, compile_policy
from voicewarden.policy.interpreter import unmet
from voicewarden.proofs.case import Case, Observation, observe
from voicewarden.proofs.cases import cases_for
from voicewarden.proofs.points import DIGEST, NOW_MS
from voicewarden.proofs.sampling import CaseSampler

if TYPE_CHECKING:
    from voicewarden.proofs.cedar_opinion import CedarOpinion
    from voicewarden.proofs.z3_opinion import Z3Opinion

Peer = Literal["interpreter", "cedar", "z3"]
Said = Observation | int
"""What a semantics says: all that can be observed, or the interpreter's mask."""

_BUDGET = 2_000
"""Points that one search for a boundary case may try: a missed case of a random policy costs nothing here."""


class Subject:
    """One policy under comparison."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    @cached_property
    def compiled(self) -> CompiledPolicy:
        """The generated code."""
        return compile_policy(self.policy)

    @cached_property
    def boundary(self) -> dict[str, list[Case]]:
        """The well-typed boundary cases of each action."""
        return {
            name: [case for case in cases_for(self.policy, name, budget=_BUDGET) if case.typed]
            for name in self.policy.actions
        }

    @cached_property
    def cedar(self) -> "CedarOpinion":
        """The policy as Cedar holds it. Raises MissingPart without cedarpy."""
        from voicewarden.proofs.cedar_opinion import CedarOpinion

        return CedarOpinion(self.policy)

    @cached_property
    def z3(self) -> "Z3Opinion":
        """The policy as z3 holds it. Raises MissingPart without z3."""
        from voicewarden.proofs.z3_opinion import Z3Opinion

        return Z3Opinion(self.policy)

    def sampler(self, action: str, random: Random) -> CaseSampler:
        """Random situations of one action."""
        return CaseSampler(self.policy, action, random, self.boundary[action])

    def ours(self, peer: Peer, case: Case) -> Said:
        """What the generated code says, in the form that the peer answers in."""
        if peer == "interpreter":
            return self.compiled.deciders[case.action](case.facts(), NOW_MS, DIGEST, case.context.minted)
        return observe(self.compiled, case)

    def theirs(self, peer: Peer, case: Case) -> Said:
        """What the peer says."""
        match peer:
            case "interpreter":
                return unmet(self.policy.actions[case.action], case.facts(), NOW_MS, DIGEST, case.context.minted)
            case "cedar":
                return self.cedar.observe([case])[0]
            case "z3":
                return self.z3.observe(case)

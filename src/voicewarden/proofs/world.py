"""The world of one proof: a policy as terms, as compiled code and as the kernel's own gate, and a solver to ask.

In: a policy and what it extends. Out: searches for a context that breaks a claim. Called by every module of claims
(`denial`, `inheritance`, `monotony`, `severity`), which `theorems` names and times.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from voicewarden.model.action import SEVERITY, Verdict
from voicewarden.policy.ast import Policy
from voicewarden.proofs.bare_release import bare_release
from voicewarden.proofs.context import NEVER_DENIED, Context, told
from voicewarden.proofs.solver import Solver
from voicewarden.proofs.terms import Symbol, Terms, z3

_VERDICTS: Final[tuple[Verdict, ...]] = ("allow", "confirm", "escalate", "deny")
"""By severity, which `severity.severity_order` checks."""

# Any in this room's claims: terms and models are z3's, which ships no types.
Swap = list[tuple[Any, Any]]
How = Callable[[Any], str]
"""Says in English what is wrong in a model."""


class Breach(NamedTuple):
    """Where a claim does not hold; without a context where code that runs differs in another way."""

    action: str
    told: str
    context: Context | None = None


class World:
    """One policy, and what it extends, in all the forms that claims look at."""

    def __init__(self, policy: Policy, base: Policy | None = None, *, second_solver: bool = False) -> None:
        self.policy = policy
        self.base = base
        self.terms = Terms(policy) if base is None else Terms(policy, base)
        self.release = bare_release(policy)
        self.compiled = self.release.policy
        self.solver = Solver([*self.terms.axioms, *self.terms.in_a_call], second=second_solver)
        self.decided = tuple(name for name in policy.actions if name not in NEVER_DENIED)
        """Actions that the gate decides."""
        self._allowed: dict[str, Context | None] = {}

    def verdict(self, action: str) -> Any:
        """The term of an action's verdict under the policy."""
        return self.terms.verdict(self.policy, action)

    def breach(self, action: str, how: How, *terms: Any) -> Breach | None:
        """The breach in which all terms hold, None when there is none."""
        model = self.solver.model(*terms)
        if model is None:
            return None
        context = self.terms.context(model)
        return Breach(action, f"{how(model)}: {told(context, policy=self.policy, action=action)}", context)

    def allowed(self, action: str) -> Context | None:
        """A context in which an action is allowed, if there is one."""
        if action not in self._allowed:
            model = self.solver.model(self.verdict(action) == SEVERITY["allow"])
            self._allowed[action] = None if model is None else self.terms.context(model)
        return self._allowed[action]

    def twin(self, name: str) -> Symbol:
        """Another symbol for the same fact; `in_range` keeps it in its ranges."""
        one = self.terms.facts[name]
        value = z3.FreshConst(one.value.sort(), "value")
        return Symbol(z3.FreshBool("known"), value, z3.FreshInt("age_ms"), one.domain)

    def swap(self, twins: Mapping[str, Symbol]) -> Swap:
        """The substitution that puts twins in place of facts."""
        return [
            pair for name, twin in twins.items() for pair in zip(self.terms.facts[name][:3], twin[:3], strict=True)
        ]

    def changes(self, twins: Mapping[str, Symbol], model: Any) -> str:
        """How facts differ from their twins, in English."""
        told = []
        for name, twin in twins.items():
            before, after = _shown(self.terms.facts[name], model), _shown(twin, model)
            if before != after:
                told.append(f"{name} changes from {before} to {after}")
        return " and ".join(told)


def named(term: Any, model: Any) -> Verdict:
    """The verdict that a term is in a model."""
    return _VERDICTS[int(model.eval(term, model_completion=True).as_long())]


def _shown(symbol: Symbol, model: Any) -> str:
    if not z3.is_true(model.eval(symbol.known)):
        return "unknown"
    value = model.eval(symbol.value, model_completion=True)
    age_ms = model.eval(symbol.age_ms, model_completion=True).as_long()
    shown = str(value).lower() if symbol.domain.kind == "bool" else str(symbol.domain.decode(value.as_long()))
    return f"{shown} ({age_ms} ms old)" if age_ms else shown

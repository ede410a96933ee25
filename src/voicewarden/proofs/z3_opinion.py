"""A third opinion: what z3's terms of a policy come to in a concrete case, as the observation that our own code gives.

In: a policy and cases. Out: observations. The values are put into the terms and z3 simplifies what is left, so that the
semantics are z3's own. Called by `agreement` and tests. Needs the extra `proofs` (z3).
"""

from collections.abc import Iterator
from typing import Final

from voicewarden.model.action import STAGES, Verdict
from voicewarden.policy.ast import Policy
from voicewarden.proofs.apart import counted_shadows
from voicewarden.proofs.case import Case, Observation
from voicewarden.proofs.context import Context
from voicewarden.proofs.terms import Terms, z3
from voicewarden.proofs.tree import items_of

_VERDICTS: Final[tuple[Verdict, ...]] = ("allow", "confirm", "escalate", "deny")
_FIRST_BIT: Final = 6
"""Three verdicts of two bits stand before the bits of the rules."""


class Z3Opinion:
    """A policy as z3 holds it: one term an action, in which verdicts and unmet rules are the digits of one number."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._real = counted_shadows(policy)
        self._terms = Terms(policy, self._real)
        self._numbers: dict[str, tuple[z3.ArithRef, frozenset[str]]] = {}
        self._constants: dict[tuple[int, str], z3.ExprRef] = {}

    def observe(self, case: Case) -> Observation:
        """What z3 says in a well-typed case."""
        if case.action not in self._policy.actions:
            return Observation("deny", "deny", (), "deny", ())
        number, needed = self._number(case.action)
        pairs = self._values(case.visible(), needed)
        return self._observation(case.action, z3.simplify(z3.substitute(number, *pairs)).as_long())

    def _number(self, action: str) -> tuple[z3.ArithRef, frozenset[str]]:
        known = self._numbers.get(action)
        if known is None:
            terms = self._terms
            number = terms.verdict(self._policy, action) + 4 * terms.rules(self._policy, action)
            number = number + 16 * terms.rules(self._real, action)
            for bit, (_, unmet) in enumerate(terms.unmet(self._policy, action), _FIRST_BIT):
                number = number + z3.If(unmet, z3.IntVal(1 << bit), z3.IntVal(0))
            # Not simplified beforehand: the terms are evaluated as they were written.
            known = self._numbers[action] = (number, _symbols(number))
        return known

    def _observation(self, action: str, number: int) -> Observation:
        rule = self._policy.actions[action]
        missed = [item for bit, item in enumerate(items_of(rule), _FIRST_BIT) if number >> bit & 1]
        failed = tuple(item.id for item in missed if not item.shadow)
        return Observation(
            _VERDICTS[number & 3], _VERDICTS[number >> 2 & 3], failed, _VERDICTS[number >> 4 & 3],
            tuple(item.id for item in missed) if len(missed) > len(failed) else (),
        )  # fmt: skip

    def _values(self, context: Context, needed: frozenset[str]) -> Iterator[tuple[z3.ExprRef, z3.ExprRef]]:
        terms, roles = self._terms, self._terms.roles
        yield terms.minted, self._constant(context.minted)
        yield terms.approved, self._constant(context.approved)
        yield terms.stage, self._constant(STAGES.index(context.stage))
        yield terms.role, self._constant(roles.index(context.role) if context.role in roles else len(roles) - 1)
        yield terms.granted_before, self._constant(context.since_last_ms is not None)
        yield terms.since_last_ms, self._constant(context.since_last_ms or 0)
        for name in needed:
            symbol = terms.facts[name]
            fact = context.facts.get(name)
            yield symbol.known, self._constant(fact is not None)
            value, age_ms = fact if fact is not None else (None, 0)
            if value is not None and not symbol.domain.holds(value):
                raise ValueError(f"{name}: the value is not of the fact's type")
            # What an unknown fact would be worth must not matter, so it is given one that would be met most easily.
            encoded = symbol.domain.encode(value) if value is not None else symbol.domain.kind == "bool" or 0
            yield symbol.value, self._constant(encoded)
            yield symbol.age_ms, self._constant(age_ms)

    def _constant(self, value: int | bool) -> z3.ExprRef:
        key = (value, "flag") if isinstance(value, bool) else (value, "number")
        if key not in self._constants:
            self._constants[key] = z3.BoolVal(value) if isinstance(value, bool) else z3.IntVal(value)
        return self._constants[key]


def _symbols(term: z3.ExprRef) -> frozenset[str]:
    """Names of the facts that a term looks at."""
    seen: set[int] = set()
    names: set[str] = set()
    todo = [term]
    while todo:
        one = todo.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if one.num_args() == 0 and "." in str(one):
            names.add(str(one).rpartition(".")[0])
        todo.extend(one.children())
    return frozenset(names)

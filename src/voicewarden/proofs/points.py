"""Points: the finite set of values and ages at which the rules of one action can change their mind.

In: a policy and one of its actions. Out: for each fact the values around every threshold, every enum value, the ages
around every `within_ms`. Between two neighbouring points no atom changes its truth, so that a search over points is
as good as a search over all values. Called by `search`, `cases`, `mutants` and `sampling`.
"""

from itertools import product
from typing import Final

from msgspec import structs

from voicewarden.model.action import Value
from voicewarden.policy.ast import ActionRule, Atom, Policy
from voicewarden.policy.fact import Fact
from voicewarden.policy.generator import atoms
from voicewarden.proofs.context import facts_of
from voicewarden.proofs.domain import Domain, domains

NOW_MS: Final = 1_000_000_000
"""The time of every point: later than any age that is looked at."""

DIGEST: Final = "these arguments"
OTHER_DIGEST: Final = "other arguments"
OPERATORS: Final = ("is_", "in_", "not_in", "at_least", "at_most", "between", "within_ms", "known")

Point = Fact | None
"""A fact at a point; None is unknown."""


class Points:
    """The points of one action of a policy, fact by fact."""

    def __init__(self, policy: Policy, action: str, *, beside: ActionRule | None = None) -> None:
        """`beside` is another version of the action, whose points count too."""
        versions = [policy, *([] if beside is None else [structs.replace(policy, actions={action: beside})])]
        rules = [version.actions[action] for version in versions]
        self.names = tuple(dict.fromkeys(name for version in versions for name in facts_of(version, action)))
        """Every fact that the gate looks at for this action."""
        self._domains = domains(versions).facts
        self._atoms = tuple(atom for rule in rules for item in rule.require for atom in atoms(item.condition))
        self._limits = tuple(limit for rule in rules for limit in rule.limits)

    def domain(self, name: str) -> Domain:
        """The type of a fact, with the texts that the policy names."""
        return self._domains[name]

    def values(self, name: str) -> tuple[Value, ...]:
        """The well-typed values that this action can tell apart."""
        domain = self._domains[name]
        if domain.kind == "bool":
            return (True, False)
        if domain.kind in ("enum", "text"):
            return domain.values
        edges = {edge + step for edge in self._edges(name) for step in (-1, 0, 1)}
        return tuple(sorted({edge for edge in edges | {domain.low, domain.high} if domain.holds(edge)}))

    def _edges(self, name: str) -> set[int]:
        edges: set[int] = set()
        for atom in self._atoms:
            if atom.fact == name:
                edges |= {value for value in literals(atom) if type(value) is int}
                edges |= {edge for edge in (atom.at_least, atom.at_most, *(atom.between or ())) if edge is not None}
        for limit in self._limits:
            if limit.per != "call" and limit.counted == name:
                edges |= {limit.at_most - minted for minted in (0, 1)}
        return edges

    def ages(self, name: str) -> tuple[int, ...]:
        """The ages in milliseconds that this action can tell apart; a negative one is a fact from the future."""
        edges = {atom.within_ms for atom in self._atoms if atom.fact == name and atom.within_ms is not None}
        around = {max(edge + step, 0) for edge in edges for step in (-1, 0, 1)}
        return (0, *sorted(around - {0}), -1) if edges else (0,)

    def minted(self) -> tuple[int, ...]:
        """The numbers of grants in this call that the limits can tell apart."""
        edges = {0, *(limit.at_most for limit in self._limits)}
        return tuple(sorted({max(edge + step, 0) for edge in edges for step in (-1, 0, 1)}))

    def all(self, name: str) -> tuple[Point, ...]:
        """Every point of a fact: all values at all ages, and unknown at the end."""
        pairs = product(self.values(name), self.ages(name))
        return (*(fact_at(name, value, age_ms) for value, age_ms in pairs), None)


def literals(atom: Atom) -> tuple[Value, ...]:
    """The values that an atom names with `is` and `in`."""
    return (*(() if atom.is_ is None else (atom.is_,)), *(atom.in_ or ()), *(atom.not_in or ()))


def fact_at(name: str, value: Value, age_ms: int) -> Fact:
    """A fact at `NOW_MS`; an answer belongs to `DIGEST`."""
    return Fact(value, NOW_MS - age_ms, 0, DIGEST if name.startswith("consent.") else "")

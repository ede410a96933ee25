"""Domains: which values a fact can have, as far as some policies can tell them apart.

In: policies. Out: for every fact that they look at a `Domain` with its values as integers, and the roles. Called by
`terms`. An enum's values are numbered; a text is one of the literals that a policy names, or another one.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

from voicewarden.model.action import Value
from voicewarden.policy.ast import Atom, FactType, Limit, Policy
from voicewarden.policy.generator import atoms
from voicewarden.policy.vocabulary import fact_type
from voicewarden.proofs.context import STOPPERS

Kind = Literal["bool", "enum", "int", "text"]
KINDS: Final[tuple[Kind, ...]] = ("bool", "int", "text")
"""Kinds that one fact can have beside another; enum and text are one, since both hold words."""
_OTHER: Final = "another"
_WIDEST: Final = 10**12


class Domain(NamedTuple):
    """The values of one fact. Enums and texts are indices into `values`, integers lie in `bounds`."""

    kind: Kind
    values: tuple[str, ...] = ()
    low: int = 0
    high: int = 0

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest number that stands for a value."""
        return (self.low, self.high) if self.kind == "int" else (0, max(0, len(self.values) - 1))

    def holds(self, value: Value) -> bool:
        """Whether a fact of this domain can have the value; any text is some text."""
        match self.kind:
            case "bool":
                return isinstance(value, bool)
            case "int":
                return type(value) is int and self.low <= value <= self.high
            case "enum":
                return isinstance(value, str) and value in self.values
            case "text":
                return isinstance(value, str)

    def encode(self, value: Value) -> int | bool:
        """The number that stands for a value which the domain holds."""
        if isinstance(value, str):
            return self.values.index(value) if value in self.values else len(self.values) - 1
        return value

    def decode(self, number: int) -> Value:
        """The value that a number stands for."""
        return number if self.kind == "int" else self.values[number]


class Domains(NamedTuple):
    """Domains by fact name, and the roles that policies name with another one behind them."""

    facts: dict[str, Domain]
    roles: tuple[str, ...]


def domains(policies: Iterable[Policy]) -> Domains:
    """Domains of everything that the policies look at; one fact with several kinds is listed `name#kind` as well."""
    policies = tuple(policies)
    found: dict[str, Domain] = {}
    for policy in policies:
        for name in _names(policy):
            _add(found, name, _domain(policy, name))
    roles = {role: None for policy in policies for rule in policy.actions.values() for role in rule.requested_by}
    roles |= {str(value): None for policy in policies for value in _literals(policy, "agent") if value != ""}
    if "agent" in found and found["agent"].kind == "text":
        found["agent"] = Domain("text", _with_other(roles))
    return Domains(found, _with_other(roles))


def _names(policy: Policy) -> tuple[str, ...]:
    names = {atom.fact: None for atom in _atoms(policy)}
    names |= {limit.counted: None for limit in _limits(policy) if limit.per != "call"}
    names |= {f"disclosed.{item.id}": None for item in policy.speech.must_say if item.before in policy.actions}
    return (*names, *(name for name in STOPPERS if name not in names))


def _atoms(policy: Policy) -> Iterator[Atom]:
    for rule in policy.actions.values():
        for item in rule.require:
            yield from atoms(item.condition)


def _limits(policy: Policy) -> Iterator[Limit]:
    for rule in policy.actions.values():
        yield from rule.limits


def _literals(policy: Policy, name: str) -> Iterator[Value]:
    for atom in _atoms(policy):
        if atom.fact == name:
            yield from (() if atom.is_ is None else (atom.is_,))
            yield from atom.in_ or ()
            yield from atom.not_in or ()


def _domain(policy: Policy, name: str) -> Domain:
    kind = fact_type(name, policy.facts) or _guessed(policy, name)
    match kind.kind:
        case "bool":
            return Domain("bool")
        case "int":
            return Domain("int", (), kind.low, kind.high)
        case "enum":
            return Domain("enum", kind.values)
        case "text":
            texts = {value: None for value in _literals(policy, name) if isinstance(value, str)}
            return Domain("text", _with_other(texts))


def _guessed(policy: Policy, name: str) -> FactType:
    """The type of a fact that nothing declares (trees made by hand), from how it is used."""
    literals = tuple(_literals(policy, name))
    tested = [atom for atom in _atoms(policy) if atom.fact == name]
    if any((atom.at_least, atom.at_most, atom.between) != (None, None, None) for atom in tested):
        return FactType(kind="int", low=-_WIDEST, high=_WIDEST)
    if any(isinstance(value, bool) for value in literals):
        return FactType(kind="bool")
    numeric = any(isinstance(value, int) for value in literals)
    return FactType(kind="int", low=-_WIDEST, high=_WIDEST) if numeric else FactType(kind="text")


def _add(found: dict[str, Domain], name: str, domain: Domain) -> None:
    known = found.get(name)
    if known is None or _family(known) == _family(domain):
        found[name] = domain if known is None else _union(known, domain)
        return
    key = f"{name}#{_family(domain)}"
    found[key] = domain if key not in found else _union(found[key], domain)


def _family(domain: Domain) -> Kind:
    return "text" if domain.kind == "enum" else domain.kind


def _union(one: Domain, other: Domain) -> Domain:
    words = dict.fromkeys((*_named(one), *_named(other)))
    if "text" in (one.kind, other.kind):
        return Domain("text", _with_other(words))
    return Domain(one.kind, tuple(words), min(one.low, other.low), max(one.high, other.high))


def _named(domain: Domain) -> tuple[str, ...]:
    return domain.values[:-1] if domain.kind == "text" else domain.values


def _with_other(literals: Iterable[str]) -> tuple[str, ...]:
    """The literals and one more that is none of them."""
    values = tuple(literals)
    other = _OTHER
    while other in values:
        other += "'"
    return (*values, other)



"""Conditions of a policy as expressions of other languages: CEL, zen, Casbin's Python, Cedar, Rego bodies, JSON Schema.

In: a condition. Out: text, or a schema. Facts are always known in the contest, so no language has to test for that.
Called by the peers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

from voicewarden.model.action import Value
from voicewarden.policy.ast import AnyOf, Atom, Condition
from voicewarden.rehearsal.bench.contexts import flat_name

Schema: TypeAlias = dict[str, "Schema | list[Schema] | list[Value] | list[str] | Value"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language writes what all of them have."""

    both: str
    either: str
    truth: tuple[str, str]
    member: Callable[[str, str], str]
    prefix: str = ""


def _in_list(name: str, items: str) -> str:
    return f"{name} in [{items}]"


CEL: Final = Dialect(" && ", " || ", ("true", "false"), _in_list)
ZEN: Final = Dialect(" and ", " or ", ("true", "false"), _in_list)
CASBIN: Final = Dialect(" and ", " or ", ("True", "False"), lambda name, items: f"{name} in ({items},)", "r.sub.")
CEDAR: Final = Dialect(
    " && ", " || ", ("true", "false"), lambda name, items: f"[{items}].contains({name})", "context."
)
REGO: Final = Dialect("; ", "", ("true", "false"), lambda name, items: f"{name} in {{{items}}}", "input.")


def expression(condition: Condition, dialect: Dialect) -> str:
    """The condition as an infix expression; true when it is met."""
    if isinstance(condition, Atom):
        return _group(_atom(condition, dialect), dialect.both)
    joint = dialect.either if isinstance(condition, AnyOf) else dialect.both
    return _group([expression(item, dialect) for item in condition.items], joint)


def _group(parts: list[str], joint: str) -> str:
    return parts[0] if len(parts) == 1 else "(" + joint.join(parts) + ")"


def _atom(atom: Atom, dialect: Dialect) -> list[str]:
    name = dialect.prefix + flat_name(atom.fact)
    tests = []
    if atom.is_ is not None:
        tests.append(f"{name} == {_literal(atom.is_, dialect)}")
    if atom.in_ is not None:
        tests.append(dialect.member(name, ", ".join(_literal(item, dialect) for item in atom.in_)))
    for low, high in _ranges(atom):
        tests += [f"{name} >= {low}"] if low is not None else []
        tests += [f"{name} <= {high}"] if high is not None else []
    return tests


def _ranges(atom: Atom) -> list[tuple[int | None, int | None]]:
    ranges: list[tuple[int | None, int | None]] = []
    if atom.at_least is not None or atom.at_most is not None:
        ranges.append((atom.at_least, atom.at_most))
    if atom.between is not None:
        ranges.append(atom.between)
    if atom.within_ms is not None:
        ranges.append((0, atom.within_ms))
    return ranges


def _literal(value: Value, dialect: Dialect) -> str:
    if isinstance(value, bool):
        return dialect.truth[0 if value else 1]
    return str(value) if isinstance(value, int) else f'"{value}"'


def ways(condition: Condition) -> list[list[Atom]]:
    """The condition as alternatives of atoms that must all hold: Rego has no `or` within a body."""
    if isinstance(condition, Atom):
        return [[condition]]
    inner = [ways(item) for item in condition.items]
    if isinstance(condition, AnyOf):
        return [way for item in inner for way in item]
    return [[atom for way in choice for atom in way] for choice in product(*inner)]


def rego_body(atoms: list[Atom]) -> str:
    """One alternative as the body of a Rego rule."""
    return "; ".join(test for atom in atoms for test in _atom(atom, REGO))


def schema(condition: Condition) -> Schema:
    """The condition as a JSON Schema of the flat context."""
    if not isinstance(condition, Atom):
        inner: list[Schema] = [schema(item) for item in condition.items]
        return {"anyOf": inner} if isinstance(condition, AnyOf) else {"allOf": inner}
    name = flat_name(condition.fact)
    tests: Schema = {}
    if condition.is_ is not None:
        tests["const"] = condition.is_
    if condition.in_ is not None:
        tests["enum"] = list(condition.in_)
    for low, high in _ranges(condition):
        tests |= {"minimum": low} if low is not None else {}
        tests |= {"maximum": high} if high is not None else {}
    return {"properties": {name: tests}, "required": [name]}

"""Generates Python source from a policy: one function an action, nothing but comparisons and bit operations.

In: a policy. Out: source text that can be read, hashed and recorded; `compiler` turns it into callables.
"""

from typing import assert_never

from voicewarden.model.action import Value
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy


def generate(policy: Policy) -> str:
    """Source of a module with `decide_<action>(facts, now_ms, digest, minted) -> int` for every action.

    While all facts that an action looks at are known, they are fetched at once and nothing is asked twice; as soon as
    one is missing, `unsure_<action>` decides, which looks at each.
    """
    head = f'"""Generated from policy `{policy.name}`. Same masks as the interpreter."""'
    parts = [f"{head}\n\nfrom operator import itemgetter"]
    parts += [_functions(rule) for _, rule in sorted(policy.actions.items())]
    return "\n\n\n".join(parts) + "\n"


def _functions(rule: ActionRule) -> str:
    names = _fact_names(rule)
    if len(names) < 2:
        return _unsure(rule, names, "decide")
    return f"{_unsure(rule, names, 'unsure')}\n\n\n{_sure(rule, names)}"


def _sure(rule: ActionRule, names: tuple[str, ...]) -> str:
    """All facts are known: no test whether they are."""
    variables = {name: f"f{index}" for index, name in enumerate(names)}
    otherwise = f"return unsure_{rule.name}(facts, now_ms, digest, minted)"
    own = variables.get(f"consent.{rule.name}")
    lines = [
        f"_facts_of_{rule.name} = itemgetter({', '.join(map(repr, names))})\n\n",
        # As defaults these are local names, which are found faster than global ones.
        f"def decide_{rule.name}(facts, now_ms, digest, minted, known=_facts_of_{rule.name}, int=int, type=type):",
        "    mask = 0", "    try:", f"        {', '.join(variables.values())} = known(facts)", "    except KeyError:",
        f"        {otherwise}", *([f"    if {own}.digest != digest:", f"        {otherwise}"] if own else []),
    ]  # fmt: skip
    return "\n".join([*lines, *_tests(rule, variables, sure=True), "    return mask"])


def _unsure(rule: ActionRule, names: tuple[str, ...], verb: str) -> str:
    variables = {name: f"f{index}" for index, name in enumerate(names)}
    lines = [f"def {verb}_{rule.name}(facts, now_ms, digest, minted):", "    mask = 0"]
    if names:
        lines.append("    get = facts.get")
    for name, variable in variables.items():
        lines.append(f"    {variable} = get({name!r})")
        if name == f"consent.{rule.name}":
            lines += [f"    if {variable} is not None and {variable}.digest != digest:", f"        {variable} = None"]
    return "\n".join([*lines, *_tests(rule, variables, sure=False), "    return mask"])


def _tests(rule: ActionRule, variables: dict[str, str], *, sure: bool) -> list[str]:
    lines: list[str] = []
    for index, requirement in enumerate(rule.require):
        test = _expression(requirement.condition, variables, sure=sure)
        lines += [f"    if not {test}:", f"        mask |= {1 << index}"]
    for index, limit in enumerate(rule.limits):
        test = _over(limit, variables, sure=sure)
        lines += [f"    if {test}:", f"        mask |= {1 << (len(rule.require) + index)}"]
    return lines


def _fact_names(rule: ActionRule) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for requirement in rule.require:
        for atom in atoms(requirement.condition):
            names[atom.fact] = None
    names |= {limit.counted: None for limit in rule.limits if limit.per != "call"}
    return tuple(names)


def _over(limit: Limit, variables: dict[str, str], *, sure: bool) -> str:
    if limit.per == "call":
        return f"minted >= {limit.at_most}"
    name = variables[limit.counted]
    unknown = "" if sure else f"{name} is None or "
    return f"{unknown}type({name}.value) is not int or {name}.value + minted >= {limit.at_most}"


def atoms(condition: Condition) -> tuple[Atom, ...]:
    """All atoms of a condition, from left to right."""
    match condition:
        case Atom():
            return (condition,)
        case All(items=items) | AnyOf(items=items):
            return tuple(atom for item in items for atom in atoms(item))
        case _:
            assert_never(condition)


def _expression(condition: Condition, variables: dict[str, str], *, sure: bool) -> str:
    match condition:
        case Atom():
            return _atom(condition, variables[condition.fact], sure=sure)
        case All(items=items):
            parts = [_expression(item, variables, sure=sure) for item in items]
            return "(" + " and ".join(parts) + ")" if parts else "True"
        case AnyOf(items=items):
            parts = [_expression(item, variables, sure=sure) for item in items]
            return "(" + " or ".join(parts) + ")" if parts else "False"
        case _:
            assert_never(condition)


def _atom(atom: Atom, name: str, *, sure: bool) -> str:
    value = f"{name}.value"
    tests = [] if sure else [f"{name} is not None"]
    if atom.is_ is not None:
        tests.append(_equal(value, atom.is_))
    if atom.in_ is not None:
        tests.append("(" + " or ".join(_equal(value, item) for item in atom.in_) + ")" if atom.in_ else "False")
    tests += [f"not {_equal(value, item)}" for item in atom.not_in or ()]
    numeric = [
        f"{value} >= {atom.at_least}" if atom.at_least is not None else "",
        f"{value} <= {atom.at_most}" if atom.at_most is not None else "",
        f"{atom.between[0]} <= {value} <= {atom.between[1]}" if atom.between is not None else "",
    ]
    numeric = [test for test in numeric if test]
    if numeric:
        # bool is a subclass of int: without the type test a flag would pass as the number 1.
        tests += [f"type({value}) is int", *numeric]
    if atom.within_ms is not None:
        tests.append(f"0 <= now_ms - {name}.at_ms <= {atom.within_ms}")
    if atom.known is False:
        tests.append("False")
    return "(" + " and ".join(tests or ["True"]) + ")"


def _equal(value: str, wanted: Value) -> str:
    if isinstance(wanted, bool):
        return f"{value} is {wanted}"
    if isinstance(wanted, int):
        return f"(type({value}) is int and {value} == {wanted})"
    return f"{value} == {wanted!r}"

"""Surgery on trees: every node of a condition with its place, and the condition with one node exchanged.

In: a condition. Out: another one; nothing is changed in place. Called by `cases`, `mutants` and others.
"""

from collections.abc import Iterator

from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Rule

Path = tuple[int, ...]
"""Indices of items from the root to a node; the root is ()."""


def items_of(rule: ActionRule) -> tuple[Rule | Limit, ...]:
    """Every rule and limit of an action, in the order of the mask's bits."""
    return (*rule.require, *rule.limits)


def nodes(condition: Condition, path: Path = ()) -> Iterator[tuple[Path, Condition]]:
    """Every node of a condition with its path, the root first."""
    yield path, condition
    if not isinstance(condition, Atom):
        for index, item in enumerate(condition.items):
            yield from nodes(item, (*path, index))


def replaced(condition: Condition, path: Path, node: Condition) -> Condition:
    """The condition with another node at this path."""
    if not path or isinstance(condition, Atom):
        return node
    items = list(condition.items)
    items[path[0]] = replaced(items[path[0]], path[1:], node)
    return _like(condition, tuple(items))


def swapped(group: All | AnyOf) -> All | AnyOf:
    """`any` for `all` and `all` for `any`."""
    return AnyOf(items=group.items) if isinstance(group, All) else All(items=group.items)


def without_item(group: All | AnyOf, index: int) -> All | AnyOf:
    """The group without one of its items."""
    return _like(group, group.items[:index] + group.items[index + 1 :])


def _like(group: All | AnyOf, items: tuple[Condition, ...]) -> All | AnyOf:
    return All(items=items) if isinstance(group, All) else AnyOf(items=items)

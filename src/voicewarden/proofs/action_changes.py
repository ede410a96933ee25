"""Changes of an action that its verdict does not show: what is read back, how it is asked, what a grant covers.

In: one action under two policies. Out: a list of changes with their direction. Called by `diff`. z3 compares when an
action is allowed; what the caller agrees to and how long a grant lasts is compared here, field by field.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from voicewarden.policy.ast import ActionRule, Argument
from voicewarden.proofs.context import NEVER_DENIED

Direction = Literal["narrows", "widens", "changed"]
_LOOSENESS: Final = {"enum": 0, "local_time": 0, "int": 0, "text": 1}
"""A text takes whatever another kind takes; the others take different things."""


class Change(msgspec.Struct, frozen=True):
    """One difference in words."""

    what: str
    verdict: Direction
    """`changed` where neither side is the looser one."""


def action_changes(old: ActionRule, new: ActionRule) -> tuple[Change, ...]:
    """Everything but rules, limits, roles, cool-down and stages, which z3 compares."""
    if new.name in NEVER_DENIED:
        return ()
    return (
        *_effect(old, new), *_read_back(old, new), *_question(old, new), *_expiry(old, new), *_arguments(old, new),
        *_offers(old, new),
    )  # fmt: skip


def _effect(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    if old.effect != new.effect:
        what = "is said to change something" if new.effect else "is said to change nothing in the world any more"
        yield Change(what, "narrows" if new.effect else "widens")


def _read_back(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    for name in old.read_back:
        if name not in new.read_back:
            yield Change(f"the argument {name} is not read back to the caller any more", "widens")
    for name in new.read_back:
        if name not in old.read_back:
            yield Change(f"the argument {name} is read back to the caller", "narrows")


def _question(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    if old.question and not new.question:
        yield Change("nothing is asked any more", "widens")
    elif old.question != new.question:
        yield Change(f'the question was "{old.question}" and is "{new.question}"', "changed")


def _expiry(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    if old.expires_ms != new.expires_ms:
        what = f"a grant may be used for {new.expires_ms} ms instead of {old.expires_ms} ms"
        yield Change(what, "widens" if new.expires_ms > old.expires_ms else "narrows")


def _arguments(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    before = {argument.name: argument for argument in old.args}
    after = {argument.name: argument for argument in new.args}
    for name in sorted(before.keys() - after.keys()):
        yield Change(f"the argument {name} is gone: what it said is not agreed to any more", "widens")
    for name in sorted(after.keys() - before.keys()):
        yield Change(f"the argument {name} is new", "widens" if after[name].optional else "changed")
    for name in (name for name in before if name in after):
        yield from _argument(before[name], after[name])


def _argument(old: Argument, new: Argument) -> Iterator[Change]:
    if old.optional != new.optional:
        how = "may be left out" if new.optional else "must be given"
        yield Change(f"the argument {old.name} {how}", "widens" if new.optional else "narrows")
    if old.kind != new.kind:
        looser = _LOOSENESS[new.kind] - _LOOSENESS[old.kind]
        verdict: Direction = "widens" if looser >= 0 else "narrows"
        yield Change(f"the argument {old.name} is of type {new.kind} instead of {old.kind}", verdict)
    elif old.source != new.source:
        # What the lists hold is no part of a policy: another list may hold values that the old one did not.
        yield Change(f"the argument {old.name} is taken from the list {new.source} instead of {old.source}", "widens")


def _offers(old: ActionRule, new: ActionRule) -> Iterator[Change]:
    before = {rule.id: rule for rule in old.require}
    for rule in new.require:
        if rule.id in before and rule.condition == before[rule.id].condition and rule.offer != before[rule.id].offer:
            yield Change(f"{rule.id} offers {rule.offer or 'nothing'} instead of {before[rule.id].offer or 'nothing'}",
                         "changed")  # fmt: skip

"""The effect of another policy over many calls: flips counted by rule and by action, and whom they concern.

In: `CallWhatIf` of each call. Out: an `Effect`, and the JSON that `voicewarden whatif --json` prints. What is certain,
what comes after a flip and what rests on facts that nobody recorded are never added together.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from voicewarden.replay.report import report_name
from voicewarden.replay.whatif import NOT_ASKED, CallWhatIf, Flip, Standing

BY_SETTINGS: Final = "settings"
"""Stands in place of a rule where no rule is named: an action was asked for on one side only."""
UNKNOWABLE: Final = (
    "Each decision is asked once more in the state that was recorded, which is exact for that moment. After the first "
    "flip in a call the people and the model would have gone on differently, so later flips of that call are marked "
    "and counted apart. Facts that nobody recorded, other lines, lists, words and timers than those of the recorded "
    "release, and what other calls would have used of a limit, are not known. What a policy steers without deciding "
    "(who is spoken to, silences, when a call ends) is not compared."
)


class Count(msgspec.Struct, frozen=True):
    """How many decisions, by how much they say, and in how many calls the certain ones are."""

    certain: int
    after_a_flip: int
    unrecorded: int
    calls: int


class Group(msgspec.Struct, frozen=True):
    """Flips of one kind: the same rule, action and change."""

    rule: str
    action: str
    old: str
    new: str
    count: Count
    first: Flip
    """What to look at: a certain one, if there is any."""


class People(msgspec.Struct, frozen=True):
    """Whom certain flips concern, counted by the keyed hash of their number, or by call where none is known."""

    protected: int
    """Something that was granted in earnest would have been withheld from them."""
    exposed: int
    """Something would have been allowed towards them that was not."""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What another policy would have changed."""

    calls: int
    decisions: int
    flips: tuple[Flip, ...]
    groups: tuple[Group, ...]
    gained: dict[str, Count]
    """Actions that would have been allowed and were not."""
    lost: dict[str, Count]
    """Actions that were allowed and would not have been."""
    people: People
    undecided: int
    problems: dict[str, str]
    """Calls that say nothing, and why."""


def effect_of(calls: Iterable[CallWhatIf]) -> Effect:
    """Everything that a change of policy did in these calls."""
    told = tuple(calls)
    flips = tuple(flip for call in told for flip in call.flips)
    persons = {call.call: call.contact or call.call for call in told}
    return Effect(
        calls=len(told), decisions=sum(call.decisions for call in told), flips=flips, groups=_groups(flips),
        gained=_by_action(flip for flip in flips if flip.new == "allow"),
        lost=_by_action(flip for flip in flips if flip.old == "allow"), people=_people(flips, persons),
        undecided=sum(call.undecided for call in told),
        problems={call.call: call.problem for call in told if call.problem},
    )  # fmt: skip


def as_data(effect: Effect) -> dict[str, Any]:
    """An effect as JSON."""
    return {
        "calls": effect.calls, "decisions": effect.decisions, "flips": [_flip(flip) for flip in effect.flips],
        "by_rule": _by_rule(effect.groups), "gained": msgspec.to_builtins(effect.gained),
        "lost": msgspec.to_builtins(effect.lost), "people": msgspec.to_builtins(effect.people),
        "undecided": effect.undecided, "problems": effect.problems, "unknowable": UNKNOWABLE,
    }  # fmt: skip


def pointer(flip: Flip) -> str:
    """Where to look in a folder of reports."""
    anchor = f"#r{flip.seq}" + ("" if flip.old == NOT_ASKED else "-d")
    return report_name(flip.call) + anchor


def _flip(flip: Flip) -> dict[str, Any]:
    return {**msgspec.to_builtins(flip), "standing": flip.standing, "report": pointer(flip)}


def _by_rule(groups: Sequence[Group]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for group in groups:
        change = {"action": group.action, "old": group.old, "new": group.new, **msgspec.to_builtins(group.count),
                  "first": pointer(group.first)}  # fmt: skip
        found.setdefault(group.rule, {"changes": []})["changes"].append(change)
    return found


def _groups(flips: Sequence[Flip]) -> tuple[Group, ...]:
    """A flip that several rules lead to stands with each of them."""
    sorted_in: dict[tuple[str, str, str, str], list[Flip]] = {}
    for flip in flips:
        for rule in flip.rules or (BY_SETTINGS,):
            sorted_in.setdefault((rule, flip.action, flip.old, flip.new), []).append(flip)
    groups = [
        Group(*key, count_of(members), next((flip for flip in members if flip.standing == "certain"), members[0]))
        for key, members in sorted_in.items()
    ]
    certain: Counter[str] = Counter()
    for group in groups:
        certain[group.rule] += group.count.certain
    # All changes of a rule together, the rule with most to say first.
    return tuple(sorted(groups, key=lambda group: (-certain[group.rule], group.rule, -group.count.certain)))


def _by_action(flips: Iterable[Flip]) -> dict[str, Count]:
    sorted_in: dict[str, list[Flip]] = {}
    for flip in flips:
        sorted_in.setdefault(flip.action, []).append(flip)
    return {action: count_of(members) for action, members in sorted(sorted_in.items())}


def count_of(flips: Sequence[Flip]) -> Count:
    """Flips by how much they say."""
    times: Counter[Standing] = Counter(flip.standing for flip in flips)
    calls = {flip.call for flip in flips if flip.standing == "certain"}
    return Count(times["certain"], times["after a flip"], times["rests on what was not recorded"], len(calls))


def _people(flips: Iterable[Flip], persons: dict[str, str]) -> People:
    certain = [flip for flip in flips if flip.standing == "certain"]
    protected = {persons[flip.call] for flip in certain if flip.granted and flip.new != "allow"}
    exposed = {persons[flip.call] for flip in certain if flip.new == "allow" and flip.action != "speak"}
    return People(len(protected), len(exposed))

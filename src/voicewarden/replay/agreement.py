"""How far reviewers agree, and how often the rules that they looked at were right.

In: labels and the decisions that they are about. Out: raw agreement and Cohen's kappa for each two reviewers, precision
for each rule. Used by the QA report.

Kappa is Cohen, A Coefficient of Agreement for Nominal Scales, 1960: agreement beyond what the two would reach by
chance, each with their own habits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Literal

import msgspec

from voicewarden.model.decision import Decision
from voicewarden.replay.interval import Rate, rate
from voicewarden.replay.labels import Label

Place = tuple[str, int]
"""Call and record of a decision."""
Joint = Literal["right", "wrong", "disputed"]


class Agreement(msgspec.Struct, frozen=True):
    """Two reviewers on the decisions that both looked at."""

    first: str
    second: str
    both: int
    same: int
    kappa_permille: int | None
    """None where it can't be computed: both always said the same one thing."""


class Precision(msgspec.Struct, frozen=True):
    """How often a rule, or an allowed action, was found right."""

    rule: str
    right: Rate
    """Of the decisions on which the reviewers were of one mind."""
    disputed: int


def joint_verdicts(labels: Iterable[Label]) -> dict[Place, Joint]:
    """What the reviewers of each decision say together."""
    said: dict[Place, set[str]] = defaultdict(set)
    for label in labels:
        said[label.call, label.seq].add(label.verdict)
    return {
        place: "disputed" if len(found) > 1 else "right" if "right" in found else "wrong"
        for place, found in said.items()
    }


def agreements(labels: Sequence[Label]) -> tuple[Agreement, ...]:
    """Each two reviewers who looked at the same decisions."""
    by_reviewer: dict[str, dict[Place, bool]] = defaultdict(dict)
    for label in labels:
        by_reviewer[label.reviewer][label.call, label.seq] = label.verdict == "right"
    found = []
    for first, second in combinations(sorted(by_reviewer), 2):
        one, other = by_reviewer[first], by_reviewer[second]
        both = sorted(one.keys() & other.keys())
        if both:
            pairs = [(one[place], other[place]) for place in both]
            same = sum(a == b for a, b in pairs)
            found.append(Agreement(first, second, len(both), same, kappa_permille(pairs)))
    return tuple(found)


def kappa_permille(pairs: Sequence[tuple[bool, bool]]) -> int | None:
    """Cohen's kappa of two reviewers, per mille; None where chance alone would make them agree always."""
    count = len(pairs)
    first, second = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    # Everything times count squared, so that no float is needed.
    chance = first * second + (count - first) * (count - second)
    if count == 0 or chance == count * count:
        return None
    seen = sum(a == b for a, b in pairs) * count
    return round((seen - chance) * 1000 / (count * count - chance))


def precision(labels: Iterable[Label], decisions: Mapping[Place, Decision]) -> tuple[Precision, ...]:
    """For every rule that stood in the way of a labelled decision, and for every action that was allowed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for place, joint in joint_verdicts(labels).items():
        decision = decisions.get(place)
        for name in judged(decision) if decision else ():
            counts[name][joint] += 1
    return tuple(
        Precision(name, rate(found["right"], found["right"] + found["wrong"]), found["disputed"])
        for name, found in sorted(counts.items())
    )


def judged(decision: Decision) -> tuple[str, ...]:
    """What a label on a decision is about: the rules that were not met, or that the action was allowed."""
    rules = tuple(dict.fromkeys(reason.rule for reason in decision.reasons if reason.verdict != "allow"))
    return rules or (f"{decision.action} allowed",)

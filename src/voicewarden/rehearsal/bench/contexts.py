"""Random requests on the contest policy, once as the kernel's facts and once as the flat values that peers take.

In: a seed and a number. Out: `Case`s, the same for the same seed. Called by `contest`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voicewarden.model.action import Value
from voicewarden.policy.ast import FactType, Policy
from voicewarden.policy.fact import Fact, Facts
from voicewarden.rehearsal.bench.contest_policy import SIGNAL

NOW_MS: Final = 300_000
DIGEST: Final = "4fd0c1a2"
_OTHER_DIGEST: Final = "00000000"
_FINE: Final[dict[str, Value]] = {
    "hearing_permille": 930, "answer_permille": 955, "identity": "verified", "call_stage": "autonomous",
    "paused": False, "opted_out": False, "sent_today": 0, "attempts_week": 1, "failed_checks": 0,
    "local_minute": 650, "weekday": 2, "human_available": True, SIGNAL: True, "policy_epoch": 8,
}  # fmt: skip
"""Values with which nothing is unmet; a case changes a few of them."""
_FRESH_MS: Final = 4_000
_OLDEST_MS: Final = 150_000
_MOST_CHANGES: Final = 9


@dataclass(frozen=True, slots=True)
class Case:
    """One request: who decides it sees either `facts` with time and digest, or `flat`."""

    action: str
    facts: Facts
    now_ms: int
    digest: str
    minted: int
    flat: Mapping[str, Value]
    """By `flat_name`; an answer to other arguments is `none`, the signal's age is in milliseconds."""


def flat_name(fact: str) -> str:
    """The name of a fact where names have no dots and an age is a number of its own."""
    return "signal_age_ms" if fact == SIGNAL else fact.replace(".", "_")


def cases(policy: Policy, count: int, seed: int) -> list[Case]:
    """So many cases; the actions take turns."""
    chance = random.Random(seed)
    names = list(policy.actions)
    return [_case(policy, names[index % len(names)], chance) for index in range(count)]


def _case(policy: Policy, action: str, chance: random.Random) -> Case:
    values = {name: _FINE.get(name, "explicit") for name in policy.facts}
    changed = chance.sample(list(policy.facts), chance.randrange(_MOST_CHANGES))
    for name in changed:
        values[name] = _any_value(policy.facts[name], chance)
    age_ms = chance.randrange(_OLDEST_MS) if SIGNAL in changed else chance.randrange(_FRESH_MS)
    digest = DIGEST if chance.random() < 0.9 else _OTHER_DIGEST
    facts: Facts = {}
    flat: dict[str, Value] = {}
    for name, value in values.items():
        own = name == f"consent.{action}"
        at_ms = NOW_MS - (age_ms if name == SIGNAL else chance.randrange(_FRESH_MS))
        facts[name] = Fact(value, at_ms, chance.randrange(400), digest if own else "")
        flat[flat_name(name)] = age_ms if name == SIGNAL else "none" if own and digest != DIGEST else value
    return Case(action, facts, NOW_MS, DIGEST, 0, flat)


def _any_value(kind: FactType, chance: random.Random) -> Value:
    if kind.kind == "bool":
        return chance.random() < 0.5
    if kind.kind == "enum":
        return chance.choice(kind.values)
    return chance.randint(kind.low, kind.high)

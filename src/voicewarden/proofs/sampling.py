"""Sampling: random policies of every shape that the language allows, and random situations around their boundaries.

In: a seeded generator. Out: policies and cases, the same ones for the same seed. Called by `agreement` and tests.
"""

from random import Random
from typing import Any, Final

import msgspec

from voicewarden.model.action import STAGES, StageEffect, Value, Verdict
from voicewarden.policy.ast import (
    ActionRule,
    All,
    AnyOf,
    Atom,
    Condition,
    FactType,
    Limit,
    LimitScope,
    MustSay,
    Policy,
    Rule,
)
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.vocabulary import fact_type
from voicewarden.proofs.case import Case, context_of
from voicewarden.proofs.context import STOPPERS
from voicewarden.proofs.points import DIGEST, OTHER_DIGEST, Points, fact_at

_ACTIONS: Final = ("book", "transfer", "send_message", "raise_a_ticket", "leave_voicemail")
_DECLARED: Final = {
    "flag": FactType(kind="bool"), "other_flag": FactType(kind="bool"),
    "colour": FactType(kind="enum", values=("red", "green", "blue", "it's")),
    "amount": FactType(kind="int", low=-5, high=40), "share": FactType(kind="int", low=0, high=1000),
    "note": FactType(kind="text"),
}  # fmt: skip
_BUILT_IN: Final = (
    "answerer", "direction", "opted_out", "asked_for_person", "hearing_permille", "contact.consent", "disclosed.ai",
    "contact.attempts_86400", "agent", "done.book", "consent.transfer",
)  # fmt: skip
_ROLES: Final = ("booking", "closing", 'a "quoted" role')
_OTHERWISE: Final[tuple[Verdict, ...]] = ("confirm", "escalate", "deny")
_EFFECTS: Final[tuple[StageEffect | None, ...]] = ("log", "approve", "allow", "allow", None)
_SCOPES: Final[tuple[LimitScope, ...]] = ("call", "call", "person", "campaign", "agent")


class PolicySampler:
    """Random policies: nested any and all, every operator, wrong types, windows, shadows, stages, roles, cool-downs."""

    def __init__(self, like: Policy, random: Random) -> None:
        """What is not about actions is taken from `like`."""
        self._like = like
        self._random = random

    def policy(self) -> Policy:
        """One policy with one to three actions."""
        random = self._random
        names = random.sample(_ACTIONS, random.randint(1, 3))
        said = [MustSay(id="ai", line="disclosures.ai", before=random.choice((*names, "")))]
        speech = msgspec.structs.replace(self._like.speech, must_say=tuple(said))
        actions = {name: self._action(name) for name in names}
        return msgspec.structs.replace(
            self._like, name=f"random-{random.randrange(10**6)}", facts=_DECLARED, speech=speech, actions=actions
        )

    def _action(self, name: str) -> ActionRule:
        random = self._random
        facts = random.sample((*_DECLARED, *_BUILT_IN, f"consent.{name}"), random.randint(1, 6))
        drawn = {str(stage): random.choice(_EFFECTS) for stage in STAGES}
        stages = {stage: effect for stage, effect in drawn.items() if effect is not None}
        return ActionRule(
            name=name, owner="nobody", why="a sample", stages=stages,
            requested_by=tuple(random.sample(_ROLES, random.choice((0, 1, 2)))),
            cooldown_ms=random.choice((0, 0, 1, 5_000)),
            require=tuple(self._rule(f"{name}.require.{n}", facts) for n in range(1, random.randint(1, 6))),
            limits=tuple(self._limit(f"{name}.limits.{n}") for n in range(1, random.randint(1, 4))),
        )  # fmt: skip

    def _rule(self, rule_id: str, facts: list[str]) -> Rule:
        random = self._random
        return Rule(
            id=rule_id, condition=self._condition(facts, random.choice((0, 0, 1, 2, 3))),
            otherwise=random.choice(_OTHERWISE), shadow=random.random() < 0.15, why='why "not"?\n',
        )  # fmt: skip

    def _limit(self, limit_id: str) -> Limit:
        random = self._random
        per = random.choice(_SCOPES)
        return Limit(
            id=limit_id, at_most=random.randint(0, 4), otherwise=random.choice(_OTHERWISE), per=per,
            in_s=0 if per == "call" else 86_400, shadow=random.random() < 0.15,
        )  # fmt: skip

    def _condition(self, facts: list[str], depth: int) -> Condition:
        random = self._random
        if depth == 0 or random.random() < 0.2:
            return self._atom(random.choice(facts))
        items = tuple(self._condition(facts, depth - 1) for _ in range(random.choice((0, 1, 2, 2, 2, 3, 3))))
        return All(items=items) if random.random() < 0.5 else AnyOf(items=items)

    def _atom(self, fact: str) -> Atom:
        random = self._random
        # Any: the operators' types differ, and msgspec checks none of them here.
        operators: dict[str, Any] = {}
        if random.random() < 0.3:
            operators["within_ms"] = random.choice((0, 1, 60_000, 90_000))
        if random.random() < 0.1:
            operators["known"] = random.random() < 0.7
        kind = fact_type(fact, _DECLARED)
        assert kind is not None, fact
        if random.random() < 0.02:
            kind = random.choice(tuple(_DECLARED.values()))  # a literal of another type can never be met
        if kind.kind == "int":
            operators |= self._numbers(kind)
        elif random.random() < 0.9:
            values = _literals(fact, kind)
            chosen = random.random()
            if chosen < 0.5:
                operators["is_"] = random.choice(values)
            elif chosen < 0.6:
                operators["not_in"] = tuple(random.sample(values, min(2, len(values))))
            else:
                operators["in_"] = tuple(random.sample(values, random.randint(0, min(3, len(values)))))
        return Atom(fact=fact, **operators)

    def _numbers(self, kind: FactType) -> dict[str, Any]:
        random = self._random
        edge, other = sorted(random.randint(kind.low, min(kind.high, kind.low + 50)) for _ in range(2))
        shapes: tuple[dict[str, Any], ...] = (
            {"at_least": edge}, {"at_most": edge}, {"between": (edge, other)}, {"at_least": edge, "at_most": other},
            {"is_": edge}, {"in_": (edge, other)}, {"at_least": other, "at_most": edge}, {},
        )  # fmt: skip
        return random.choice(shapes)


def _literals(fact: str, kind: FactType) -> tuple[Value, ...]:
    if kind.kind == "bool":
        return (True, False)
    return kind.values or (_ROLES if fact == "agent" else ("x'y", "", "long text"))


class CaseSampler:
    """Random situations of one action: half start at a boundary case, half anywhere; then single facts change."""

    def __init__(self, policy: Policy, action: str, random: Random, boundary: list[Case]) -> None:
        self._random = random
        self._boundary = boundary
        self._action = action
        points = Points(policy, action)
        self.names = points.names
        self.points: dict[str, list[Fact | None]] = {name: self._some(points, name) for name in points.names}
        self.counts = points.minted()
        rule = policy.actions[action]
        others = sorted({role for other in policy.actions.values() for role in other.requested_by})
        # Those that may and that allow are drawn more often than the others.
        self._roles = (*rule.requested_by * 4, *others, "", "another")
        self._stages = (*STAGES, *[stage for stage in STAGES if rule.stages.get(stage) in ("allow", "approve")] * 2)
        self._cooldown_ms = rule.cooldown_ms

    def _some(self, points: Points, name: str) -> list[Fact | None]:
        """Every point, random ones between them, and unknown often enough to matter."""
        random = self._random
        values, longest = points.values(name), max(points.ages(name))
        some: list[Fact | None] = [*points.all(name)]
        domain = points.domain(name)
        for _ in range(8):
            value = random.randint(*domain.bounds) if domain.kind == "int" else random.choice(values)
            some.append(fact_at(name, value, random.choice((random.randint(-10, 2 * longest + 10), 0))))
        if name == f"consent.{self._action}":
            some += [msgspec.structs.replace(fact, digest=OTHER_DIGEST) for fact in some if fact is not None][::3]
        # What stops a call is mostly absent: else little would ever be allowed.
        return some + [None] * (len(some) * 3 if name in STOPPERS else len(some) // 6)

    def set_traps(self) -> None:
        """Let values of the wrong type appear too, as no kernel lets them: for semantics that take any value."""
        for name, points in self.points.items():
            points += [fact_at(name, value, 0) for value in (True, False, 0, 1, "true", "explicit")]

    def facts(self) -> Facts:
        """Random facts: a boundary case with up to two facts changed, or every fact at random."""
        random = self._random
        if random.random() < 0.5:
            facts = random.choice(self._boundary).facts()
            names = random.sample(self.names, min(len(self.names), random.choice((0, 1, 2))))
        else:
            facts, names = {}, list(self.names)
        for name in names:
            self.change(facts, name)
        return facts

    def change(self, facts: Facts, name: str) -> None:
        """Give one fact another point."""
        point = self._random.choice(self.points[name])
        if point is None:
            facts.pop(name, None)
        else:
            facts[name] = point

    def case(self) -> Case:
        """A random situation with everything that stands around the facts."""
        random = self._random
        drawn = self.case_of(self.facts(), random.choice(self.counts))
        edges = (0, self._cooldown_ms - 1, self._cooldown_ms, random.randint(0, 2 * self._cooldown_ms + 10))
        context = msgspec.structs.replace(
            drawn.context, stage=random.choice(self._stages), role=random.choice(self._roles),
            approved=random.random() < 0.5, since_last_ms=random.choice((None, None, max(0, random.choice(edges)))),
        )  # fmt: skip
        return msgspec.structs.replace(drawn, context=context)

    def case_of(self, facts: Facts, minted: int) -> Case:
        """The situation of some facts, with nothing around them."""
        consent = facts.get(f"consent.{self._action}")
        other = consent is not None and consent.digest != DIGEST
        context = context_of(facts, minted)
        return Case(action=self._action, about="a random situation", context=context, other_arguments=other)

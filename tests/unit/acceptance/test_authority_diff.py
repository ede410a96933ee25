"""`policy diff` on pairs whose answer is known by thought, and against every situation of a small world."""

import random
from itertools import product
from typing import Any

import pytest
from tests.unit.acceptance.authority_policies import STAGES as USUAL
from tests.unit.acceptance.authority_policies import Part, atom, for_role, policy

from voicewarden.model.action import SEVERITY, STAGES, Value
from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import compile_policy
from voicewarden.proofs.context import Context, decide_in, rules_in

pytest.importorskip("z3")
from voicewarden.proofs.diff import diff

EQUAL, WIDENS, NARROWS, NEITHER = "equivalent", "widens", "narrows", "incomparable"
BACK = {EQUAL: EQUAL, WIDENS: NARROWS, NARROWS: WIDENS, NEITHER: NEITHER}
YES = atom("flag", is_=True)
OTHER = atom("flog", is_=True)
SMALL = atom("amount", at_most=5)
Sides = tuple[dict[str, Any], dict[str, Any], str]


def sides(*require: Part, **parts: Any) -> dict[str, Any]:
    return {"require": require, **parts}


def either(*items: Part) -> Part:
    return {"any": list(items)}


def both(*items: Part) -> Part:
    return {"all": list(items)}


def call(at_most: int, **more: Any) -> Part:
    return {"per": "call", "at_most": at_most, **more}


def window(at_most: int, in_s: int, per: str = "person", **more: Any) -> Part:
    return {"per": per, "at_most": at_most, "in_s": in_s, **more}


LARGER_TIER: Part = {"tier": {"type": {"enum": ["a", "b", "c", "d"]}, "source": "crm", "why": "Which tier it is."}}
SMALLER_AMOUNT: Part = {"amount": {"type": {"int": [0, 50]}, "source": "crm", "why": "How much it is."}}
PAIRS: dict[str, Sides] = {
    "reordered": (sides(YES, SMALL), sides(SMALL, YES), EQUAL),
    "said three times": (sides(YES), sides(YES, YES, YES), EQUAL),
    "a rule that another implies": (sides(SMALL, atom("amount", at_most=9)), sides(SMALL), EQUAL),
    "between": (sides(atom("amount", between=[3, 7])), sides(atom("amount", at_least=3, at_most=7)), EQUAL),
    "between as two rules": (
        sides(atom("amount", between=[3, 7])), sides(atom("amount", at_least=3), atom("amount", at_most=7)), EQUAL),
    "between all there is": (sides(atom("amount", between=[0, 100])), sides(atom("amount", known=True)), EQUAL),
    "at least the lowest": (sides(atom("amount", at_least=0)), sides(atom("amount", known=True)), EQUAL),
    "every value": (sides(atom("tier", in_=["a", "b", "c"])), sides(atom("tier", known=True)), EQUAL),
    "every value is not nothing": (sides(atom("tier", in_=["a", "b", "c"])), sides(), WIDENS),
    "true is not known": (sides(YES), sides(atom("flag", known=True)), WIDENS),
    "true or false is known": (
        sides(either(YES, atom("flag", is_=False))), sides(atom("flag", known=True)), EQUAL),
    "all is two rules": (sides(both(YES, SMALL)), sides(YES, SMALL), EQUAL),
    "any over all": (
        sides(either(YES, both(OTHER, SMALL))), sides(either(YES, OTHER), either(YES, SMALL)), EQUAL),
    "absorbed": (sides(either(YES, both(YES, SMALL))), sides(YES), EQUAL),
    "nested for nothing": (sides(either(both(either(YES)))), sides(YES), EQUAL),
    "any to all": (sides(either(YES, OTHER)), sides(both(YES, OTHER)), NARROWS),
    "in as any": (
        sides(atom("tier", in_=["a", "b"])), sides(either(atom("tier", is_="a"), atom("tier", is_="b"))), EQUAL),
    "in as between": (sides(atom("amount", in_=[1, 2, 3])), sides(atom("amount", between=[1, 3])), EQUAL),
    "in and at most": (sides(atom("amount", in_=[1, 2, 3], at_most=2)), sides(atom("amount", in_=[1, 2])), EQUAL),
    "shifted": (sides(atom("amount", between=[10, 20])), sides(atom("amount", between=[11, 21])), NEITHER),
    "another fact": (sides(YES), sides(OTHER), NEITHER),
    "a millisecond": (
        sides(atom("flag", is_=True, within_ms=1000)), sides(atom("flag", is_=True, within_ms=1001)), WIDENS),
    "of any age": (sides(atom("flag", is_=True, within_ms=1000)), sides(YES), WIDENS),
    "the shorter age counts": (
        sides(atom("flag", is_=True, within_ms=1000), atom("flag", known=True, within_ms=500)),
        sides(atom("flag", is_=True, within_ms=500)), EQUAL),
    "ages swapped": (
        sides(atom("flag", is_=True, within_ms=1000), atom("flog", is_=True, within_ms=500)),
        sides(atom("flag", is_=True, within_ms=500), atom("flog", is_=True, within_ms=1000)), NEITHER),
    "a shadow added": (sides(YES), sides(YES, {**SMALL, "shadow": True}), EQUAL),
    "made a shadow": (sides(YES, SMALL), sides(YES, {**SMALL, "shadow": True}), WIDENS),
    "milder": (sides(SMALL), sides({**SMALL, "else": "escalate"}), WIDENS),
    "milder but implied": (
        sides(SMALL, atom("amount", at_most=9)),
        sides(SMALL, {**atom("amount", at_most=9), "else": "escalate"}), EQUAL),
    "never either way": (
        sides(YES, atom("flag", is_=False)), sides(atom("amount", at_least=60, at_most=50)), EQUAL),
    "one grant more": (sides(YES, limits=(call(1),)), sides(YES, limits=(call(2),)), WIDENS),
    "the lower limit counts": (sides(YES, limits=(call(1), call(2))), sides(YES, limits=(call(1),)), EQUAL),
    "no limit": (sides(YES, limits=(call(1),)), sides(YES), WIDENS),
    "a limit logs": (sides(YES, limits=(call(1),)), sides(YES, limits=(call(1, shadow=True),)), WIDENS),
    "a milder limit": (sides(YES, limits=(call(1),)), sides(YES, limits=(call(1, **{"else": "escalate"}),)), WIDENS),
    "more in a window": (sides(YES, limits=(window(1, 60),)), sides(YES, limits=(window(2, 60),)), WIDENS),
    "a shorter window": (sides(YES, limits=(window(2, 60),)), sides(YES, limits=(window(2, 6),)), WIDENS),
    "longer, but more": (sides(YES, limits=(window(2, 60),)), sides(YES, limits=(window(3, 90),)), NEITHER),
    "another subject": (
        sides(YES, limits=(window(2, 60),)), sides(YES, limits=(window(2, 60, per="campaign"),)), NEITHER),
    "a person's window holds the call's": (
        sides(YES, limits=(call(2), window(2, 60))), sides(YES, limits=(window(2, 60),)), EQUAL),
    "nothing granted is nothing allowed": (
        sides(YES, limits=(call(0),)), sides(YES, stages=dict.fromkeys(STAGES, "log")), EQUAL),
    "roles reordered": (
        sides(YES, requested_by=("booking", "closing")), sides(YES, requested_by=("closing", "booking")), EQUAL),
    "any role": (sides(YES, requested_by=("booking", "closing")), sides(YES, requested_by=()), WIDENS),
    "for one role of two": (
        sides(YES, requested_by=("booking", "closing")),
        sides(requested_by=("booking", "closing"), roles=for_role("booking", YES)), WIDENS),
    "no entry is a log": (
        sides(YES, stages={"observe": "log", "assist": "log", "bounded": "allow"}),
        sides(YES, stages={"bounded": "allow"}), EQUAL),
    "allow for approve": (
        sides(YES, stages={"bounded": "approve"}), sides(YES, stages={"bounded": "allow"}), WIDENS),
    "approve for log": (
        sides(YES, stages={"bounded": "allow"}), sides(YES, stages={"assist": "approve", "bounded": "allow"}), WIDENS),
    "a longer cool-down": (sides(YES, cooldown_ms=1000), sides(YES, cooldown_ms=2000), NARROWS),
    "a longer grant": (sides(YES, expires_ms=10_000), sides(YES, expires_ms=20_000), WIDENS),
    "only words": (sides(YES), sides({**YES, "why": "Another reason.", "owner": "legal"}), EQUAL),
    "an offer": (sides({**YES, "offer": "transfer"}), sides(YES), EQUAL),
    "a value nobody asks for": (
        sides(atom("tier", in_=["a", "b"])), sides(atom("tier", in_=["a", "b"]), facts=LARGER_TIER), EQUAL),
    "a bound nobody reaches": (sides(SMALL, facts=SMALLER_AMOUNT), sides(SMALL), EQUAL),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_answer_is_the_one_that_thought_gives(name: str) -> None:
    old, new, expected = PAIRS[name]
    left, right = (policy(*side["require"], **{k: v for k, v in side.items() if k != "require"}) for side in (old, new))
    for before, after, wanted in ((left, right, expected), (right, left, BACK[expected])):
        found = diff(before, after).actions["act"]
        assert found.verdict == wanted
        assert (found.counterexample is not None) == (wanted in (WIDENS, NEITHER))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (sides(atom("tier", known=True)), sides(atom("tier", known=True), facts=LARGER_TIER)),
        (sides(atom("amount", at_least=50), facts=SMALLER_AMOUNT), sides(atom("amount", at_least=50))),
    ],
)
def test_a_larger_type_is_a_widening_of_the_settings(old: dict[str, Any], new: dict[str, Any]) -> None:
    left, right = (policy(*side["require"], **{k: v for k, v in side.items() if k != "require"}) for side in (old, new))
    assert diff(left, right).widens
    assert not diff(right, left).widens


def test_a_rule_on_the_stage_is_the_stage() -> None:
    two = {"bounded": "allow", "autonomous": "allow"}
    ruled = policy(YES, atom("stage", is_="bounded"), stages=two)
    assert diff(ruled, policy(YES, stages={"bounded": "allow"})).actions["act"].verdict == EQUAL


AGES = (0, 5, 6)
WORLD: dict[str, Any] = {
    "i": {"type": {"int": [0, 2]}, "source": "crm", "why": "A small number."},
    "f": {"type": "bool", "source": "crm", "why": "A flag of its own."},
}


class Draw:
    """Random policies of the small world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def test(self, depth: int = 2) -> Part:
        chance = self.random
        if depth and chance.random() < 0.4:
            return {chance.choice(("any", "all")): [self.test(depth - 1) for _ in range(chance.randint(1, 3))]}
        made: Part = {"fact": chance.choice("if")}
        if chance.random() < 0.2:
            made["within_ms"] = 5
        number, flag = ("at_least", "at_most"), {"is": chance.choice((True, False))}
        made |= flag if made["fact"] == "f" else {chance.choice(number): chance.randint(0, 2)}
        return made

    def rules(self) -> list[Part]:
        chance = self.random
        return [
            {**self.test(), "else": chance.choice(("deny", "deny", "escalate")), "shadow": chance.random() < 0.15}
            for _ in range(chance.randint(0, 3))
        ]

    def parts(self) -> dict[str, Any]:
        chance = self.random
        limits = [call(chance.randint(0, 2)), window(chance.randint(0, 2), 60)]
        stages = {**USUAL, "bounded": chance.choice(("log", "approve", "allow"))}
        roles = chance.choice((("booking",), ("booking", "closing"), ()))
        return {"limits": tuple(limits[: chance.randint(0, 2)]), "stages": stages, "requested_by": roles,
                "cooldown_ms": chance.choice((0, 5))}  # fmt: skip

    def pair(self) -> tuple[Policy, Policy]:
        rules, parts = self.rules(), self.parts()
        changed, other = list(rules), dict(parts)
        match self.random.randrange(4):
            case 0:
                changed = changed[1:]
            case 1:
                changed.append({**self.test(), "else": "deny"})
            case 2:
                other = self.parts()
            case 3:
                changed = [*reversed(changed), *self.rules()][:2]
        return policy(*rules, facts=WORLD, **parts), policy(*changed, facts=WORLD, **other)


def tried(old: Policy, new: Policy) -> str:
    """The relation by trying every situation of the small world."""
    before, after = compile_policy(old), compile_policy(new)
    ones: list[tuple[Value, int] | None] = [None, *((number, age) for number in range(3) for age in AGES)]
    flags: list[tuple[Value, int] | None] = [None, *((flag, age) for flag in (True, False) for age in AGES)]
    seen: set[tuple[str, str]] = set()
    for one, flag, others, minted in product(ones, flags, (None, 0, 1, 2), (0, 1, 2)):
        counted = None if others is None else (others, 0)
        given = {"i": one, "f": flag, "counted.act.person.60": counted}
        facts = {name: fact for name, fact in given.items() if fact is not None}
        context = Context(facts=facts, minted=minted)
        said = rules_in(before, "act", context).verdict, rules_in(after, "act", context).verdict
        seen.add(said) if said in seen else _around(before, after, context, said, seen)
    return {(False, False): EQUAL, (True, False): WIDENS, (False, True): NARROWS, (True, True): NEITHER}[
        ("milder", "") in seen, ("stricter", "") in seen
    ]


# Any: compiled policies.
def _around(before: Any, after: Any, inner: Context, said: tuple[str, str], seen: set[tuple[str, str]]) -> None:
    seen.add(said)
    for stage, role, approved, last in product(STAGES, ("booking", "closing", "x"), (False, True), (None, 0, 5)):
        context = Context(inner.facts, inner.minted, last, stage, role, approved)
        left, right = (SEVERITY[decide_in(item, "act", context)] for item in (before, after))
        effects = [item.policy.actions["act"].stages.get(stage) for item in (before, after)]
        none = not any(effect == "allow" or (effect == "approve" and approved) for effect in effects)
        if right < left and not (said[0] == "allow" and none):
            seen.add(("milder", ""))
        if right > left and not (said[1] == "allow" and none):
            seen.add(("stricter", ""))


@pytest.mark.parametrize("seed", range(40))
def test_the_solver_says_what_trying_everything_says(seed: int) -> None:
    old, new = Draw(seed).pair()
    assert diff(old, new).actions["act"].verdict == tried(old, new)

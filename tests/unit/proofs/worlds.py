"""Contexts and policies at random, near the edges that a policy draws."""

import random
from collections.abc import Iterator

import msgspec
from hypothesis import strategies as st
from tests.unit.policy.samples import policy_with

from voicewarden.model.action import STAGES, StageEffect, Value, Verdict
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, FactType, Limit, Policy, Rule
from voicewarden.policy.generator import atoms
from voicewarden.proofs.context import Context
from voicewarden.proofs.terms import Terms

DECLARED = {
    "quote_open": FactType(kind="bool"),
    "score": FactType(kind="int", low=-3, high=3),
    "mood": FactType(kind="enum", values=("calm", "cross", "x'y")),
    "note": FactType(kind="text"),
}
NAMES = (*DECLARED, "answerer", "opted_out", "paused", "stage", "agent", "consent.book", "consent.transfer",
         "done.book", "disclosed.ai")  # fmt: skip
WORDS = ("human", "voicemail", "explicit", "refused", "calm", "cross", "x'y", "booking", "observe", "bounded")
VALUES = st.one_of(st.sampled_from(WORDS), st.booleans(), st.integers(-4, 4))


def contexts(terms: Terms, policy: Policy, count: int, seed: int = 1) -> Iterator[Context]:
    """Contexts whose facts are of their types, with numbers and ages at and beside those that the policy names."""
    chance = random.Random(seed)
    ages = sorted(_ages(policy))
    for _ in range(count):
        wanted = chance.random()
        facts: dict[str, tuple[Value, int]] = {}
        for key, symbol in terms.facts.items():
            if chance.random() < 0.25 + 0.75 * wanted:
                domain = symbol.domain
                low, high = domain.bounds
                near = (low, high, *range(max(low, -4), min(high, 4) + 1))
                value = chance.random() < 0.5 if domain.kind == "bool" else domain.decode(chance.choice(near))
                facts.setdefault(key.partition("#")[0], (value, chance.choice(ages)))
        yield Context(
            facts=_kinder(facts, chance), minted=chance.choice((0, 0, 0, 1, 2, 3)), role=chance.choice(terms.roles),
            since_last_ms=chance.choice((None, None, 0, 999, 1_000, 5_000)), stage=chance.choice(STAGES),
            approved=chance.random() < 0.5,
        )  # fmt: skip


def _kinder(facts: dict[str, tuple[Value, int]], chance: random.Random) -> dict[str, tuple[Value, int]]:
    """Half the time what most rules ask for, so that an allow is not a rare accident."""
    usual: dict[str, Value] = {"answerer": "human", "opted_out": False, "paused": False, "revoked": False,
                               "disclosed.ai": True, "desk_open": True}  # fmt: skip
    facts = {name: (usual.get(name, value) if chance.random() < 0.7 else value, age) for name, (value, age) in
             facts.items()}  # fmt: skip
    return {
        name: ("explicit" if name.startswith("consent.") and chance.random() < 0.5 else value, age)
        for name, (value, age) in facts.items()
    }


def _ages(policy: Policy) -> set[int]:
    edges = {0, -1}
    for rule in policy.actions.values():
        for item in rule.require:
            for atom in atoms(item.condition):
                if atom.within_ms is not None:
                    edges |= {atom.within_ms - 1, atom.within_ms, atom.within_ms + 1}
    return edges


@st.composite
def _atoms(draw: st.DrawFn) -> Atom:
    def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
        return st.one_of(st.none(), st.none(), strategy)

    given = {
        "is_": draw(maybe(VALUES)), "in_": draw(maybe(st.lists(VALUES, max_size=3).map(tuple))),
        "at_least": draw(maybe(st.integers(-3, 3))), "at_most": draw(maybe(st.integers(-3, 3))),
        "between": draw(maybe(st.tuples(st.integers(-3, 0), st.integers(0, 3)))),
        "within_ms": draw(maybe(st.integers(0, 50))), "known": draw(maybe(st.booleans())),
    }  # fmt: skip
    return msgspec.structs.replace(Atom(fact=draw(st.sampled_from(NAMES))), **given)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    _atoms(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: All(items=tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: AnyOf(items=tuple(items))),
    ),
    max_leaves=6,
)
_OUTCOMES: st.SearchStrategy[Verdict] = st.sampled_from(("confirm", "escalate", "deny"))
_STAGES: st.SearchStrategy[dict[str, StageEffect]] = st.dictionaries(
    st.sampled_from(STAGES), st.sampled_from(("log", "approve", "allow", "allow"))
)


@st.composite
def _actions(draw: st.DrawFn, name: str) -> ActionRule:
    conditions = draw(st.lists(CONDITIONS, max_size=4))
    drawn = st.tuples(st.integers(0, 3), st.sampled_from(("call", "person")), st.booleans())
    limits = draw(st.lists(drawn, max_size=2))
    return ActionRule(
        name=name, owner="o", why="w", stages=draw(_STAGES), cooldown_ms=draw(st.sampled_from((0, 1_000))),
        requested_by=draw(st.sampled_from(((), ("booking",), ("booking", "closing")))),
        require=tuple(
            Rule(id=f"{name}.require.{n}", condition=condition, otherwise=draw(_OUTCOMES),
                 shadow=draw(st.sampled_from((False, False, True))))
            for n, condition in enumerate(conditions, 1)
        ),
        limits=tuple(
            Limit(id=f"{name}.limits.{n}", at_most=most, otherwise=draw(_OUTCOMES), shadow=shadow,
                  per="person" if per == "person" else "call", in_s=60 if per == "person" else 0)
            for n, (most, per, shadow) in enumerate(limits, 1)
        ),
    )  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """A policy of two actions that may look at anything, ill-typed values and shadows included."""
    policy = policy_with(draw(_actions("book")), draw(_actions("transfer")))
    return msgspec.structs.replace(policy, facts=DECLARED)

"""The generated code and the reference interpreter give the same mask for every policy and every set of facts."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.samples import policy_with

from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Rule
from voicewarden.policy.compiler import compile_policy
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.interpreter import unmet

_NAMES = ("answerer", "opted_out", "consent.book", "consent.transfer", "score", "note")
_VALUES = st.one_of(st.sampled_from(["human", "explicit", "none", "x'y"]), st.booleans(), st.integers(-3, 3))


@st.composite
def _atoms(draw: st.DrawFn) -> Atom:
    return Atom(
        fact=draw(st.sampled_from(_NAMES)),
        is_=draw(st.none() | _VALUES),
        in_=draw(st.none() | st.lists(_VALUES, max_size=3).map(tuple)),
        at_least=draw(st.none() | st.integers(-3, 3)),
        at_most=draw(st.none() | st.integers(-3, 3)),
        between=draw(st.none() | st.tuples(st.integers(-3, 0), st.integers(0, 3))),
        within_ms=draw(st.none() | st.integers(0, 50)),
        known=draw(st.none() | st.booleans()),
    )


_CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    _atoms(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: All(items=tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: AnyOf(items=tuple(items))),
    ),
    max_leaves=6,
)
_FACTS = st.dictionaries(
    st.sampled_from(_NAMES),
    st.builds(Fact, _VALUES, st.integers(0, 120), st.integers(0, 9), st.sampled_from(["", "d1", "d2"])),
)


@given(st.lists(_CONDITIONS, min_size=1, max_size=4), _FACTS, st.integers(0, 150), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_generated_code_agrees_with_the_interpreter(
    conditions: list[Condition], facts: Facts, now_ms: int, minted: int
) -> None:
    rules = tuple(Rule(id=f"book.{i}", condition=c, otherwise="deny") for i, c in enumerate(conditions))
    limits = (Limit(id="book.limit", at_most=2, otherwise="deny"),)
    action = ActionRule(name="book", owner="o", why="w", require=rules, limits=limits)
    compiled = compile_policy(policy_with(action))
    for digest in ("d1", "d2"):
        expected = unmet(action, facts, now_ms, digest, minted)
        assert compiled.deciders["book"](facts, now_ms, digest, minted) == expected

"""Terms: z3 says what the compiled policy says, for the shipped policies and for any other."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.samples import policy_with
from tests.unit.proofs.worlds import contexts, policies

from voicewarden.config.policy_reader import read_policy
from voicewarden.model.action import SEVERITY
from voicewarden.policy.ast import ActionRule, AnyOf, Atom, Condition, FactType, Limit, MustSay, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.proofs.context import Context, decide_in, rules_in
from voicewarden.proofs.terms import Terms

z3 = pytest.importorskip("z3")
CONFIG = Path(__file__).resolve().parents[3] / "config"
SHIPPED = ("organisation", "outbound-sales", "inbound-service", "booking-only")


@lru_cache(maxsize=8)
def shipped(name: str) -> Policy:
    return read_policy(name, CONFIG)


def assert_agreement(policy: Policy, terms: Terms, cases: Iterable[Context]) -> None:
    """In each context each term can have the one value only that the compiled policy gives."""
    compiled, actions = CompiledPolicy(policy), tuple(policy.actions)
    values = [*(terms.rules(policy, name) for name in actions), *(terms.verdict(policy, name) for name in actions)]
    solver = z3.Solver()
    solver.add(*terms.axioms)
    for context in cases:
        found = [*(rules_in(compiled, name, context).verdict for name in actions),
                 *(decide_in(compiled, name, context) for name in actions)]  # fmt: skip
        pinned = terms.equal(context)
        assert solver.check(*pinned) == z3.sat, context
        differs = [value != SEVERITY[verdict] for value, verdict in zip(values, found, strict=True)]
        assert solver.check(*pinned, z3.Or(*differs)) == z3.unsat, context


@pytest.mark.parametrize("name", SHIPPED)
def test_z3_agrees_with_the_compiled_policy(name: str) -> None:
    policy = shipped(name)
    terms, compiled = Terms(policy), CompiledPolicy(policy)
    cases = tuple(contexts(terms, policy, 300))
    assert_agreement(policy, terms, cases)
    seen = {decide_in(compiled, action, context) for action in policy.actions for context in cases}
    assert {"allow", "confirm", "deny"} <= seen


@given(policies(), st.integers(0, 1_000))
@settings(max_examples=50, deadline=None)
def test_z3_agrees_on_any_policy(policy: Policy, seed: int) -> None:
    terms = Terms(policy)
    assert_agreement(policy, terms, contexts(terms, policy, 6, seed))


@given(policies(), policies(), st.integers(0, 1_000))
@settings(max_examples=20, deadline=None)
def test_policies_share_their_symbols(one: Policy, other: Policy, seed: int) -> None:
    terms = Terms(one, other)
    cases = tuple(contexts(terms, one, 4, seed))
    assert_agreement(one, terms, cases)
    assert_agreement(other, terms, cases)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_context_from_a_model_has_the_models_verdict(name: str) -> None:
    policy = shipped(name)
    terms, compiled = Terms(policy), CompiledPolicy(policy)
    for action in policy.actions:
        for verdict, severity in SEVERITY.items():
            solver = z3.Solver()
            solver.add(*terms.axioms, *terms.in_a_call, terms.verdict(policy, action) == severity)
            if solver.check() == z3.sat:
                assert decide_in(compiled, action, terms.context(solver.model())) == verdict


def test_a_fact_of_two_kinds_is_known_as_one_of_them() -> None:
    flag = policy_with(book(Atom(fact="quote", is_=True)))
    number = policy_with(book(Atom(fact="quote", at_least=2)))
    flag = msgspec.structs.replace(flag, facts={"quote": FactType(kind="bool")})
    number = msgspec.structs.replace(number, facts={"quote": FactType(kind="int", low=0, high=9)})
    terms = Terms(flag, number)
    cases = tuple(Context({"quote": (value, 0)}) for value in (True, False, 2, 1))
    assert_agreement(flag, terms, cases)
    assert_agreement(number, terms, cases)
    solver = z3.Solver()
    solver.add(*terms.axioms, terms.rules(flag, "book") == 0, terms.rules(number, "book") == 0)
    assert solver.check() == z3.unsat


def test_words_that_no_policy_names_are_one_more_word() -> None:
    policy = policy_with(book(AnyOf(items=(Atom(fact="agent", is_="booking"), Atom(fact="agent", is_="another")))))
    terms = Terms(policy)
    assert terms.roles == ("booking", "another", "another'")
    cases = (Context({"agent": (word, 0)}) for word in ("booking", "another", "somebody else"))
    assert_agreement(policy, terms, cases)


def test_a_value_of_another_type_is_refused() -> None:
    terms = Terms(policy_with(book(Atom(fact="opted_out", is_=False))))
    with pytest.raises(ValueError, match="opted_out"):
        terms.equal(Context({"opted_out": (3, 0)}))


def test_a_line_that_must_be_heard_before_an_action_stops_it() -> None:
    policy = policy_with(book(Atom(fact="opted_out", is_=False)))
    speech = msgspec.structs.replace(policy.speech, must_say=(MustSay(id="ai", line="l", before="book"),))
    policy = msgspec.structs.replace(policy, speech=speech)
    terms = Terms(policy)
    heard = ({}, {"disclosed.ai": (True, 0)}, {"disclosed.ai": (False, 0)})
    assert_agreement(policy, terms, (Context({"opted_out": (False, 0), **facts}) for facts in heard))


@pytest.mark.parametrize("others", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("minted", [0, 1, 2])
def test_a_windowed_limit_adds_what_others_used(others: int | None, minted: int) -> None:
    limit = Limit(id="book.limits.1", at_most=3, otherwise="escalate", per="campaign", in_s=60)
    policy = policy_with(msgspec.structs.replace(book(), limits=(limit,)))
    facts = {} if others is None else {"counted.book.campaign.60": (others, 0)}
    assert_agreement(policy, Terms(policy), (Context(facts, minted=minted),))


def test_an_action_that_no_policy_names_is_denied_and_ending_never() -> None:
    policy = policy_with(book())
    terms = Terms(policy)
    assert terms.verdict(policy, "transfer").as_long() == terms.rules(policy, "transfer").as_long() == 3
    assert terms.verdict(policy, "end_call").as_long() == 0


def book(*conditions: Condition) -> ActionRule:
    rules = tuple(Rule(id=f"book.require.{n}", condition=c, otherwise="deny") for n, c in enumerate(conditions, 1))
    return ActionRule(name="book", owner="o", why="w", stages={"bounded": "allow"}, require=rules)

"""Policies: what an atom means, what a mask leads to, and what is said about it."""

import pytest
from tests.fakes.rig import shipped
from tests.unit.policy.samples import policy_with

from voicewarden.model.action import SEVERITY, Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Rule
from voicewarden.policy.compiler import compile_policy
from voicewarden.policy.fact import Fact
from voicewarden.policy.generator import atoms
from voicewarden.policy.interpreter import holds, unmet
from voicewarden.policy.reasons import needed, rule_reason, sentence, wording
from voicewarden.policy.vocabulary import BUILT_IN_FACTS, fact_type

NOW_MS = 1_000


def met(condition: Condition, **facts: object) -> bool:
    """The interpreter's and the generated code's answer, which have to be the same."""
    known = {name: Fact(value, 900, 3) for name, value in facts.items()}  # type: ignore[arg-type]
    action = ActionRule(
        name="book", owner="o", why="w", require=(Rule(id="book.1", condition=condition, otherwise="deny"),)
    )
    interpreted = holds(condition, known, NOW_MS, "consent.book", "d")
    assert (unmet(action, known, NOW_MS, "d", 0) == 0) is interpreted
    assert (compile_policy(policy_with(action)).deciders["book"](known, NOW_MS, "d", 0) == 0) is interpreted
    return interpreted


@pytest.mark.parametrize(
    ("atom", "value", "expected"),
    [(Atom(fact="x", is_=True), True, True), (Atom(fact="x", is_=True), False, False),
     (Atom(fact="x", is_=True), 1, False), (Atom(fact="x", is_=1), True, False), (Atom(fact="x", is_="a"), "a", True),
     (Atom(fact="x", in_=("a", "b")), "b", True), (Atom(fact="x", in_=()), "b", False),
     (Atom(fact="x", in_=(0, 1)), False, False),
     (Atom(fact="x", at_least=3), 3, True), (Atom(fact="x", at_least=3), 2, False),
     (Atom(fact="x", at_least=0), True, False), (Atom(fact="x", at_least=3), "9", False),
     (Atom(fact="x", at_most=3), 3, True), (Atom(fact="x", at_most=3), 4, False),
     (Atom(fact="x", between=(1, 3)), 1, True), (Atom(fact="x", between=(1, 3)), 4, False),
     (Atom(fact="x", within_ms=100), "any", True), (Atom(fact="x", within_ms=99), "any", False),
     (Atom(fact="x", known=True), False, True), (Atom(fact="x", known=False), True, False),
     (Atom(fact="x", at_least=1, at_most=5), 3, True), (Atom(fact="x", at_least=1, at_most=5), 9, False),
     (Atom(fact="x", is_="a", within_ms=50), "a", False)],
)  # fmt: skip
def test_operators_of_an_atom_are_anded(atom: Atom, value: object, expected: bool) -> None:
    assert met(atom, x=value) is expected


@pytest.mark.parametrize(
    "atom", [Atom(fact="x"), Atom(fact="x", known=True), Atom(fact="x", known=False), Atom(fact="x", is_=False)]
)
def test_an_unknown_fact_fails_its_atom(atom: Atom) -> None:
    assert met(atom) is False


def test_all_needs_every_item_and_any_needs_one() -> None:
    a, b = Atom(fact="a", is_=True), Atom(fact="b", is_=True)
    assert [met(All(items=(a, b)), a=True, b=value) for value in (True, False)] == [True, False]
    assert [met(AnyOf(items=(a, b)), a=False, b=value) for value in (True, False)] == [True, False]
    assert met(All(items=())) and not met(AnyOf(items=()))


def test_a_fact_from_the_future_is_not_fresh() -> None:
    facts = {"x": Fact(True, NOW_MS + 1, 0)}
    assert not holds(Atom(fact="x", within_ms=1_000), facts, NOW_MS, "consent.book", "d")


def test_an_answer_to_other_arguments_is_invisible() -> None:
    facts = {"consent.book": Fact("explicit", 900, 3, "other")}
    atom = Atom(fact="consent.book", is_="explicit")
    assert not holds(atom, facts, NOW_MS, "consent.book", "d")
    assert holds(atom, facts, NOW_MS, "consent.book", "other")


@pytest.mark.parametrize("one", SEVERITY)
@pytest.mark.parametrize("other", SEVERITY)
def test_the_most_severe_outcome_of_a_mask_stands(one: Verdict, other: Verdict) -> None:
    never = Atom(fact="nothing", known=True)
    action = ActionRule(
        name="book", owner="o", why="w",
        require=(
            Rule(id="book.1", condition=never, otherwise=one), Rule(id="book.2", condition=never, otherwise=other),
        ),
        limits=(Limit(id="book.limit", at_most=1, otherwise="deny"),),
    )  # fmt: skip
    outcome = compile_policy(policy_with(action)).decide("book", {}, NOW_MS, "d", 0)
    assert SEVERITY[outcome.verdict] == max(SEVERITY[one], SEVERITY[other])
    assert [item.id for item in outcome.failed] == ["book.1", "book.2"]


def test_a_limit_counts_what_was_minted() -> None:
    action = ActionRule(
        name="book", owner="o", why="w", limits=(Limit(id="book.limit", at_most=2, otherwise="deny"),)
    )
    policy = compile_policy(policy_with(action))
    assert [policy.decide("book", {}, NOW_MS, "d", count).verdict for count in (0, 1, 2, 3)] == [
        "allow", "allow", "deny", "deny"
    ]  # fmt: skip


def test_an_action_that_the_policy_does_not_name_raises_key_error() -> None:
    with pytest.raises(KeyError):
        compile_policy(policy_with()).decide("book", {}, NOW_MS, "d", 0)


def test_equal_policies_give_equal_hashes_and_source() -> None:
    one, other = compile_policy(shipped().data.policy), compile_policy(shipped().data.policy)
    assert (one.hash, one.source_hash) == (other.hash, other.source_hash)


def test_atoms_are_found_in_order() -> None:
    a, b, c = (Atom(fact=name) for name in "abc")
    assert [atom.fact for atom in atoms(All(items=(a, AnyOf(items=(b, c)))))] == ["a", "b", "c"]


def test_what_is_needed_is_said_in_words() -> None:
    condition = AnyOf(items=(Atom(fact="x", is_=True), Atom(fact="y", between=(1, 3), within_ms=60_000)))
    assert needed(condition) == "x is true or y is between 1 and 3, no older than 60 s"


def test_a_reason_says_what_was_found_and_cites_its_record() -> None:
    rule = Rule(id="book.1", condition=Atom(fact="x", is_=True), otherwise="deny", offer="transfer")
    found = rule_reason(rule, wording(rule.condition), "deny", {"x": Fact(False, 500, 7)}, NOW_MS, "consent.book", "d")
    assert found == Reason("book.1", "x", "is true", "false, 500 ms ago", "deny", (7,), "transfer")
    missing = rule_reason(rule, wording(rule.condition), "deny", {}, NOW_MS, "consent.book", "d")
    assert (missing.found, missing.evidence) == ("unknown", ())
    assert rule_reason(rule, wording(rule.condition), "allow", {}, NOW_MS, "consent.book", "d").offer is None


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("allow", "was allowed"), ("deny", "was refused"), ("confirm", "must first be confirmed"),
     ("escalate", "goes to a person")],
)  # fmt: skip
def test_a_decision_is_a_sentence(verdict: Verdict, words: str) -> None:
    decision = Decision(
        seq=1, at_ms=0, request="r", action="book", digest="d", principal="p", verdict=verdict,
        would="allow" if verdict == "deny" else None, reasons=(Reason("r", "x", "is true", "false", verdict),),
        policy="p", version=0, epoch=0, stage="bounded",
    )  # fmt: skip
    assert words in sentence(decision)
    assert ("rules alone would say allow" in sentence(decision)) is (verdict == "deny")


@pytest.mark.parametrize("name", ["consent.book", "disclosed.ai", "done.book", "contact.attempts_60", *BUILT_IN_FACTS])
def test_built_in_facts_have_types(name: str) -> None:
    assert fact_type(name, {}) is not None


@pytest.mark.parametrize("name", ["", "x", "consent", "consent.", "contact.secret", "weather.now"])
def test_other_names_have_none(name: str) -> None:
    assert fact_type(name, {}) is None

"""Theorems: the shipped policies hold them all; a policy that breaks one is told so by a context that shows it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.samples import policy_with
from tests.unit.proofs.worlds import contexts, policies

from voicewarden.config.policy_reader import read_base, read_policy
from voicewarden.kernel import gate
from voicewarden.kernel.draft import Draft
from voicewarden.kernel.facets import actions
from voicewarden.model.action import SEVERITY, StageEffect, Verdict
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy, RuleOutcome
from voicewarden.proofs.context import Context, decide_in
from voicewarden.proofs.receipt import Receipt, Theorem

pytest.importorskip("z3")
from voicewarden.proofs import solver, theorems, world
from voicewarden.proofs.terms import Terms
from voicewarden.proofs.theorems import names_of, prove

CONFIG = Path(__file__).resolve().parents[3] / "config"
SHIPPED = ("organisation", "outbound-sales", "inbound-service", "booking-only")
HUMAN = Atom(fact="answerer", is_="human")
YES = Atom(fact="consent.book", is_="explicit", within_ms=90_000)
STAGES: dict[str, StageEffect] = {"observe": "log", "assist": "approve", "bounded": "allow", "autonomous": "allow"}


def action(name: str, *conditions: Condition, **changes: Any) -> ActionRule:
    """An action whose conditions, unmet, deny."""
    numbered = enumerate(conditions, 1)
    rules = tuple(Rule(id=f"{name}.require.{n}", condition=item, otherwise="deny") for n, item in numbered)
    rule = ActionRule(name=name, owner="o", why="w", stages=STAGES, require=rules)
    return msgspec.structs.replace(rule, **changes)


def unproved(*rules: ActionRule, base: Policy | None = None) -> dict[str, Theorem]:
    """What is not proved of a policy of these actions."""
    return {theorem.name: theorem for theorem in prove(policy_with(*rules), base=base).unproved}


def the_one(name: str, *rules: ActionRule, base: Policy | None = None) -> tuple[Theorem, Context]:
    """The one theorem that does not hold, with its counterexample."""
    found = unproved(*rules, base=base)
    assert [*found] == [name]
    theorem = found[name]
    assert theorem.counterexample is not None
    return theorem, theorem.counterexample


def verdict(rules: tuple[ActionRule, ...], name: str, context: Context) -> Verdict:
    return decide_in(CompiledPolicy(policy_with(*rules)), name, context)


@lru_cache(maxsize=4)
def proved(name: str) -> Receipt:
    return prove(read_policy(name, CONFIG), base=read_base(name, CONFIG))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_theorem_holds_of_the_shipped_policies(name: str) -> None:
    receipt = proved(name)
    assert [theorem.told for theorem in receipt.unproved] == []
    assert tuple(theorem.name for theorem in receipt.theorems) == names_of(base=name != "organisation")
    assert receipt.ok and receipt.solver.startswith("z3 ") and all(theorem.says for theorem in receipt.theorems)


def test_a_receipt_of_another_action_as_an_alternative_is_inherited_authority() -> None:
    rules = (action("book", AnyOf(items=(YES, Atom(fact="done.transfer", is_=True)))), action("transfer", HUMAN))
    theorem, context = the_one("no_inheritance", *rules)
    assert theorem.action == "book"
    assert "book goes from deny to allow when only done.transfer changes from " in theorem.told
    assert verdict(rules, "book", context) == "deny"
    after = {**context.facts, "done.transfer": (True, 0)}
    assert verdict(rules, "book", msgspec.structs.replace(context, facts=after)) == "allow"


@pytest.mark.parametrize(
    "condition", [Atom(fact="done.book", is_=True), Atom(fact="consent.book", in_=("explicit", "conditional")),
                  AnyOf(items=(HUMAN, Atom(fact="counted.book.person.60", at_least=3)))],
)  # fmt: skip
def test_no_fact_of_another_action_may_open_one(condition: Condition) -> None:
    limit = Limit(id="book.limits.1", at_most=2, otherwise="deny", per="person", in_s=60)
    theorem, _ = the_one("no_inheritance", action("book", YES, limits=(limit,)), action("notify", condition))
    assert theorem.action == "notify"
    assert any(name in theorem.told for name in ("done.book", "consent.book", "counted.book.person.60"))


def test_an_action_may_look_at_its_own_receipt_and_at_the_world() -> None:
    own = AnyOf(items=(Atom(fact="done.book", is_=True), YES))
    assert unproved(action("book", own), action("notify", HUMAN)) == {}


@pytest.mark.parametrize("effect", ["allow", "approve"])
def test_an_action_with_an_effect_in_the_stage_that_only_watches(effect: StageEffect) -> None:
    rules = (action("book", YES, stages={**STAGES, "observe": effect, "assist": effect}),)
    theorem, context = the_one("observe", *rules)
    assert context.stage == "observe" and context.approved >= (effect == "approve")
    assert verdict(rules, "book", context) == "allow"
    assert "stage observe" in theorem.told


def test_looking_something_up_may_happen_while_watching() -> None:
    everywhere: dict[str, StageEffect] = dict.fromkeys(STAGES, "allow")
    assert unproved(action("look_up", stages=everywhere)) == {}
    assert [*unproved(action("measure", stages=everywhere))] == ["observe"]


@pytest.mark.parametrize("reading", ["ambiguous", "refused"])
def test_a_reading_that_opens_more_than_a_yes(reading: str) -> None:
    rules = (action("book", Atom(fact="consent.book", is_=reading)),)
    theorem, context = the_one("consent_monotone", *rules)
    assert f"deny becomes allow when consent.book changes from explicit to {reading}" in theorem.told
    assert context.facts["consent.book"][0] == "explicit"


def test_a_yes_may_be_too_old_where_a_fresher_one_is_not() -> None:
    assert unproved(action("book", AnyOf(items=(YES, Atom(fact="consent.book", is_="conditional", within_ms=9))))) == {}
    longer = Atom(fact="consent.book", is_="conditional", within_ms=90_001)
    theorem, context = the_one("consent_monotone", action("book", AnyOf(items=(YES, longer))))
    assert context.facts["consent.book"] == ("explicit", 90_001) and "(90001 ms old)" in theorem.told


def test_a_stage_that_denies_after_the_yes_takes_nothing_away() -> None:
    ask = Rule(id="book.require.1", condition=YES, otherwise="confirm")
    assert unproved(action("book", require=(ask,))) == {}


@pytest.mark.parametrize(
    ("stages", "conditions"),
    [({**STAGES, "bounded": "log"}, ()), ({"assist": "allow", "autonomous": "approve"}, ()),
     (STAGES | {"assist": "allow"}, (Atom(fact="stage", in_=("assist", "autonomous")),))],
)  # fmt: skip
def test_a_lower_stage_that_opens_more(stages: dict[str, StageEffect], conditions: tuple[Condition, ...]) -> None:
    rules = (action("book", *conditions, stages=stages),)
    theorem, context = the_one("stage_monotone", *rules)
    assert "deny becomes allow when the stage falls to assist" in theorem.told
    assert verdict(rules, "book", context) == "deny"


def test_a_rule_that_asks_for_nothing() -> None:
    assert "a rule is met although nothing is known" in unproved(action("book", All(items=())))["default_deny"].told


def test_a_layer_may_only_narrow() -> None:
    base = policy_with(action("book", YES, HUMAN), action("transfer", HUMAN))
    assert unproved(action("book", HUMAN, YES, Atom(fact="recording", is_=True)), base=base) == {}
    theorem, context = the_one("narrows_base", action("book", YES), base=base)
    assert (theorem.action, theorem.told[:48]) == ("book", "allow here, deny under the policy that this one ")
    assert decide_in(CompiledPolicy(base), "book", context) == "deny"
    assert verdict((action("book", YES),), "book", context) == "allow"


@pytest.mark.parametrize("change", [{"cooldown_ms": 0}, {"requested_by": ("a", "b")}, {"limits": ()}])
def test_roles_cooldowns_and_limits_only_narrow_too(change: dict[str, Any]) -> None:
    limits = (Limit(id="book.limits.1", at_most=1, otherwise="deny"),)
    strict = action("book", YES, cooldown_ms=1_000, requested_by=("a",), limits=limits)
    assert unproved(strict, base=policy_with(msgspec.structs.replace(strict, **change))) == {}
    the_one("narrows_base", msgspec.structs.replace(strict, **change), base=policy_with(strict))


@pytest.mark.parametrize(
    ("name", "of", "member", "broken"),
    [("pause", gate, "_call_reasons", lambda *_: []),
     ("stale_grant", Draft, "lower", lambda _: None),
     ("stale_grant", actions, "withdraw_unspent", lambda _: None),
     ("severity_order", CompiledPolicy, "outcome", lambda *_: RuleOutcome("allow", ())),
     ("order_independence", CompiledPolicy, "outcome", lambda _, action, mask: RuleOutcome("deny" if mask & 1 else
                                                                                         "allow", ()))],
)  # fmt: skip
def test_code_that_does_not_do_what_the_terms_say(
    name: str, of: Any, member: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of, member, broken)
    found = unproved(action("book", YES, HUMAN))
    assert name in found and found[name].told


def test_two_rules_of_one_id_are_no_order() -> None:
    twice = tuple(Rule(id="book.require.1", condition=condition, otherwise="deny") for condition in (YES, HUMAN))
    assert "the same id" in unproved(action("book", require=twice))["order_independence"].told


def test_no_answer_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise solver.NoAnswer("z3 gave no answer: timeout")

    monkeypatch.setattr(world.Solver, "model", silent)
    found = unproved(action("book", YES))
    assert found["no_inheritance"].told == "z3 gave no answer: timeout" and found["observe"].counterexample is None


def test_a_second_solver_agrees() -> None:
    pytest.importorskip("cvc5")
    rules = (action("book", AnyOf(items=(YES, Atom(fact="done.transfer", is_=True)))), action("transfer", HUMAN))
    receipt = prove(policy_with(*rules), second_solver=True)
    assert [theorem.name for theorem in receipt.unproved] == ["no_inheritance"] and "cvc5" in receipt.solver


def test_solvers_that_disagree_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cvc5")
    monkeypatch.setattr(solver.z3.Solver, "to_smt2", lambda _: "(check-sat)")
    receipt = prove(policy_with(action("book", YES)), second_solver=True)
    assert "z3 says unsat, cvc5 says sat" in receipt.unproved[0].told


@given(policies(), st.integers(0, 1_000))
@settings(max_examples=12, deadline=None)
def test_what_the_language_guarantees_holds_of_any_policy(policy: Policy, seed: int) -> None:
    receipt = prove(policy)
    found = {theorem.name: theorem for theorem in receipt.unproved}
    of_the_policy = {"no_inheritance", "observe", "consent_monotone", "stage_monotone"}
    assert {*found} <= of_the_policy | {"default_deny"}, found
    if "default_deny" in found:  # only a rule that asks for nothing
        assert "nothing is known" in found["default_deny"].told
    compiled = CompiledPolicy(policy)
    if (theorem := found.get("observe")) and theorem.counterexample:
        assert decide_in(compiled, theorem.action, theorem.counterexample) == "allow"
    for context in contexts(Terms(policy), policy, 40, seed):
        if "no_inheritance" not in found:
            facts = {name: fact for name, fact in context.facts.items() if name not in ("consent.book", "done.book")}
            without = msgspec.structs.replace(context, facts=facts)
            assert decide_in(compiled, "transfer", without) == decide_in(compiled, "transfer", context)
        if "stage_monotone" not in found and not any(name == "stage" for name in context.facts):
            watching = msgspec.structs.replace(context, stage="observe")
            for name in policy.actions:
                assert SEVERITY[decide_in(compiled, name, watching)] >= SEVERITY[decide_in(compiled, name, context)]


def test_claims_are_named_once() -> None:
    names = names_of(base=True)
    assert len({*names}) == len(names) == len(theorems.CLAIMS) + 1

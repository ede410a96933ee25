"""`policy prove`: which theorem falls by which policy, what only looks suspicious, and the same said in Cedar."""

from typing import Any

import pytest
from tests.unit.acceptance.authority_policies import CONFIG, Part, atom, for_role, policy

from voicewarden.config.policy_reader import read_base, read_policy
from voicewarden.model.action import Value
from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import compile_policy
from voicewarden.proofs.context import Context, decide_in

pytest.importorskip("z3")
from voicewarden.proofs.theorems import names_of, prove

YES = atom("flag", is_=True)
ASKED: dict[str, Any] = {"question": "Shall I do it?"}
NAMED_BY_THE_ISSUE = {
    "default_deny", "no_inheritance", "pause", "opt_out", "observe", "stale_grant", "consent_monotone",
    "stage_monotone", "severity_order", "order_independence",
}  # fmt: skip


def consent(**operators: Any) -> Part:
    return atom("consent.act", **operators)


BREAK: dict[str, tuple[Policy, set[str]]] = {
    "another's receipt": (policy(atom("done.transfer", is_=True)), {"no_inheritance"}),
    "another's receipt as one way": (
        policy({"any": [YES, atom("done.transfer", is_=True)]}), {"no_inheritance"}),
    "while another was not done": (policy(atom("done.transfer", is_=False)), {"no_inheritance"}),
    "a refusal opens": (policy(consent(in_=["refused"])), {"consent_monotone"}),
    "a mumble opens": (policy(consent(in_=["none", "ambiguous"])), {"consent_monotone"}),
    "only the lower stage": (
        policy(atom("stage", is_="assist"), stages={"assist": "approve", "bounded": "allow"}), {"stage_monotone"}),
    "the higher stage logs": (policy(YES, stages={"bounded": "allow", "autonomous": "log"}), {"stage_monotone"}),
    "the higher stage asks a person": (
        policy(YES, stages={"bounded": "allow", "autonomous": "approve"}), {"stage_monotone"}),
}  # fmt: skip
STAND: dict[str, Policy] = {
    "no rule at all": policy(),
    "its own receipt": policy(atom("done.act", is_=True)),
    "not twice": policy(atom("done.act", is_=False)),
    "any answer": policy(consent(known=True)),
    "a yes or a flag": policy({"any": [consent(is_="explicit"), YES], "else": "confirm"}, **ASKED),
    "only after an opt-out": policy(atom("opted_out", is_=True)),
    "a pause as one way": policy({"any": [atom("paused", is_=True), YES]}),
    "only where it watches": policy(atom("stage", is_="observe"), stages={"observe": "log", "bounded": "allow"}),
    "early in the call": policy(atom("call_ms", at_most=60_000)),
    "two windows": policy(YES, limits=({"per": "person", "at_most": 1, "in_s": 60}, {"per": "call", "at_most": 2})),
    "for one role": policy(roles=for_role("booking", YES)),
    "a false fact": policy(atom("flag", is_=False)),
}


@pytest.mark.parametrize("name", BREAK)
def test_a_policy_that_breaks_a_theorem_is_shown_to(name: str) -> None:
    found, fallen = BREAK[name]
    theorems = prove(found).theorems
    assert {theorem.name for theorem in theorems if not theorem.proved} == fallen
    assert all(theorem.told and theorem.action == "act" for theorem in theorems if not theorem.proved)


@pytest.mark.parametrize("name", STAND)
def test_what_only_looks_suspicious_is_proved(name: str) -> None:
    assert all(theorem.proved for theorem in prove(STAND[name]).theorems)


def test_every_theorem_of_the_issue_is_among_them() -> None:
    assert set(names_of(base=False)) >= NAMED_BY_THE_ISSUE


@pytest.mark.parametrize("name", ["outbound-sales", "inbound-service", "booking-only"])
def test_the_shipped_policies_pass_and_narrow_their_base(name: str) -> None:
    receipt = prove(read_policy(name, CONFIG), base=read_base(name, CONFIG))
    assert {theorem.name for theorem in receipt.theorems if theorem.proved} == set(names_of(base=True))
    assert receipt.solver.startswith("z3 ")


LITERALS = ("a'b", 'a"b', "a\\b", "a\nb", "\u2028x", "${x}", "*", "{x}", "\U0001f600", "\x07", " lead",
            "'); raise SystemExit(3) #", "\\u{41}", "e\u0301", "null", "true", "1", "\ufeffz")  # fmt: skip


@pytest.mark.parametrize("literal", LITERALS)
def test_no_value_of_a_fact_gets_out_of_its_quotes(literal: str) -> None:
    cedarpy = pytest.importorskip("cedarpy")
    assert cedarpy
    from voicewarden.proofs.case import Case
    from voicewarden.proofs.cedar_opinion import CedarOpinion

    odd: Part = {"odd": {"type": {"enum": [literal, "plain"]}, "source": 'x"\\\n', "why": "A fact of odd words."}}
    made = policy({**atom("odd", is_=literal), "why": 'why "quoted" \\ \n\u2028 */ // """'}, facts=odd)
    compiled, cedar = compile_policy(made), CedarOpinion(made)
    for value, wanted in ((literal, "allow"), ("plain", "deny")):
        context = Context(facts={"odd": (value, 0)}, stage="bounded", role="booking")
        assert decide_in(compiled, "act", context) == wanted
        assert cedar.observe([Case(action="act", about="odd", context=context)])[0].verdict == wanted


NAMES = ("value", "age_ms", "has", "context", "facts", "now_ms", "mask", "int", "get", "known", "lambda", "f0")
COLLIDING = ("digest", "minted", "approved", "since_last_ms")


def said_by_cedar(name: str, facts: dict[str, tuple[Value, int]], made: Policy) -> str:
    from voicewarden.proofs.case import Case
    from voicewarden.proofs.cedar_opinion import CedarOpinion

    context = Context(facts=facts, stage="bounded", role="booking")
    return CedarOpinion(made).observe([Case(action="act", about=name, context=context)])[0].verdict


def by_name(name: str) -> None:
    pytest.importorskip("cedarpy")
    facts: Part = {name: {"type": "bool", "source": "crm", "why": "A fact with a name of ours."}}
    made = policy(atom(name, is_=True), facts=facts, cooldown_ms=1000)
    for given, wanted in (({name: (True, 0)}, "allow"), ({name: (False, 0)}, "deny"), ({}, "deny")):
        assert said_by_cedar(name, given, made) == wanted  # type: ignore[arg-type]  # bools are values
        context = Context(facts=given, stage="bounded", role="booking")  # type: ignore[arg-type]  # as above
        assert decide_in(compile_policy(made), "act", context) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_fact_is_taken_for_another_thing(name: str) -> None:
    by_name(name)


@pytest.mark.parametrize("name", COLLIDING)
def test_no_name_of_a_fact_collides_in_cedar(name: str) -> None:
    by_name(name)


def test_a_rule_on_the_stage_goes_to_cedar() -> None:
    pytest.importorskip("cedarpy")
    made = policy(atom("stage", is_="bounded"))
    assert said_by_cedar("stage", {"stage": ("bounded", 0)}, made) == "allow"


def test_a_rule_for_one_role_is_met_for_every_other() -> None:
    compiled = compile_policy(policy(requested_by=(), roles=for_role("booking", YES)))
    facts: dict[str, tuple[Value, int]] = {"agent": ("visitor", 0)}
    assert decide_in(compiled, "act", Context(facts=facts, role="visitor")) == "allow"

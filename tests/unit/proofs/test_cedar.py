"""Cedar: the export is what Cedar accepts, and Cedar says what the gate says."""

import json
import sys

import msgspec
import pytest
import typer
from tests.unit.policy.samples import policy_with
from typer.testing import CliRunner

from voicewarden.cli import cases as command
from voicewarden.config.policy_reader import read_policy
from voicewarden.model.action import StageEffect
from voicewarden.model.error import MissingPart
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, MustSay, Policy, Rule
from voicewarden.policy.compiler import compile_policy
from voicewarden.proofs.case import Case, Observation, observe
from voicewarden.proofs.cases import cases_of
from voicewarden.proofs.cedar import export, quoted, request_of
from voicewarden.proofs.cedar_opinion import CedarOpinion
from voicewarden.proofs.context import Context

SHIPPED = ("outbound-sales", "inbound-service", "booking-only")


def book(*conditions: Condition, **changes: object) -> Policy:
    """A policy with one action that escalates unless all of these hold."""
    require = tuple(
        Rule(id=f"book.require.{n}", condition=one, otherwise="escalate", why='A "quoted"\n\\ why ✓')
        for n, one in enumerate(conditions, 1)
    )
    stages: dict[str, StageEffect] = {"bounded": "allow", "assist": "approve"}
    action = ActionRule(name="book", owner="o", why="w", require=require, stages=stages)
    return policy_with(msgspec.structs.replace(action, **changes))


def said(policy: Policy, context: Context, action: str = "book", **changes: bool) -> Observation:
    """What Cedar says, which has to be what our own code says."""
    case = Case(action=action, about="", context=context, **changes)
    told = CedarOpinion(policy).observe([case], validated=action in policy.actions)[0]
    assert told == observe(compile_policy(policy), case)
    return told


@pytest.mark.parametrize("name", SHIPPED)
def test_cedar_says_what_the_gate_says_in_every_boundary_case(name: str) -> None:
    policy = read_policy(name)
    cases = [case for case in cases_of(policy) if case.typed]
    compiled = compile_policy(policy)
    told = CedarOpinion(policy).observe(cases, validated=True)
    assert told == [observe(compiled, case) for case in cases]


def test_rules_carry_their_id_severity_owner_and_reason() -> None:
    made = export(read_policy("outbound-sales"))
    notes = '@id("book.require.4")\n@otherwise("confirm")\n@owner("head-of-sales")\n@why("Only the caller\'s own answer'
    assert notes in made.policies
    assert '"consent.book"?: {value: String, age_ms: Long, digest: String}' in made.schema
    assert made.otherwise["book.require.4"] == "confirm" and made.shadows == ""


def test_an_unknown_fact_is_an_absent_attribute() -> None:
    policy = book(Atom(fact="recording", is_=True, within_ms=100))
    assert said(policy, Context({})).rules == ("book.require.1",)
    assert said(policy, Context({"recording": (True, 100)})).verdict == "allow"
    assert said(policy, Context({"recording": (True, 101)})).verdict == "escalate"
    assert said(policy, Context({"recording": (True, -1)})).verdict == "escalate"


@pytest.mark.parametrize(
    "condition",
    [All(items=()), AnyOf(items=()), Atom(fact="answerer", in_=()), Atom(fact="answerer", known=False),
     Atom(fact="answerer"), Atom(fact="answerer", is_=True), Atom(fact="answerer", at_least=1),
     Atom(fact="hearing_permille", is_=500), Atom(fact="hearing_permille", between=(0, 500), at_least=500),
     Atom(fact="agent", in_=("booking", "it's \"me\"\\"))],
)  # fmt: skip
def test_every_shape_of_condition_is_accepted_and_means_the_same(condition: Condition) -> None:
    facts = {"answerer": ("human", 0), "hearing_permille": (500, 3), "agent": ('it\'s "me"\\', 0)}
    said(book(condition), Context(facts))  # type: ignore[arg-type]


def test_other_arguments_stages_roles_and_cool_downs_are_seen_by_cedar_itself() -> None:
    yes = Atom(fact="consent.book", is_="explicit")
    policy = book(yes, requested_by=("booking", "closing"), cooldown_ms=10)
    fine = Context({"consent.book": ("explicit", 0)}, role="booking", since_last_ms=10)
    assert said(policy, fine).verdict == "allow"
    assert said(policy, fine, other_arguments=True).verdict == "escalate"
    for change in ({"role": "x"}, {"since_last_ms": 9}, {"stage": "observe"}, {"stage": "assist"}):
        assert said(policy, msgspec.structs.replace(fine, **change)).verdict == "deny"
    assert said(policy, msgspec.structs.replace(fine, stage="assist", approved=True)).verdict == "allow"
    # The stage applies to what the rules allow: escalate stays escalate.
    assert said(policy, Context({}, role="booking", stage="observe")).verdict == "escalate"
    for stopped in ("paused", "revoked", "opted_out"):
        facts = {**fine.facts, stopped: (True, 0)}
        assert said(policy, msgspec.structs.replace(fine, facts=facts)).verdict == "deny"


def test_windows_and_lines_due_before_are_exported() -> None:
    limit = Limit(id="book.limits.1", at_most=2, otherwise="deny", per="campaign", in_s=60)
    policy = book(limits=(limit, Limit(id="book.limits.2", at_most=1, otherwise="confirm")))
    speech = msgspec.structs.replace(policy.speech, must_say=(MustSay(id="ai", line="x", before="book"),))
    policy = msgspec.structs.replace(policy, speech=speech)
    heard = {"disclosed.ai": (True, 0), "counted.book.campaign.60": (1, 0)}
    assert said(policy, Context(heard)).verdict == "allow"  # type: ignore[arg-type]
    assert said(policy, Context(heard, minted=1)).rules == ("book.limits.1", "book.limits.2")  # type: ignore[arg-type]
    assert said(policy, Context({"disclosed.ai": (True, 0)})).rules == ("book.limits.1",)
    assert said(policy, Context({"counted.book.campaign.60": (0, 0)})).verdict == "deny"


def test_shadows_stand_apart_and_do_not_count() -> None:
    policy = book(Atom(fact="recording", is_=True), Atom(fact="message_ready", is_=True))
    rules = policy.actions["book"].require
    action = msgspec.structs.replace(
        policy.actions["book"], require=(rules[0], msgspec.structs.replace(rules[1], shadow=True))
    )
    policy = msgspec.structs.replace(policy, actions={"book": action})
    made = export(policy)
    assert "book.require.2" in made.shadows and "book.require.2" not in made.policies
    assert '@shadow("log only")' in made.shadows
    told = said(policy, Context({"recording": (True, 0)}))
    assert (told.verdict, told.rules, told.shadow_say, told.shadows) == ("allow", (), "escalate", ("book.require.2",))


def test_an_action_that_is_not_named_is_denied_by_default() -> None:
    assert said(book(), Context({}), "sell_the_house").verdict == "deny"


def test_end_call_is_never_denied() -> None:
    stopped = Context({"paused": (True, 0)}, stage="observe")
    assert said(read_policy("booking-only"), stopped, "end_call").verdict == "allow"


def test_a_number_that_could_overflow_is_refused() -> None:
    case = Case(action="book", about="", context=Context({"x": (2**60, 0)}))
    with pytest.raises(ValueError, match="decimal string"):
        request_of(case)


def test_strings_are_escaped_as_cedar_reads_them() -> None:
    assert quoted('a"\\\n\u200b✓') == '"a\\"\\\\\\u{a}\\u{200b}✓"'


def test_without_cedarpy_the_text_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "voicewarden.proofs.cedar_opinion")
    monkeypatch.setitem(sys.modules, "cedarpy", None)
    with pytest.raises(MissingPart, match=r"voicewarden\[proofs\]"):
        __import__("voicewarden.proofs.cedar_opinion")


def test_the_command_prints_policies_and_schema() -> None:
    app = typer.Typer()
    app.command()(command.cedar)
    policies = CliRunner().invoke(app, ["booking-only", "--check"])
    assert policies.exit_code == 0 and 'permit (principal, action == Action::"book", resource);' in policies.stdout
    assert CliRunner().invoke(app, ["booking-only", "--schema"]).stdout.startswith("entity Agent;")
    told = json.loads(CliRunner().invoke(app, ["booking-only", "--json"]).stdout)
    assert set(told) == {"policies", "schema", "shadows", "otherwise"}

"""`policy-format`, Deciding, steps 1 to 5, with the shipped outbound-sales policy."""

from functools import cache

import msgspec
import pytest
from tests.fakes.rig import BOOK, HAIRCUT, Rig, of, rules, shipped, told, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.action import SEVERITY, Stage, Value
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision
from voicewarden.model.directive import AnswerTool, SpendGrant
from voicewarden.model.event import CallAnswered, FactLearned, OperatorApproved
from voicewarden.policy.ast import ActionRule, Atom, Limit, Rule


@cache
def autonomous() -> Compiled:
    """The shipped release with agents that may go as far as there is to go."""
    data = shipped().data
    agents = {name: msgspec.structs.replace(agent, stage="autonomous") for name, agent in data.agents.items()}
    return Compiled(msgspec.structs.replace(data, agents=agents))


def staged(stage: Stage) -> Rig:
    """A call at a stage that the agents allow up to autonomous."""
    return Rig(autonomous(), stage=stage)


def with_action(name: str, **changes: object) -> Rig:
    """A call under a policy in which one action is changed."""
    actions = dict(shipped().data.policy.actions)
    actions[name] = msgspec.structs.replace(actions[name], **changes)
    return Rig(with_policy({"actions": actions}))


def agreed(rig: Rig, **args: Value) -> Rig:
    rig.question("book", **(args or BOOK))
    rig.hear("yes, book it")
    return rig


# 1


def test_everything_is_evaluated_and_the_most_severe_outcome_stands() -> None:
    rig = Rig(direction="outbound", facts={"quote_open": False}, opened=False)
    rig.happen(CallAnswered)
    decision = rig.ask("book", **BOOK)
    found = {reason.rule: reason.verdict for reason in decision.reasons}
    assert found == {"book.require.1": "deny", "book.require.2": "deny", "book.require.4": "confirm",
                     "book.require.5": "escalate"}  # fmt: skip
    assert decision.verdict == "deny"
    assert max(found.values(), key=lambda verdict: SEVERITY[verdict]) == decision.verdict


def test_escalate_is_more_severe_than_confirm() -> None:
    rig = Rig(direction="outbound", facts={"quote_open": False})
    rig.hear("hello")
    rig.play()
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "escalate"
    assert {reason.verdict for reason in decision.reasons} == {"confirm", "escalate"}


def test_an_allow_names_every_rule_and_limit() -> None:
    rig = agreed(Rig())
    decision = rig.decisions[-1]
    assert decision.verdict == "allow"
    assert {reason.verdict for reason in decision.reasons} == {"allow"}
    assert rules(decision) == [f"book.require.{n}" for n in range(1, 6)] + ["book.limits.1"]


def test_reasons_carry_evidence_that_exists() -> None:
    rig = agreed(Rig())
    kinds = {record.seq: record.kind for record in rig.records}
    cited = [seq for decision in rig.decisions for reason in decision.reasons for seq in reason.evidence]
    assert cited and {kinds[seq] for seq in cited} == {"event"}


def test_limits_are_evaluated_beside_the_rules() -> None:
    rig = agreed(Rig())
    decision = rig.ask("book", **HAIRCUT)
    assert decision.verdict == "deny"
    assert {reason.rule: reason.verdict for reason in decision.reasons} == {
        "book.require.4": "confirm", "book.limits.1": "deny"
    }  # fmt: skip


@pytest.mark.parametrize("action", ["fly_to_the_moon", "update_crm", "speak", "ask", ""])
def test_an_action_that_the_policy_does_not_name_is_denied(action: str) -> None:
    decision = Rig().ask(action)
    assert (decision.verdict, rules(decision)) == ("deny", ["kernel.default_deny"])


def test_a_role_may_only_ask_for_its_own_actions() -> None:
    decision = Rig().ask("advance_commitment", offer="haircut")
    assert (decision.verdict, rules(decision)) == ("deny", ["kernel.role"])


def test_a_principal_that_no_agent_has_is_denied() -> None:
    assert rules(Rig().ask("book", principal="the caller's cousin", **BOOK)) == ["kernel.role"]


@pytest.mark.parametrize(
    "args",
    [
        {}, {"service": "consultation"}, {**BOOK, "extra": "x"}, {**BOOK, "service": "a tattoo"},
        {**BOOK, "service": True}, {**BOOK, "start": "tomorrow"}, {**BOOK, "start": 15}, {**BOOK, "start": ""},
        {**BOOK, "start": "2026-13-01T15:00"}, {**BOOK, "start": "2026-12-01T24:00"}, {**BOOK, "start": "x" * 600},
    ],
)  # fmt: skip
def test_arguments_of_the_wrong_type_are_denied_before_any_question(args: dict[str, Value]) -> None:
    rig = Rig()
    decision = rig.ask("book", **args)
    assert decision.verdict == "deny"
    assert set(rules(decision)) == {"kernel.arguments"}
    assert rig.state.consent.pending is None


def test_a_missing_fact_fails_its_atom() -> None:
    rig = Rig()
    rig.state = msgspec.structs.replace(
        rig.state, facts={name: fact for name, fact in rig.state.facts.items() if name != "opted_out"}
    )
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "deny"
    assert any(reason.fact == "opted_out" and reason.found == "unknown" for reason in decision.reasons)


def test_a_rule_that_is_met_by_an_offer_names_it_when_it_is_not() -> None:
    rig = Rig(facts={"desk_open": False})
    rig.ask("transfer", desk="sales")
    answer = next(item for item in rig.outputs if isinstance(item, AnswerTool))
    assert (answer.status, answer.offer) == ("denied", "schedule_callback")


# 2


def test_confirm_asks_the_question_and_answers_the_tool_at_once() -> None:
    rig = Rig()
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "confirm"
    answer = next(item for item in rig.outputs if isinstance(item, AnswerTool))
    assert answer.status == "awaiting_confirmation"
    assert told(rig.queue) == [
        "Shall I book a consultation for Tuesday the first of December at 3 pm?", "Please say: yes, book it.",
        "Or press one.",
    ]  # fmt: skip


def test_confirm_becomes_deny_after_a_refusal_of_these_arguments() -> None:
    rig = Rig()
    rig.question()
    rig.hear("no thank you")
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "deny"
    assert rules(decision) == ["book.require.4", "kernel.refused_before"]
    assert rig.ask("book", **HAIRCUT).verdict == "confirm"


def test_confirm_becomes_deny_after_times_per_arguments() -> None:
    rig = Rig()
    rig.question()
    for _ in range(2):
        rig.hear("hmm okay")
        rig.play()
    assert rig.state.consent.pending is None
    assert rules(rig.decisions[-1]) == ["book.require.4", "kernel.asked_enough"]
    assert rig.decisions[-1].verdict == "deny"
    assert rig.ask("book", **BOOK).verdict == "deny"
    assert rig.ask("book", **HAIRCUT).verdict == "confirm"


def test_confirm_becomes_deny_after_times_per_action() -> None:
    rig = Rig()
    starts = [f"2026-12-0{day}T10:00" for day in (1, 2, 3, 4)]
    for start in starts:
        rig.question("book", service="haircut", start=start)
        rig.hear("what does it cost?")
    decision = rig.ask("book", service="haircut", start="2026-12-07T10:00")
    assert (decision.verdict, rules(decision)) == ("deny", ["book.require.4", "kernel.asked_enough"])
    assert rig.ask("send_message", template="directions").verdict == "confirm"


def test_questions_of_one_action_do_not_count_for_another_with_equal_arguments() -> None:
    rig = Rig()
    rig.question("transfer", desk="sales")
    rig.hear("no thank you")
    assert digest_of({"desk": "sales"}) not in rig.state.consent.refused
    assert rig.ask("schedule_callback", when="tomorrow_morning").verdict == "confirm"


# 3


def test_escalate_requests_a_transfer() -> None:
    rig = Rig(direction="outbound", facts={"quote_open": False})
    rig.hear("hello")
    rig.play()
    rig.ask("book", **BOOK)
    assert [(decision.action, decision.verdict) for decision in rig.decisions[-2:]] == [
        ("book", "escalate"), ("transfer", "confirm")
    ]  # fmt: skip
    assert [item.status for item in rig.outputs if isinstance(item, AnswerTool)] == ["escalated"]
    assert not rig.grants


def test_escalate_then_requests_a_call_back_where_no_desk_is_open() -> None:
    rig = Rig(direction="outbound", facts={"quote_open": False, "desk_open": False})
    rig.hear("hello")
    rig.play()
    rig.ask("book", **BOOK)
    assert [(decision.action, decision.verdict) for decision in rig.decisions[-3:]] == [
        ("book", "escalate"), ("transfer", "deny"), ("schedule_callback", "confirm")
    ]  # fmt: skip


def test_the_kernels_own_requests_are_made_in_the_name_of_the_role() -> None:
    rig = Rig(facts={"desk_open": False})
    rig.hear("I want to speak to a real person")
    assert {decision.principal for decision in rig.decisions[-2:]} == {"booking"}


# 4


def consented(stage: Stage) -> tuple[Rig, Decision]:
    rig = staged(stage)
    agreed(rig)
    return rig, rig.decisions[-1]


@pytest.mark.parametrize("stage", ["bounded", "autonomous"])
def test_a_stage_that_allows_leaves_the_verdict(stage: Stage) -> None:
    rig, decision = consented(stage)
    assert (decision.verdict, decision.would, decision.stage) == ("allow", None, stage)
    assert len(rig.grants) == 1


def test_log_denies_and_keeps_what_the_rules_would_say() -> None:
    rig, decision = consented("observe")
    assert (decision.verdict, decision.would, rules(decision)) == ("deny", "allow", ["kernel.stage"])
    assert not rig.grants


def test_approve_denies_until_an_operator_approved_this_digest() -> None:
    rig, decision = consented("assist")
    assert (decision.verdict, decision.would, rules(decision)) == ("deny", "allow", ["kernel.stage"])
    rig.happen(OperatorApproved, digest="f" * 64, operator="op")
    assert rig.ask("book", **BOOK).verdict == "deny"
    rig.happen(OperatorApproved, digest=digest_of(BOOK), operator="op")
    assert rig.ask("book", **BOOK).verdict == "allow"
    assert len(rig.grants) == 1


def test_an_approval_does_not_stand_in_for_the_callers_yes() -> None:
    rig = staged("assist")
    rig.happen(OperatorApproved, digest=digest_of(BOOK), operator="op")
    assert rig.ask("book", **BOOK).verdict == "confirm"


def test_a_grant_that_rests_on_an_earlier_yes_names_that_yes() -> None:
    """Law 4: the grant holds the digest of what was read back and of the yes, also when approval came after it."""
    rig, _ = consented("assist")
    rig.happen(OperatorApproved, digest=digest_of(BOOK), operator="op")
    rig.ask("book", **BOOK)
    assert rig.grants[0].confirmed


def test_no_entry_for_the_stage_denies() -> None:
    rig = agreed(with_action("book", stages={"autonomous": "allow"}))
    decision = rig.decisions[-1]
    assert (decision.verdict, decision.would, rules(decision)) == ("deny", "allow", ["kernel.stage"])


def test_the_stage_does_not_hide_a_confirm() -> None:
    assert staged("observe").ask("book", **BOOK).verdict == "confirm"


def test_a_call_never_starts_above_its_agents_stage() -> None:
    assert Rig(stage="autonomous").state.identity.stage == "bounded"


# 5


def test_limits_count_minted_grants() -> None:
    rig = agreed(Rig())
    assert rig.state.grants.minted["book"] == 1
    assert rig.ask("book", **HAIRCUT).verdict == "deny"


@pytest.mark.parametrize(("outcome", "count"), [("done", 1), ("unknown", 1), ("refused", 0), ("failed", 0)])
def test_only_what_surely_did_not_happen_gives_the_count_back(outcome: str, count: int) -> None:
    rig = agreed(Rig())
    rig.receipt(rig.grants[0], outcome)  # type: ignore[arg-type]
    assert rig.state.grants.minted["book"] == count
    assert rig.ask("book", **HAIRCUT).verdict == ("deny" if count else "confirm")


def test_a_second_receipt_of_a_grant_gives_nothing_back() -> None:
    rig = agreed(Rig())
    rig.receipt(rig.grants[0], "done")
    rig.receipt(rig.grants[0], "failed")
    assert rig.state.grants.minted["book"] == 1


def test_hand_overs_are_limited_as_the_policy_says() -> None:
    """organisation.yaml: at most four hand-overs a call."""
    rig = Rig()
    found = []
    for number in range(5):
        rig.hear(f"please go on {number}")
        found.append(rig.ask("hand_over", to=("closing", "booking")[number % 2]).verdict)
    assert found == ["allow"] * 4 + ["deny"]


def test_an_allow_hands_its_grant_to_the_effector_in_the_same_step() -> None:
    rig = Rig()
    rig.question()
    taken = rig.hear("yes, book it")
    assert [grant.id for grant in taken.grants] == [item.grant for item in of(taken, SpendGrant)]


def test_look_up_needs_no_question() -> None:
    rig = Rig()
    assert rig.ask("look_up", what="free_slots").verdict == "allow"
    assert rig.spent == [rig.grants[0].id]


def test_deciding_looks_at_facts_of_the_moment() -> None:
    rig = Rig()
    rig.happen(FactLearned, fact="desk_open", value=False, source="hours")
    assert rig.ask("transfer", desk="sales").verdict == "deny"
    rig.happen(FactLearned, fact="desk_open", value=True, source="hours")
    assert rig.ask("transfer", desk="sales").verdict == "confirm"


def test_a_policys_own_action_is_decided_like_any_other() -> None:
    rule = ActionRule(
        name="open_gate", owner="o", why="w", stages={"bounded": "allow"},
        require=(Rule(id="open_gate.require.1", condition=Atom(fact="answerer", is_="human"), otherwise="deny"),),
        limits=(Limit(id="open_gate.limits.1", at_most=2, otherwise="deny"),),
    )  # fmt: skip
    rig = Rig(with_policy({"actions": {**shipped().data.policy.actions, "open_gate": rule}}))
    assert [rig.ask("open_gate").verdict for _ in range(3)] == ["allow", "allow", "deny"]


def test_a_cooldown_denies_until_its_time_is_over() -> None:
    rig = with_action("look_up", cooldown_ms=20_000)
    assert rig.ask("look_up", what="quote").verdict == "allow"
    rig.now_ms += 19_999
    decision = rig.ask("look_up", what="quote")
    assert (decision.verdict, rules(decision)) == ("deny", ["kernel.cooldown"])
    rig.now_ms += 1
    assert rig.ask("look_up", what="quote").verdict == "allow"


def test_a_line_that_must_come_before_an_action_denies_it_until_it_was_heard() -> None:
    speech = shipped().data.policy.speech
    first = msgspec.structs.replace(speech.must_say[0], id="terms", line="goodbye", before="look_up", within_ms=None)
    changed = msgspec.structs.replace(speech, must_say=(*speech.must_say, first))
    rig = Rig(with_policy({"speech": changed}), opened=False)
    rig.happen(CallAnswered)
    assert rules(rig.ask("look_up", what="quote")) == ["kernel.must_say"]
    rig.play()
    assert rig.ask("look_up", what="quote").verdict == "allow"

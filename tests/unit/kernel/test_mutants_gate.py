"""The gate's reasons to the letter, and corners of it that no shipped policy reaches."""

from typing import Any

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, shipped, with_policy

from voicewarden.kernel.facets import actions, sureness
from voicewarden.model.action import Verdict
from voicewarden.model.decision import Decision, Reason, Shadowed
from voicewarden.model.directive import AnswerTool, ConsultModel
from voicewarden.model.event import ActionRequested, FactLearned, OperatorApproved
from voicewarden.policy.ast import Argument, Atom, MustSay, Rule

REPLACE = msgspec.structs.replace


def reason(decision: Decision, rule: str) -> tuple[str, str, str]:
    (found,) = [item for item in decision.reasons if item.rule == f"kernel.{rule}"]
    assert found.verdict == "deny"
    return found.fact, found.needed, found.found


def look_up(rig: Rig) -> Decision:
    return rig.ask("look_up", what="quote")


def test_an_action_may_wait_for_a_line_to_be_heard() -> None:
    speech = shipped().data.policy.speech
    said_first = MustSay(id="terms", line="disclosures.keys", before="look_up")
    rig = Rig(with_policy({"speech": REPLACE(speech, must_say=(*speech.must_say, said_first))}))
    rig.state = REPLACE(rig.state, facts={k: v for k, v in rig.state.facts.items() if k != "disclosed.terms"})
    assert reason(look_up(rig), "must_say") == ("disclosed.terms", "was heard before this", "not heard")


@pytest.mark.parametrize("name", ["paused", "revoked", "opted_out"])
def test_what_was_taken_away_is_named_with_its_record(name: str) -> None:
    rig = Rig()
    seq = rig.state.seq
    rig.happen(FactLearned, fact=name, value=True, source="crm")
    decision = look_up(rig)
    assert reason(decision, name) == (name, "is false", "true")
    assert [item.evidence for item in decision.reasons] == [(seq,)]


def test_an_action_that_no_policy_names_is_told_from_one_that_nobody_knows() -> None:
    rig = Rig()
    assert reason(rig.ask("place_bet"), "default_deny") == ("action", "is named by the policy", "unknown action")
    named = set(shipped().data.policy.actions)
    built_in = next(name for name in ("raise_urgency", "notify", "update_crm") if name not in named)
    assert reason(rig.ask(built_in), "default_deny") == ("action", "is named by the policy", "not in the policy")


def test_a_role_and_a_stale_turn_are_told() -> None:
    rig = Rig()
    roles = "is one of " + ", ".join(shipped().data.policy.actions["book"].requested_by)
    assert reason(rig.ask("book", principal="x", **BOOK), "role") == ("role", roles, "x")
    assert reason(rig.ask("book", turn=7, **BOOK), "stale_turn") == ("turn", "is the one being answered", "7")


def test_a_cool_down_counts_from_the_last_grant() -> None:
    look = REPLACE(shipped().data.policy.actions["look_up"], cooldown_ms=1_000, limits=())
    rig = Rig(with_policy({"actions": {**shipped().data.policy.actions, "look_up": look}}))
    assert look_up(rig).verdict == "allow"
    rig.now_ms += 999
    told = reason(look_up(rig), "cooldown")
    assert told == ("time since the last one", "at least 1000 ms since the last one", "999 ms")
    rig.now_ms += 1
    assert look_up(rig).verdict == "allow"


def test_a_hand_over_goes_to_a_configured_agent_only() -> None:
    plain = shipped().data.policy.actions
    free = REPLACE(plain["hand_over"], args=(Argument(name="to", kind="text"),))
    rig = Rig(with_policy({"actions": {**plain, "hand_over": free}}))
    taken = rig.happen(ActionRequested, request="r", action="hand_over", args={"to": "nobody"}, principal="booking")
    assert [decision.verdict for decision in taken.decisions] == ["allow", "deny"]
    assert reason(taken.decisions[-1], "arguments") == ("args.to", "is a configured agent", "something else")
    assert rig.state.identity.agent == "booking" and rig.state.grants.minted == {}


@pytest.mark.parametrize(("stage", "found"), [("observe", "observe only logs"), ("assist", "assist has no entry")])
def test_a_stage_that_does_not_allow_says_so(stage: Any, found: str) -> None:
    look = REPLACE(shipped().data.policy.actions["look_up"], stages={"observe": "log"})
    release = with_policy({"actions": {**shipped().data.policy.actions, "look_up": look}})
    decision = look_up(Rig(release, stage=stage))
    assert reason(decision, "stage") == ("stage", "allows this action", found)
    assert (decision.verdict, decision.would) == ("deny", "allow")


def test_a_stage_that_wants_an_approval_says_which() -> None:
    look = REPLACE(shipped().data.policy.actions["look_up"], stages={"assist": "approve"})
    rig = Rig(with_policy({"actions": {**shipped().data.policy.actions, "look_up": look}}), stage="assist")
    decision = look_up(rig)
    assert reason(decision, "stage") == ("stage", "an operator's approval of these arguments", "none, stage assist")
    rig.happen(OperatorApproved, digest=decision.digest, operator="o")
    assert [look_up(rig).verdict, look_up(rig).verdict] == ["allow", "deny"]


def test_an_approval_without_a_name_is_about_the_open_question() -> None:
    rig = Rig(stage="assist")
    rig.play()
    pending = rig.question()
    rig.happen(OperatorApproved, digest="d" * 64, operator="o")
    assert rig.state.consent.approved == ()
    rig.happen(OperatorApproved, digest=pending.digest, operator="o")
    assert rig.state.consent.approved == (f"book:{pending.digest}",)


@pytest.mark.parametrize("otherwise", ["confirm", "deny", "escalate"])
def test_a_shadow_rule_is_weighed_like_one_that_counts(otherwise: Verdict) -> None:
    rule = Rule(id="look_up.require.1", condition=Atom(fact="paused", is_=True), otherwise=otherwise, shadow=True)
    look = REPLACE(shipped().data.policy.actions["look_up"], require=(rule,), limits=())
    rig = Rig(with_policy({"actions": {**shipped().data.policy.actions, "look_up": look}}))
    taken = rig.happen(
        ActionRequested, request="r", action="look_up", args={"what": "quote"}, principal="booking"
    )
    (flip,) = of(taken, Shadowed)
    assert (flip.verdict, flip.active, flip.source) == (otherwise, "allow", "rules")
    assert [item.rule for item in flip.reasons] == ["look_up.require.1"]


def test_a_fault_in_a_decision_denies_it_with_that_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("injected")

    rig = Rig()
    monkeypatch.setattr(actions, "submit", broken)
    taken = rig.happen(ActionRequested, request="r", action="look_up", args={"what": "quote"}, principal="booking")
    assert taken.decisions[0].reasons == (
        Reason("kernel.fault", "kernel", "could decide", "an internal fault", "deny"),
    )
    (answer,) = of(taken, AnswerTool)
    assert (answer.request, answer.status) == ("r", "denied") and rig.state.identity.fault == "kernel_fault"


def test_where_silence_opens_the_conversation_the_first_words_are_answered() -> None:
    rules = shipped().data.policy.answerer
    rig = Rig(with_policy({"answerer": REPLACE(rules, when={})}), direction="outbound")
    rig.wait(rules.no_speech_ms)
    assert rig.value("answerer") == "no_speech" and rig.state.answerer.opened
    rig.play()
    assert of(rig.hear("what is this about?"), ConsultModel)


def test_words_of_unknown_certainty_count_as_understood() -> None:
    rig = Rig()
    rig.play()
    assert of(rig.hear("tell me more", permille=None), ConsultModel)
    assert sureness.mean_permille(()) is None

"""What lowers authority does so at once: opt-outs, orders from people, faults, the end of the line."""

from typing import Any

import pytest
from tests.fakes.rig import BOOK, HAIRCUT, Rig, of, rules, shipped, told, with_policy

from voicewarden.model.canonical import digest_of
from voicewarden.model.directive import AnswerTool, ConsultModel, HangUp, Speak, SpendGrant, StopSpeaking
from voicewarden.model.event import (
    ActionRequested,
    AuthorityRevoked,
    AuthorityTightened,
    CallEnded,
    CallerSpoke,
    CallsPaused,
    CallStarted,
    FactLearned,
    LeaseLost,
    LedgerFaltered,
    MediaEnded,
    OperatorApproved,
    SentencePlayed,
    Word,
)

GOODBYE = shipped().data.lines["opt_out.goodbye"]


def transferring() -> Rig:
    """A call in which a transfer was agreed and its announcement is being played."""
    rig = Rig()
    rig.question("transfer", desk="sales")
    rig.hear("yes, go ahead")
    assert rig.grants and not rig.spent
    return rig


# opt-out


def test_an_opt_out_is_read_from_its_segment_before_the_turn_ends() -> None:
    rig = Rig()
    before = rig.state.version
    rig.begin()
    taken = rig.segment("please stop calling me")
    assert rig.value("opted_out") is True
    assert rig.state.version > before
    assert told(taken.directives) == [GOODBYE]


@pytest.mark.parametrize("permille", [950, 300, 40, None])
def test_an_opt_out_counts_however_badly_it_was_heard(permille: int | None) -> None:
    rig = Rig()
    rig.hear("stop calling me", permille=permille)
    assert rig.value("opted_out") is True


def test_key_9_opts_out() -> None:
    rig = Rig()
    assert told(rig.press("9").directives) == [GOODBYE]
    assert rig.value("opted_out") is True


def test_only_the_goodbye_is_left_after_an_opt_out() -> None:
    rig = Rig()
    rig.hear("tell me about it")
    rig.propose("It is free.")
    rig.begin()
    rig.segment("stop calling me")
    rig.propose("But wait.", "There is more.")
    rig.end()
    said = rig.play()
    assert rig.played[-1] == GOODBYE
    assert [item.reason for item in of(said, HangUp)] == ["opt_out"]
    assert "But wait." not in rig.played


def test_an_open_question_dies_with_an_opt_out() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it, but stop calling me")
    assert not rig.grants
    assert rig.state.consent.pending is None
    assert not rig.press("1").grants


def test_open_grants_die_with_an_opt_out() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    assert rig.grants[0].version == rig.state.version
    rig.hear("stop calling me")
    assert rig.grants[0].version < rig.state.version


def test_an_opt_out_during_the_announcement_of_a_transfer_ends_with_the_right_goodbye() -> None:
    rig = transferring()
    rig.begin()
    rig.segment("stop calling me")
    rig.end()
    rig.play()
    rig.wait(20_000)
    assert not rig.spent
    assert rig.hung_up == "opt_out"
    assert rig.played[-1] == GOODBYE
    assert "transfer.failed" not in rig.lines


def test_everything_is_denied_after_an_opt_out() -> None:
    rig = Rig()
    rig.hear("stop calling me")
    for action, args in (("book", BOOK), ("look_up", {"what": "quote"}), ("transfer", {"desk": "sales"})):
        decision = rig.ask(action, **args)
        assert decision.verdict == "deny"
        assert "kernel.opted_out" in rules(decision)


def test_the_next_place_call_is_denied_and_hung_up() -> None:
    rig = Rig(direction="outbound", facts={"opted_out": True}, opened=False)
    taken = rig.happen(ActionRequested, request="dial", action="place_call", args={}, principal="booking")
    assert taken.decisions[0].verdict == "deny"
    assert "kernel.opted_out" in rules(taken.decisions[0])
    assert of(taken, HangUp) and not of(taken, SpendGrant)


def test_an_opt_out_in_a_segment_that_comes_late_is_heard_too() -> None:
    """Lowering never depends on which turn a segment belongs to."""
    rig = Rig()
    rig.hear("hello")
    rig.begin()
    word = Word("stop calling me", 900, rig.now_ms, rig.now_ms + 600)
    rig.happen(CallerSpoke, turn=rig.turn - 1, text=word.text, words=(word,), speech_ms=600)
    assert rig.value("opted_out") is True


def test_an_opt_out_from_a_record_lowers_authority_at_once() -> None:
    rig = Rig()
    before = rig.state.version
    rig.happen(FactLearned, fact="opted_out", value=True, source="crm")
    assert rig.state.version > before
    assert rig.ask("book", **BOOK).verdict == "deny"


@pytest.mark.parametrize("fact", ["opted_out", "paused", "revoked"])
def test_a_record_can_never_give_authority_back(fact: str) -> None:
    rig = Rig()
    rig.happen(FactLearned, fact=fact, value=True, source="crm")
    rig.happen(FactLearned, fact=fact, value=False, source="crm")
    assert rig.value(fact) is True


# orders from people


def test_pausing_ends_the_call_politely_and_denies_everything() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.propose("It is free.")
    taken = rig.happen(CallsPaused, epoch=2, operator="op")
    assert of(taken, StopSpeaking)
    assert rig.ask("book", **BOOK).verdict == "deny"
    rig.play()
    assert rig.hung_up == "paused"


def test_pausing_at_once_hangs_up_without_a_word() -> None:
    oversight = shipped().data.policy.oversight
    rig = Rig(with_policy({"oversight": type(oversight)(
        owner="o", review_days=30, contact="c", pause_finishes_calls="at_once"
    )}))  # fmt: skip
    taken = rig.happen(CallsPaused, epoch=2, operator="op")
    assert of(taken, HangUp) and not of(taken, Speak)


def test_pausing_before_the_answer_hangs_up() -> None:
    rig = Rig(direction="outbound", opened=False)
    assert of(rig.happen(CallsPaused, epoch=2, operator="op"), HangUp)


def test_a_paused_call_during_the_announcement_of_a_transfer_ends_as_paused() -> None:
    rig = transferring()
    rig.happen(CallsPaused, epoch=2, operator="op")
    rig.play()
    rig.wait(20_000)
    assert not rig.spent
    assert rig.hung_up == "paused"


def test_tightening_lowers_the_stage_and_never_raises_it() -> None:
    rig = Rig()
    rig.happen(AuthorityTightened, stage="observe", epoch=2, operator="op")
    assert (rig.state.identity.stage, rig.value("stage")) == ("observe", "observe")
    rig.happen(AuthorityTightened, stage="autonomous", epoch=3, operator="op")
    assert rig.state.identity.stage == "observe"
    rig.question()
    taken = rig.hear("yes, book it")
    assert [(d.verdict, d.would) for d in taken.decisions] == [("deny", "allow")]


def test_an_older_order_does_not_turn_the_epoch_back() -> None:
    rig = Rig()
    rig.happen(AuthorityTightened, stage="assist", epoch=7, operator="op")
    rig.happen(AuthorityRevoked, epoch=3, operator="op")
    assert rig.state.identity.epoch == 7


def test_revoking_denies_every_action_but_lets_the_agent_speak() -> None:
    rig = Rig()
    rig.happen(AuthorityRevoked, epoch=2, operator="op")
    decision = rig.ask("look_up", what="quote")
    assert rules(decision) == ["kernel.revoked"]
    rig.hear("tell me more")
    rig.propose("It is free.")
    assert rig.queue[-1].text == "It is free."


@pytest.mark.parametrize(
    "order",
    [(AuthorityTightened, {"stage": "assist", "epoch": 2, "operator": "o"}),
     (AuthorityRevoked, {"epoch": 2, "operator": "o"}), (CallsPaused, {"epoch": 2, "operator": "o"}), (LeaseLost, {}),
     (LedgerFaltered, {})],
)  # fmt: skip
def test_every_lowering_bumps_the_version_and_kills_open_grants(order: tuple[type[Any], dict[str, Any]]) -> None:
    rig = transferring()
    before = rig.state.version
    rig.happen(order[0], **order[1])
    assert rig.state.version > before
    rig.play()
    rig.wait(30_000)
    assert not rig.spent
    assert rig.state.grants.minted["transfer"] == 0


def test_somebody_who_asks_for_a_person_where_nobody_may_act_hears_something() -> None:
    """Law 9: where transfer and call-back are both denied, the caller must not be left in silence."""
    rig = Rig()
    rig.happen(AuthorityRevoked, epoch=2, operator="op")
    taken = rig.hear("I want to talk to a real person")
    assert of(taken, Speak) or of(taken, ConsultModel)


# faults


@pytest.mark.parametrize(("fault", "name"), [(LeaseLost, "lease_lost"), (LedgerFaltered, "ledger_failed")])
def test_a_fault_says_the_safe_line_and_ends(fault: type[Any], name: str) -> None:
    rig = Rig()
    taken = rig.happen(fault)
    assert [item.line for item in of(taken, Speak)] == ["safe"]
    assert rules(rig.ask("book", **BOOK))[:1] == ["kernel.fault"]
    rig.play()
    assert rig.hung_up == name


@pytest.mark.parametrize("fault", [LeaseLost, LedgerFaltered])
def test_a_fault_during_the_announcement_of_a_transfer_says_the_safe_line(fault: type[Any]) -> None:
    rig = transferring()
    rig.happen(fault)
    rig.play()
    assert "safe" in rig.lines
    assert "transfer.failed" not in rig.lines


def test_a_fault_before_the_answer_hangs_up() -> None:
    rig = Rig(direction="outbound", opened=False)
    assert of(rig.happen(LeaseLost), HangUp)


def test_another_release_than_the_calls_own_may_not_act() -> None:
    rig = Rig(opened=False)
    rig.state = type(rig.state)()
    rig.happen(
        CallStarted, call="c2", agent="booking", direction="inbound", contact="k", stage="bounded", epoch=1,
        release="0" * 64, started_unix_ms=0,
    )  # fmt: skip
    assert rules(rig.ask("look_up", what="quote")) == ["kernel.fault"]


def test_a_goodbye_that_never_plays_still_ends_in_time() -> None:
    rig = Rig()
    rig.hear("stop calling me")
    rig.wait(8_000)
    assert rig.hung_up == "opt_out"


# the end of the line


def test_media_end_ends_the_call() -> None:
    rig = Rig()
    rig.happen(MediaEnded, clean=True)
    assert rig.hung_up == "caller_left"


def test_media_end_during_a_transfer_waits_for_the_carriers_word() -> None:
    rig = transferring()
    rig.play()
    assert rig.spent == [rig.grants[0].id]
    rig.happen(MediaEnded, clean=True)
    assert not rig.hung_up
    rig.receipt(rig.grants[0], "done")
    assert rig.hung_up == "transferred"


def test_a_transfer_that_fails_after_the_media_has_gone_ends_at_once() -> None:
    rig = transferring()
    rig.play()
    rig.happen(MediaEnded, clean=True)
    taken = rig.receipt(rig.grants[0], "failed")
    assert [item.reason for item in of(taken, HangUp)] == ["transfer_failed"]
    assert not of(taken, Speak)


def test_a_transfer_of_which_nobody_tells_ends_as_unknown() -> None:
    rig = transferring()
    rig.play()
    rig.happen(MediaEnded, clean=True)
    rig.wait(90_000)
    assert rig.hung_up == "transfer_unknown"


def test_media_end_before_the_transfer_began_is_a_caller_who_left() -> None:
    rig = transferring()
    taken = rig.happen(MediaEnded, clean=True)
    assert rig.hung_up == "caller_left"
    assert not of(taken, Speak)


def test_the_caller_who_objects_to_a_transfer_is_not_told_that_nobody_can_be_reached() -> None:
    rig = transferring()
    taken = rig.hear("wait, tell me about the price first")
    assert not rig.spent
    assert "transfer.failed" not in rig.lines
    assert of(taken, ConsultModel)
    assert not rig.state.identity.ending


def test_a_withdrawn_transfer_of_the_kernel_itself_answers_no_tool() -> None:
    rig = Rig()
    rig.hear("I want to talk to a real person")
    assert rig.grants and not rig.spent
    rig.hear("wait, tell me about the price first")
    assert not rig.spent
    assert not [item for item in rig.outputs if isinstance(item, AnswerTool)]


def test_after_the_end_nothing_is_granted_and_nothing_is_spent() -> None:
    rig = transferring()
    (announcement,) = rig.queue
    rig.happen(CallEnded, reason="caller_left")
    played = rig.happen(SentencePlayed, sentence=announcement.sentence, played_ms=900, whole=True)
    assert not of(played, SpendGrant)
    assert rig.ask("book", **BOOK).verdict == "deny"
    assert not rig.spent


def test_a_hang_up_is_never_denied() -> None:
    for lowering in (AuthorityRevoked, CallsPaused):
        rig = Rig()
        rig.happen(lowering, epoch=2, operator="op")
        assert rig.ask("end_call", principal="nobody").verdict == "allow"


def test_hanging_up_twice_is_one_hang_up() -> None:
    rig = Rig()
    rig.happen(MediaEnded, clean=False)
    rig.happen(MediaEnded, clean=True)
    assert [item.reason for item in rig.outputs if isinstance(item, HangUp)] == ["line_lost"]


# hand-over


def test_a_hand_over_carries_facts_and_no_authority() -> None:
    rig = Rig()
    rig.hear("I want to revoke nothing, just tell me")
    rig.question()
    rig.hear("what does it cost?")
    rig.question("book", **HAIRCUT)
    facts = {name: rig.value(name) for name in ("direction", "answerer", "disclosed.ai", "quote_open")}
    before = rig.state.version
    assert rig.ask("hand_over", to="closing").verdict == "allow"
    assert rig.state.consent.pending is None
    assert rig.state.version > before
    assert rig.value("agent") == "closing"
    assert {name: rig.value(name) for name in facts} == facts
    assert not [name for name in rig.state.facts if name.startswith("consent.")]
    assert not rig.press("1").grants


def test_a_yes_to_one_role_does_not_travel_to_the_next() -> None:
    rig = Rig(stage="assist")
    rig.question()
    rig.hear("yes, book it")
    assert rig.value("consent.book") == "explicit"
    rig.ask("hand_over", to="closing")
    assert rig.ask("book", **BOOK).verdict != "allow"


def test_an_operators_approval_does_not_travel_to_the_next_role() -> None:
    """Law 2: a hand-over between agent roles carries facts, never authority."""
    rig = Rig(stage="assist")
    rig.happen(OperatorApproved, digest=digest_of(BOOK), operator="op")
    rig.ask("hand_over", to="closing")
    rig.question()
    rig.hear("yes, book it")
    assert not rig.grants


def test_an_open_grant_does_not_travel() -> None:
    rig = transferring()
    rig.ask("hand_over", to="closing")
    rig.play()
    rig.wait(20_000)
    assert not rig.spent


def test_an_unknown_role_is_refused() -> None:
    rig = Rig()
    assert rig.ask("hand_over", to="the boss").verdict == "deny"
    assert rig.value("agent") == "booking"


def test_the_facts_of_a_calls_start_cannot_claim_what_the_kernel_finds_out() -> None:
    """Law 3: who answered, what was heard and how far the agent may go are evidence of the call itself."""
    claimed = {"answerer": "human", "asked_for_person": True, "recording": True, "message_ready": True,
               "stage": "autonomous", "agent": "closing", "consent.book": "explicit", "disclosed.ai": True,
               "done.book": True}  # fmt: skip
    rig = Rig(direction="outbound", facts=claimed, opened=False)
    found = {name: rig.value(name) for name in claimed}
    assert found == {"answerer": "unknown", "asked_for_person": False, "recording": False, "message_ready": None,
                     "stage": "bounded", "agent": "booking", "consent.book": None, "disclosed.ai": False,
                     "done.book": None}  # fmt: skip

"""Corners of the facets that neither a scene nor another test looks into."""

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, rules, shipped, with_policy

from voicewarden.kernel.draft import Draft
from voicewarden.kernel.facets.disclosure import overdue
from voicewarden.kernel.facets.question import _last_argument
from voicewarden.kernel.facets.silence import on_timer
from voicewarden.kernel.release import Compiled
from voicewarden.model.decision import Reason, Shadowed
from voicewarden.model.directive import AnswerInference, AnswerTool, Speak
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    CarrierJudgedAnswerer,
    FactLearned,
    TokensReserved,
    ToneHeard,
)
from voicewarden.policy.ast import Atom, Limit, Rule

REPLACE = msgspec.structs.replace
ACTIONS = shipped().data.policy.actions


def with_action(name: str, **change: object) -> Compiled:
    return with_policy({"actions": {**ACTIONS, name: REPLACE(ACTIONS[name], **change)}})


def test_a_tool_call_whose_transfer_is_taken_back_is_answered() -> None:
    rig = Rig(with_action("transfer", require=(), limits=()))
    rig.play()
    rig.ask("transfer", desk="sales")
    taken = rig.happen(FactLearned, fact="revoked", value=True, source="crm")
    assert of(taken, AnswerTool) == [AnswerTool(request="r1", action="transfer", status="refused")]


def test_a_yes_to_what_has_become_a_persons_matter_reaches_a_person() -> None:
    needs = Rule(id="book.require.9", condition=Atom(fact="quote_open", is_=True), otherwise="escalate")
    rig = Rig(with_action("book", require=(*ACTIONS["book"].require, needs)))
    rig.play()
    rig.question()
    rig.happen(FactLearned, fact="quote_open", value=False, source="crm")
    taken = rig.hear("yes, book it")
    assert (taken.decisions[0].action, taken.decisions[0].verdict) == ("book", "escalate")
    assert "transfer" in [item.action for item in taken.decisions]


@pytest.mark.parametrize(("after_ms", "revised"), [(30_000, True), (30_001, False)])
def test_who_answered_is_revised_within_half_a_minute(after_ms: int, revised: bool) -> None:
    rig = Rig(direction="outbound", opened=False)
    rig.happen(CallAnswered)
    rig.hear("Hello, this is Anna speaking.")
    assert rig.value("answerer") == "human"
    rig.now_ms = after_ms
    rig.happen(ToneHeard, tone="fax", hz=1_100, ms=300)
    assert rig.value("answerer") == ("fax" if revised else "human")


def test_evidence_for_a_person_can_tip_the_scale_no_machines_way() -> None:
    rig = Rig(direction="outbound", opened=False)
    rig.happen(CallAnswered)
    for verdict in ("voicemail", "human"):
        rig.happen(CarrierJudgedAnswerer, verdict=verdict)
    # The carrier counts once, by what it said last.
    assert rig.state.answerer.score < 0 and not rig.state.answerer.decided


def test_no_tokens_left_in_a_turn_is_no_fault_once_something_was_said() -> None:
    rig = Rig()
    rig.play()
    rig.hear("tell me more")
    rig.propose("It will be fine.")
    rig.play()
    rig.happen(TokensReserved, inference=2, tokens=150)
    rig.state = REPLACE(rig.state, floor=REPLACE(rig.state.floor, spoke=True, queue=()))
    taken = rig.happen(TokensReserved, inference=3, tokens=100)
    assert of(taken, AnswerInference)[0].tokens == 0
    assert of(taken, Speak) == [] and rig.state.floor.falters == 0


def test_a_template_without_an_argument_is_armed_by_its_last_sentence() -> None:
    assert _last_argument("Shall I? Please say yes. Or press one.", ("service",), 3) == 2
    assert _last_argument("Shall I book {service}? Please say yes.", ("service",), 2) == 0
    assert _last_argument("Shall I book {service}? Please say yes.", ("service",), 3) == 2


def test_beyond_the_last_step_of_the_ladder_the_last_one_stays() -> None:
    rig = Rig()
    rig.play()
    draft = Draft(rig.release, REPLACE(rig.state, silence_step=7), CallAnswered(at_ms=rig.now_ms))
    on_timer(draft)
    assert draft.identity.ending == "silence"


@pytest.mark.parametrize(("text", "falters"), [("It will be fine.", 0), ("It costs 7 dollars.", 1)])
def test_a_sentence_of_the_model_that_was_heard_forgives_a_falter(text: str, falters: int) -> None:
    rig = Rig()
    rig.play()
    rig.state = REPLACE(rig.state, floor=REPLACE(rig.state.floor, falters=1))
    rig.hear("tell me more")
    rig.propose(text)
    rig.play(1)
    assert rig.state.floor.falters == falters


def test_two_opinions_that_differ_are_said_to_differ() -> None:
    release = Compiled(shipped().data, second_opinion=True)
    release.policy.deciders["book"] = lambda facts, now_ms, digest, minted: 0
    decision = Rig(release).ask("book", **BOOK)
    needed = "is the same from generated code and interpreter"
    assert decision.reasons == (Reason("kernel.two_opinions", "decision", needed, "it differs", "deny"),)


def test_a_shadow_limit_says_what_was_granted() -> None:
    limit = Limit(id="look_up.limits.1", at_most=1, otherwise="deny", shadow=True)
    rig = Rig(with_action("look_up", require=(), limits=(limit,)))
    assert rig.ask("look_up", what="quote").verdict == "allow"
    taken = rig.happen(ActionRequested, request="r", action="look_up", args={"what": "quote"}, principal="booking")
    (flip,) = of(taken, Shadowed)
    assert flip.reasons == (Reason("look_up.limits.1", "granted in this call", "at most 1", "1", "deny"),)
    assert rules(taken.decisions[0]) == []


def test_the_caller_is_told_so_often_and_no_more_that_nothing_was_understood() -> None:
    rig = Rig()
    rig.play()
    rig.state = REPLACE(rig.state, floor=REPLACE(rig.state.floor, misheard=6))
    rig.question()
    rig.noise()
    assert "not_heard" not in rig.lines
    assert rig.state.floor.misheard == 6 and "answer" in rig.state.timers


def test_a_new_turn_is_not_suspect_because_the_last_one_was() -> None:
    rig = Rig()
    rig.play()
    rig.hear("thank you", suspect=("repetition",))
    assert rig.state.turn.suspect
    rig.begin()
    assert not rig.state.turn.suspect


def test_a_grant_of_an_older_version_never_reaches_its_effector() -> None:
    rig = Rig(with_action("transfer", require=(), limits=()))
    rig.play()
    rig.ask("transfer", desk="sales")
    rig.state = REPLACE(rig.state, version=rig.state.version + 1)
    rig.play()
    assert rig.spent == [] and rig.state.grants.open == {}


@pytest.mark.parametrize(("waited_ms", "late"), [(8_000, False), (8_001, True)])
def test_a_line_is_overdue_behind_its_deadline(waited_ms: int, late: bool) -> None:
    speech = shipped().data.policy.speech
    (item,) = (REPLACE(item, within_ms=8_000) for item in speech.must_say if item.id == "ai")
    rig = Rig(with_policy({"speech": REPLACE(speech, must_say=(item,))}), opened=False)
    rig.happen(CallAnswered)
    draft = Draft(rig.release, rig.state, CallAnswered(at_ms=waited_ms))
    assert overdue(draft) == (("ai",) if late else ())

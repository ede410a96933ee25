"""The gate for sentences, disclosures that count only when heard, the token budget and tool calls a turn."""

from datetime import date

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, rules, shipped

from voicewarden.model.decision import Decision
from voicewarden.model.directive import (
    AnswerInference,
    AnswerTool,
    ConsultModel,
    DropGeneration,
    HangUp,
    ListenFor,
    Speak,
    StartRecording,
    StopRecording,
)
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    GenerationEnded,
    ModelFaltered,
    SentenceProposed,
    SpeechFaltered,
    TokensReserved,
    TokensSpent,
)


def consulted(text: str = "tell me more") -> Rig:
    rig = Rig()
    rig.hear(text)
    return rig


def verdict_on(rig: Rig, text: str) -> Decision:
    rig.propose(text)
    return next(item for item in reversed(rig.decisions) if item.request.startswith("m"))


# sentences


def test_an_honest_sentence_is_spoken_word_for_word_under_its_own_id() -> None:
    rig = consulted()
    decision = verdict_on(rig, "The consultation is free.")
    assert decision.verdict == "allow"
    assert (rig.queue[-1].sentence, rig.queue[-1].text, rig.queue[-1].purpose) == (
        "m1.1", "The consultation is free.", "model"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rule", "instead"),
    [("It costs 30 dollars.", "speech.facts", "no_figure"),
     ("We have served 5000 people.", "speech.facts", "no_figure"),
     ("You will save twenty percent.", "speech.facts", "no_figure"),
     ("I am a real human being.", "speech.refuse.denies_ai", "disclosures.ai"),
     ("Please tell me your credit card number.", "speech.refuse.private_data", "not_allowed")],
)  # fmt: skip
def test_a_sentence_that_may_not_be_said_is_replaced_and_the_generation_dropped(
    text: str, rule: str, instead: str
) -> None:
    rig = consulted()
    decision = verdict_on(rig, text)
    assert decision.verdict == "deny"
    assert rule in rules(decision)
    assert rig.queue[-1].line == instead
    assert any(isinstance(item, DropGeneration) for item in rig.outputs)
    assert text not in [speak.text for speak in rig.queue]


@pytest.mark.parametrize("text", ["A haircut costs 45 dollars.", "We are open until six in the evening."])
def test_approved_figures_may_be_said(text: str) -> None:
    assert verdict_on(consulted(), text).verdict == "allow"


def test_a_figure_that_the_caller_named_may_be_repeated() -> None:
    assert verdict_on(consulted("I can pay 30 dollars"), "You said 30 dollars.").verdict == "allow"


def test_a_figure_of_a_result_may_be_said_and_of_a_wish_not() -> None:
    rig = consulted()
    rig.ask("look_up", what="quote")
    rig.receipt(rig.grants[0], "done", price="77 dollars")
    assert verdict_on(rig, "It is 77 dollars.").verdict == "allow"
    other = consulted()
    other.ask("book", service="consultation", start="2026-12-09T08:00")
    other.play()
    other.hear("what was that about?")
    assert verdict_on(other, "It is on the ninth of December.").verdict == "deny"


def test_nothing_more_of_a_dropped_generation_is_heard() -> None:
    rig = consulted()
    rig.propose("It costs 99 dollars.", "And that is cheap.", "Shall we go on?")
    assert [d.verdict for d in rig.decisions if d.request.startswith("m")] == ["deny"] * 3
    assert [speak.line for speak in rig.queue] == ["no_figure"]


def test_a_sentence_for_a_turn_that_is_over_is_not_said() -> None:
    rig = consulted()
    rig.begin()
    decision = verdict_on(rig, "It is free.")
    assert decision.verdict == "deny"
    assert any(rule in ("kernel.stale_turn", "kernel.dropped") for rule in rules(decision))
    assert not rig.queue


def test_a_sentence_that_answers_an_older_turn_is_not_said() -> None:
    rig = consulted()
    rig.hear("and what about Sunday?")
    rig.propose("It is free.", turn=rig.turn - 1)
    assert not rig.queue
    assert any("kernel.stale_turn" in rules(item) for item in rig.decisions)


def test_during_an_open_question_the_model_says_nothing() -> None:
    rig = consulted()
    rig.question()
    decision = verdict_on(rig, "Just say yes now.")
    assert decision.verdict == "deny"
    assert not rig.queue


def test_after_an_opt_out_the_model_says_nothing() -> None:
    rig = consulted("stop calling me")
    decision = verdict_on(rig, "But please listen.")
    assert {"kernel.ending", "kernel.opted_out"} <= set(rules(decision))


def test_before_somebody_is_known_to_listen_nothing_is_said() -> None:
    rig = Rig(direction="outbound")
    assert "kernel.not_opened" in rules(verdict_on(rig, "Hello there."))


def test_somebody_who_asks_for_a_machine_is_told() -> None:
    rig = Rig()
    taken = rig.hear("are you a robot?")
    assert [item.line for item in of(taken, Speak)][:1] == ["disclosures.ai"]


def test_a_question_about_a_number_lets_longer_pauses_pass() -> None:
    rig = consulted()
    rig.propose("What is your phone number?")
    taken = rig.play()
    hearing = shipped().data.policy.hearing
    assert [item.pause_ms for item in of(taken, ListenFor)] == [hearing.end_of_turn_spelling_ms]


# disclosures


def test_the_must_say_lines_come_before_the_opening() -> None:
    rig = Rig(opened=False)
    taken = rig.happen(CallAnswered)
    assert [item.line for item in of(taken, Speak)] == [
        "disclosures.ai", "disclosures.recording", "disclosures.keys", "openings.booking"
    ]  # fmt: skip


def test_a_disclosure_counts_only_when_it_was_wholly_played() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    assert rig.value("disclosed.ai") is False
    rig.begin()  # cuts everything
    assert rig.value("disclosed.ai") is False
    rig.segment("hello")
    taken = rig.end()
    assert [item.line for item in of(taken, Speak)][:3] == [
        "disclosures.ai", "disclosures.recording", "disclosures.keys"
    ]  # fmt: skip
    rig.play(1)
    assert rig.value("disclosed.ai") is True


def test_nothing_is_booked_before_the_disclosure_was_heard() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "deny"
    assert "disclosed.ai" in [reason.fact for reason in decision.reasons]


def test_recording_starts_only_after_its_notice() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    rig.play(1)
    assert not any(isinstance(item, StartRecording) for item in rig.outputs)
    rig.play(1)
    assert sum(isinstance(item, StartRecording) for item in rig.outputs) == 1
    rig.play()
    assert rig.value("recording") is True
    assert sum(isinstance(item, StartRecording) for item in rig.outputs) == 1


def test_somebody_who_objects_is_not_recorded() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    rig.play(1)
    rig.hear("don't record this")
    rig.play()
    assert any(isinstance(item, StopRecording) for item in rig.outputs)
    assert not any(isinstance(item, StartRecording) for item in rig.outputs)


def test_an_objection_stops_a_recording_that_runs() -> None:
    rig = Rig()
    rig.hear("don't record this")
    assert any(isinstance(item, StopRecording) for item in rig.outputs)
    assert rig.value("recording_refused") is True


# budgets


def reserve(rig: Rig, inference: int, tokens: int = 160) -> int:
    taken = rig.happen(TokensReserved, inference=inference, tokens=tokens)
    (answer,) = of(taken, AnswerInference)
    return answer.tokens


def test_an_inference_gets_at_most_a_turns_tokens() -> None:
    assert reserve(consulted(), 1, 5_000) == shipped().data.policy.budget.per_turn_tokens


def test_what_is_reserved_or_spent_in_the_turn_is_taken_off() -> None:
    rig = consulted()
    assert reserve(rig, 1, 100) == 100
    assert reserve(rig, 2, 100) == 60
    rig.happen(TokensSpent, inference=1, tokens=30)
    rig.happen(TokensSpent, inference=2, tokens=10)
    assert reserve(rig, 3, 500) == 120


def test_a_turn_whose_tokens_are_used_up_gets_none() -> None:
    rig = consulted()
    reserve(rig, 1)
    rig.happen(TokensSpent, inference=1, tokens=160)
    assert reserve(rig, 2) == 0
    assert rig.decisions[-1].verdict == "deny"
    assert rules(rig.decisions[-1]) == ["kernel.budget.per_turn"]


def test_the_next_turn_has_tokens_again() -> None:
    rig = consulted()
    reserve(rig, 1)
    rig.happen(TokensSpent, inference=1, tokens=160)
    rig.hear("and then?")
    assert reserve(rig, 2) == 160


def test_an_interrupted_inference_is_charged_like_any_other() -> None:
    rig = consulted()
    reserve(rig, 1)
    rig.begin()
    rig.happen(TokensSpent, inference=1, tokens=40)
    assert rig.state.budget.spent == 40


def test_a_call_whose_tokens_are_used_up_ends_politely() -> None:
    rig = consulted()
    for inference in range(1, 30):
        if reserve(rig, inference) == 0:
            break
        rig.happen(TokensSpent, inference=inference, tokens=160)
        rig.hear(f"and then {inference}?")
    assert rig.state.budget.spent <= shipped().data.policy.budget.per_call_tokens
    assert "kernel.budget.per_call" in rules(rig.decisions[-1])
    rig.play()
    assert rig.hung_up == "budget"


def test_an_inference_that_nobody_triggered_gets_nothing() -> None:
    assert reserve(Rig(), 1) == 0


def call_tool(rig: Rig, number: int, turn: int | None = None) -> Decision:
    taken = rig.happen(
        ActionRequested, request=f"t{number}", action="look_up", args={"what": "quote"}, principal="booking",
        turn=rig.turn if turn is None else turn,
    )  # fmt: skip
    return taken.decisions[0]


def test_tool_calls_of_a_turn_are_limited() -> None:
    rig = consulted()
    assert [call_tool(rig, number).verdict for number in range(3)] == ["allow", "allow", "deny"]
    assert rules(rig.decisions[-1]) == ["kernel.tool_calls"]
    rig.hear("and then?")
    assert call_tool(rig, 9).verdict == "allow"


def test_a_tool_call_of_a_turn_that_is_over_is_denied() -> None:
    rig = consulted()
    rig.hear("never mind, something else")
    decision = call_tool(rig, 1, turn=rig.turn - 1)
    assert (decision.verdict, rules(decision)) == ("deny", ["kernel.stale_turn"])


def test_tool_calls_of_an_interrupted_answer_do_not_use_up_the_next_turns() -> None:
    rig = consulted()
    rig.hear("never mind, something else")
    for number in (1, 2):
        call_tool(rig, number, turn=rig.turn - 1)
    assert call_tool(rig, 3).verdict == "allow"


def test_a_denied_tool_call_lets_the_model_go_on_with_the_reasons() -> None:
    rig = consulted()
    taken = rig.happen(
        ActionRequested, request="t1", action="delete_everything", args={}, principal="booking", turn=rig.turn
    )
    (answer,) = of(taken, AnswerTool)
    assert (answer.status, [reason.rule for reason in answer.reasons]) == ("denied", ["kernel.default_deny"])
    assert of(taken, ConsultModel)


# when the model or the voice fails


def test_a_model_that_fails_leads_to_a_line_and_then_to_an_end() -> None:
    rig = consulted()
    rig.propose(ends=False)
    rig.happen(ModelFaltered, generation=rig.generation, what="timeout")
    assert rig.queue[-1].line == "trouble"
    rig.play()
    rig.hear("hello?")
    rig.happen(ModelFaltered, generation=rig.generation + 1, what="error")
    assert rig.queue[-1].line == "safe"
    rig.play()
    assert rig.hung_up == "model_failed"


def test_a_model_that_never_answers_is_not_waited_for() -> None:
    rig = consulted()
    rig.wait(9_000)
    assert rig.queue[-1].line == "trouble"


def test_a_model_that_says_nothing_is_made_up_for() -> None:
    rig = consulted()
    rig.happen(TokensReserved, inference=1, tokens=50)
    rig.happen(GenerationEnded, generation=1)
    rig.wait(2_000)
    assert rig.queue[-1].line == "trouble"


def test_a_sentence_that_cannot_be_rendered_counts_as_not_heard() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    first = rig.queue.pop(0)
    rig.happen(SpeechFaltered, sentence=first.sentence)
    assert rig.value("disclosed.ai") is False
    second = rig.queue.pop(0)
    rig.happen(SpeechFaltered, sentence=second.sentence)
    rig.wait(20_000)
    assert rig.hung_up == "speech_failed"


def test_a_goodbye_that_cannot_be_rendered_hangs_up() -> None:
    rig = consulted("stop calling me")
    (goodbye,) = rig.queue
    assert of(rig.happen(SpeechFaltered, sentence=goodbye.sentence), HangUp)


def test_a_sentence_proposed_twice_is_decided_twice_and_said_once() -> None:
    rig = consulted()
    rig.propose("It is free.")
    rig.happen(SentenceProposed, sentence="m1.2", generation=1, turn=rig.turn, text="It is free.")
    assert [decision.verdict for decision in rig.decisions[-2:]] == ["allow", "deny"]
    assert rules(rig.decisions[-1]) == ["kernel.repeats"]
    assert len([speak for speak in rig.queue if speak.text == "It is free."]) == 1



def test_a_disclosure_that_is_overdue_comes_before_any_other_word() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    rig.begin()
    rig.now_ms += 9_000
    rig.segment("I have a long story to tell you about my hair")
    rig.end()
    decision = verdict_on(rig, "It is free.")
    assert (decision.verdict, rules(decision)) == ("deny", ["speech.must_say.ai"])
    assert "It is free." not in [speak.text for speak in rig.queue]
    assert rig.queue[0].line == "disclosures.ai"
    before = len(rig.outputs)
    rig.play()
    assert any(isinstance(item, ConsultModel) for item in rig.outputs[before:]), "the model may answer now"
    rig.propose("It is free.")
    assert rig.queue[-1].text == "It is free."


def test_turn_zero_says_nothing_while_the_caller_has_the_floor() -> None:
    rig = consulted()
    rig.begin()
    rig.propose("It is free.", turn=0)
    assert not rig.queue


def test_turn_zero_asks_for_nothing_while_the_caller_has_the_floor() -> None:
    rig = consulted()
    rig.begin()
    decision = call_tool(rig, 1, turn=0)
    assert (decision.verdict, rules(decision)) == ("deny", ["kernel.stale_turn"])


@pytest.mark.parametrize(("day", "verdict"), [("2027-06-30", "allow"), ("2027-07-01", "deny")])
def test_an_approved_fact_may_be_said_until_its_last_day(day: str, verdict: str) -> None:
    rig = Rig(opened=False)
    rig.state, started = type(rig.state)(), rig.events[0]
    unix_ms = (date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000
    rig.feed(msgspec.structs.replace(started, started_unix_ms=unix_ms))
    rig.happen(CallAnswered)
    rig.play()
    rig.hear("when are you open?")
    assert verdict_on(rig, "A haircut costs 45 dollars.").verdict == verdict


def test_a_start_at_an_absurd_date_is_no_fault() -> None:
    rig = Rig(opened=False)
    rig.state, started = type(rig.state)(), rig.events[0]
    rig.feed(msgspec.structs.replace(started, started_unix_ms=2**53 - 1))
    rig.happen(CallAnswered)
    rig.play()
    rig.hear("when are you open?")
    rig.propose("A haircut costs 45 dollars.")
    assert rig.state.identity.fault == ""

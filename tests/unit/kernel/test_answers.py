"""`policy-format`, Answers: every reading of a turn and what it leads to."""

import pytest
from tests.fakes.rig import BOOK, HAIRCUT, Rig, of, told

from voicewarden.model.canonical import digest_of
from voicewarden.model.directive import AnswerTool, ConsultModel, SpendGrant, TellModel
from voicewarden.model.event import (
    ActionRequested,
    CallerSpoke,
    CallerTurnEnded,
    FactLearned,
    HearingFaltered,
    TimerFired,
    Word,
)


def asked() -> Rig:
    rig = Rig()
    rig.question()
    return rig


def words_at(rig: Rig, from_ms: int, text: str, permille: int | None = 950) -> None:
    """Words of the open turn whose times on the call's clock are given, 200 ms each."""
    words = tuple(
        Word(word, permille, from_ms + 200 * i, from_ms + 200 * (i + 1)) for i, word in enumerate(text.split())
    )
    rig.now_ms = max(rig.now_ms, words[-1].to_ms)
    rig.happen(CallerSpoke, turn=rig.turn, text=text, words=words, speech_ms=200 * len(words))


# explicit


def test_explicit_decides_again_in_the_same_step_and_grants() -> None:
    rig = asked()
    taken = rig.hear("yes, book it")
    assert [decision.verdict for decision in taken.decisions] == ["allow"]
    assert [grant.args for grant in taken.grants] == [BOOK]
    assert of(taken, SpendGrant) and not of(taken, ConsultModel)
    assert rig.state.consent.pending is None


def test_the_model_hears_of_it_only_after_the_receipt() -> None:
    rig = asked()
    taken = rig.hear("yes, book it")
    assert not of(taken, TellModel)
    after = rig.receipt(rig.grants[0], "done", when="2026-12-01T15:00")
    assert [item.status for item in of(after, TellModel)] == ["done"]
    assert of(after, ConsultModel)


def test_a_grant_names_the_question_and_the_yes() -> None:
    rig = asked()
    pending = rig.state.consent.pending
    assert pending is not None
    rig.hear("yes, book it")
    assert rig.grants[0].confirmed == digest_of([pending.question, pending.digest, ["yes,", "book", "it"]])


def test_a_yes_heard_with_full_certainty_is_not_taken_for_a_key() -> None:
    spoken, pressed = asked(), asked()
    spoken.hear("yes, book it", permille=1000)
    pressed.press("1")
    assert spoken.grants[0].confirmed != pressed.grants[0].confirmed


def test_minting_resets_consent() -> None:
    rig = asked()
    rig.hear("yes, book it")
    assert rig.value("consent.book") in (None, "none")
    rig.receipt(rig.grants[0], "failed")
    assert rig.ask("book", **BOOK).verdict == "confirm"


def test_within_ms_runs_from_the_deciding_words_end() -> None:
    rig = asked()
    rig.begin()
    words_at(rig, rig.now_ms, "yes")
    said_ms = rig.now_ms
    # The turn stays open: the yes grows old before the turn ends.
    rig.now_ms = said_ms + 90_001
    taken = rig.happen(CallerTurnEnded, turn=rig.turn)
    assert not taken.grants
    assert [decision.verdict for decision in taken.decisions] == ["confirm"]


def test_within_ms_still_holds_at_its_bound() -> None:
    rig = asked()
    rig.begin()
    words_at(rig, rig.now_ms, "yes")
    rig.now_ms += 90_000
    assert rig.happen(CallerTurnEnded, turn=rig.turn).grants


def test_expires_ms_runs_from_minting() -> None:
    rig = asked()
    rig.hear("yes, book it")
    grant = rig.grants[0]
    assert (grant.minted_at_ms, grant.expires_at_ms) == (rig.now_ms, rig.now_ms + 30_000)


# ambiguous


@pytest.mark.parametrize("text", ["okay", "hmm", "yes maybe", "I guess so", "yes whatever the thing over there"])
def test_ambiguous_asks_again(text: str) -> None:
    rig = asked()
    taken = rig.hear(text)
    assert not taken.grants
    assert told(taken.directives)[0].startswith("Shall I book a consultation")
    assert not of(taken, ConsultModel)
    assert rig.state.consent.asked[f"book:{digest_of(BOOK)}"] == 2


def test_the_decision_that_asks_again_shows_what_was_read() -> None:
    """Consent is the reading at the turn's end: the reasons say ambiguous, with the record that says so."""
    rig = asked()
    taken = rig.hear("hmm okay")
    (reason,) = taken.decisions[0].reasons
    assert reason.found.startswith("ambiguous")
    assert reason.evidence


def test_a_yes_with_a_question_mark_is_asked_again() -> None:
    rig = asked()
    assert not rig.hear("yes?").grants
    assert rig.state.consent.pending is not None


# refused, revoked


@pytest.mark.parametrize(
    ("text", "kind"), [("no", "refused"), ("no thank you", "refused"), ("yes but not tuesday no", "refused"),
                       ("I want to revoke my agreement", "revoked")]
)  # fmt: skip
def test_refused_and_revoked_void_the_question_and_refuse_the_digest(text: str, kind: str) -> None:
    rig = asked()
    taken = rig.hear(text)
    assert rig.value("consent.book") == kind
    assert rig.state.consent.pending is None
    assert rig.state.consent.refused == (f"book:{digest_of(BOOK)}",)
    assert [item.status for item in of(taken, TellModel)] == ["refused"]
    assert of(taken, ConsultModel)
    rig.hear("yes, book it")
    assert not rig.grants


def test_a_no_counts_however_badly_it_was_heard_and_however_early() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.play(1)
    rig.hear("no", permille=300)
    assert rig.state.consent.refused


def test_a_refusal_before_the_question_was_heard_still_refuses() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.hear("no")
    assert rig.state.consent.refused and rig.state.consent.pending is None


# question, conditional, other


@pytest.mark.parametrize(
    "text",
    ["what does it cost?", "yes if it is free", "yes as long as parking is free", "my sister had a haircut yesterday",
     "make it Wednesday instead"],
)  # fmt: skip
def test_other_answers_void_the_question_and_go_to_the_model(text: str) -> None:
    rig = asked()
    taken = rig.hear(text)
    assert not taken.grants
    assert rig.state.consent.pending is None
    assert [item.heard for item in of(taken, ConsultModel)] == [text]
    assert not rig.state.consent.refused
    rig.hear("yes")
    assert not rig.grants


# timing


@pytest.mark.parametrize(("late_ms", "granted"), [(-151, False), (-150, True), (0, True), (400, True)])
def test_the_deciding_word_starts_after_the_last_argument_less_the_tolerance(late_ms: int, granted: bool) -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.play(1)
    pending = rig.state.consent.pending
    assert pending is not None and pending.armed_ms == rig.now_ms
    rig.begin()
    words_at(rig, pending.armed_ms + late_ms, "yes")
    assert bool(rig.end().grants) is granted


def test_words_that_do_not_decide_may_be_early() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.play(1)
    armed_ms = rig.now_ms
    rig.begin()
    words_at(rig, armed_ms - 900, "um")
    words_at(rig, armed_ms + 100, "yes, book it")
    assert rig.end().grants


def test_the_end_mark_of_the_sentence_with_the_last_argument_arms_and_not_the_last_sentence() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.play(1)
    assert rig.queue, "the rest of the question is still to be said"
    assert rig.hear("yes, book it").grants


def test_a_barge_in_before_the_last_argument_voids_and_asks_again() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    taken = rig.hear("yes, book it")
    assert not taken.grants
    assert told(taken.directives)[0].startswith("Shall I book a consultation")
    rig.play()
    assert rig.hear("yes, book it").grants


def test_a_barge_in_by_something_else_before_the_last_argument_also_asks_again() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    taken = rig.hear("hang on a second")
    assert told(taken.directives)[0].startswith("Shall I book")
    assert not of(taken, ConsultModel)


def test_somebody_who_still_speaks_is_not_asked_again() -> None:
    """The answer's time must not run out while the caller answers."""
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.play(1)
    rig.begin()
    pending = rig.state.consent.pending
    rig.wait(16_000)
    assert rig.state.consent.pending == pending
    assert not rig.queue


def test_no_answer_in_time_is_no_yes_and_asks_again() -> None:
    rig = asked()
    rig.wait(15_000)
    assert told(rig.queue)[0].startswith("Shall I book")
    rig.play()
    rig.wait(15_000)
    assert rig.decisions[-1].verdict == "deny"
    assert not rig.grants


def test_answer_within_counts_from_the_end_of_the_questions_playout() -> None:
    rig = asked()
    assert rig.state.timers["answer"] == rig.now_ms + 15_000


# confidence


@pytest.mark.parametrize(
    ("permille", "granted", "found"),
    [(1000, True, ""), (600, True, ""), (599, False, "ambiguous"), (350, False, "ambiguous"), (349, False, "none"),
     (260, False, "none"), (None, False, "ambiguous")],
)  # fmt: skip
def test_confidence_bands_of_the_deciding_words(permille: int | None, granted: bool, found: str) -> None:
    rig = asked()
    taken = rig.hear("yes, book it", permille=permille)
    assert bool(taken.grants) is granted
    if not granted:
        assert taken.decisions[0].verdict == "confirm"
        # What was not heard leaves consent at none, which may also be written as a fact that is not known.
        accepted = ("none", "unknown") if found == "none" else (found,)
        assert taken.decisions[0].reasons[0].found.startswith(accepted)


def test_the_least_sure_deciding_word_counts() -> None:
    rig = asked()
    assert not rig.hear("yes", permille=(590,)).grants


def test_a_yes_said_twice_is_as_sure_as_its_surest_part() -> None:
    rig = asked()
    assert rig.hear("yes, book it", permille=(400, 900, 900)).grants


def test_a_suspect_segment_makes_a_yes_ambiguous() -> None:
    rig = asked()
    assert not rig.hear("yes, book it", suspect=("repetition",)).grants


def test_a_segment_that_was_not_understood_makes_a_yes_ambiguous() -> None:
    rig = asked()
    rig.begin()
    rig.happen(HearingFaltered, turn=rig.turn)
    rig.segment("yes, book it")
    assert not rig.end().grants


# the key 1


def test_the_key_1_is_an_explicit_yes() -> None:
    rig = asked()
    taken = rig.press("1")
    assert [grant.args for grant in taken.grants] == [BOOK]


def test_the_key_1_counts_as_soon_as_the_last_argument_was_heard_and_not_before() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    assert not rig.press("1").grants
    rig.play(1)
    assert rig.press("1").grants
    assert not rig.queue


@pytest.mark.parametrize("digit", ["5", "#", "*"])
def test_other_keys_are_no_answer(digit: str) -> None:
    rig = asked()
    assert not rig.press(digit).grants
    assert rig.state.consent.pending is not None


def test_the_key_1_without_a_question_grants_nothing() -> None:
    rig = Rig()
    assert not rig.press("1").grants
    rig.ask("book", **BOOK)
    rig.play()
    rig.press("1")
    assert not rig.press("1").grants


# bound to the digest


def test_consent_belongs_to_one_digest() -> None:
    rig = asked()
    rig.happen(FactLearned, fact="quote_open", value=True, source="crm")
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "failed")
    assert rig.ask("book", **HAIRCUT).verdict == "confirm"


def test_an_answer_to_other_arguments_is_not_visible() -> None:
    rig = asked()
    rig.hear("no thank you")
    decision = rig.ask("book", **HAIRCUT)
    assert decision.verdict == "confirm"
    assert decision.reasons[0].found == "unknown"


def test_the_same_digest_coalesces_with_the_open_question() -> None:
    rig = asked()
    before = rig.state.consent.pending
    decision = rig.ask("book", **dict(reversed(BOOK.items())))
    assert decision.verdict == "confirm"
    assert rig.state.consent.pending == before
    assert rig.state.consent.asked_action == {"book": 1}
    assert [item.status for item in rig.outputs if isinstance(item, AnswerTool)] == ["awaiting_confirmation"] * 2
    assert len(rig.hear("yes, book it").grants) == 1


def test_another_digest_voids_the_open_question() -> None:
    rig = asked()
    rig.ask("book", **HAIRCUT)
    assert not rig.press("1").grants
    rig.play()
    assert [grant.args for grant in rig.hear("yes, book it").grants] == [HAIRCUT]


def test_another_action_voids_the_open_question() -> None:
    rig = asked()
    rig.ask("send_message", template="directions")
    rig.play()
    taken = rig.hear("yes, send it")
    assert [grant.action for grant in taken.grants] == ["send_message"]


# one turn


def test_a_yes_split_over_two_segments_is_one_answer() -> None:
    rig = asked()
    assert rig.hear("yes,", "book it").grants


def test_yes_and_but_not_tuesday_in_one_turn_is_no_yes() -> None:
    rig = asked()
    taken = rig.hear("yes", "but not Tuesday")
    assert not taken.grants


def test_nothing_is_granted_before_the_turn_ends() -> None:
    rig = asked()
    rig.begin()
    assert not rig.segment("yes, book it").grants
    assert rig.end().grants


def test_a_second_turn_ended_is_no_second_answer() -> None:
    rig = asked()
    rig.hear("yes, book it")
    again = rig.happen(CallerTurnEnded, turn=rig.turn)
    assert not again.grants and not again.directives


def test_a_yes_before_any_question_is_worth_nothing() -> None:
    rig = Rig()
    rig.hear("yes, book it, yes, go ahead")
    assert rig.ask("book", **BOOK).verdict == "confirm"


# the caller wants it said again


def test_somebody_who_did_not_understand_hears_the_question_again() -> None:
    rig = asked()
    taken = rig.hear("pardon?")
    assert told(taken.directives)[0].startswith("Shall I book")
    rig.play()
    assert rig.hear("yes, book it").grants


def test_a_stale_timer_of_an_answered_question_does_nothing() -> None:
    rig = asked()
    due_ms = rig.state.timers["answer"]
    rig.hear("yes, book it")
    rig.now_ms = due_ms
    assert not rig.happen(TimerFired, timer="answer", due_ms=due_ms).outputs


def test_no_handler_waits_so_an_interruption_cancels_nothing() -> None:
    rig = Rig()
    rig.hear("I would like the consultation")
    taken = rig.happen(
        ActionRequested, request="t1", action="book", args=BOOK, principal="booking", turn=rig.turn
    )
    assert [item.status for item in of(taken, AnswerTool)] == ["awaiting_confirmation"]
    rig.play()
    rig.noise()
    assert rig.hear("yes, book it").grants


def test_a_noise_after_somebody_asked_for_a_person_is_only_a_noise() -> None:
    rig = Rig()
    rig.hear("I want to talk to a real person")
    rig.question()
    rig.noise()
    assert rig.state.identity.fault == ""
    assert rig.state.consent.pending is not None


def test_a_late_tool_call_of_an_interrupted_answer_does_not_void_the_open_question() -> None:
    rig = Rig()
    rig.hear("tell me more")
    stale = rig.turn
    rig.hear("or rather book it")
    rig.question()
    decision = rig.ask("book", turn=stale, **HAIRCUT)
    assert decision.verdict == "deny"
    assert rig.state.consent.pending is not None
    assert [grant.args for grant in rig.hear("yes, book it").grants] == [BOOK]

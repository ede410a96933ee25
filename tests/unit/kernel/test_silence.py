"""Nobody is left in silence, and nothing waits for ever: the ladder, the backstop, the longest call, wordless noise."""

import pytest
from tests.fakes.rig import BOOK, Rig, of, shipped, told

from voicewarden.model.directive import ConsultModel, Speak, StopSpeaking
from voicewarden.model.event import AuthorityRevoked, HearingFaltered, TimerFired

LADDER = shipped().data.policy.silence.ladder


def test_the_ladder_counts_each_step_from_the_end_of_the_last_playout() -> None:
    rig = Rig()
    for step, line in zip(LADDER, ("silence.reprompt", "silence.rephrase", "silence.goodbye"), strict=True):
        assert rig.state.timers["silence"] == rig.now_ms + step.after_ms
        rig.wait(step.after_ms)
        assert [speak.line for speak in rig.queue] == [line]
        rig.wait(2_000)
        rig.play()
    assert rig.hung_up == "silence"


def test_words_start_the_ladder_anew() -> None:
    rig = Rig()
    rig.wait(LADDER[0].after_ms)
    rig.play()
    rig.hear("I am here")
    assert rig.state.silence_step == 0
    rig.propose("Good.", ends=True)
    rig.play()
    assert rig.state.timers["silence"] == rig.now_ms + LADDER[0].after_ms


def test_the_ladder_waits_while_a_question_is_open() -> None:
    rig = Rig()
    rig.question()
    assert "silence" not in rig.state.timers


def test_the_ladder_waits_while_the_caller_speaks_and_while_the_model_thinks() -> None:
    rig = Rig()
    rig.begin()
    assert "silence" not in rig.state.timers
    rig.segment("tell me more")
    rig.end()
    assert rig.state.floor.thinking
    assert "silence" not in rig.state.timers


def test_somebody_who_never_says_a_word_is_let_go_by_the_backstop() -> None:
    rig = Rig()
    until = rig.now_ms + 130_000
    while rig.now_ms < until and not rig.hung_up:
        rig.noise()
        rig.play()
    assert rig.hung_up
    assert rig.now_ms <= until


def test_the_longest_call_ends_after_a_warning() -> None:
    rig = Rig()
    length = shipped().data.policy.call
    while rig.now_ms < length.longest_ms + 9_000 and not rig.hung_up:
        rig.wait(5_000)
        rig.play()
        if not rig.state.identity.ending:
            rig.hear("go on")
            rig.propose("Yes.", ends=True)
            rig.play()
    assert "warn_time" in rig.lines
    assert rig.hung_up == "longest"


def test_a_warning_is_not_said_over_the_caller() -> None:
    rig = Rig()
    rig.begin()
    due_ms = rig.state.timers["warn"]
    rig.now_ms = due_ms
    rig.happen(TimerFired, timer="warn", due_ms=due_ms)
    assert "warn_time" not in rig.lines


# barge-in and noise


def test_the_agent_falls_silent_when_the_caller_begins() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.propose("It is free.")
    assert of(rig.begin(), StopSpeaking)
    assert not rig.queue


def test_a_sentence_that_a_noise_cut_is_said_again() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.propose("It is free.", "It commits you to nothing.")
    taken = rig.noise()
    assert told(taken.directives) == ["It is free.", "It commits you to nothing."]


def test_noise_with_nothing_cut_is_answered() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.propose("It is free.", ends=True)
    rig.play()
    assert [item.line for item in of(rig.noise(), Speak)] == ["not_heard"]


def test_answers_to_noise_are_bounded() -> None:
    rig = Rig()
    answered = 0
    for _ in range(60):
        if rig.state.identity.ending:
            break
        answered += len(of(rig.noise(), Speak))
        rig.play()
    assert answered <= 12


def test_a_question_that_a_noise_cut_before_its_arguments_is_asked_again() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    taken = rig.noise()
    assert told(taken.directives)[0].startswith("Shall I book")
    rig.play()
    assert rig.hear("yes, book it").grants


def test_noise_after_the_arguments_leaves_the_question_open() -> None:
    rig = Rig()
    rig.question()
    rig.noise()
    assert rig.state.consent.pending is not None
    assert rig.state.timers["answer"] > rig.now_ms
    assert rig.hear("yes, book it").grants


def test_a_segment_that_was_not_transcribed_is_said_to_be_not_understood() -> None:
    rig = Rig()
    rig.begin()
    rig.happen(HearingFaltered, turn=rig.turn)
    assert [item.line for item in of(rig.end(), Speak)] == ["not_heard"]


def test_words_that_were_hardly_heard_are_asked_for_again_but_not_for_ever() -> None:
    rig = Rig()
    asked = 0
    for _ in range(40):
        if rig.state.identity.ending:
            break
        taken = rig.hear("mumble mumble", permille=100)
        asked += "not_heard" in [item.line for item in of(taken, Speak)]
        rig.play()
    assert 0 < asked <= 8


def test_the_model_is_told_when_the_words_are_not_sure() -> None:
    rig = Rig()
    assert [item.unsure for item in of(rig.hear("tell me more", permille=400), ConsultModel)] == [True]
    assert [item.unsure for item in of(rig.hear("tell me more", permille=900), ConsultModel)] == [False]
    assert [item.unsure for item in of(rig.hear("tell me more", permille=None), ConsultModel)] == [True]


@pytest.mark.parametrize("revoked", [False, True])
def test_after_every_turn_somebody_speaks_or_something_waits(revoked: bool) -> None:
    """Law 9: whatever the caller says, the line is never left without a deadline short of the backstop."""
    for text in ("hello", "yes", "no", "I want to talk to a real person", "are you a robot?", "pardon?",
                 "don't record this", "hold on please"):  # fmt: skip
        rig = Rig()
        if revoked:
            rig.happen(AuthorityRevoked, epoch=2, operator="op")
        rig.hear(text)
        waits = set(rig.state.timers) - {"backstop", "longest", "warn"}
        assert rig.queue or waits or rig.hung_up, text


@pytest.mark.parametrize("digit", ["1", "5"])
def test_a_key_without_a_question_starts_the_ladder_anew(digit: str) -> None:
    rig = Rig()
    rig.wait(3_000)
    rig.press(digit)
    assert rig.state.timers["silence"] == rig.now_ms + LADDER[0].after_ms


def test_a_hand_over_before_the_caller_has_spoken_leaves_no_dead_line() -> None:
    rig = Rig()
    rig.ask("hand_over", to="closing")
    rig.propose("It is free.", ends=True)
    rig.play()
    assert set(rig.state.timers) - {"backstop", "longest", "warn"}

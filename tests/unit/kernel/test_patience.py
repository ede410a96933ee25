"""Patience: a caller who asked for a moment, a muted line, an agent that works in silence, and one limit over it."""

from typing import Any

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, shipped, told, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.directive import ConsultModel, Speak, StartTimer
from voicewarden.model.event import SentencePlayed, SoundResumed, SoundStopped, TimerFired

SILENCE = shipped().data.policy.silence
HOLD_MS, FILLER_MS = SILENCE.hold_ms, SILENCE.filler_ms
FIRST_MS = SILENCE.ladder[0].after_ms
ANSWER_MS = shipped().data.policy.questions.answer_within_ms


def changed(**keys: Any) -> Compiled:
    return with_policy({"silence": msgspec.structs.replace(SILENCE, **keys)})


def due(rig: Rig, timer: str) -> int:
    return rig.state.timers[timer] - rig.now_ms


def fire(rig: Rig, timer: str) -> None:
    """The timer comes due now; the kernel looks at nothing but its name."""
    rig.happen(TimerFired, timer=timer, due_ms=rig.state.timers[timer])


# one moment, please


@pytest.mark.parametrize("text", ["One moment, please.", "hang on", "let me check my calendar", "Hold on a second.",
                                  "Okay, one moment, my calendar is upstairs.", "Can you give me a minute",
                                  "Don't hang up, just a second"])
def test_who_asks_for_a_moment_gets_one(text: str) -> None:
    rig = Rig()
    taken = rig.hear(text)
    assert [item.line for item in of(taken, Speak)] == ["silence.hold"]
    assert not of(taken, ConsultModel)
    rig.play()
    assert due(rig, "silence") == HOLD_MS
    rig.wait(HOLD_MS)
    assert [item.line for item in rig.queue] == ["silence.reprompt"]
    rig.play()
    assert due(rig, "silence") == SILENCE.ladder[1].after_ms


@pytest.mark.parametrize(
    "text",
    ["Hold on, what does it cost?", "hold on what does it cost", "One moment, I want to talk to a real person", "Yes",
     "Hold on, I'm not interested", "Wait a second, I don't want that.", "No, hold on.", "one moment, no",
     "Yes, go ahead, one moment", "Hold on, who is this?", "One moment, only if it is free"],
)  # fmt: skip
def test_who_says_something_else_as_well_gets_an_answer(text: str) -> None:
    rig = Rig()
    assert "silence.hold" not in [item.line for item in of(rig.hear(text), Speak)]


def test_an_open_question_stays_open_while_the_caller_looks_something_up() -> None:
    rig = Rig()
    pending = rig.question()
    rig.hear("one moment please")
    rig.play()
    assert rig.state.consent.pending == pending
    assert due(rig, "answer") > ANSWER_MS
    rig.wait(20_000)
    assert rig.hear("yes, book it").grants


@pytest.mark.parametrize("text", ["Wait a second, I don't want that.", "hold on, no thank you"])
def test_a_refusal_beside_it_refuses(text: str) -> None:
    rig = Rig()
    rig.question()
    rig.hear(text)
    assert rig.state.consent.pending is None or rig.queue[0].purpose == "question"
    assert "silence.hold" not in rig.lines and not rig.grants


def test_a_moment_is_no_answer_and_ends() -> None:
    rig = Rig()
    rig.question()
    rig.hear("one moment please")
    rig.play()
    rig.wait(HOLD_MS)
    assert not rig.grants
    assert rig.queue[0].purpose == "question"


def test_a_caller_who_rummages_is_not_told_that_nothing_was_understood() -> None:
    rig = Rig()
    rig.hear("one moment please")
    rig.play()
    for _ in range(3):
        assert not of(rig.noise(), Speak)
        assert due(rig, "silence") == HOLD_MS
    rig.question()
    rig.hear("hold on")
    rig.play()
    assert not of(rig.noise(), Speak)
    assert due(rig, "answer") == HOLD_MS


def test_words_end_the_wait() -> None:
    rig = Rig()
    rig.hear("one moment please")
    rig.play()
    rig.hear("I am back")
    rig.propose("Good.", ends=True)
    rig.play()
    assert due(rig, "silence") == FIRST_MS


def test_noise_keeps_no_call_alive_that_waits_for_somebody() -> None:
    rig = Rig()
    rig.hear("one moment please")
    rig.play()
    until = rig.now_ms + SILENCE.backstop_ms + 10_000
    while rig.now_ms < until and not rig.hung_up:
        rig.noise()
        rig.wait(1_000)
        rig.play()
    assert rig.hung_up == "backstop"


def test_a_policy_without_the_key_hands_a_moment_to_the_model() -> None:
    rig = Rig(changed(hold_ms=0))
    assert of(rig.hear("one moment please"), ConsultModel)


# a line without sound


def test_the_ladder_waits_for_a_muted_caller() -> None:
    rig = Rig()
    rig.wait(3_000)
    rig.happen(SoundStopped)
    assert due(rig, "silence") == HOLD_MS
    rig.wait(10_000)
    rig.happen(SoundResumed)
    assert due(rig, "silence") == FIRST_MS


def test_an_answer_is_waited_for_while_the_caller_is_muted() -> None:
    rig = Rig()
    rig.question()
    rig.happen(SoundStopped)
    assert due(rig, "answer") == HOLD_MS
    rig.happen(SoundResumed)
    assert due(rig, "answer") == ANSWER_MS


def test_a_line_that_stays_mute_comes_to_an_end() -> None:
    rig = Rig()
    rig.happen(SoundStopped)
    for _ in range(20):
        rig.wait(10_000)
        rig.play()
    assert rig.hung_up in ("silence", "backstop")


@pytest.mark.parametrize("kind", [SoundStopped, SoundResumed])
def test_a_policy_without_the_key_changes_nothing_about_mute(kind: type) -> None:
    rig = Rig(changed(hold_ms=0))
    assert not rig.happen(kind).outputs


# a pause of the agent's own


def test_the_caller_is_told_once_a_turn_that_something_works() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.wait(FILLER_MS)
    assert [item.line for item in rig.queue] == ["model_slow"]
    rig.play()
    rig.wait(FILLER_MS + 1_000)
    assert not rig.queue
    rig.propose("It is free.", ends=True)
    rig.play()
    rig.hear("and now?")
    rig.wait(FILLER_MS)
    assert [item.line for item in rig.queue] == ["model_slow"]


def test_nothing_is_filled_while_nothing_works() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.propose("It is free.", ends=True)
    rig.play()
    rig.wait(FILLER_MS + 500)
    assert not rig.queue


def test_a_slow_effect_is_filled() -> None:
    rig = Rig()
    rig.question()
    rig.press("1")
    assert rig.spent
    rig.wait(FILLER_MS)
    assert [item.line for item in rig.queue] == ["model_slow"]


def test_a_slow_transcriber_is_filled_and_the_caller_who_goes_on_is_not_talked_over() -> None:
    rig = Rig()
    rig.begin()
    rig.segment("")
    rig.wait(FILLER_MS)
    assert [item.line for item in rig.queue] == ["model_slow"]
    rig = Rig()
    rig.begin()
    rig.segment("I would like")
    rig.wait(1_000)
    rig.begin()
    rig.wait(FILLER_MS)
    assert not rig.queue


def test_words_that_come_late_do_not_cut_the_filler() -> None:
    rig = Rig()
    rig.begin()
    rig.segment("")
    rig.wait(FILLER_MS)
    rig.segment("what does it cost?")
    assert [item.line for item in rig.queue] == ["model_slow"]
    rig.begin()
    assert not rig.queue


def test_an_empty_answer_behind_a_filler_is_still_noticed() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.wait(FILLER_MS)
    rig.propose(ends=True)
    rig.wait(1_500)
    assert [item.line for item in rig.queue] == ["model_slow", "trouble"]


def test_a_filler_that_was_cut_is_not_said_again() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.wait(FILLER_MS)
    assert "model_slow" not in [item.line for item in of(rig.noise(), Speak)]


def test_nothing_is_filled_on_a_mailbox_or_after_the_end() -> None:
    rig = Rig(direction="outbound")
    rig.begin()
    rig.segment("please leave a message after the tone")
    rig.wait(FILLER_MS + 100)
    assert "model_slow" not in rig.lines
    rig = Rig()
    rig.hear("what does it cost?")
    rig.press("9")
    rig.wait(FILLER_MS)
    assert "model_slow" not in rig.lines


def test_a_policy_without_the_key_fills_nothing() -> None:
    rig = Rig(changed(filler_ms=0))
    rig.hear("what does it cost?")
    assert not [item for item in rig.outputs if isinstance(item, StartTimer) and item.timer == "filler"]


# one limit over all counters


def test_reminders_noise_and_repetitions_are_counted_together() -> None:
    rig = Rig()
    prompts = 0
    while not rig.state.identity.ending:
        rig.wait(FIRST_MS)
        rig.play()
        rig.noise()
        rig.play()
        rig.hear("I am here")
        rig.propose("Good.", ends=True)
        rig.play()
        prompts = sum(line in ("silence.reprompt", "not_heard") for line in rig.lines)
        assert prompts <= SILENCE.times_per_call
    assert prompts == SILENCE.times_per_call
    assert rig.state.identity.ending in ("silence", "not_understood")


def test_a_sentence_is_not_repeated_beyond_the_limit() -> None:
    rig = Rig(changed(times_per_call=1))
    for expected in (["It is free."], []):
        rig.hear("tell me more")
        rig.propose("It is free.")
        told_again = told(rig.noise().directives)
        assert [text for text in told_again if text == "It is free."] == expected
        rig.play()


def test_keys_are_offered_on_the_ladder() -> None:
    rig = Rig(shipped("inbound-service"))
    rig.wait(FIRST_MS)
    rig.play()
    rig.wait(SILENCE.ladder[1].after_ms)
    assert [item.line for item in rig.queue] == ["silence.keys"]


# what was asked for before is still awaited


def test_a_prompt_does_not_shorten_the_pause_for_a_number() -> None:
    rig = Rig()
    rig.hear("I have a problem")
    rig.propose("What is your order number?", ends=True)
    rig.play()
    spelling = shipped().data.policy.hearing.end_of_turn_spelling_ms
    assert rig.state.floor.pause_ms == spelling
    rig.noise()
    rig.play()
    assert "not_heard" in rig.lines
    assert rig.state.floor.pause_ms == spelling


def test_the_warning_comes_when_the_agent_is_through() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.begin()
    fire(rig, "warn")
    assert "warn_time" not in rig.lines
    rig.segment("and what does it cost?")
    rig.end()
    rig.propose("It is free.", ends=True)
    rig.play(1)
    assert [item.line for item in rig.queue] == ["warn_time"]


def test_a_warning_that_comes_too_late_is_left_out() -> None:
    rig = Rig()
    rig.begin()
    fire(rig, "warn")
    assert due(rig, "warn") == shipped().data.policy.call.warn_before_ms // 2
    fire(rig, "warn")
    rig.segment("that was a long story")
    rig.end()
    rig.propose("Indeed.", ends=True)
    rig.play()
    assert "warn_time" not in rig.lines


def test_a_question_that_is_cut_is_not_answered_by_a_moment() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    first = rig.queue.pop(0)
    rig.happen(SentencePlayed, sentence=first.sentence, played_ms=300, whole=False)
    taken = rig.hear("hold on")
    assert told(taken.directives)[0].startswith("Shall I book")

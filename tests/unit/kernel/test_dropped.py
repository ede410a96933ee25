"""Dropped calls, partial answers and speech that is cut: each has a consequence, and none of them is a yes."""

import pytest
from tests.fakes.rig import Rig, of, release_of

from voicewarden.kernel.release import Compiled
from voicewarden.model.directive import HangUp, SpendGrant, StartTimer, TellModel
from voicewarden.model.event import CallAnswered, CallEnded, CallerSpoke, MediaEnded, SentencePlayed, Word


def unanswered(rig: Rig) -> list[str]:
    return [item.action for item in rig.outputs if isinstance(item, TellModel) and item.status == "unanswered"]


def cut(rig: Rig, played_ms: int) -> None:
    """The line cuts the sentence that is being said."""
    speak = rig.queue.pop(0)
    rig.happen(SentencePlayed, sentence=speak.sentence, played_ms=played_ms, whole=False)


@pytest.mark.parametrize("clean", [True, False])
def test_a_call_that_drops_within_a_question_leaves_it_unanswered_on_record(clean: bool) -> None:
    rig = Rig()
    rig.question()
    taken = rig.happen(MediaEnded, clean=clean)
    assert unanswered(rig) == ["book"]
    assert rig.state.consent.pending is None and rig.value("consent.book") is None
    assert [item.reason for item in of(taken, HangUp)] == ["caller_left" if clean else "line_lost"]


def test_an_end_without_a_word_of_the_stream_leaves_the_question_unanswered_once() -> None:
    rig = Rig()
    rig.question()
    rig.happen(CallEnded, reason="completed")
    assert unanswered(rig) == ["book"]
    rig = Rig()
    rig.question()
    rig.happen(MediaEnded, clean=True)
    rig.happen(CallEnded, reason="completed")
    assert unanswered(rig) == ["book"]


def test_a_yes_that_the_end_of_the_line_cut_off_is_none() -> None:
    rig = Rig()
    rig.question()
    rig.begin()
    rig.segment("yes, book it")
    rig.happen(MediaEnded, clean=False)
    rig.happen(CallEnded, reason="completed")
    assert not rig.grants


def test_words_that_come_after_the_end_of_the_line_grant_nothing_and_still_opt_out() -> None:
    rig = Rig()
    rig.question()
    rig.begin()
    rig.happen(MediaEnded, clean=False)
    for text in ("yes, book it", "stop calling me"):
        words = tuple(Word(word, 950, rig.now_ms, rig.now_ms) for word in text.split())
        rig.happen(CallerSpoke, turn=rig.turn, text=text, words=words, speech_ms=900)
    assert not rig.grants
    assert rig.value("opted_out") is True


@pytest.mark.parametrize("ends", [MediaEnded, CallEnded])
def test_a_grant_that_waits_for_its_line_dies_with_the_call(ends: type) -> None:
    rig = Rig()
    rig.hear("I want to talk to a real person")
    assert rig.grants and not rig.spent
    rig.happen(ends, **({"clean": True} if ends is MediaEnded else {"reason": "completed"}))
    assert not rig.state.grants.open or all(item.grant.escape for item in rig.state.grants.open.values())
    rig.wait(60_000)
    assert not [item for item in rig.outputs if isinstance(item, SpendGrant)]


def test_after_the_end_of_the_line_no_timer_is_asked_for() -> None:
    rig = Rig()
    rig.question()
    taken = rig.happen(MediaEnded, clean=True)
    assert not of(taken, StartTimer)


def test_an_older_release_ends_as_it_did() -> None:
    data = release_of("outbound-sales")
    rig = Rig(Compiled(type(data)(**{**{name: getattr(data, name) for name in data.__struct_fields__}, "edition": 1})))
    rig.question()
    rig.happen(MediaEnded, clean=True)
    assert not unanswered(rig)


# speech that is cut


def test_a_must_say_line_that_was_cut_was_not_said() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    rig.begin()
    assert rig.value("disclosed.ai") is False
    rig.segment("who is this?")
    rig.end()
    assert "disclosures.ai" in [speak.line for speak in rig.queue]


def test_a_read_back_that_was_cut_in_its_figures_must_be_heard_again() -> None:
    rig = Rig()
    rig.ask("book", service="consultation", start="2026-12-01T15:00")
    assert "Tuesday" in rig.queue[0].text
    cut(rig, played_ms=2_000)
    pending = rig.state.consent.pending
    assert pending is not None and pending.voided and pending.armed_ms is None
    assert not rig.press("1").grants
    assert not rig.hear("yes, book it").grants
    rig.play()
    assert rig.hear("yes, book it").grants

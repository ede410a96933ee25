"""Who answered: evidence, deadlines, the default, one revision, and what the policy makes of it."""

import pytest
from tests.fakes.rig import Rig, of, rules

from voicewarden.model.directive import HangUp, Speak, SpendGrant, StopSpeaking
from voicewarden.model.event import (
    ActionRequested,
    CadenceMeasured,
    CallerStoppedSpeaking,
    CarrierJudgedAnswerer,
    ReceiptReturned,
    ToneHeard,
)

MAILBOX = "please leave a message after the tone"


def dialled(**facts: bool) -> Rig:
    return Rig(direction="outbound", facts=dict(facts))


def test_somebody_who_calls_us_is_a_person() -> None:
    assert Rig().value("answerer") == "human"


def test_a_person_says_hello() -> None:
    rig = dialled()
    assert rig.value("answerer") == "unknown"
    taken = rig.hear("hello")
    assert rig.value("answerer") == "human"
    assert next(item.line for item in of(taken, Speak)) == "disclosures.ai"


def test_nobody_speaks_before_somebody_is_known_to_listen() -> None:
    rig = dialled()
    rig.wait(4_000)
    assert not rig.queue


def test_no_speech_ends_the_call_after_its_deadline() -> None:
    rig = dialled()
    rig.wait(8_999)
    assert not rig.hung_up
    rig.wait(1)
    assert rig.value("answerer") == "no_speech"
    assert rig.hung_up == "answered_by_no_speech"


def test_the_default_is_a_person_at_the_deadline_after_the_first_speech() -> None:
    rig = dialled()
    rig.begin()
    rig.happen(CallerStoppedSpeaking, turn=rig.turn, speech_ms=300)
    rig.wait(3_499)
    assert rig.value("answerer") == "unknown"
    rig.wait(1)
    assert rig.value("answerer") == "human"


def test_whoever_still_speaks_at_the_deadline_is_heard_out_and_not_interrupted() -> None:
    rig = dialled()
    rig.begin()
    rig.wait(3_500)
    assert (rig.value("answerer"), rig.state.answerer.decided) == ("human", False)
    rig.wait(2_500)
    assert (rig.value("answerer"), rig.state.answerer.decided) == ("human", True)
    assert not rig.queue, "whoever speaks is not interrupted"
    rig.segment("well this is the house of the Miller family and we are all very glad that you call")
    rig.end()
    assert rig.queue[0].line == "disclosures.ai"


def test_a_recording_that_was_heard_out_loses_what_it_had_by_default() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.begin()
    rig.wait(3_500)
    before = rig.state.version
    rig.segment(MAILBOX)
    assert rig.value("answerer") == "voicemail"
    assert rig.state.version > before
    assert not rig.state.answerer.revised, "nothing was revised: the question was still open"


def test_whoever_was_heard_out_and_falls_silent_is_not_kept_waiting() -> None:
    rig = dialled()
    rig.begin()
    rig.wait(4_000)
    rig.happen(CallerStoppedSpeaking, turn=rig.turn, speech_ms=4_000)
    rig.wait(500)
    assert rig.state.answerer.decided


def test_a_person_by_default_has_consented_to_nothing() -> None:
    rig = dialled()
    rig.begin()
    rig.wait(3_500)
    assert [name for name in rig.state.facts if name.startswith("consent.")] == []


def test_a_mailbox_without_permission_is_left_without_a_word() -> None:
    rig = dialled(voicemail_permitted=False)
    rig.hear(MAILBOX)
    assert rig.value("answerer") == "voicemail"
    rig.happen(ToneHeard, tone="beep", hz=1000, ms=300)
    assert rig.hung_up == "answered_by_voicemail"
    assert not rig.queue


def test_a_mailbox_with_permission_gets_one_message_after_the_tone() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.hear(MAILBOX)
    assert not rig.spent
    taken = rig.happen(ToneHeard, tone="beep", hz=1000, ms=300)
    assert [grant.action for grant in taken.grants] == ["leave_voicemail"]
    assert of(taken, SpendGrant)
    rig.happen(ToneHeard, tone="beep", hz=1000, ms=300)
    assert len(rig.grants) == 1
    rig.happen(ReceiptReturned, grant=rig.grants[0].id, outcome="done")
    assert rig.hung_up == "voicemail_left"


def test_a_mailbox_without_a_tone_is_taken_to_record_after_a_pause() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.begin()
    rig.segment(MAILBOX)
    rig.happen(CallerStoppedSpeaking, turn=rig.turn, speech_ms=2_000)
    rig.wait(2_500)
    assert [grant.action for grant in rig.grants] == ["leave_voicemail"]


def test_nobody_can_agree_on_behalf_of_a_mailbox() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.hear(MAILBOX)
    decision = rig.ask("book", service="haircut", start="2026-12-03T11:00")
    assert decision.verdict == "deny"
    assert "book.require.1" in rules(decision)


@pytest.mark.parametrize(("tone", "verdict"), [("fax", "fax"), ("busy", "busy"), ("sit", "unavailable")])
def test_signalling_tones_end_the_call(tone: str, verdict: str) -> None:
    rig = dialled()
    rig.happen(ToneHeard, tone=tone, hz=1100, ms=500)
    assert rig.value("answerer") == verdict
    assert rig.hung_up == f"answered_by_{verdict}"


def test_a_tone_on_a_call_to_us_means_nothing() -> None:
    rig = Rig()
    rig.happen(ToneHeard, tone="fax", hz=1100, ms=500)
    assert rig.value("answerer") == "human"


def test_the_carriers_opinion_alone_decides_nothing() -> None:
    rig = dialled()
    rig.happen(CarrierJudgedAnswerer, verdict="voicemail")
    assert rig.value("answerer") == "unknown"


def test_each_family_of_evidence_counts_once() -> None:
    rig = dialled()
    for _ in range(5):
        rig.happen(CarrierJudgedAnswerer, verdict="voicemail")
        rig.happen(CadenceMeasured, onset_ms=0, speech_ms=900, longest_run_ms=900, bursts=1, trailing_silence_ms=0)
    once = dialled()
    once.happen(CarrierJudgedAnswerer, verdict="voicemail")
    once.happen(CadenceMeasured, onset_ms=0, speech_ms=900, longest_run_ms=900, bursts=1, trailing_silence_ms=0)
    assert rig.state.answerer.score == once.state.answerer.score


def test_a_person_who_was_a_mailbox_after_all_is_revised_once_and_loses_everything() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.hear("hello")
    rig.play(1)
    before = rig.state.version
    rig.begin()
    taken = rig.segment(MAILBOX)
    rig.end()
    assert rig.value("answerer") == "voicemail"
    assert rig.state.version > before
    assert rig.state.consent.pending is None
    assert of(taken, StopSpeaking) or not rig.queue


def test_a_revision_comes_only_early_in_a_call() -> None:
    rig = dialled()
    rig.hear("hello")
    rig.play()
    rig.wait(31_000)
    rig.hear(MAILBOX)
    assert rig.value("answerer") == "human"


def test_screening_hears_who_calls() -> None:
    rig = dialled()
    rig.hear("please state your name and the reason for your call")
    assert rig.value("answerer") == "screening"
    assert [speak.line for speak in rig.queue] == ["screening.identify"]


def test_a_person_who_comes_after_the_screening_is_spoken_to() -> None:
    """Law 9: when unsure whether a person answered, treat it as a person who has consented to nothing."""
    rig = dialled()
    rig.hear("please state your name and the reason for your call")
    rig.play()
    rig.wait(3_000)
    rig.hear("hello?")
    assert "disclosures.ai" in [speak.line for speak in rig.queue]


def test_a_screening_that_stays_silent_ends_in_time() -> None:
    rig = dialled()
    rig.hear("please state your name and the reason for your call")
    rig.play()
    rig.wait(150_000)
    assert rig.hung_up


def test_dialling_is_a_decision_with_a_grant() -> None:
    rig = Rig(direction="outbound", opened=False)
    taken = rig.happen(ActionRequested, request="dial", action="place_call", args={}, principal="booking")
    assert of(taken, SpendGrant)


@pytest.mark.parametrize(
    ("fact", "value"),
    [("contact.consent", "inquiry"), ("contact.attempts_86400", 3), ("contact.attempts_604800", 7),
     ("opted_out", True)],
)  # fmt: skip
def test_dialling_is_governed_by_contact(fact: str, value: str | int | bool) -> None:
    rig = Rig(direction="outbound", facts={fact: value}, opened=False)
    taken = rig.happen(ActionRequested, request="dial", action="place_call", args={}, principal="booking")
    assert not of(taken, SpendGrant)
    assert [item.reason for item in of(taken, HangUp)] == ["not_permitted"]


def test_dialling_without_a_contact_history_is_denied() -> None:
    rig = Rig(direction="outbound", opened=False)
    rig.state = type(rig.state)()
    started = rig.events[0]
    rig.feed(type(started)(**{name: getattr(started, name) for name in started.__struct_fields__ if name != "facts"}))
    taken = rig.happen(ActionRequested, request="dial", action="place_call", args={}, principal="booking")
    assert taken.decisions[0].verdict == "deny"


def test_a_dial_that_failed_ends_the_call() -> None:
    rig = Rig(direction="outbound", opened=False)
    rig.happen(ActionRequested, request="dial", action="place_call", args={}, principal="booking")
    rig.receipt(rig.grants[0], "failed")
    assert rig.hung_up == "not_dialled"


def test_after_an_opt_out_no_evidence_makes_the_agent_speak_again() -> None:
    rig = dialled()
    rig.hear("hello")
    rig.begin()
    rig.segment("stop calling me")
    before = len(rig.outputs)
    rig.segment("please state your name and the reason for your call")
    rig.happen(CarrierJudgedAnswerer, verdict="screening")
    assert not [item for item in rig.outputs[before:] if isinstance(item, Speak | StopSpeaking)]
    rig.end()
    rig.play()
    assert rig.hung_up == "opt_out"

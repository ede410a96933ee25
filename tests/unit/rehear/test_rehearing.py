"""A recorded call under our policy: disclosures, opt-outs, mailboxes, questions, and what is permitted when."""

import msgspec
import numpy as np
import pytest
from spoken import Texts, defaults, quiet, release, talk, tone, voice

from voicewarden.kernel.arguments import sample_arguments
from voicewarden.kernel.draft import Draft
from voicewarden.kernel.gate import Request, decide
from voicewarden.model.action import Direction
from voicewarden.model.event import CallAnswered, CallerSpoke
from voicewarden.rehear.hearing import hear
from voicewarden.rehear.permits import Asking, Moment, changes
from voicewarden.rehear.recorded_call import RecordedCall, windows
from voicewarden.rehear.rehearing import Told, rehear
from voicewarden.rehear.result import Reheard
from voicewarden.rehear.sides import Sides

AI = "Hello, I am an automated assistant of Maple Lane Studio."
ASK = "Shall we call you back tomorrow morning? Please say: yes, call me back. Or press one."


def run(
    sides: Sides, agent: tuple[str, ...], caller: tuple[str, ...], direction: Direction = "outbound", **given: object
) -> Reheard:
    told = Told("booking", direction, defaults(), given)  # type: ignore[arg-type]  # facts of a test
    return rehear(sides, release(), Texts(*agent, *caller), told)


def at(found: Reheard, second: int) -> Moment:
    return [moment for moment in found.timeline if moment.at_s <= second][-1]


def facts(moment: Moment, action: str) -> set[str]:
    return {reason.fact for reason in moment.refused[action]}


def test_what_was_earned_is_permitted_from_then_on() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 800))
    found = run(sides, (AI,), ("Hello?", "Yes, fine."))
    assert found.answerer.verdict == "human"
    assert "answerer" in facts(at(found, 0), "book") and "disclosed.ai" in facts(at(found, 0), "book")
    assert facts(at(found, 3), "book") == {"disclosed.ai", "consent.book"}
    assert facts(at(found, 6), "book") == {"consent.book"}
    assert at(found, 6).verdicts["book"] == "confirm"
    assert at(found, 6).refused["advance_commitment"][0].rule == "kernel.role"
    assert found.ended is None
    assert [item.side for item in found.heard] == ["caller", "agent", "caller"]
    assert found.heard[1].lines == ("disclosures.ai",)


def test_the_timeline_holds_changes_only() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 800), ("agent", 20_000))
    found = run(sides, (AI,), ("Hello?", "Yes, fine."))
    seconds = [moment.at_s for moment in found.timeline]
    assert seconds == sorted(set(seconds)) and seconds[0] == 0 and len(seconds) <= 5
    assert list(changes(found.timeline)) == list(found.timeline)


def test_every_action_is_decided_at_every_moment() -> None:
    found = run(talk(("caller", 600)), (), ("Hello?",))
    every = set(release().policy.policy.actions) - {"place_call"}
    for moment in found.timeline:
        assert {*moment.allowed, *moment.refused} == every
        assert "end_call" in moment.allowed


def test_an_opt_out_ends_it() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 1200), ("agent", 1500))
    found = run(sides, (AI, "But we have such a nice offer."), ("Hello?", "Please stop calling me."))
    assert found.ended is not None and found.ended.reason == "opt_out"
    last = found.timeline[-1]
    assert last.allowed == ("end_call",)
    assert "kernel.opted_out" in {reason.rule for reason in last.refused["transfer"]}
    after = found.heard[-1]
    assert (after.side, after.verdict) == ("agent", "deny")
    assert any(learned.fact == "opted_out" and learned.value is True for learned in found.learned)


def test_sentences_of_the_recorded_agent_are_judged_by_the_gate_for_sentences() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("agent", 1500), ("caller", 700), ("agent", 1500))
    spoken = (AI, "A haircut costs ninety nine dollars.", "No, I am a real person.")
    found = run(sides, spoken, ("Hello?", "Are you a robot?"))
    judged = {item.text: {reason.rule for reason in item.reasons} for item in found.heard if item.verdict == "deny"}
    assert judged["A haircut costs ninety nine dollars."] == {"speech.facts"}
    assert "speech.refuse.denies_ai" in judged["No, I am a real person."]
    assert AI not in judged


def test_an_approved_price_may_be_said() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("agent", 1500))
    found = run(sides, (AI, "A haircut costs forty five dollars."), ("Hello?",))
    assert [item.verdict for item in found.heard if item.side == "agent"] == [None, "allow"]


def test_a_yes_counts_for_our_own_question_alone() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("agent", 3600), ("caller", 900), ("agent", 900))
    asked = run(sides, (AI, ASK, "Thank you."), ("Hello?", "Yes, call me back."))
    assert [(item.by, item.verdict) for item in asked.decided] == [("question", "confirm"), ("question", "allow")]
    assert asked.decided[1].args == {"when": "tomorrow_morning"}
    other = run(sides, (AI, "We will call you back tomorrow, okay?", "Thank you."), ("Hello?", "Yes, call me back."))
    assert other.decided == ()
    assert any("schedule_callback" in note for note in other.notes)


def test_a_no_to_our_question_is_a_no() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("agent", 3600), ("caller", 900), ("agent", 900))
    found = run(sides, (AI, ASK, "Fine."), ("Hello?", "No, thank you."))
    assert [item.verdict for item in found.decided] == ["confirm"]
    assert any((item.fact, item.value) == ("consent.schedule_callback", "refused") for item in found.learned)


def test_who_asks_for_a_person_would_have_been_put_through() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 1200), ("agent", 900))
    found = run(sides, (AI, "Well."), ("Hello?", "Can I talk to a person please?"))
    assert [(item.by, item.action, item.verdict) for item in found.decided] == [("kernel", "transfer", "allow")]
    assert any("not carried out" in note for note in found.notes)


def test_the_agents_words_are_never_the_callers() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("agent", 1500))
    found = run(sides, (AI, "Please stop calling me. Yes, book it. A person, please."), ("Hello?",))
    assert not any(item.fact in ("opted_out", "asked_for_person") and item.value for item in found.learned)
    assert found.ended is None


def test_a_mailbox_ends_it_and_a_late_yes_changes_nothing() -> None:
    caller = [quiet(400), voice(4500), quiet(100), tone(900, 400), quiet(1500), voice(800), quiet(1000)]
    sound = np.concatenate(caller)
    texts = ("Please leave your message after the tone", "", "Yes book it")
    found = run(Sides(sound, quiet(sound.size // 8)), (), texts)
    assert found.answerer.verdict == "voicemail"
    assert found.ended is not None and found.ended.reason == "answered_by_voicemail"
    assert not any("book" in moment.allowed for moment in found.timeline)


def test_silence_on_both_sides_ends_it_as_the_policy_says() -> None:
    found = run(Sides(quiet(8000), quiet(8000)), (), ())
    assert (found.answerer.verdict, found.ended and found.ended.reason) == ("no_speech", "answered_by_no_speech")
    assert any("caller's side" in note for note in found.notes) and any("agent's side" in note for note in found.notes)


def test_a_recording_that_begins_in_the_middle_may_be_told_what_was_before() -> None:
    sides = talk(("agent", 3000), ("caller", 800), ("agent", 9000))
    found = run(sides, ("So, about your quote.", "Good."), ("Yes, sure.",), answerer="human", **{"disclosed.ai": True})
    assert (found.answerer.verdict, found.answerer.decided_at_ms) == ("human", 0)
    assert facts(at(found, 0), "book") == {"consent.book"}
    assert found.ended is None
    with pytest.raises(ValueError, match="no fact of this policy"):
        run(sides, (), (), moon="full")


def test_somebody_who_called_us_is_a_person() -> None:
    found = run(talk(("agent", 3000)), (AI,), (), "inbound")
    assert (found.answerer.verdict, found.answerer.decided_at_ms) == ("human", 0)


def test_a_long_wait_for_the_recorded_agent_is_no_failure_of_our_model() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 800))
    padded = Sides(*(np.concatenate((side, quiet(40_000))) for side in sides))
    found = run(padded, (AI,), ("Hello?", "What does it cost?"))
    assert found.ended is None


def test_the_same_recording_gives_the_same_result_and_plain_json() -> None:
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 1200))
    texts = (AI,), ("Hello?", "Please stop calling me.")
    first, second = run(sides, *texts), run(sides, *texts)
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    plain = msgspec.to_builtins(first)
    assert plain["timeline"][0].keys() == {"at_s", "allowed", "refused", "verdicts"}
    assert plain["timeline"][0]["refused"]["book"][0].keys() == {"rule", "fact", "needed", "found", "verdict"}


def test_progress_is_told_for_both_sides() -> None:
    told: list[None] = []
    sides = talk(("caller", 600), ("agent", 1500))
    rehear(sides, release(), Texts(), Told("booking", "outbound"), on_second=lambda: told.append(None))
    assert len(told) == 2 * (-(-sides.ms // 1000) + 1)


def test_asking_is_the_gate_and_changes_nothing() -> None:
    call = RecordedCall(release(), "booking", "outbound", defaults(), watch=lambda *_: None)
    before = call.state
    moment = Asking(release()).at(call.state, 1)
    assert call.state is before
    for action in moment.refused:
        args = sample_arguments(release().data, release().data.policy.actions[action])
        request = Request(id="x", action=action, args=args, principal="booking")
        decision = decide(Draft(release(), before, CallAnswered(at_ms=1000)), request)
        assert [reason.rule for reason in moment.refused[action]] == [
            reason.rule for reason in decision.reasons if reason.verdict != "allow"
        ]


def test_policies_without_windows_need_no_counts() -> None:
    assert windows(release()) == ()


def test_what_our_kernel_wanted_to_say_is_not_taken_as_said() -> None:
    call = RecordedCall(release(), "booking", "inbound", defaults(), watch=lambda *_: None)
    assert call.state.floor.queue == ()
    assert call.state.facts["disclosed.ai"].value is False
    call.take(CallerSpoke(at_ms=500, turn=1, text="hi", words=(), speech_ms=200))
    call.advance(60_000)
    assert call.state.facts["disclosed.ai"].value is False


def test_hear_waits_for_the_answerers_deadline() -> None:
    found = hear(quiet(1000), release("organisation"), Texts())
    assert (found.answerer.verdict, found.answerer.decided_at_ms) == ("no_speech", 9_000)
    assert found.answerer.evidence[-1].what == "deadline without speech"


def test_hear_tells_words_tones_and_speech_with_their_times() -> None:
    sound = np.concatenate((quiet(400), voice(600), quiet(900), tone(800, 400), quiet(500)))
    found = hear(sound, release("organisation"), Texts("Hello?"))
    assert (found.answerer.verdict, found.answerer.revised_from) == ("voicemail", "human")
    assert found.answerer.evidence[-1].what == "beep after speech"
    assert [(said.text, said.words[0].permille) for said in found.utterances if said.text] == [("Hello?", 950)]
    assert 380 <= found.speech[0][0] <= 460 and 980 <= found.speech[0][1] <= 1060
    assert [tone.kind for tone in found.tones] == ["beep"]
    assert found.length_ms == 2_800

"""How evidence of who answered adds up, under a table made for these tests; and as before there were tables."""

import msgspec
import pytest
from tests.fakes.rig import Rig, of, shipped

from voicewarden.kernel.facets.rhythm import features
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.weights import AS_BEFORE, AnswererWeights, weight_of
from voicewarden.model.directive import Speak, TreatAs
from voicewarden.model.event import (
    CadenceMeasured,
    CallerSpoke,
    CallerStoppedSpeaking,
    CarrierJudgedAnswerer,
    ToneHeard,
    Word,
)

TABLE = AnswererWeights(
    version="test", human_at=-100, machine_at=300, revise_at=350, rhythm_at_most=200,
    rhythm={
        "saying_ms": ((0, 0), (2_000, 150), (3_000, 250)), "said_ms": ((0, -80), (2_000, 60)),
        "quiet_ms": ((400, 0), (600, -60)), "longest_run_ms": ((0, -5), (2_000, 20)),
    },
    cues={
        "mailbox": 400, "menu": 350, "screening": 350, "unavailable": 350, "announcing": 120, "receptionist": -150,
        "decline": -200, "greeting": -150, "greeting_so_far": -20,
    },
    words=((1, -10), (6, 60)), tones={"fax": 1_000, "busy": 1_000, "sit": 1_000, "beep": 80, "beep_after_speech": 400},
    carrier={"human": -90, "voicemail": 90, "fax": 90}, turn_ms=((-10_000_000, -110), (2_501, 0)),
)  # fmt: skip
RELEASE = Compiled(msgspec.structs.replace(shipped().data, answerer=TABLE))
BEFORE = Compiled(msgspec.structs.replace(shipped().data, answerer=None))


def dialled(release: Compiled = RELEASE, **facts: bool) -> Rig:
    return Rig(release, direction="outbound", facts=dict(facts))


def cadence(rig: Rig, speech_ms: int, quiet_ms: int = 0) -> None:
    """A measurement of one run of speech."""
    rig.happen(
        CadenceMeasured, onset_ms=0, speech_ms=speech_ms, longest_run_ms=speech_ms, bursts=1,
        trailing_silence_ms=quiet_ms,
    )  # fmt: skip


def says(rig: Rig, text: str) -> None:
    """Words of speech that goes on."""
    words = tuple(Word(word, 900, rig.now_ms, rig.now_ms) for word in text.split())
    rig.happen(CallerSpoke, turn=rig.turn, text=text, words=words, speech_ms=1_500)


def weighed(rig: Rig) -> dict[str, int]:
    return {one.what: one.weight for one in rig.state.answerer.evidence}


@pytest.mark.parametrize(("value", "weight"), [(-1, 0), (0, 5), (9, 5), (10, -7), (99, -7)])
def test_a_value_has_the_weight_of_the_last_step_that_it_reaches(value: int, weight: int) -> None:
    assert weight_of(((0, 5), (10, -7)), value) == weight


def test_the_rhythm_of_silence_says_nothing() -> None:
    assert (
        features(CadenceMeasured(at_ms=0, onset_ms=0, speech_ms=0, longest_run_ms=0, bursts=0, trailing_silence_ms=500))
        == {}
    )


def test_speech_that_goes_on_is_another_thing_than_speech_that_has_stopped() -> None:
    rig = dialled()
    rig.begin()
    cadence(rig, 2_100)
    assert weighed(rig) == {"saying_ms": 150, "longest_run_ms": 20}
    cadence(rig, 2_100, quiet_ms=400)
    assert weighed(rig) == {"said_ms": 60, "longest_run_ms": 20}


def test_the_rhythm_counts_as_it_is_and_not_as_it_was() -> None:
    rig = dialled()
    rig.begin()
    for speech_ms in (500, 1_000, 2_100):
        cadence(rig, speech_ms)
    assert rig.state.answerer.score == 170


def test_the_rhythm_alone_is_never_a_machine() -> None:
    rig = dialled()
    rig.begin()
    cadence(rig, 9_000)
    assert rig.state.answerer.score == 200
    assert rig.value("answerer") == "unknown"


def test_rhythm_and_carrier_together_are_not_more_than_they_weigh() -> None:
    rig = dialled()
    rig.begin()
    cadence(rig, 9_000)
    for _ in range(3):
        rig.happen(CarrierJudgedAnswerer, verdict="voicemail")
    assert rig.state.answerer.score == 290


def test_the_carriers_last_word_counts() -> None:
    rig = dialled()
    rig.happen(CarrierJudgedAnswerer, verdict="voicemail")
    rig.happen(CarrierJudgedAnswerer, verdict="human")
    assert weighed(rig) == {"carrier says human": -90}
    assert rig.value("answerer") == "unknown"


def test_a_person_is_known_by_rhythm_when_the_greeting_is_over() -> None:
    rig = dialled()
    rig.begin()
    rig.now_ms += 600
    cadence(rig, 400)
    rig.happen(CallerStoppedSpeaking, turn=rig.turn, speech_ms=400)
    rig.now_ms += 500
    cadence(rig, 400, quiet_ms=700)
    assert rig.value("answerer") == "human"


def test_a_greeting_that_may_go_on_is_hardly_a_greeting() -> None:
    rig = dialled()
    rig.begin()
    says(rig, "Hi,")
    assert weighed(rig) == {"greeting_so_far": -20}
    says(rig, "you've reached Bob.")
    assert weighed(rig) == {"announcing": 120}


def test_a_phrase_may_begin_in_one_piece_and_end_in_the_next() -> None:
    rig = dialled()
    rig.begin()
    says(rig, "Hi, leave me a")
    assert "mailbox" not in weighed(rig)
    says(rig, "message after the tone")
    assert rig.value("answerer") == "voicemail"


def test_what_recordings_say_stands_above_what_people_say() -> None:
    rig = dialled()
    rig.begin()
    says(rig, "How can I help you?")
    assert weighed(rig) == {"receptionist": -150}
    says(rig, "For sales, press one.")
    assert weighed(rig) == {"menu": 350}
    assert rig.value("answerer") == "menu"


def test_many_words_and_no_cue_are_a_hint() -> None:
    rig = dialled()
    rig.begin()
    says(rig, "blue boats and")
    says(rig, "green trees and yellow")
    assert weighed(rig) == {"word count": 60}


def test_the_strongest_words_name_the_machine_and_not_how_long_they_took() -> None:
    rig = dialled()
    rig.begin()
    cadence(rig, 9_000)
    says(rig, "your call is important to us")
    assert rig.value("answerer") in ("menu", "voicemail")
    assert rig.value("answerer") == max(
        (one for one in rig.state.answerer.evidence if one.family == "words"), key=lambda one: one.weight
    ).verdict  # fmt: skip


def test_ring_back_is_nobody_and_gives_the_line_its_time_again() -> None:
    rig = dialled()
    rig.now_ms += 500
    rig.begin()
    cadence(rig, 400)
    rig.now_ms += 400
    rig.happen(ToneHeard, tone="ringback", hz=440, ms=400)
    part = rig.state.answerer
    assert (part.onset_ms, part.evidence, part.score) == (None, (), 0)
    assert "answerer.decide" not in rig.state.timers
    assert rig.state.timers["answerer.no_speech"] == rig.now_ms + RELEASE.policy.policy.answerer.no_speech_ms


@pytest.mark.parametrize("text", ["", "Hello?", "blue boats", "leave a message", "press one for sales", "hold please"])
@pytest.mark.parametrize("tone", ["", "beep", "ringback", "other"])
def test_every_path_ends_in_a_verdict(text: str, tone: str) -> None:
    rig = dialled()
    if tone:
        rig.happen(ToneHeard, tone=tone, hz=700, ms=300)
    if text:
        rig.begin()
        says(rig, text)
    rules = RELEASE.policy.policy.answerer
    rig.wait(rules.no_speech_ms + rules.decide_by_ms)
    assert rig.state.answerer.decided


def test_a_line_that_never_falls_silent_is_spoken_to() -> None:
    noisy = Compiled(
        msgspec.structs.replace(RELEASE.data, answerer=msgspec.structs.replace(TABLE, opens_after_ms=1_500))
    )
    rig = dialled(noisy)
    rig.begin()
    rig.wait(noisy.policy.policy.answerer.decide_by_ms + 1_499)
    assert (rig.value("answerer"), rig.queue) == ("human", [])
    rig.wait(1)
    assert rig.queue[0].line == "disclosures.ai"


def test_the_verdict_is_on_record_with_its_evidence_and_the_next_deadline() -> None:
    rig = dialled()
    rig.begin()
    rig.now_ms += 2_500
    cadence(rig, 2_400)
    words = ("leave", "a", "message", "after", "the", "tone")
    taken = rig.happen(
        CallerSpoke, turn=rig.turn, text=" ".join(words), speech_ms=900,
        words=tuple(Word(word, 900, 0, 100) for word in words),
    )  # fmt: skip
    (order,) = of(taken, TreatAs)
    assert (order.answerer, order.score, order.weights) == ("voicemail", 570, "test")
    assert [(one.what, one.value, one.weight, one.at_ms) for one in order.evidence] == [
        ("longest_run_ms", 2_400, 20, 2_500), ("mailbox", 6, 400, 2_500), ("saying_ms", 2_400, 150, 2_500),
    ]  # fmt: skip
    assert order.until_ms == 2_500 + TABLE.message_by_ms


def test_whoever_listens_is_told_that_it_is_open_who_answered() -> None:
    orders = [item for item in dialled().outputs if isinstance(item, TreatAs)]
    assert [(item.answerer, item.until_ms) for item in orders] == [("unknown", 9_000)]
    assert not [item for item in Rig(RELEASE).outputs if isinstance(item, TreatAs)]


def test_a_person_is_watched_for_a_while_and_overturned_once() -> None:
    rig = dialled()
    rig.hear("hello")
    assert rig.value("answerer") == "human"
    rig.play(1)
    rig.wait(3_000)
    before = rig.state.version
    rig.happen(ToneHeard, tone="beep", hz=700, ms=300)
    assert (rig.value("answerer"), rig.state.answerer.revised) == ("voicemail", True)
    assert rig.state.version > before


def test_a_weak_piece_takes_no_conversation_away() -> None:
    rig = dialled()
    rig.hear("hello")
    rig.begin()
    says(rig, "you have reached the office")
    rig.happen(CarrierJudgedAnswerer, verdict="fax")
    assert rig.value("answerer") == "human"


def test_behind_a_screen_there_may_be_a_mailbox() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.hear("please state your name and the reason for your call")
    assert rig.value("answerer") == "screening"
    rig.play()
    rig.wait(3_000)
    rig.hear("please leave a message after the tone")
    assert rig.value("answerer") == "voicemail"
    rig.happen(ToneHeard, tone="beep", hz=700, ms=300)
    assert [grant.action for grant in rig.grants] == ["leave_voicemail"]


def test_who_comes_from_behind_a_screen_is_watched_anew() -> None:
    rig = dialled()
    rig.hear("please state your name and the reason for your call")
    rig.play()
    rig.wait(25_000)
    rig.hear("hello?")
    assert rig.value("answerer") == "human"
    assert rig.state.answerer.watched_from_ms == rig.now_ms
    rig.play(1)
    rig.wait(10_000)
    rig.begin()
    says(rig, "please leave a message after the tone")
    assert rig.value("answerer") == "voicemail"


def test_a_mailbox_that_is_silent_already_is_taken_to_record() -> None:
    rig = dialled(voicemail_permitted=True)
    rig.begin()
    rig.happen(CallerStoppedSpeaking, turn=rig.turn, speech_ms=2_000)
    rig.now_ms += 300
    says(rig, "leave me a message")
    rig.wait(TABLE.message_pause_ms)
    assert [grant.action for grant in rig.grants] == ["leave_voicemail"]


def test_a_release_without_a_table_goes_on_as_before() -> None:
    rig = dialled(BEFORE)
    rig.begin()
    cadence(rig, 2_399)
    assert rig.state.answerer.score == 0
    cadence(rig, 2_400)
    rig.happen(ToneHeard, tone="beep", hz=700, ms=300)
    rig.now_ms += 1_500
    rig.happen(ToneHeard, tone="beep", hz=700, ms=300)
    assert rig.state.answerer.score == 700, "the first beep counts, whatever comes later"
    assert not [item for item in rig.outputs if isinstance(item, TreatAs | Speak)]
    rig.happen(CarrierJudgedAnswerer, verdict="fax")
    assert rig.value("answerer") == "fax"
    assert AS_BEFORE.reckoning == "first"

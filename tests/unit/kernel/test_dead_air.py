"""Nothing waits for ever: situations that the model check found, in which no timer ran while the line was open."""

from tests.fakes.rig import BOOK, Rig

from voicewarden.model.directive import HangUp, StartTimer
from voicewarden.model.event import (
    AuthorityTightened,
    CallEnded,
    CallerSpoke,
    CallerStartedSpeaking,
    CallerTurnEnded,
    CarrierJudgedAnswerer,
    DtmfPressed,
    ModelFaltered,
    SentencePlayed,
    SentenceProposed,
    ToneHeard,
    Word,
)

ALWAYS = {"longest", "warn", "backstop"}


def asked() -> Rig:
    rig = Rig()
    rig.wait(60_000)
    rig.hear("what does it cost?")
    rig.ask("book", turn=rig.turn, **BOOK)
    return rig


def cut_all(rig: Rig) -> None:
    for sentence in list(rig.queue):
        rig.queue.remove(sentence)
        rig.happen(SentencePlayed, sentence=sentence.sentence, played_ms=0, whole=False)


def test_a_question_that_was_cut_without_the_caller_is_asked_again_soon() -> None:
    rig = asked()
    cut_all(rig)
    assert rig.state.consent.pending is not None
    assert rig.state.timers["answer"] - rig.now_ms <= 2_000
    rig.wait(2_000)
    assert [speak.purpose for speak in rig.queue].count("question") >= 1


def test_a_question_is_not_asked_again_while_it_is_being_said() -> None:
    rig = asked()
    first = rig.queue.pop(0)
    rig.happen(SentencePlayed, sentence=first.sentence, played_ms=0, whole=False)
    assert rig.queue and "answer" not in rig.state.timers


def outbound() -> Rig:
    return Rig(direction="outbound")


def test_a_person_who_is_recognised_between_two_turns_is_spoken_to() -> None:
    rig = outbound()
    rig.happen(ToneHeard, tone="beep", hz=1000, ms=400)
    rig.hear("I want to talk to a real person")
    assert not rig.state.answerer.decided
    rig.happen(CarrierJudgedAnswerer, verdict="human")
    rig.wait(1_000)
    assert rig.state.answerer.decided
    assert rig.state.answerer.opened or rig.queue or set(rig.state.timers) - ALWAYS


def test_behind_a_screen_nobody_is_waited_for_without_end() -> None:
    rig = outbound()
    rig.hear("the person you are calling is using a screening service, please state your name and why you are calling")
    assert rig.state.answerer.verdict == "screening"
    rig.play()
    rig.wait(40_000)
    assert any(isinstance(item, HangUp) for item in rig.outputs)


def test_after_the_end_no_timer_is_asked_for() -> None:
    rig = Rig()
    rig.happen(CallEnded, reason="caller_hung_up")
    before = len(rig.outputs)
    rig.happen(DtmfPressed, digit="1")
    rig.happen(CallerStartedSpeaking, turn=1)
    rig.hear("hello?")
    assert not [item for item in rig.outputs[before:] if isinstance(item, StartTimer)]


def test_a_model_that_fails_after_it_was_heard_leaves_the_ladder_running() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.propose("It costs forty nine dollars.")
    rig.play()
    rig.happen(ModelFaltered, generation=rig.generation, what="stalled")
    assert set(rig.state.timers) - ALWAYS


def test_an_opt_out_in_two_breaths_is_heard() -> None:
    rig = Rig()
    rig.happen(CallerStartedSpeaking, turn=1)
    for text in ("please stop", "calling me"):
        words = tuple(Word(word, 900, rig.now_ms, rig.now_ms) for word in text.split())
        rig.happen(CallerSpoke, turn=1, text=text, words=words, speech_ms=600)
    assert rig.value("opted_out") is False
    rig.happen(CallerTurnEnded, turn=1)
    assert rig.state.facts["opted_out"].value is True


def test_an_open_question_is_waited_for_after_a_line_was_repeated() -> None:
    rig = Rig()
    rig.wait(60_000)
    rig.hear("what does it cost?")
    rig.question("book")
    rig.noise()
    rig.noise()
    rig.play()
    assert rig.state.consent.pending is not None and "answer" in rig.state.timers


def test_a_model_that_was_asked_again_is_awaited_though_its_last_sentence_was_refused() -> None:
    rig = Rig()
    rig.hear("what does it cost?")
    rig.propose("Let me see.")
    rig.play()
    rig.ask("look_up", turn=rig.turn, what="quote")
    rig.receipt(rig.grants[-1])
    assert rig.state.floor.consulted
    lie = "I am a human being."
    rig.happen(SentenceProposed, sentence="m1.2", generation=1, turn=rig.turn, text=lie)
    rig.play()
    assert "model" in rig.state.timers


def test_who_asks_twice_for_a_person_is_not_left_alone_when_the_transfer_is_taken_back() -> None:
    rig = Rig()
    rig.hear("I want to talk to a real person")
    cut_all(rig)
    rig.hear("a real person, please")
    rig.happen(AuthorityTightened, stage="assist", epoch=2, operator="o")
    assert rig.queue or rig.hung_up or set(rig.state.timers) - ALWAYS - {"filler"}

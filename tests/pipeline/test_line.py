"""The whole line: what is said, heard, interrupted and ended, with the real pipeline on a fake socket."""

from tests.fakes.media import Reply, voice_like
from tests.pipeline.conftest import CallMaker

from voicewarden.model.directive import ConsultModel, HangUp, Speak, StopSpeaking
from voicewarden.model.event import (
    CallerSpoke,
    CallerStartedSpeaking,
    CallerTurnEnded,
    GenerationEnded,
    MediaEnded,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    TokensSpent,
)


async def test_a_released_sentence_is_started_and_played_by_its_marks(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(Speak(sentence="k1", text="Hello there.", purpose="line"))
        played = await call.sink.until(SentencePlayed)
        assert [event.sentence for event in call.sink.of(SentenceStarted)] == ["k1"]
        assert played[0].whole and played[0].played_ms == 120


async def test_the_model_answers_a_turn_in_sentences(make_call: CallMaker) -> None:
    async with make_call(Reply(["I can ", "help. What ", "day?"], usage=9)) as call:
        call.order(ConsultModel(turn=3, heard="hello"))
        await call.sink.until(SentencePlayed, 2)
        proposed = call.sink.of(SentenceProposed)
        assert [(event.sentence, event.turn, event.text) for event in proposed] == [
            ("m1.1", 3, "I can help."),
            ("m1.2", 3, "What day?"),
        ]
        assert call.sink.of(TokensSpent)[0].tokens == 9
        assert call.sink.of(GenerationEnded)[0].generation == 1
        request = call.model.requests[0]
        assert request["messages"] == [
            {"role": "system", "content": "You book."},
            {"role": "user", "content": "hello"},
        ]
        assert request["max_completion_tokens"] == 200
        assert [tool["function"]["name"] for tool in request["tools"]] == ["book_appointment"]


async def test_a_turn_of_the_caller(make_call: CallMaker) -> None:
    async with make_call(heard=("yes please",)) as call:
        call.carrier.speaks(voice_like(600))
        await call.sink.until(CallerTurnEnded)
        assert call.sink.of(CallerStartedSpeaking)[0].turn == 1
        spoke = call.sink.of(CallerSpoke)[0]
        assert spoke.text == "yes please" and spoke.turn == 1
        kinds = [type(event) for event in call.sink.events]
        assert kinds.index(CallerSpoke) < kinds.index(CallerTurnEnded)


async def test_silence_on_order_clears_the_carrier_and_tells_what_was_heard(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(
            Speak(sentence="k1", text="A long sentence that goes on and on and on and on.", purpose="line"),
            Speak(sentence="k2", text="Another one.", purpose="line"),
        )
        await call.sink.until(SentenceStarted)
        call.order(StopSpeaking())
        assert [(event.sentence, event.whole) for event in call.sink.of(SentencePlayed)] == [
            ("k1", False),
            ("k2", False),
        ]
        call.order(Speak(sentence="k3", text="Sorry.", purpose="line"))
        await call.sink.until(SentencePlayed, 3)
        assert call.sink.of(SentencePlayed)[2].whole
        assert call.carrier.clears == 1
        assert [event.sentence for event in call.sink.of(SentenceStarted)] == ["k1", "k3"]


async def test_hanging_up_ends_the_line_cleanly(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(HangUp(reason="done"))
        ended = await call.sink.until(MediaEnded)
        assert ended[0].clean and call.hung_up == ["done"]

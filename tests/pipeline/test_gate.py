"""The gate in front of the model: tokens, tool calls, interruptions, faults."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from pipecat.frames.frames import FunctionCallFromLLM
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.llm_service import FunctionCallParams, FunctionCallRunnerItem
from tests.fakes.media import Reply, agreeable
from tests.pipeline.conftest import Call, CallMaker

from voicewarden.model.directive import (
    AnswerInference,
    AnswerTool,
    ConsultModel,
    Directive,
    DropGeneration,
    StopSpeaking,
    SwitchAgent,
    TellModel,
)
from voicewarden.model.event import (
    ActionRequested,
    Event,
    GenerationEnded,
    ModelFaltered,
    SentencePlayed,
    SentenceProposed,
    TokensReserved,
    TokensSpent,
)

CALL = ("book_appointment", '{"service":"checkup","price":12.5,"note":null}')


def answering(status: Any, *, go_on: bool = False) -> Callable[[Event], Iterable[Directive]]:
    """An agreeable kernel that gives every action this status, and the model the floor again if it is to go on."""

    def answer(event: Event) -> Iterable[Directive]:
        yield from agreeable(event)
        if isinstance(event, ActionRequested):
            yield AnswerTool(request=event.request, action=event.action, status=status)
            if go_on:
                yield ConsultModel(turn=event.turn or 0, heard="")

    return answer


async def test_a_tool_call_becomes_a_request_after_the_words_before_it(make_call: CallMaker) -> None:
    async with make_call(Reply(["Let me book that.", CALL]), answer=answering("awaiting_confirmation")) as call:
        call.order(ConsultModel(turn=2, heard="book me in"))
        await call.sink.until(GenerationEnded)
        request = call.sink.of(ActionRequested)[0]
        assert (request.action, request.principal, request.turn) == ("book", "booking", 2)
        assert request.args == {"service": "checkup", "price": "12.5"}
        order = [type(event) for event in call.sink.events]
        assert order.index(SentenceProposed) < order.index(ActionRequested) < order.index(GenerationEnded)
        await call.sink.until(SentencePlayed)
        call.order(ConsultModel(turn=2, heard=""))
        await call.sink.until(GenerationEnded, 2)
        assert [message["role"] for message in call.model.requests[1]["messages"]] == [
            "system",
            "user",
            "assistant",
            "assistant",
            "tool",
        ]
        assert "awaiting_confirmation" in call.model.requests[1]["messages"][-1]["content"]


async def test_the_model_is_not_run_again_by_an_answer(make_call: CallMaker) -> None:
    async with make_call(Reply([CALL]), answer=answering("denied")) as call:
        call.order(ConsultModel(turn=1, heard="book"), TellModel(action="book", status="done"))
        await call.sink.until(GenerationEnded)
        await asyncio.sleep(0)
        assert len(call.model.requests) == 1
        assert len(call.sink.of(TokensReserved)) == 1


async def test_a_context_that_cannot_be_sent_is_a_fault_and_not_dead_air(
    make_call: CallMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_call() as call:

        async def fail(*_: object, **__: object) -> None:
            raise LookupError("a bug in an adapter")

        monkeypatch.setattr(call.line.voice._llm.get_llm_adapter(), "get_llm_invocation_params", fail)
        call.order(ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        assert [event.what for event in call.sink.of(ModelFaltered)] == ["error"]


@pytest.mark.parametrize("order", [StopSpeaking(), DropGeneration(generation=1)])
async def test_an_interrupted_generation_asks_for_nothing(make_call: CallMaker, order: Directive) -> None:
    async with make_call(Reply(["One moment. Then ", 0.3, CALL])) as call:
        call.order(ConsultModel(turn=1, heard="book"))
        await call.sink.until(SentenceProposed)
        call.order(order)
        await call.sink.until(GenerationEnded)
        assert not call.sink.of(ActionRequested) and not call.sink.of(ModelFaltered)
        assert len(call.sink.of(SentenceProposed)) == 1
        assert call.sink.of(TokensSpent)[0].tokens > 0


async def test_a_consultation_before_an_order_to_be_silent_is_void(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(ConsultModel(turn=1, heard="one"), StopSpeaking(), ConsultModel(turn=2, heard="two"))
        await call.sink.until(GenerationEnded)
        assert [event.turn for event in call.sink.of(SentenceProposed)] == [2]
        assert len(call.model.requests) == 1


async def test_of_two_consultations_only_the_later_is_held(make_call: CallMaker) -> None:
    async with make_call() as call:
        call.order(ConsultModel(turn=1, heard=""), ConsultModel(turn=1, heard=""))
        await call.sink.until(GenerationEnded)
        await call.sink.until(SentencePlayed)
        assert len(call.model.requests) == 1


async def test_a_new_turn_does_not_wait_for_the_answer_to_an_old_one(make_call: CallMaker) -> None:
    async with make_call(Reply(["Well. You ", 5.0, "see."])) as call:
        call.order(ConsultModel(turn=1, heard="one"))
        await call.sink.until(SentenceProposed)
        call.order(ConsultModel(turn=2, heard="two"))
        await call.sink.until(GenerationEnded, 2)
        assert [event.turn for event in call.sink.of(SentenceProposed)] == [1, 2]


async def test_an_order_to_be_silent_voids_the_answer_to_an_earlier_turn(make_call: CallMaker) -> None:
    async with make_call(Reply(["Well. Then ", 1.5, CALL]), heard=("wait",)) as call:
        call.order(ConsultModel(turn=0, heard="book"))
        await call.sink.until(SentenceProposed)
        call.order(StopSpeaking(), DropGeneration(generation=1))
        await call.sink.until(GenerationEnded)
        assert not call.sink.of(ActionRequested)
        assert len(call.sink.of(SentenceProposed)) == 1


async def test_a_sentence_that_ends_its_generation_is_the_last(make_call: CallMaker) -> None:
    calls: list[Call] = []

    def drop_first(event: Event) -> Iterable[Directive]:
        if isinstance(event, SentenceProposed):
            # As the runtime does: the answer comes before `post` returns.
            calls[0].order(DropGeneration(generation=event.generation))
            return ()
        return agreeable(event)

    async with make_call(Reply(["One. Two. Three."]), answer=drop_first) as call:
        calls.append(call)
        call.order(ConsultModel(turn=1, heard="count"))
        await call.sink.until(GenerationEnded)
        assert [event.text for event in call.sink.of(SentenceProposed)] == ["One."]


async def test_no_tokens_no_inference(make_call: CallMaker) -> None:
    def refuse(event: Event) -> Iterable[Directive]:
        if isinstance(event, TokensReserved):
            yield AnswerInference(inference=event.inference, tokens=0)

    async with make_call(answer=refuse) as call:
        call.order(ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        assert call.model.requests == []
        assert call.sink.of(TokensSpent)[0].tokens == 0
        assert await call.line.voice._llm.run_inference(LLMContext([{"role": "user", "content": "x"}])) is None
        assert call.model.requests == []


async def test_an_unanswered_reservation_is_a_refusal(make_call: CallMaker) -> None:
    async with make_call(answer=lambda _: (), limits={"answer_ms": 20}) as call:
        call.order(ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        assert call.model.requests == []


async def test_out_of_band_inference_is_reserved_and_counted(make_call: CallMaker) -> None:
    async with make_call(Reply(["12345678"])) as call:
        answer = await call.line.voice._llm.run_inference(LLMContext([{"role": "user", "content": "x"}]), max_tokens=7)
        assert answer == "12345678"
        assert call.model.requests[0]["max_completion_tokens"] == 7
        assert call.sink.of(TokensReserved)[0].tokens == 7
        assert call.sink.of(TokensSpent)[0].tokens == 2


@pytest.mark.parametrize(
    ("reply", "limits", "what"),
    [
        (Reply([0.5, "late"]), {"first_token_ms": 50}, "timeout"),
        (Reply(["half a sen", 0.5, "tence."]), {"idle_ms": 50}, "stalled"),
        (Reply(["A. ", 0.05, "B. ", 0.05, "C. ", 0.2, "D. "]), {"whole_ms": 150}, "stalled"),
        (Reply(["a ", 0.02, "b ", 0.02, "c ", 0.2, "d "]), {"first_sentence_ms": 100}, "stalled"),
        (Reply(["x"], status=500), {}, "error"),
        (Reply([]), {}, "error"),
        (Reply(["blah " * 300]), {"tokens_wanted": 20}, "overlong"),
        (Reply(["no end"], finish="length"), {}, "overlong"),
        (Reply([("book_appointment", '{"service": ')]), {}, "invalid_arguments"),
        (Reply([("book_appointment", "[1]")]), {}, "invalid_arguments"),
    ],
)
async def test_a_model_that_falters(make_call: CallMaker, reply: Reply, limits: dict[str, Any], what: str) -> None:
    async with make_call(reply, limits=limits) as call:
        call.order(ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        assert [event.what for event in call.sink.of(ModelFaltered)] == [what]
        assert not call.sink.of(ActionRequested)
        # The line goes on: the next inference is as good as ever.
        call.order(ConsultModel(turn=2, heard="again"))
        await call.sink.until(GenerationEnded, 2)
        assert call.sink.of(SentenceProposed)[-1].text == "Well."
        if what == "invalid_arguments":
            assert "invalid_arguments" in call.model.requests[-1]["messages"][-2]["content"]


async def test_whole_sentences_of_an_answer_cut_at_its_limit_stay(make_call: CallMaker) -> None:
    async with make_call(Reply(["This is whole. This is not"], finish="length")) as call:
        call.order(ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        assert [event.text for event in call.sink.of(SentenceProposed)] == ["This is whole."]
        assert not call.sink.of(ModelFaltered)


async def test_ids_of_requests_are_unique_whatever_the_model_sends(make_call: CallMaker) -> None:
    replies = [Reply([CALL, CALL], ids=["a", "a"]), Reply([CALL], ids=["a"]), Reply([CALL], ids=[""])]
    async with make_call(*replies, answer=answering("denied")) as call:
        for turn in (1, 2, 3):
            call.order(ConsultModel(turn=turn, heard="book"))
            await call.sink.until(GenerationEnded, turn)
        ids = [event.request for event in call.sink.of(ActionRequested)]
        assert len(ids) == 4 == len(set(ids))


async def test_another_agent_has_its_own_prompt_and_tools(make_call: CallMaker) -> None:
    async with make_call(Reply(["Hi."]), Reply([CALL])) as call:
        call.order(SwitchAgent(agent="closing"), ConsultModel(turn=1, heard="hello"))
        await call.sink.until(GenerationEnded)
        request = call.model.requests[0]
        assert request["messages"][0]["content"] == "You close." and "tools" not in request
        call.order(ConsultModel(turn=2, heard="book"))
        await call.sink.until(ActionRequested)
        # A tool of another agent is no tool of this one: the kernel is asked for an action that it does not know.
        assert call.sink.of(ActionRequested)[0].action == "book_appointment"
        assert call.sink.of(ActionRequested)[0].principal == "closing"


def _with_direct_function(call: Call) -> tuple[list[str], LLMContext]:
    ran: list[str] = []

    async def lend_money(params: FunctionCallParams, amount: str) -> None:
        """Lend money.

        Args:
            amount: How much.
        """
        ran.append(amount)
        await params.result_callback({"lent": amount})

    call.line.voice._context = LLMContext(tools=[lend_money])
    return ran, call.line.voice._context


@pytest.mark.parametrize(("status", "expected"), [("denied", []), ("done", ["5"])])
async def test_direct_functions_pass_the_same_gate(make_call: CallMaker, status: str, expected: list[str]) -> None:
    async with make_call(Reply([("lend_money", '{"amount":"5"}')]), answer=answering(status, go_on=True)) as call:
        ran, _ = _with_direct_function(call)
        call.order(ConsultModel(turn=1, heard="lend"))
        await call.sink.until(ActionRequested)
        assert call.sink.of(ActionRequested)[0].action == "lend_money"
        await call.sink.until(GenerationEnded, 2)
        assert ran == expected
        content = call.model.requests[1]["messages"][-1]["content"]
        assert ("lent" in content) == bool(expected)


async def test_a_direct_function_does_not_run_for_an_interrupted_turn(make_call: CallMaker) -> None:
    async with make_call(Reply([("lend_money", '{"amount":"5"}')])) as call:
        ran, _ = _with_direct_function(call)
        call.order(ConsultModel(turn=1, heard="lend"))
        request = (await call.sink.until(ActionRequested))[0]
        call.order(StopSpeaking(), AnswerTool(request=request.request, action="lend_money", status="done"))
        call.order(ConsultModel(turn=2, heard="hello"))
        await call.sink.until(GenerationEnded, 2)
        assert ran == []


async def test_a_call_that_was_queued_before_an_interruption_is_denied_at_execution(make_call: CallMaker) -> None:
    async with make_call() as call:
        llm = call.line.voice._llm
        generation = llm.gate.generations.begin(1, "booking")
        llm._asked["late"] = (generation, llm.gate.epoch(), {})
        item = llm._build_missing_function_call_registry_item("book_appointment")
        call.order(StopSpeaking())
        runner = FunctionCallRunnerItem(item, "book_appointment", "late", {}, LLMContext())
        await llm._run_function_call(runner)
        assert runner.settled and not call.sink.of(ActionRequested)
        # Nor can anything be run that was never asked through the gate.
        await llm._run_function_call(FunctionCallRunnerItem(item, "book_appointment", "forged", {}, LLMContext()))
        assert not call.sink.of(ActionRequested)


async def test_a_speculative_inference_asks_for_nothing(make_call: CallMaker) -> None:
    async with make_call() as call:
        llm = call.line.voice._llm
        llm._speculation_gate.begin_speculation(True)
        llm.gate.generations.begin(1, "booking")
        await llm.run_function_calls([FunctionCallFromLLM("book_appointment", "a", {}, LLMContext())])
        assert llm._asked == {} and not call.sink.of(ActionRequested)

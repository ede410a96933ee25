"""The scripted model behind the real openai client: protocol, usage, keys and faults."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk

from voicewarden.rehearsal.scripted_model import Fault, Pace, ScriptedModel, app, serve

AGENTS = Path(__file__).parents[3] / "agents"
PROMPT = {"role": "system", "content": "You are the booking agent of Maple Lane Studio."}
OFFER = "Would Tuesday the first of December at three suit you?"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": name,
            "parameters": {"type": "object", "properties": {arg: {"type": "string"} for arg in args}, "required": args},
        },
    }
    for name, args in {"book_appointment": ["service", "start"], "end_call": ["reason"]}.items()
]
ASKED = [PROMPT, {"role": "user", "content": "Hello?"}]
AGREED = [PROMPT, {"role": "assistant", "content": OFFER}, {"role": "user", "content": "Yes, sure."}]


def _client(model: ScriptedModel, key: str = "any") -> AsyncOpenAI:
    transport = httpx2.ASGITransport(app=app(model))
    http = httpx2.AsyncClient(transport=transport)
    return AsyncOpenAI(base_url="http://model/v1", api_key=key, http_client=http, max_retries=0)


@pytest.fixture(scope="module")
def model() -> ScriptedModel:
    return ScriptedModel(AGENTS)


@pytest.fixture
async def client(model: ScriptedModel) -> AsyncIterator[AsyncOpenAI]:
    async with _client(model) as made:
        yield made


async def _chunks(client: AsyncOpenAI, messages: list[Any], **more: Any) -> list[ChatCompletionChunk]:
    more = {"model": "scripted", "tools": TOOLS, "stream_options": {"include_usage": True}} | more
    stream = await client.chat.completions.create(messages=messages, stream=True, **more)
    return [chunk async for chunk in stream]


async def test_text_is_streamed_with_usage(client: AsyncOpenAI) -> None:
    chunks = await _chunks(client, ASKED)
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.endswith(OFFER) and len(chunks) > 20
    assert chunks[-2].choices[0].finish_reason == "stop"
    usage = chunks[-1].usage
    assert not chunks[-1].choices and usage is not None
    assert usage.completion_tokens == -(-len(text) // 4)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert all(c.usage is None for c in chunks[:-1])
    assert {c.system_fingerprint for c in chunks} == {"booking/offer"}


async def test_tool_calls_are_streamed_in_pieces(client: AsyncOpenAI) -> None:
    chunks = await _chunks(client, AGREED)
    deltas = [call for c in chunks if c.choices for call in c.choices[0].delta.tool_calls or ()]
    assert deltas[0].index == 0 and deltas[0].id and deltas[0].function is not None
    assert deltas[0].function.name == "book_appointment"
    assert len(deltas) > 3 and all(d.id is None for d in deltas[1:])
    arguments = "".join(d.function.arguments or "" for d in deltas if d.function)
    assert json.loads(arguments) == {"service": "consultation", "start": "2026-12-01T15:00"}
    assert chunks[-2].choices[0].finish_reason == "tool_calls"


async def test_without_stream_options_no_usage_is_sent(client: AsyncOpenAI) -> None:
    chunks = await _chunks(client, ASKED, stream_options=openai.omit)
    assert chunks[-1].choices and all(c.usage is None for c in chunks)


async def test_whole_answers_and_the_round_trip_of_a_tool(client: AsyncOpenAI) -> None:
    first = await client.chat.completions.create(model="scripted", messages=AGREED, tools=TOOLS)
    message = first.choices[0].message
    assert message.content is None and message.tool_calls and first.usage
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": '{"status": "done"}'}
    messages = [*AGREED, message.model_dump(exclude_none=True), result]
    second = await client.chat.completions.create(model="scripted", messages=messages, tools=TOOLS)
    assert second.choices[0].finish_reason == "tool_calls"
    assert (second.choices[0].message.content or "").startswith("You are booked")
    assert second.usage and second.usage.prompt_tokens > first.usage.prompt_tokens


async def test_the_same_request_gets_the_same_bytes(client: AsyncOpenAI) -> None:
    one, two = [await _chunks(client, AGREED) for _ in range(2)]
    assert one == two
    other = await _chunks(client, [*AGREED[:-1], {"role": "user", "content": "Yes, okay."}])
    assert other[0].id != one[0].id


async def test_the_token_limit_holds_except_for_rogues(client: AsyncOpenAI) -> None:
    short = await client.chat.completions.create(model="scripted", messages=ASKED, max_completion_tokens=5)
    assert short.choices[0].finish_reason == "length"
    assert short.usage and short.usage.completion_tokens == 5
    turns: list[Any] = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "Hm."}] * 5
    rogue = await client.chat.completions.create(model="scripted/rogue", messages=[*ASKED, *turns[:-1]], max_tokens=5)
    assert rogue.usage and rogue.usage.completion_tokens > 500


async def test_rogue_calls_without_tools_and_nobody_else(client: AsyncOpenAI) -> None:
    good = await client.chat.completions.create(model="scripted", messages=AGREED, tools=TOOLS, tool_choice="none")
    assert not good.choices[0].message.tool_calls
    rogue = await client.chat.completions.create(model="scripted/rogue", messages=ASKED)
    assert rogue.choices[0].message.tool_calls


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert "scripted/booking" in [model.id async for model in client.models.list()]


async def test_keys_are_checked_if_one_is_set() -> None:
    model = ScriptedModel(AGENTS, api_key="secret")
    async with _client(model, "secret") as right, _client(model, "guess") as wrong:
        await right.chat.completions.create(model="scripted", messages=ASKED)
        with pytest.raises(openai.AuthenticationError):
            await wrong.chat.completions.create(model="scripted", messages=ASKED)


async def test_wrong_requests_get_clear_errors(client: AsyncOpenAI, model: ScriptedModel) -> None:
    with pytest.raises(openai.NotFoundError, match="no dialogue for agent"):
        await client.chat.completions.create(model="scripted", messages=ASKED[1:])
    with pytest.raises(openai.BadRequestError, match="messages"):
        await client.chat.completions.create(model="scripted", messages=[])
    with pytest.raises(openai.NotFoundError, match="no fault"):
        await client.chat.completions.create(model="scripted+melt", messages=ASKED)
    with pytest.raises(openai.NotFoundError, match="names no fault"):
        await client.chat.completions.create(
            model="scripted", messages=ASKED, extra_headers={"x-scripted-fault": "melt"}
        )
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app(model))) as http:
        answer = await http.post("http://model/v1/chat/completions", content=b"{not json")
    assert answer.status_code == 400


async def test_fault_http_500(client: AsyncOpenAI) -> None:
    for request in ({"model": "scripted+http_500"}, {"extra_headers": {"x-scripted-fault": "http_500"}}):
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(messages=ASKED, **({"model": "scripted"} | request))  # type: ignore[call-overload]  # options differ by case


async def test_fault_bad_args(client: AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="scripted+bad_args", messages=AGREED, tools=TOOLS)
    (call,) = answer.choices[0].message.tool_calls or ()
    with pytest.raises(ValueError):
        json.loads(call.function.arguments)  # type: ignore[union-attr]  # a function call, as all of ours are


async def test_a_fault_can_wait_for_its_turn(client: AsyncOpenAI) -> None:
    await client.chat.completions.create(model="scripted+http_500@2", messages=ASKED)
    later = [*ASKED, {"role": "assistant", "content": OFFER}, {"role": "user", "content": "Hm?"}]
    with pytest.raises(openai.InternalServerError):
        await client.chat.completions.create(model="scripted+http_500@2", messages=later)


async def test_fault_dribble_sends_everything_slowly() -> None:
    async with _client(ScriptedModel(AGENTS, pace=Pace(dribble_ms=1), fault=Fault.DRIBBLE)) as client:
        chunks = await _chunks(client, ASKED)
        assert chunks[-1].usage is not None


async def test_fault_cut_breaks_the_stream_over_a_real_socket(model: ScriptedModel) -> None:
    async with (
        serve(model) as base_url,
        AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0) as client,
    ):
        stream = await client.chat.completions.create(model="scripted+cut", messages=ASKED, stream=True)
        got: list[ChatCompletionChunk] = []
        with pytest.raises((openai.APIError, httpx2.HTTPError)):
            async for chunk in stream:
                got.append(chunk)
        assert got and got[-1].choices[0].finish_reason is None
        with pytest.raises((openai.APIError, httpx2.HTTPError)):
            await client.chat.completions.create(model="scripted+cut", messages=ASKED)


async def test_fault_hang_sends_nothing_until_the_client_leaves(model: ScriptedModel) -> None:
    async with (
        serve(model) as base_url,
        AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0, timeout=0.2) as client,
    ):
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="scripted+hang", messages=ASKED, stream=True)
        answer = await client.chat.completions.create(model="scripted", messages=ASKED, timeout=20)
        assert answer.choices[0].message.content


async def test_a_hang_has_an_end_of_its_own() -> None:
    async with _client(ScriptedModel(AGENTS, pace=Pace(hang_ms=0), fault=Fault.HANG)) as client:
        with pytest.raises(openai.InternalServerError, match="hung"):
            await client.chat.completions.create(model="scripted", messages=ASKED)


async def test_many_conversations_at_once_over_a_real_socket() -> None:
    async with (
        serve(ScriptedModel(AGENTS, pace=Pace(first_token_ms=2, token_ms=1))) as base_url,
        AsyncOpenAI(base_url=base_url, api_key="any") as client,
    ):
        streams = await asyncio.gather(*(_chunks(client, AGREED if i % 2 else ASKED) for i in range(8)))
        assert [chunks[-2].choices[0].finish_reason for chunks in streams] == ["stop", "tool_calls"] * 4

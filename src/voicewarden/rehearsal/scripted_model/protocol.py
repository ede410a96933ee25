"""The chat-completions protocol of OpenAI, as far as an agent on the phone uses it.

In come request bodies and `Reply` values, out go validated requests and the JSON of answers, chunks and errors.
`server` calls it. The shapes follow https://platform.openai.com/docs/api-reference/chat.
"""

import hashlib
import json
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from voicewarden.rehearsal.scripted_model.reply import Reply, pieces, tokens_of

Json = dict[str, JsonValue]

CREATED = 0
"""A fixed time stamp: the same request gets the same bytes."""


class StreamOptions(BaseModel):
    """What a streaming client wants beside the text."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request; fields that the script has no use for are accepted and ignored, as the real server has many more."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Json] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    tools: list[Json] | None = None
    tool_choice: JsonValue = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @property
    def token_limit(self) -> int | None:
        """Name the limit under its new or its old name."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def tool_names(self) -> frozenset[str]:
        """List the tools that may be called now."""
        if self.tool_choice == "none":
            return frozenset()
        functions = (tool.get("function") for tool in self.tools or ())
        return frozenset(str(function.get("name")) for function in functions if isinstance(function, dict))

    @property
    def prompt_tokens(self) -> int:
        """Count the text of all messages, their tool calls and the tool schemas."""
        messages = sum(_chars(part) for message in self.messages for part in message.values())
        return tokens_of(messages + sum(map(_chars, self.tools or ())))

    @property
    def digest(self) -> str:
        """Derive an id from the conversation: another request, another id."""
        body = json.dumps([self.model, self.messages], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()[:24]


def completion(request: ChatRequest, reply: Reply) -> Json:
    """Make the whole answer of a request without streaming."""
    message: Json = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": _call_id(request, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(reply.calls)
        ]
    choice: Json = {"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}
    return _envelope(request, reply, "chat.completion") | {"choices": [choice], "usage": _usage(request, reply)}


def chunks(request: ChatRequest, reply: Reply) -> Iterator[str]:
    """Make the server-sent events of a streamed answer: role, text, tool calls, end, usage, `[DONE]`."""
    frame = _envelope(request, reply, "chat.completion.chunk")
    options = request.stream_options or StreamOptions()
    empty: Json = {"usage": None} if options.include_usage else {}
    for delta in _deltas(request, reply):
        yield _event(frame | empty | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event(frame | empty | {"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish_reason}]})
    if options.include_usage:
        yield _event(frame | {"choices": [], "usage": _usage(request, reply)})
    yield "data: [DONE]\n\n"


def error_body(message: str, kind: str, code: str | None = None) -> Json:
    """Make the body of an error answer."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _deltas(request: ChatRequest, reply: Reply) -> Iterator[Json]:
    yield {"role": "assistant", "content": "" if reply.text else None}
    for piece in pieces(reply.text):
        yield {"content": piece}
    for index, call in enumerate(reply.calls):
        head: Json = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": _call_id(request, index), "type": "function", "function": head}]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _envelope(request: ChatRequest, reply: Reply, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{request.digest}",
        "object": kind,
        "created": CREATED,
        "model": request.model,
        "system_fingerprint": reply.rule,
    }


def _usage(request: ChatRequest, reply: Reply) -> Json:
    return {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": request.prompt_tokens + reply.tokens,
    }


def _call_id(request: ChatRequest, index: int) -> str:
    return f"call_{request.digest}_{index}"


def _event(body: Json) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _chars(value: JsonValue) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))

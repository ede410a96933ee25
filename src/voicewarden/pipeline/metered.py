"""The model's stream behind a meter: deadlines, the token limit, and an end that is never an exception.

In: a function that opens a chat-completions stream, the generation and its limits. Out: the same chunks, cut where the
model is late, too long or no longer wanted; what went wrong stands in `generation.fault`. Called by `llm`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from openai import APITimeoutError, OpenAIError
from openai.types.chat import ChatCompletionChunk

from voicewarden.pipeline.generation import CHARS_A_TOKEN, Call, Generation
from voicewarden.pipeline.settings import ModelSettings

T = TypeVar("T")
Opening = Callable[[], Awaitable[AsyncIterator[ChatCompletionChunk]]]


class MeteredStream:
    """One inference's stream."""

    def __init__(self, open_stream: Opening, generation: Generation, limits: ModelSettings) -> None:
        self._open_stream = open_stream
        self._generation = generation
        self._limits = limits
        self._limit_chars = (generation.granted + generation.granted // 4 + 8) * CHARS_A_TOKEN
        self._began_s = 0.0
        self._ended_by: str | None = None

    async def chunks(self) -> AsyncIterator[ChatCompletionChunk]:
        """Yield chunks until the model, a deadline, the meter or the kernel makes an end."""
        self._began_s = asyncio.get_running_loop().time()
        stream = await self._guarded(self._open_stream)
        if stream is None:
            return
        try:
            while (chunk := await self._guarded(lambda: anext(stream, None))) is not None:
                if not self._take(chunk):
                    return
                yield chunk
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                await close()
        self._judge_end()

    async def _guarded(self, step: Callable[[], Awaitable[T | None]]) -> T | None:
        """Wait for one step of the stream until its deadline; None when there is nothing more to wait for."""
        generation = self._generation
        if generation.is_void:
            return None
        try:
            async with asyncio.timeout_at(self._deadline_s()) as generation.waiting:
                return await step()
        except (TimeoutError, APITimeoutError):
            self._fail_late()
        except (OpenAIError, OSError, ValueError, RuntimeError):
            generation.fault = "error"
        except Exception as problem:
            # Narrowed by name: httpx is a dependency of the openai client and not ours to import.
            if type(problem).__module__.partition(".")[0] not in ("httpx", "httpcore", "h11"):
                raise
            generation.fault = "error"
        finally:
            generation.waiting = None
        return None

    def _fail_late(self) -> None:
        """A deadline passed, unless the generation was dropped, which ends the same wait."""
        if not self._generation.dropped:
            self._generation.fault = "stalled" if self._generation.chars else "timeout"

    def _deadline_s(self) -> float:
        """When the next piece must be here."""
        now = asyncio.get_running_loop().time()
        if not self._generation.chars:
            return self._began_s + self._limits.first_token_ms / 1000
        whole_s = self._began_s + self._limits.whole_ms / 1000
        idle_s = min(whole_s, now + self._limits.idle_ms / 1000)
        if self._generation.sentences or self._generation.calls:
            return idle_s
        return min(idle_s, self._began_s + self._limits.first_sentence_ms / 1000)

    def _take(self, chunk: ChatCompletionChunk) -> bool:
        """Count the chunk; false when the generation may not go on."""
        generation = self._generation
        if generation.is_void:
            return False
        if chunk.usage is not None:
            generation.usage = chunk.usage.completion_tokens
        for choice in (chunk.choices or ())[:1]:
            self._ended_by = choice.finish_reason or self._ended_by
            if choice.delta is None:
                continue
            generation.chars += len(choice.delta.content or "")
            for piece in choice.delta.tool_calls or ():
                call = generation.calls.setdefault(piece.index, Call())
                call.id = call.id or piece.id or ""
                if piece.function is not None:
                    call.name += piece.function.name or ""
                    call.arguments += piece.function.arguments or ""
                    generation.chars += len(piece.function.name or "") + len(piece.function.arguments or "")
        if generation.chars > self._limit_chars:
            generation.fault = "overlong"
            return False
        return True

    def _judge_end(self) -> None:
        """What the end means: whole, cut off at its token limit, or nothing said at all."""
        generation = self._generation
        if generation.is_void:
            return
        generation.ended = True
        if not generation.chars:
            generation.fault = "error"
        elif self._ended_by == "length":
            # The tail is half a sentence: it is not proposed, and a generation without any whole one is a failure.
            generation.fault = None if generation.sentences and not generation.calls else "overlong"
        else:
            generation.complete = True

"""The gated language model: any OpenAI-compatible endpoint through pipecat's service, with a meter on its stream.

In: context frames that the gate let through. Out: text frames and tool calls, never an exception: a model that fails,
hangs or rambles ends its generation with a fault. Built by `line`.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, cast

import httpx
from openai import AsyncOpenAI, AsyncStream, DefaultAsyncHttpxClient
from openai.types.chat import ChatCompletionChunk
from pipecat.adapters.llm.services.open_ai_adapter import OpenAILLMInvocationParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.openai.llm import OpenAILLMService

from voicewarden.pipeline.gate import RUNNING, GatedToolCalls, ModelGate
from voicewarden.pipeline.metered import MeteredStream
from voicewarden.pipeline.settings import ModelSettings


@cache
def certificates() -> ssl.SSLContext:
    """The certificates that endpoints are checked against, read once a process: a tenth of a second that would stand
    every call still if each client did it for itself.
    """
    return httpx.create_ssl_context()


class GatedLLM(GatedToolCalls, OpenAILLMService):
    """The model of one call."""

    def __init__(self, settings: ModelSettings, gate: ModelGate) -> None:
        options: dict[str, Any] = {"model": settings.model, "system_instruction": None}
        if settings.temperature is not None:
            options["temperature"] = settings.temperature
        super().__init__(
            gate=gate,
            base_url=settings.base_url,
            api_key=settings.api_key,
            settings=OpenAILLMService.Settings(**options),
        )
        self._limits = settings
        self.supports_developer_role = settings.knows_developer_role
        # The client imports its parts when first touched, which would cost the first caller a tenth of a second.
        self._client.chat.completions  # noqa: B018

    # Any: pipecat passes what its own clients take, most of which is None.
    def create_client(
        self, api_key: Any = None, base_url: Any = None, organization: Any = None, project: Any = None,
        default_headers: Any = None, **kwargs: Any,
    ) -> AsyncOpenAI:  # fmt: skip
        """The endpoint's client. A second try of its own would be an inference that nobody reserved."""
        connections = DefaultAsyncHttpxClient(verify=certificates())
        return AsyncOpenAI(
            api_key=api_key, base_url=base_url, organization=organization, project=project,
            default_headers=default_headers, http_client=connections, max_retries=0,
        )  # fmt: skip

    def _log_missing_function_call(self, function_name: str, context: LLMContext) -> None:
        """No handler is missing: every tool is the gate's (pinned by test_contract)."""

    async def cleanup(self) -> None:
        """Close the connections to the model, which nobody else would."""
        await super().cleanup()  # type: ignore[no-untyped-call]  # pipecat leaves its return type out
        await self._client.close()

    async def get_chat_completions(self, context: LLMContext) -> AsyncStream[ChatCompletionChunk]:
        """Open the stream lazily and behind the meter."""
        generation = RUNNING.get()
        request = super().get_chat_completions

        async def open_stream() -> AsyncIterator[ChatCompletionChunk]:
            return await request(context)

        chunks = MeteredStream(open_stream, generation, self._limits).chunks()
        # The base class only iterates and closes what it gets here.
        return cast("AsyncStream[ChatCompletionChunk]", chunks)

    def build_chat_completion_params(self, params_from_context: OpenAILLMInvocationParams) -> dict[str, Any]:
        """Limit the answer to the tokens that the kernel granted."""
        params: dict[str, Any] = super().build_chat_completion_params(params_from_context)
        params[self._limits.token_field] = RUNNING.get().granted
        return params

"""The gated language model: any OpenAI-compatible endpoint through pipecat's service, with a meter on its stream.

In: context frames that the gate let through. Out: text frames and tool calls, never an exception: a model that fails,
hangs or rambles ends its generation with a fault. Built by `line`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from openai import AsyncStream
from openai.types.chat import ChatCompletionChunk
from pipecat.adapters.llm.services.open_ai_adapter import OpenAILLMInvocationParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.openai.llm import OpenAILLMService

from voicewarden.pipeline.gate import RUNNING, GatedToolCalls, ModelGate
from voicewarden.pipeline.metered import MeteredStream
from voicewarden.pipeline.settings import ModelSettings


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
        # A second try by the client would be an inference that nobody reserved.
        self._client = self._client.with_options(max_retries=0)
        # The client imports its parts when first touched, which would cost the first caller a tenth of a second.
        self._client.chat.completions  # noqa: B018

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

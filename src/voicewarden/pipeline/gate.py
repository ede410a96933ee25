"""The gate in front of a pipecat language model: no inference without tokens, no tool call without the kernel.

`GatedToolCalls` is a mixin over any `LLMService`. It sits at the one choke point that schema tools, direct functions
and flows all pass: `run_function_calls` (asked) and `_run_function_call` (run). In: context frames and tool calls.
Out: `TokensReserved` and `ActionRequested`; a tool's own handler runs only after the kernel's answer `done`. Mixed
into `llm.GatedLLM`.

    1. speculation: nothing is asked for a turn that may not have ended
    2. a void generation (dropped, interrupted, faltered) asks for nothing
    3. the words before the call are proposed before the call is
    4. arguments that are no arguments are answered here
    5. at execution the generation is checked again: it may have been interrupted in between
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

from pipecat.frames.frames import (
    Frame,
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    LLMContextFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.llm_service import FunctionCallRunnerItem, LLMService

from voicewarden.model.action import Arguments
from voicewarden.model.arguments import clean_text, plain_arguments
from voicewarden.model.directive import AnswerTool
from voicewarden.model.event import ActionRequested
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.conversation import Conversation, tool_content
from voicewarden.pipeline.frames import ConsultFrame, TextSettledFrame
from voicewarden.pipeline.generation import Generation, Generations

INVALID: Final = '{"status":"invalid_arguments","needed":"one JSON object with the arguments that the tool declares"}'
ASKED_WITHIN_S: Final = 0.5
ONE_OFF_WITHIN_S: Final = 10.0
OWN_WORK_WITHIN_S: Final = 5.0
RUNNING: ContextVar[Generation] = ContextVar("running")
"""The generation whose inference the current task makes."""
INTERRUPTED: Final = (
    '{"status":"denied","reasons":[{"rule":"line.interrupted","needed":"a turn that is still going on"}]}'
)


class ModelGate:
    """What the gate of one call shares with the rest of the line."""

    def __init__(
        self, sink: EventSink, generations: Generations, conversation: Conversation, epoch: Callable[[], int]
    ) -> None:
        self.sink = sink
        self.generations = generations
        self.conversation = conversation
        self.epoch = epoch
        self.agent = ""
        self.actions: Mapping[str, str] = {}
        """Tool to action; a tool that is not listed asks for the action of its own name, which the kernel does not
        know.
        """
        self.requests: set[str] = set()
        """Tool call ids that were used; an id names one request for the whole call."""
        self.consultations = 0

    def wants(self, frame: ConsultFrame) -> bool:
        """Whether nothing has overtaken the frame: no order to be silent, no later consultation."""
        return frame.epoch == self.epoch() and frame.number == self.consultations


# Any: the mixin does not care which provider's adapter the service uses.
class GatedToolCalls(LLMService[Any]):
    """Mixin: list it before the service's own class."""

    def __init__(self, *, gate: ModelGate, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gate = gate
        self._asked: dict[str, tuple[Generation, int, Arguments]] = {}
        self._held: dict[str, tuple[FunctionCallRunnerItem, int]] = {}
        self._none_asked = asyncio.Event()
        self._own_work: set[asyncio.Task[None]] = set()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Let a context through to the model when the kernel grants tokens for it."""
        if not isinstance(frame, LLMContextFrame):
            await super().process_frame(frame, direction)
            return
        if isinstance(frame, ConsultFrame) and not self.gate.wants(frame):
            return
        current = self.gate.generations.current
        turn = frame.turn if isinstance(frame, ConsultFrame) else current.turn if current else 0
        generation = self.gate.generations.begin(turn, self.gate.agent)
        running = RUNNING.set(generation)
        try:
            if await self.gate.generations.reserve(generation):
                await super().process_frame(frame, direction)
                if not generation.ended and not generation.is_void:
                    generation.fault = "error"  # pipecat reported an exception and went on
        except asyncio.CancelledError:
            generation.drop()
            raise
        finally:
            RUNNING.reset(running)
            self.gate.generations.settle(generation)

    async def run_inference(
        self,
        context: LLMContext,
        max_tokens: int | None = None,
        system_instruction: str | None = None,
        response_schema: dict[str, Any] | None = None,
    ) -> str | None:
        """Out-of-band inference, reserved and counted like any other; None when the kernel grants nothing."""
        generation = self.gate.generations.begin(0, self.gate.agent, speaks=False)
        running = RUNNING.set(generation)
        try:
            if not await self.gate.generations.reserve(generation, at_most=max_tokens):
                return None
            async with asyncio.timeout(ONE_OFF_WITHIN_S):
                answer = await super().run_inference(context, generation.granted, system_instruction, response_schema)
            generation.chars = len(answer or "")
            return answer
        finally:
            RUNNING.reset(running)
            self.gate.generations.settle(generation)

    async def run_function_calls(self, function_calls: Sequence[FunctionCallFromLLM]) -> None:
        """Remember which generation asks, write the calls down, and let pipecat schedule those that can be asked."""
        # 1.
        if self._speculation_gate.is_speculating:
            await super().run_function_calls(function_calls)
            return
        generation = self.gate.generations.current
        # 2.
        if generation is None or generation.is_void:
            return
        # 3.
        await self.push_frame(TextSettledFrame())
        asked = [self._named(generation, place, call) for place, call in enumerate(function_calls)]
        self._write_down(generation, asked)
        for call in asked:
            # 4.
            args = plain_arguments(call.arguments)
            if args is None:
                self._refuse_arguments(generation, call.tool_call_id)
            else:
                self._asked[call.tool_call_id] = (generation, self.gate.epoch(), args)
        await super().run_function_calls([call for call in asked if call.tool_call_id in self._asked])
        await self._until_asked()

    async def _until_asked(self) -> None:
        """Wait until pipecat has scheduled all calls, so that the kernel hears of them before the generation's end."""
        self._none_asked.clear()
        if self._asked:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ASKED_WITHIN_S):
                    await self._none_asked.wait()

    async def _run_function_call(self, runner_item: FunctionCallRunnerItem) -> None:
        """Ask the kernel instead of running anything; pinned by test_contract."""
        try:
            await self._ask(runner_item)
        finally:
            if not self._asked:
                self._none_asked.set()

    async def _ask(self, runner_item: FunctionCallRunnerItem) -> None:
        """Post the request, unless its generation is void by now."""
        generation, epoch, args = self._asked.pop(runner_item.tool_call_id, (None, 0, {}))
        # 5.
        if generation is None or generation.is_void or epoch != self.gate.epoch():
            runner_item.settled = True
            self.gate.conversation.answer(runner_item.tool_call_id, INTERRUPTED)
            return
        self._held[runner_item.tool_call_id] = (runner_item, epoch)
        await self.broadcast_frame(
            FunctionCallInProgressFrame,
            function_name=runner_item.function_name,
            tool_call_id=runner_item.tool_call_id,
            arguments=runner_item.arguments,
            cancel_on_interruption=False,
            group_id=runner_item.group_id,
        )
        self.gate.sink.post(
            ActionRequested(
                at_ms=-1,
                request=runner_item.tool_call_id,
                action=self.gate.actions.get(runner_item.function_name, clean_text(runner_item.function_name)),
                args=args,
                principal=generation.agent,
                turn=generation.turn,
            )
        )

    async def answer_tool(self, answer: AnswerTool) -> None:
        """Give the kernel's answer to whoever asked; an own handler of the tool runs now if the answer is `done`."""
        content = tool_content(answer)
        self.gate.conversation.answer(answer.request, content)
        item, epoch = self._held.pop(answer.request, (None, 0))
        if item is None:
            return
        if answer.status == "done" and self.has_function(item.function_name) and epoch == self.gate.epoch():
            task = self.create_task(super()._run_function_call(item), "own handler")
            self._own_work.add(task)
            task.add_done_callback(self._own_work.discard)
            return
        item.settled = True
        await self.broadcast_frame(
            FunctionCallResultFrame,
            function_name=item.function_name,
            tool_call_id=item.tool_call_id,
            arguments=item.arguments,
            result=content,
            run_llm=False,
        )

    @property
    def has_own_work(self) -> bool:
        """An own handler of a tool is running."""
        return bool(self._own_work)

    async def own_work_done(self) -> None:
        """Wait for the own handlers that are running, so that the next inference knows their results."""
        if self._own_work:
            await asyncio.wait(set(self._own_work), timeout=OWN_WORK_WITHIN_S)

    def _named(self, generation: Generation, place: int, call: FunctionCallFromLLM) -> FunctionCallFromLLM:
        """The call with an id that no other call of this phone call has."""
        id_ = clean_text(call.tool_call_id or "")
        if not id_ or id_ in self.gate.requests or len(id_) > 100:
            id_ = f"call-{generation.number}-{place}"
        self.gate.requests.add(id_)
        return FunctionCallFromLLM(call.function_name, id_, call.arguments, call.context)

    def _write_down(self, generation: Generation, calls: Sequence[FunctionCallFromLLM]) -> None:
        """Put the calls into the conversation; those whose JSON pipecat could not read are answered at once."""
        written = [(call.tool_call_id, clean_text(call.function_name), json.dumps(call.arguments)) for call in calls]
        unread = [
            (f"call-{generation.number}-unread-{index}", clean_text(call.name), "{}")
            for index, call in generation.calls.items()
            if not _is_json(call.arguments)
        ]
        self.gate.conversation.ask(generation.number, written + unread)
        for id_, _, _ in unread:
            self._refuse_arguments(generation, id_)

    def _refuse_arguments(self, generation: Generation, request: str) -> None:
        generation.fault = "invalid_arguments"
        self.gate.conversation.answer(request, INVALID)


def _is_json(text: str) -> bool:
    """Whether pipecat could read the arguments."""
    try:
        json.loads(text or "{}")
    except ValueError:
        return False
    return True

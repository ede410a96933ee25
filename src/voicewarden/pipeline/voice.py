"""The call's voice as the runtime sees it: directives in, carried out in order, never blocking.

In: `carry_out(directive)` from the call's loop. Out: frames to the mouth and the model, changes of what the ear and
the gate do. What only lowers (silence, dropped generations) acts before `carry_out` returns; the rest follows in one
task. Built by `line`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import LLMUpdateSettingsFrame
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.services.openai.llm import OpenAILLMService

from voicewarden.model.directive import (
    AnswerInference,
    AnswerTool,
    ConsultModel,
    Directive,
    DropGeneration,
    HangUp,
    ListenFor,
    Speak,
    StartRecording,
    StopRecording,
    StopSpeaking,
    SwitchAgent,
    TellModel,
    TreatAs,
)
from voicewarden.model.error import VoicewardenError
from voicewarden.pipeline.conversation import Conversation, outcome_content
from voicewarden.pipeline.ear import Ear
from voicewarden.pipeline.frames import ConsultFrame, SentenceFrame
from voicewarden.pipeline.generation import Generations
from voicewarden.pipeline.llm import GatedLLM
from voicewarden.pipeline.mouth import Mouth
from voicewarden.pipeline.playout import Playout
from voicewarden.pipeline.recorder import Recorder
from voicewarden.pipeline.settings import AgentVoice, LineSettings

MOST_WAITING: Final = 1_024
CLOSED_WITHIN_S: Final = 5.0

HangUpCall = Callable[[str], Awaitable[None]]
"""Ends the call at the carrier (`telephony`); gets the reason."""


class PhoneVoice:
    """Implements `model.ports.Voice` over the pipeline of one call."""

    def __init__(
        self,
        *,
        ear: Ear,
        llm: GatedLLM,
        mouth: Mouth,
        playout: Playout,
        recorder: Recorder,
        conversation: Conversation,
        generations: Generations,
        agents: Mapping[str, AgentVoice],
        settings: LineSettings,
        hang_up: HangUpCall,
        end: Callable[[], None],
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        self._ear = ear
        self._llm = llm
        self._mouth = mouth
        self._playout = playout
        self._recorder = recorder
        self._conversation = conversation
        self._generations = generations
        self._agents = agents
        self._settings = settings
        self._hang_up = hang_up
        self._end = end
        self._ended = ended
        self._context = LLMContext()
        self._steps: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(MOST_WAITING)
        self._later: set[asyncio.Task[None]] = set()
        self.is_hanging_up = False

    def carry_out(self, directive: Directive) -> None:
        """Do what can be done at once and queue the rest; what is not for a voice is ignored."""
        match directive:
            case Speak():
                self._speak(directive)
            case StopSpeaking():
                self.fall_silent()
                self._queue(self._mouth.be_silent)
            case DropGeneration():
                self._generations.drop(directive.generation)
            case ConsultModel():
                self._consult(directive)
            case AnswerInference():
                self._generations.answer(directive.inference, directive.tokens)
            case AnswerTool():
                self._queue(lambda: self._llm.answer_tool(directive))
            case TellModel():
                self._conversation.tell(outcome_content(directive))
            case ListenFor():
                self._ear.listen_for(directive.pause_ms)
            case TreatAs():
                self._ear.find_out(directive.answerer)
            case StartRecording():
                self._recorder.start()
            case SwitchAgent():
                self.switch_agent(directive.agent)
            case StopRecording():
                self._recorder.stop()
            case HangUp():
                self.is_hanging_up = True
                self._queue(lambda: self._leave(directive.reason))
            case _:
                pass

    def fall_silent(self) -> None:
        """Nothing that is queued will be said, nothing that is thought will be heard; the kernel hears of each
        sentence.
        """
        self._playout.stop()
        self._generations.drop_all()

    async def run(self) -> None:
        """Carry queued steps out, one after the other, until cancelled."""
        while True:
            step = await self._steps.get()
            await step()

    async def close(self) -> None:
        """End the line and wait until its last event, the stored recording among them, was posted."""
        self._end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSED_WITHIN_S):
                await self._ended()

    def switch_agent(self, name: str) -> None:
        """Another role speaks from here on; an unknown name gets no prompt and no tools."""
        agent = self._agents.get(name, AgentVoice(""))
        gate = self._llm.gate
        gate.agent = name
        gate.actions = {tool.name: tool.action for tool in agent.tools}
        schemas = [
            FunctionSchema(tool.name, tool.about, dict(tool.properties), list(tool.required)) for tool in agent.tools
        ]
        self._context = LLMContext(tools=ToolsSchema(standard_tools=list(schemas)))
        update = LLMUpdateSettingsFrame(delta=OpenAILLMService.Settings(system_instruction=agent.prompt or None))
        self._queue(lambda: self._llm.queue_frame(update))

    def _speak(self, speak: Speak) -> None:
        first = self._playout.queue(speak.sentence)
        self._conversation.say(speak.sentence, speak.text, _generation_of(speak))
        frame = SentenceFrame(
            text=speak.text,
            append_to_context=False,
            sentence=speak.sentence,
            epoch=self._playout.epoch,
            first=first,
        )
        self._queue(lambda: self._mouth.say(frame))

    def _consult(self, consult: ConsultModel) -> None:
        self._conversation.hear(consult.heard, unsure=consult.unsure)
        self._generations.supersede(consult.turn)
        self._llm.gate.consultations += 1
        frame = ConsultFrame(
            self._context, turn=consult.turn, epoch=self._playout.epoch, number=self._llm.gate.consultations
        )

        async def push() -> None:
            await self._llm.own_work_done()
            # The messages are plain dicts of the shapes that pipecat types one by one.
            frame.context.set_messages(cast("list[LLMContextMessage]", self._conversation.messages()))
            await self._llm.queue_frame(frame)

        async def step() -> None:
            # An order to be silent must not wait behind somebody's tool.
            if not self._llm.has_own_work:
                await push()
                return
            task = asyncio.create_task(push(), name="consultation after a tool")
            self._later.add(task)
            task.add_done_callback(self._later.discard)

        self._queue(step)

    async def _leave(self, reason: str) -> None:
        """Hang up at the carrier, then close the line whether that worked or not."""
        with contextlib.suppress(TimeoutError, VoicewardenError):
            async with asyncio.timeout(self._settings.hang_up_deadline_ms / 1000):
                await self._hang_up(reason)
        self._end()

    def _queue(self, step: Callable[[], Awaitable[None]]) -> None:
        """Queue a step. A voice that is a thousand steps behind is broken: the line is closed, which the runtime sees
        as a lost call.
        """
        try:
            self._steps.put_nowait(step)
        except asyncio.QueueFull:
            while not self._steps.empty():
                self._steps.get_nowait()
            self._end()


def _generation_of(speak: Speak) -> int | None:
    """The generation that a sentence of the model came from: its id is `m<generation>.<number>`."""
    if speak.purpose != "model" or not speak.sentence.startswith("m"):
        return None
    number = speak.sentence[1:].partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else None

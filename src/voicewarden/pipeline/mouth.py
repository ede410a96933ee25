"""The speaking processor: cuts the model's text into sentences for the kernel, and says what the kernel releases.

In: text frames of the gated model, orders of the voice. Out: `SentenceProposed`; sentence frames to the speech
service; an interruption on an order to be silent. It runs in the task of whoever pushes a frame, so that the kernel
hears of a sentence before it hears of the tool call behind it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from pipecat.frames.frames import (
    Frame,
    FunctionCallResultFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicewarden.model.arguments import clean_text
from voicewarden.model.event import SentenceProposed
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.conversation import Conversation
from voicewarden.pipeline.frames import SentenceFrame, TextSettledFrame
from voicewarden.pipeline.generation import Generation, Generations


class Cutting(Protocol):
    """Cuts a stream of text into sentences (`reading.sentence.Cutter`)."""

    def feed(self, text: str) -> tuple[str, ...]:
        """Sentences that this text completes."""
        ...

    def flush(self) -> tuple[str, ...]:
        """What is left."""
        ...


class Mouth(FrameProcessor):
    """Speaks for the agent, and only what was released."""

    def __init__(
        self,
        sink: EventSink,
        generations: Generations,
        conversation: Conversation,
        new_cutter: Callable[[], Cutting],
    ) -> None:
        super().__init__(enable_direct_mode=True)
        self._sink = sink
        self._generations = generations
        self._conversation = conversation
        self._new_cutter = new_cutter
        self._cutter = new_cutter()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Keep the model's text here, pass everything else."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
        elif isinstance(frame, LLMTextFrame):
            self._propose(self._cutter.feed(clean_text(frame.text)))
        elif isinstance(frame, TextSettledFrame):
            self._settle()
        elif isinstance(frame, LLMFullResponseStartFrame):
            self._cutter = self._new_cutter()
        elif isinstance(frame, LLMFullResponseEndFrame):
            self._settle()
        else:
            if isinstance(frame, FunctionCallResultFrame):
                self._conversation.answer(frame.tool_call_id, _as_text(frame.result))
            await self.push_frame(frame, direction)

    async def say(self, frame: SentenceFrame) -> None:
        """Hand a released sentence to the speech service."""
        await self.push_frame(frame)

    async def be_silent(self) -> None:
        """Clear everything behind and in front: speech, sound, the carrier's buffer and the inference."""
        await self.broadcast_interruption()  # type: ignore[no-untyped-call]  # pipecat leaves its return type out

    def _settle(self) -> None:
        """Propose the tail of a generation that came to its own end; half a sentence is never proposed."""
        generation = self._generations.current
        left = self._cutter.flush()
        if generation is not None and generation.complete:
            self._propose(left)

    def _propose(self, sentences: tuple[str, ...]) -> None:
        generation = self._generations.current
        for text in sentences:
            # Checked each time, because the kernel may drop the generation within `post`.
            if generation is None or generation.is_void:
                return
            generation.sentences += 1
            self._sink.post(_proposal(generation, text))


def _proposal(generation: Generation, text: str) -> SentenceProposed:
    return SentenceProposed(
        at_ms=-1,
        sentence=f"m{generation.number}.{generation.sentences}",
        generation=generation.number,
        turn=generation.turn,
        text=text,
    )


# Any-typed by pipecat: whatever a tool's own handler returned.
def _as_text(result: object) -> str:
    return result if isinstance(result, str) else json.dumps(result, default=str, ensure_ascii=False)

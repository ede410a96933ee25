"""Generations: each inference of the language model, from the kernel's permission to the count of its tokens.

In: turns to answer and the kernel's answers. Out: `TokensReserved` before, `ModelFaltered`, `TokensSpent` and
`GenerationEnded` after each inference. Called by the gate, the token meter, the mouth and the voice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from voicewarden.model.event import GenerationEnded, ModelFaltered, TokensReserved, TokensSpent
from voicewarden.model.ports import EventSink

Fault = Literal["timeout", "stalled", "error", "invalid_arguments", "overlong"]

CHARS_A_TOKEN = 4
"""English text and JSON hold about four characters a token; used where the model reports no usage."""


@dataclass(slots=True)
class Call:
    """A tool call as it came out of the stream."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Generation:
    """One inference. `complete` says that the model came to its own end, so that its last words are whole."""

    number: int
    turn: int
    agent: str
    granted: int = 0
    chars: int = 0
    usage: int | None = None
    sentences: int = 0
    calls: dict[int, Call] = field(default_factory=dict)
    ended: bool = False
    """The stream came to an end by itself."""
    complete: bool = False
    dropped: bool = False
    fault: Fault | None = None
    waiting: asyncio.Timeout | None = None
    """The wait for the next piece of the stream, while there is one."""

    @property
    def is_void(self) -> bool:
        """Nothing more of it may be said or done."""
        return self.dropped or self.fault is not None

    @property
    def tokens(self) -> int:
        """Completion tokens produced, estimated where the model did not say."""
        return self.usage if self.usage is not None else -(-self.chars // CHARS_A_TOKEN)

    def drop(self) -> None:
        """End it now: whoever waits for the stream stops waiting."""
        self.dropped = True
        if self.waiting is not None:
            self.waiting.reschedule(asyncio.get_running_loop().time())


class Generations:
    """Numbers the generations of a call, asks for their tokens and settles them."""

    def __init__(self, sink: EventSink, *, tokens_wanted: int, answer_ms: int) -> None:
        self._sink = sink
        self._tokens_wanted = tokens_wanted
        self._answer_s = answer_ms / 1000
        self._count = 0
        self._running: dict[int, Generation] = {}
        self._answers: dict[int, asyncio.Future[int]] = {}
        self.current: Generation | None = None
        """The generation that speaks for the agent; out-of-band inferences never are."""

    def begin(self, turn: int, agent: str, *, speaks: bool = True) -> Generation:
        """Number a new generation."""
        self._count += 1
        generation = Generation(self._count, turn, agent)
        self._running[generation.number] = generation
        if speaks:
            self.current = generation
        return generation

    async def reserve(self, generation: Generation, *, at_most: int | None = None) -> bool:
        """Ask the kernel for tokens; false when it grants none or does not answer."""
        wanted = self._tokens_wanted if at_most is None else min(at_most, self._tokens_wanted)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[generation.number] = answer
        self._sink.post(TokensReserved(at_ms=-1, inference=generation.number, tokens=wanted))
        try:
            async with asyncio.timeout(self._answer_s):
                generation.granted = min(await answer, wanted)
        except TimeoutError:
            generation.granted = 0
        finally:
            del self._answers[generation.number]
        return generation.granted > 0 and not generation.dropped

    def answer(self, number: int, tokens: int) -> None:
        """Pass the kernel's answer on; one that comes too late is void."""
        answer = self._answers.get(number)
        if answer is not None and not answer.done():
            answer.set_result(tokens)

    def drop(self, number: int) -> None:
        """End the generation of this number, if it still runs."""
        if number in self._running:
            self._running[number].drop()

    def supersede(self, turn: int) -> None:
        """Another turn is to be answered: what still answers an older one would only make it wait."""
        for generation in tuple(self._running.values()):
            if generation is self.current and generation.turn != turn:
                generation.drop()

    def drop_all(self) -> None:
        """End everything that runs."""
        for generation in tuple(self._running.values()):
            generation.drop()

    def settle(self, generation: Generation) -> None:
        """Report how the generation ended; the kernel hears of it once."""
        if self._running.pop(generation.number, None) is None:
            return
        if generation.fault is not None and not generation.dropped:
            self._sink.post(ModelFaltered(at_ms=-1, generation=generation.number, what=generation.fault))
        self._sink.post(TokensSpent(at_ms=-1, inference=generation.number, tokens=generation.tokens))
        self._sink.post(GenerationEnded(at_ms=-1, generation=generation.number))

"""A voice without sound: sentences take the time that speaking them would, the model is asked in process.

In: directives of a call and the caller's lines. Out: the same events that the audio line posts. Used for text calls, in
tests and for golden calls; implements `model.ports.Voice`.
"""

import json
from collections.abc import Callable
from typing import Final

import msgspec
from pydantic import JsonValue

from voicewarden.config.tool_schema import tool_schemas
from voicewarden.kernel.release import Release
from voicewarden.model.action import Arguments
from voicewarden.model.arguments import plain_arguments
from voicewarden.model.directive import (
    AnswerInference,
    AnswerTool,
    ConsultModel,
    Directive,
    DropGeneration,
    Speak,
    StopSpeaking,
    SwitchAgent,
    TellModel,
)
from voicewarden.model.event import (
    ActionRequested,
    GenerationEnded,
    SentencePlayed,
    SentenceProposed,
    SentenceStarted,
    TokensReserved,
    TokensSpent,
)
from voicewarden.model.ports import EventSink
from voicewarden.pipeline.conversation import Conversation
from voicewarden.reading.sentence import split
from voicewarden.rehearsal.scripted_model.protocol import ChatRequest
from voicewarden.rehearsal.scripted_model.reply import Reply
from voicewarden.rehearsal.virtual_time import VirtualTime

_MS_PER_CHARACTER: Final = 60
_FIRST_SOUND_MS: Final = 120
_MODEL_MS: Final = 200
_WANTED_TOKENS: Final = 160

Answerer = Callable[[ChatRequest], Reply]
"""Whoever answers chat requests: the scripted model, in process."""


class TextVoice:
    """Speaks and thinks for one text call."""

    def __init__(
        self, sink: EventSink, time: VirtualTime, release: Release, agent: str, model: Answerer, *, rogue: bool = False
    ) -> None:
        self._sink = sink
        self._time = time
        self._release = release
        self._agent = agent
        self._model = model
        self._model_name = "scripted/rogue" if rogue else f"scripted/{agent}"
        self._conversation = Conversation()
        self._queue: list[Speak] = []
        self._started: dict[str, int] = {}
        self._generation = 0
        self._dropped = 0
        self._turn = 0
        self.said: list[str] = []
        """What was wholly played, in order."""

    @property
    def is_silent(self) -> bool:
        """Nothing is being said."""
        return not self._queue

    def carry_out(self, directive: Directive) -> None:
        """Do what the kernel says; sound and thought take virtual time."""
        match directive:
            case Speak():
                self._queue.append(directive)
                self._conversation.say(directive.sentence, directive.text, None)
                if len(self._queue) == 1:
                    self._start()
            case StopSpeaking():
                self._cut()
            case DropGeneration(generation=generation):
                self._dropped = max(self._dropped, generation)
            case ConsultModel(turn=turn, heard=heard, unsure=unsure):
                self._turn = turn
                self._conversation.hear(heard, unsure=unsure)
                self._generation += 1
                generation = self._generation
                self._sink.post(TokensReserved(at_ms=-1, inference=generation, tokens=_WANTED_TOKENS))
            case AnswerInference(inference=inference, tokens=tokens) if tokens > 0:
                self._time.after(_MODEL_MS, lambda: self._think(inference, tokens))
            case AnswerTool():
                self._conversation.answer(directive.request, answer_text(directive))
            case TellModel():
                self._conversation.tell(answer_text(directive))
            case SwitchAgent(agent=agent):
                self._agent = agent
            case _:
                pass

    def _start(self) -> None:
        speech = self._queue[0]
        self._time.after(_FIRST_SOUND_MS, lambda: self._begin(speech))

    def _begin(self, speech: Speak) -> None:
        if not self._queue or self._queue[0] is not speech:
            return
        self._started[speech.sentence] = self._time.now_ms()
        self._sink.post(SentenceStarted(at_ms=-1, sentence=speech.sentence))
        self._time.after(len(speech.text) * _MS_PER_CHARACTER, lambda: self._end(speech))

    def _end(self, speech: Speak) -> None:
        if not self._queue or self._queue[0] is not speech:
            return
        self._queue.pop(0)
        self.said.append(speech.text)
        if self._queue:
            self._start()
        played_ms = self._time.now_ms() - self._started[speech.sentence]
        self._sink.post(SentencePlayed(at_ms=-1, sentence=speech.sentence, played_ms=played_ms, whole=True))

    def _cut(self) -> None:
        queue, self._queue = self._queue, []
        for speech in queue:
            began = self._started.get(speech.sentence)
            played_ms = 0 if began is None else self._time.now_ms() - began
            whole_ms = max(1, len(speech.text) * _MS_PER_CHARACTER)
            self._conversation.played(speech.sentence, min(999, played_ms * 1000 // whole_ms))
            self._sink.post(SentencePlayed(at_ms=-1, sentence=speech.sentence, played_ms=played_ms, whole=False))

    def _think(self, generation: int, tokens: int) -> None:
        if generation <= self._dropped:
            self._sink.post(TokensSpent(at_ms=-1, inference=generation, tokens=0))
            return
        reply = self._model(self._request(tokens))
        turn = self._turn
        for index, text in enumerate(split(reply.text)):
            if generation <= self._dropped:
                break
            sentence = f"m{generation}.{index + 1}"
            self._sink.post(
                SentenceProposed(at_ms=-1, sentence=sentence, generation=generation, turn=turn, text=text)
            )
        self._call_tools(generation, turn, reply)
        self._sink.post(TokensSpent(at_ms=-1, inference=generation, tokens=min(reply.tokens, tokens)))
        self._sink.post(GenerationEnded(at_ms=-1, generation=generation))

    def _call_tools(self, generation: int, turn: int, reply: Reply) -> None:
        calls = tuple((f"call{generation}.{i}", call.name, call.arguments) for i, call in enumerate(reply.calls))
        if not calls:
            return
        self._conversation.ask(generation, calls)
        actions = {tool.name: tool.action for tool in self._release.agents[self._agent].tools}
        for request, name, arguments in calls:
            self._sink.post(
                ActionRequested(
                    at_ms=-1, request=request, action=actions.get(name, name), args=_arguments(arguments),
                    principal=self._agent, turn=turn,
                )
            )  # fmt: skip

    def _request(self, tokens: int) -> ChatRequest:
        agent = self._release.agents[self._agent]
        system: dict[str, JsonValue] = {"role": "system", "content": agent.prompt}
        return ChatRequest(
            model=self._model_name,
            messages=[system, *self._conversation.messages()],
            tools=[tool.as_openai() for tool in tool_schemas(self._release, self._agent)],
            max_completion_tokens=tokens,
        )

    async def close(self) -> None:
        """Nothing is held."""


def _arguments(text: str) -> Arguments:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {"unreadable": True}
    plain = plain_arguments(found)
    return {"unreadable": True} if plain is None else plain


def answer_text(directive: AnswerTool | TellModel) -> str:
    """A tool's answer or an outcome as JSON for the model."""
    reasons = [f"{r.fact} must be: {r.needed} (found: {r.found})" for r in directive.reasons if r.verdict != "allow"]
    body: dict[str, object] = {"action": directive.action, "status": directive.status, "reasons": reasons}
    if directive.result:
        body["result"] = directive.result
    if isinstance(directive, AnswerTool) and directive.offer:
        body["offer"] = directive.offer
    return msgspec.json.encode(body).decode()

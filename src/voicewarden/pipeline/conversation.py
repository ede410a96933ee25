"""What the language model is told about the call: written from what was really heard, said and done.

In: the caller's turns, released sentences and how much of each was played, tool calls and their answers, outcomes.
Out: chat messages. Called by the voice, the gate and the playout. The model's own text never gets in here by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from voicewarden.model.directive import AnswerTool, TellModel

OUTCOME_MARK: Final = "[outcome] "
UNSURE_NOTE: Final = "The caller's last words were not heard clearly; some of them may be wrong."
NOT_RUN: Final = '{"status":"not_run"}'
LONGEST: Final = 400
"""Entries kept; the oldest go first."""

# Any: chat messages are the provider's JSON.
Message = dict[str, Any]


@dataclass(slots=True)
class Heard:
    """A turn of the caller."""

    text: str
    unsure: bool


@dataclass(slots=True)
class Said:
    """A released sentence: what is written of it shrinks to what was played, once that is known."""

    sentence: str
    generation: int | None
    text: str


@dataclass(slots=True)
class Asked:
    """The tool calls of one generation as (id, name, arguments JSON), and the answers that came by now."""

    generation: int
    calls: tuple[tuple[str, str, str], ...]
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Note:
    """An outcome that no tool call waits for."""

    text: str


Entry = Heard | Said | Asked | Note


class Conversation:
    """The entries of one call, in the order in which they belong."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def hear(self, text: str, *, unsure: bool) -> None:
        """Write a turn of the caller; an empty one is none."""
        if text:
            self._add(Heard(text, unsure))

    def say(self, sentence: str, text: str, generation: int | None) -> None:
        """Write a sentence when it is released; a generation's sentences stand before its tool calls."""
        said = Said(sentence, generation, text)
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            if generation is not None and isinstance(entry, Asked) and entry.generation == generation:
                self._entries.insert(index, said)
                return
        self._add(said)

    def played(self, sentence: str, share_permille: int) -> None:
        """Keep of a sentence what was heard of it: all, its first words and an ellipsis, or nothing."""
        for entry in reversed(self._entries):
            if isinstance(entry, Said) and entry.sentence == sentence:
                entry.text = heard_part(entry.text, share_permille)
                return

    def ask(self, generation: int, calls: Iterable[tuple[str, str, str]]) -> None:
        """Write the tool calls of a generation."""
        self._add(Asked(generation, tuple(calls)))

    def answer(self, request: str, content: str) -> bool:
        """Write the answer to a tool call, in the place of an earlier one; false when nobody asked."""
        for entry in reversed(self._entries):
            if isinstance(entry, Asked) and any(call[0] == request for call in entry.calls):
                entry.answers[request] = content
                return True
        return False

    def tell(self, content: str) -> None:
        """Write an outcome."""
        self._add(Note(OUTCOME_MARK + content))

    def messages(self) -> list[Message]:
        """All of it as chat messages, without the system prompt."""
        messages: list[Message] = []
        for entry in self._entries:
            match entry:
                case Heard():
                    messages.append({"role": "user", "content": entry.text})
                    if entry.unsure:
                        messages.append({"role": "developer", "content": UNSURE_NOTE})
                case Said():
                    _add_speech(messages, entry.text)
                case Asked():
                    messages.extend(_exchange(entry))
                case Note():
                    messages.append({"role": "user", "content": entry.text})
        return messages

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        if len(self._entries) > LONGEST:
            del self._entries[0]


def heard_part(text: str, share_permille: int) -> str:
    """The words that fit into the share of a sentence that was played, with an ellipsis where some are missing."""
    if share_permille >= 1000:
        return text
    words = text.split()
    kept = words[: len(words) * share_permille // 1000]
    return " ".join(kept) + "..." if kept else ""


def _add_speech(messages: list[Message], text: str) -> None:
    """Join what the agent said between two turns into one message."""
    if not text:
        return
    last = messages[-1] if messages else None
    if last is not None and last["role"] == "assistant" and "tool_calls" not in last:
        last["content"] += f" {text}"
    else:
        messages.append({"role": "assistant", "content": text})


def _exchange(asked: Asked) -> list[Message]:
    """Tool calls and one answer for each, because servers refuse a call without one."""
    calls = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in asked.calls
    ]
    answers: list[Message] = [
        {"role": "tool", "tool_call_id": id_, "content": asked.answers.get(id_, NOT_RUN)} for id_, _, _ in asked.calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": calls}, *answers]


def tool_content(answer: AnswerTool) -> str:
    """What the model reads as the result of its call."""
    return _content(answer, {"offer": answer.offer} if answer.offer else {})


def outcome_content(outcome: TellModel) -> str:
    """What the model reads about something that ended later."""
    return _content(outcome, {"action": outcome.action})


def _content(about: AnswerTool | TellModel, more: dict[str, str]) -> str:
    body: dict[str, Any] = {"status": about.status, **more}
    if about.reasons:
        body["reasons"] = [
            {"rule": reason.rule, "fact": reason.fact, "needed": reason.needed, "found": reason.found}
            for reason in about.reasons
            if reason.verdict != "allow"
        ]
    if about.result:
        body["result"] = about.result
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

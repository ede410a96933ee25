"""What the scripted model is about to send, and how many tokens that is.

In come sentences and tool calls, out goes a `Reply` cut to the request's token limit. `choosing` makes it, `protocol`
puts it on the wire.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from voicewarden.rehearsal.scripted_model.pace import Fault

CHARS_PER_TOKEN = 4


def tokens_of(chars: int) -> int:
    """Count tokens as a quarter of the characters, rounded up: the common rule of thumb for English."""
    return -(-chars // CHARS_PER_TOKEN)


@dataclass(frozen=True)
class ToolCall:
    """A tool and its arguments as text, which a rogue's need not be JSON."""

    name: str
    arguments: str


@dataclass(frozen=True)
class Reply:
    """One answer: text, then tool calls."""

    rule: str
    """`agent/rule`, for whoever wonders why this was said."""
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    fault: Fault | None = None
    obeys_limits: bool = True
    is_cut_short: bool = False

    @property
    def finish_reason(self) -> str:
        """Name the protocol's reason for the end."""
        if self.is_cut_short:
            return "length"
        return "tool_calls" if self.calls else "stop"

    @property
    def tokens(self) -> int:
        """Count the completion tokens of all that is sent."""
        return tokens_of(len(self.text) + sum(len(call.name) + len(call.arguments) for call in self.calls))

    def limited(self, max_tokens: int | None) -> "Reply":
        """Keep to the request's limit, if this model does so at all; tool calls beyond it are lost."""
        if max_tokens is None or not self.obeys_limits or self.tokens <= max_tokens:
            return self
        return replace(self, text=self.text[: max_tokens * CHARS_PER_TOKEN], calls=(), is_cut_short=True)

    def with_fault(self, fault: Fault) -> "Reply":
        """Let this go wrong on the way."""
        return replace(self, fault=fault)

    def with_broken_arguments(self) -> "Reply":
        """Stop the arguments of every tool call half-way."""
        calls = tuple(replace(call, arguments=call.arguments[: len(call.arguments) // 2 or 1]) for call in self.calls)
        return replace(self, calls=calls)


def pieces(text: str, longest: int = 12) -> Iterable[str]:
    """Cut text into pieces as a tokenizer would send them: about a word each, nothing lost."""
    for word in re.findall(r"\s*\S+\s*$|\s*\S+|\s+", text):
        for start in range(0, len(word), longest):
            yield word[start : start + longest]


def rambling(sentences: list[str], tokens: int) -> str:
    """Repeat the sentences until so many tokens are reached."""
    once = " ".join(sentences)
    wanted = tokens * CHARS_PER_TOKEN
    return " ".join([once] * (wanted // (len(once) + 1) + 1))

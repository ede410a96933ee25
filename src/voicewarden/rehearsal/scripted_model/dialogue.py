"""A dialogue file: what an agent of the scripted model says, and on what.

In comes the data of `agents/<agent>/dialogue.yaml` (or `rogue.yaml`), out goes a `Dialogue` of the right shape.
`loading` validates the files with it, `choosing` tries its rules in their order.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from voicewarden.config.validation import Document
from voicewarden.rehearsal.scripted_model.pace import Fault

Status = Literal[
    "done", "denied", "awaiting_confirmation", "refused", "failed", "unknown", "not_permitted", "escalated",
    "in_progress", "cancelled",
]  # fmt: skip


def _several(value: object) -> object:
    """Let one entry stand for a list of it."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, tuple) else (value,)


Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]
Statuses = Annotated[tuple[Status, ...], BeforeValidator(_several)]


class TurnRange(Document):
    """Which of the caller's turns, counted from 1."""

    at_least: int = Field(default=1, ge=1)
    at_most: int = Field(default=1_000_000, ge=1)


class AfterTool(Document):
    """The newest message is a tool's result or an `[outcome]`; what is left empty matches anything."""

    name: Texts = ()
    """Names of tools, or of the actions behind them."""
    status: Statuses = ()
    reason: Texts = ()
    """Phrases to find in the reasons."""
    offer: Texts = ()
    """Actions that the refusal offers instead."""


class When(Document):
    """Conditions of a rule; all of them have to hold. In `heard` and its like, any one entry is enough."""

    heard: Texts = ()
    """Phrases in the caller's newest turn; named groups of a `/regex/` become placeholders."""
    not_heard: Texts = ()
    choice: Texts = ()
    """Choices that the caller's newest turn makes; each becomes a placeholder."""
    known: Texts = ()
    """Choices that any of the caller's turns made; the newest counts."""
    asked: Texts = ()
    """Phrases in the agent's newest words (the configured opening line and the kernel's lines are such words too)."""
    last_said: Texts = ()
    """Rules, one of which spoke the agent's newest words."""
    said: Texts = ()
    not_said: Texts = ()
    called: Texts = ()
    not_called: Texts = ()
    done: Texts = ()
    """Tools or actions that came to an end with status `done` earlier in the conversation."""
    not_done: Texts = ()
    turn: TurnRange | None = None
    after_tool: AfterTool | None = None
    """Without it a rule answers the caller; with it, a tool."""


class Call(Document):
    """A tool call to make."""

    tool: str = Field(min_length=1)
    args: dict[str, JsonValue] = Field(default_factory=dict)
    raw_args: str | None = None
    """Text to send in place of the arguments, well-formed or not; rogues only."""


Calls = Annotated[tuple[Call, ...], BeforeValidator(_several)]


class Answer(Document):
    """What the model answers with: sentences, tool calls, both, or deliberately nothing."""

    say: Texts = ()
    call: Calls = ()
    silent: bool = False
    ramble_tokens: int = Field(default=0, ge=0, le=20_000)
    """Repeat the sentences until so many tokens were said; rogues only."""
    fault: Annotated[Fault | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _has_content(self) -> "Answer":
        if self.silent == bool(self.say or self.call or self.fault):
            raise ValueError("has to say, call or fail, or else to be `silent: true`, and not both")
        return self


class Rule(Answer):
    """An answer and the conditions under which it is given."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    when: When = When()


class Otherwise(Document):
    """The answers for whatever no rule fits."""

    caller: Answer
    tool: Answer


class Dialogue(Document):
    """One agent's script."""

    agent: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    about: str = Field(min_length=1)
    rogue: bool = False
    """A rogue may call tools that are not advertised, send broken arguments and ignore the token limit."""
    phrases: dict[str, Texts] = Field(default_factory=dict)
    """Lists of phrases, used as `@name`."""
    choices: dict[str, dict[str, Texts]] = Field(default_factory=dict)
    """Values and the phrases that mean them; a choice is a placeholder."""
    rules: list[Rule] = Field(min_length=1)
    otherwise: Otherwise

    def expand(self, phrases: Iterable[str]) -> Iterator[str]:
        """Replace each `@name` by the phrases of that list."""
        for phrase in phrases:
            if phrase.startswith("@"):
                yield from self.phrases.get(phrase[1:], ())
            else:
                yield phrase

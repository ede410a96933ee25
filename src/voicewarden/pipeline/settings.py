"""The numbers of the media line, and what a call is built from.

In: made by `telephony` from the configuration, or by a test. Out: read by every processor of the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voicewarden.sensors.segments import Rhythm


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Where the language model is and how long it may take; the deadlines count from the request."""

    base_url: str
    model: str
    api_key: str = "unused"
    token_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Older servers only know `max_tokens`."""
    knows_developer_role: bool = True
    tokens_wanted: int = 200
    """Completion tokens that one inference asks the kernel for."""
    answer_ms: int = 1_000
    """How long the kernel may take to answer a reservation; after it the inference is not made."""
    first_token_ms: int = 4_000
    first_sentence_ms: int = 6_000
    idle_ms: int = 2_500
    """Longest pause within a stream."""
    whole_ms: int = 20_000
    """Longest stream."""
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings(Rhythm):
    """How the line listens and speaks."""

    pause_ms: int = 500
    """Silence that ends the caller's turn, counted from the end of speech, until `ListenFor` says otherwise."""
    transcript_deadline_ms: int = 4_000
    lead_ms: int = 200
    """How far sent audio may run ahead of what plays."""
    mark_margin_ms: int = 2_000
    """How much later than expected a mark may come back before its sentence counts as not heard."""
    render_deadline_ms: int = 6_000
    hang_up_deadline_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class AgentVoice:
    """One agent role as the model sees it."""

    prompt: str
    tools: tuple[ToolShape, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolShape:
    """A tool: the action it asks for and its JSON Schema."""

    name: str
    action: str
    about: str
    # Any: JSON Schema fragments are handed through to the model as they are.
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()

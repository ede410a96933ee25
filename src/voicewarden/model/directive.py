"""Directives: what the loop must do now. The kernel returns them, the runtime hands them to the voice, the timers and
the effectors, and what comes of them returns as events.
"""

from typing import Literal

import msgspec

from voicewarden.model.action import AnswererVerdict, Value
from voicewarden.model.decision import Reason

ToolStatus = Literal["done", "denied", "awaiting_confirmation", "refused", "failed", "unknown", "escalated"]
Purpose = Literal["must_say", "line", "question", "model", "safe", "goodbye", "voicemail"]


class DirectiveBase(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="directive", tag=True, kw_only=True,
    omit_defaults=True, gc=False,
):  # fmt: skip
    """What every directive has: nothing but its kind."""


class Speak(DirectiveBase, frozen=True, kw_only=True):
    """Say this sentence after what is already queued."""

    sentence: str
    text: str
    purpose: Purpose
    line: str = ""
    """Name of the approved line it comes from, empty for the model's own words."""


class StopSpeaking(DirectiveBase, frozen=True, kw_only=True):
    """Be silent at once and forget what is queued (class 0: never waits, never denied)."""


class DropGeneration(DirectiveBase, frozen=True, kw_only=True):
    """Let the model say nothing more in this generation."""

    generation: int


class ConsultModel(DirectiveBase, frozen=True, kw_only=True):
    """Hand the floor to the language model. An empty `heard` says: go on after a tool's answer."""

    turn: int
    heard: str
    unsure: bool = False
    """The transcriber was not sure of the words."""


class AnswerInference(DirectiveBase, frozen=True, kw_only=True):
    """Answer to `TokensReserved`: how many completion tokens the inference may produce; 0 denies it."""

    inference: int
    tokens: int


class ListenFor(DirectiveBase, frozen=True, kw_only=True):
    """How long a pause ends the caller's turn from now on (longer while a number or a name is asked)."""

    pause_ms: int


class Weighed(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One piece of evidence of who answered: above zero its weight speaks for a machine, below for a person."""

    what: str
    value: int
    weight: int
    at_ms: int


class TreatAs(DirectiveBase, frozen=True, kw_only=True):
    """Whoever answered is to be taken for this from now on, on this evidence; with `until_ms` not beyond then."""

    answerer: AnswererVerdict
    score: int
    evidence: tuple[Weighed, ...]
    weights: str
    """Version of the table that it was weighed with."""
    until_ms: int | None = None
    """When the next deadline falls due: of a message, of a screening, of the last revision."""


class TellModel(DirectiveBase, frozen=True, kw_only=True):
    """Put an outcome into the model's context without letting it speak yet."""

    action: str
    status: str
    reasons: tuple[Reason, ...] = ()
    result: dict[str, Value] = {}


class AnswerTool(DirectiveBase, frozen=True, kw_only=True):
    """The result of a tool call."""

    request: str
    action: str
    status: ToolStatus
    reasons: tuple[Reason, ...] = ()
    offer: str | None = None
    result: dict[str, Value] = {}


class StartTimer(DirectiveBase, frozen=True, kw_only=True):
    """Send `TimerFired` at `due_ms`; a timer of the same name is replaced."""

    timer: str
    due_ms: int


class CancelTimer(DirectiveBase, frozen=True, kw_only=True):
    """Forget the timer."""

    timer: str


class SpendGrant(DirectiveBase, frozen=True, kw_only=True):
    """Hand the grant to its effector."""

    grant: str


class SwitchAgent(DirectiveBase, frozen=True, kw_only=True):
    """Another agent role speaks from here on; the facts stay, no authority travels."""

    agent: str


class StartRecording(DirectiveBase, frozen=True, kw_only=True):
    """From now on audio frames may be stored."""


class StopRecording(DirectiveBase, frozen=True, kw_only=True):
    """The caller objects: store no further frame."""


class HangUp(DirectiveBase, frozen=True, kw_only=True):
    """End the call (class 0)."""

    reason: str


Directive = (
    Speak | StopSpeaking | DropGeneration | ConsultModel | AnswerInference | ListenFor | TreatAs | TellModel
    | AnswerTool | StartTimer | CancelTimer | SpendGrant | SwitchAgent | StartRecording | StopRecording
    | HangUp
)  # fmt: skip

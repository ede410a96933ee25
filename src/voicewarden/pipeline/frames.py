"""The line's own frames: what travels between its processors beside pipecat's."""

from __future__ import annotations

from dataclasses import dataclass

from pipecat.frames.frames import (
    ControlFrame,
    LLMContextFrame,
    OutputTransportMessageFrame,
    SystemFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)


@dataclass
class ConsultFrame(LLMContextFrame):
    """The one frame that starts an inference of the conversation: the kernel gave the floor for `turn` in `epoch`."""

    turn: int = 0
    epoch: int = 0
    number: int = 0
    """Counts the consultations: a later one makes an earlier one that has not begun void."""


@dataclass
class TextSettledFrame(ControlFrame):
    """All text of the generation that comes before its tool calls was pushed: propose what is left of it."""


@dataclass
class SentenceFrame(TTSSpeakFrame):
    """A sentence that the kernel released; void once the epoch has passed."""

    sentence: str = ""
    epoch: int = 0
    first: bool = False
    """Nothing else is being spoken, so the caller waits for this one."""


@dataclass
class SpeechFrame(TTSAudioRawFrame):
    """Sound of a released sentence."""

    epoch: int = 0


@dataclass
class MarkFrame(OutputTransportMessageFrame):
    """A mark between the sounds, echoed by the carrier when it plays."""

    epoch: int = 0


@dataclass
class MarkEchoed(SystemFrame):
    """The carrier played everything up to this mark, or dropped it on `clear`."""

    mark: str = ""


@dataclass
class StreamStopped(SystemFrame):
    """The carrier said that the stream is over."""

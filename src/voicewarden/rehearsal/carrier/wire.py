"""The Media Streams protocol as text: builds what Twilio sends, reads what an agent may send.

Called by the media stream. Numbers travel as strings and each message after `connected` carries its own
sequence number, as Twilio documents for `<Connect><Stream>`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from voicewarden.rehearsal.carrier.frame import SAMPLE_RATE_HZ


class WireError(ValueError):
    """An agent's message that Twilio would reject, with what was expected."""


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Audio to be queued."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class AgentMark:
    """A mark to be echoed when the audio before it has played."""

    name: str


@dataclass(frozen=True, slots=True)
class AgentClear:
    """The order to drop all queued audio."""


AgentMessage = AgentAudio | AgentMark | AgentClear


@dataclass(slots=True)
class StreamMessages:
    """Builds the messages of one stream, numbered in the order in which they are built."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    _sequence: int = 0
    _chunk: int = 0

    def connected(self) -> str:
        """Return the first message on every socket."""
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        """Return the description of the stream, sent once."""
        body = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": SAMPLE_RATE_HZ, "channels": 1},
            "customParameters": dict(self.parameters),
        }
        return self._message("start", body)

    def media(self, payload: bytes, timestamp_ms: int) -> str:
        """Return one frame of caller audio, `timestamp_ms` after the start of the stream."""
        self._chunk += 1
        body = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str(timestamp_ms),
            "payload": base64.b64encode(payload).decode("ascii"),
        }
        return self._message("media", body)

    def dtmf(self, digit: str) -> str:
        """Return one pressed key."""
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def mark(self, name: str) -> str:
        """Return the echo of an agent's mark."""
        return self._message("mark", {"name": name})

    def stop(self) -> str:
        """Return the last message of a stream that the carrier ends."""
        return self._message("stop", {"accountSid": self.account_sid, "callSid": self.call_sid})

    def _message(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        return json.dumps(
            {"event": event, "sequenceNumber": str(self._sequence), event: body, "streamSid": self.stream_sid}
        )


def read_agent_message(raw: str | bytes, stream_sid: str) -> AgentMessage:
    """Parse one message of an agent; raises WireError for what Twilio would refuse."""
    try:
        message = json.loads(raw)
    except ValueError:
        raise WireError("the message is not JSON; send one JSON object a text frame") from None
    if not isinstance(message, dict):
        raise WireError("the message is not a JSON object; send an object with the field 'event'")
    if message.get("streamSid") != stream_sid:
        raise WireError("'streamSid' is missing or names another stream; copy it from the 'start' message")
    match message.get("event"):
        case "media":
            return AgentAudio(_payload(message))
        case "mark":
            return AgentMark(_text(message, "mark", "name"))
        case "clear":
            return AgentClear()
        case other:
            raise WireError(f"event {other!r} is unknown; an agent may send media, mark and clear")


def _text(message: dict[str, object], part: str, name: str) -> str:
    body = message.get(part)
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value:
        raise WireError(f"'{part}.{name}' is missing; it must be a text that is not empty")
    return value


def _payload(message: dict[str, object]) -> bytes:
    try:
        return base64.b64decode(_text(message, "media", "payload"), validate=True)
    except binascii.Error:
        raise WireError("'media.payload' is not base64; send mu-law bytes at 8 kHz as base64") from None

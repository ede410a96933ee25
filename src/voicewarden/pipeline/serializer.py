"""Twilio's Media Streams messages and pipecat's frames, without credentials and without trust.

In: text frames of the carrier's WebSocket. Out: audio, key, mark and stop frames; a bad message is counted and
dropped, because an exception here would end the call (pipecat leaves its receive loop). Called by the transport of
`line`.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.frames.frames import Frame, InputAudioRawFrame, InputDTMFFrame
from pipecat.serializers.twilio import TwilioFrameSerializer

from voicewarden.pipeline.frames import MarkEchoed, StreamStopped
from voicewarden.sensors import mulaw

RATE_HZ: Final = 8_000
CHUNK_MS: Final = 60
"""Sound in one message to the carrier: fewer, larger ones leave a busy loop more room before a sentence breaks off."""
MEDIA_MS: Final = "media_ms"
"""Key of a frame's metadata: where the carrier says that the frame begins, in milliseconds since the stream began."""

_LONGEST_PAYLOAD_BYTES: Final = RATE_HZ
"""One second; carriers send 20 ms."""


class PhoneSerializer(TwilioFrameSerializer):
    """Reads everything the carrier sends and can end or move no call: it holds no credentials."""

    def __init__(self, stream_sid: str) -> None:
        super().__init__(stream_sid, params=TwilioFrameSerializer.InputParams(auto_hang_up=False))
        self.stream_sid = stream_sid
        self.bad_messages = 0
        self.late_frames = 0
        self._last_chunk = 0

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """Turn one message into a frame, or None; never raises."""
        try:
            return self._read(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
            self.bad_messages += 1
            return None

    # Any: the message is the carrier's JSON; whatever does not fit raises and is counted.
    def _read(self, message: dict[str, Any]) -> Frame | None:
        match message["event"]:
            case "media":
                return self._audio(message["media"])
            case "mark":
                return MarkEchoed(mark=str(message["mark"]["name"]))
            case "dtmf":
                return InputDTMFFrame(KeypadEntry(message["dtmf"]["digit"]))
            case "stop":
                return StreamStopped()
            case _:
                return None

    def _audio(self, media: dict[str, Any]) -> Frame | None:
        """A sound frame, unless it comes a second time or after a later one."""
        if media.get("track", "inbound") not in ("inbound", "inbound_track"):
            return None
        chunk = int(media["chunk"]) if "chunk" in media else self._last_chunk + 1
        if chunk <= self._last_chunk:
            self.late_frames += 1
            return None
        payload = base64.b64decode(media["payload"], validate=True)
        if not 0 < len(payload) <= _LONGEST_PAYLOAD_BYTES:
            raise ValueError("a media payload must hold up to a second of mu-law audio")
        self._last_chunk = chunk
        frame = InputAudioRawFrame(audio=mulaw.decode(payload).tobytes(), sample_rate=RATE_HZ, num_channels=1)
        if "timestamp" in media:
            frame.metadata[MEDIA_MS] = int(media["timestamp"])
        return frame

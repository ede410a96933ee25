"""One media stream: the WebSocket from the carrier to the agent, speaking Twilio's Media Streams protocol.

Comes in: caller frames and keys from the audio path, media, marks and clears from the agent. Goes out: protocol
messages to the agent, playout frames to the audio path. Made by the interpreter for `<Connect><Stream>`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from voicewarden.rehearsal.carrier import wire
from voicewarden.rehearsal.carrier.call import SimulatedCall, new_sid
from voicewarden.rehearsal.carrier.frame import FRAME_MS
from voicewarden.rehearsal.carrier.playout import Playout
from voicewarden.rehearsal.carrier.twiml import Connect

OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
OUTGOING_LIMIT: Final = 500
"""Ten seconds of frames; an agent that reads nothing for so long loses frames, as it would on the network."""


class StreamRefused(Exception):
    """The agent did not accept the WebSocket (Twilio error 31920)."""


class MediaStream:
    """A stream from the handshake to the close."""

    def __init__(self, call: SimulatedCall, connect_verb: Connect, auth_token: str) -> None:
        self.sid = new_sid("MZ")
        self._call = call
        self._url = connect_verb.stream_url
        self._auth_token = auth_token
        self._messages = wire.StreamMessages(self.sid, call.sid, call.account_sid, connect_verb.parameters)
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(OUTGOING_LIMIT)
        self._socket: ClientConnection | None = None
        self._writer: asyncio.Task[None] | None = None
        self._first_frame_ms: int | None = None
        self._media_ms: int = 0
        self._warned: set[str] = set()
        self.playout = Playout()

    async def open(self) -> None:
        """Shake hands, signed over the URL alone, and send `connected` and `start`; raises StreamRefused."""
        signature = RequestValidator(self._auth_token).compute_signature(self._url, {})
        try:
            self._socket = await connect(
                self._url,
                additional_headers={"X-Twilio-Signature": signature},
                user_agent_header="TwilioProxy/1.1",
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                proxy=None,
                compression=None,
                # A peer that is busy for long is a fault to be seen in the recording, not a reason to cut the call.
                ping_interval=None,
                max_size=None,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise StreamRefused(f"31920: the stream's WebSocket was not accepted ({error})") from error
        self._call.note("stream_opened", stream_sid=self.sid)
        self._send(self._messages.connected())
        self._send(self._messages.start())
        self._writer = asyncio.create_task(self._write(self._socket))

    async def read(self) -> None:
        """Carry out the agent's messages until the agent closes the socket."""
        if self._socket is None:
            raise RuntimeError("the stream is not open; await open() first")
        with contextlib.suppress(ConnectionClosed):
            async for raw in self._socket:
                self._obey(raw)
        self._call.note("stream_closed_by_agent", code=self._socket.close_code)

    async def close(self) -> None:
        """End the stream from the carrier's side: `stop` is the last message, unless the agent has gone already."""
        self._call.holes.extend(self.playout.holes)
        self._call.lateness_ms.extend(self.playout.lateness_ms())
        if self._writer is None or self._socket is None:
            return
        self._send(self._messages.stop())
        with contextlib.suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._outgoing.join()
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._socket.close()
        self._call.note("stream_ended", stream_sid=self.sid)

    def send_frame(self, frame: bytes, captured_at_ms: int) -> None:
        """Send one frame of caller audio, captured at a moment of the recording's clock."""
        if self._first_frame_ms is None:
            self._first_frame_ms = captured_at_ms
        self._send(self._messages.media(frame, captured_at_ms - self._first_frame_ms))

    def press(self, digit: str) -> None:
        """Send one key press."""
        self._send(self._messages.dtmf(digit))

    def play(self, at_ms: int) -> bytes:
        """Echo the marks that are due at `at_ms` and return the frame that plays from then on."""
        self._media_ms = at_ms
        for name in self.playout.due_marks():
            self._echo(name, "played")
        return self.playout.next_frame(at_ms)

    def _obey(self, raw: str | bytes) -> None:
        try:
            message = wire.read_agent_message(raw, self.sid)
        except wire.WireError as error:
            self._call.fail(f"media stream: {error}")
            return
        match message:
            case wire.AgentAudio(payload):
                if not self.playout.queue(payload, self._arrival_ms()):
                    self._warn("31931: more than 10 minutes of audio are buffered; the rest is dropped")
            case wire.AgentMark(name):
                self.playout.mark(name)
            case wire.AgentClear():
                self._clear()

    def _clear(self) -> None:
        dropped_ms = self.playout.buffered_ms
        names = self.playout.clear()
        self._call.note("clear", wav_ms=self._media_ms + FRAME_MS, dropped_ms=dropped_ms, marks=names)
        for name in names:
            self._echo(name, "cleared")

    def _echo(self, name: str, why: str) -> None:
        self._call.note("mark", name=name, why=why, wav_ms=self._media_ms)
        self._send(self._messages.mark(name))

    def _arrival_ms(self) -> float:
        return self._call.clock.now_ms() - (self._call.answered_at_ms or 0)

    def _send(self, text: str) -> None:
        try:
            self._outgoing.put_nowait(text)
        except asyncio.QueueFull:
            self._warn("the agent has not read its socket for 10 s; messages were dropped")

    def _warn(self, message: str) -> None:
        # Once a stream: the same fault comes back with every frame.
        if message not in self._warned:
            self._warned.add(message)
            self._call.fail(message)

    async def _write(self, socket: ClientConnection) -> None:
        # Going on after the socket has closed keeps `join` in close() from waiting for messages nobody can take.
        while True:
            text = await self._outgoing.get()
            with contextlib.suppress(ConnectionClosed):
                await socket.send(text)
            self._outgoing.task_done()

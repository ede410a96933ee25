"""Stand-ins around the media line: carrier on a fake socket, agreeable kernel, transcriber, voice, model server."""

import asyncio
import base64
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from starlette.websockets import WebSocketState

from voicewarden.model.directive import AnswerInference, Directive, Speak
from voicewarden.model.error import SpeechFailed, TranscriberFailed
from voicewarden.model.event import Event, SentenceProposed, TokensReserved, Word
from voicewarden.sensors import mulaw
from voicewarden.sensors.transcriber import Transcript

E = TypeVar("E")
STREAM = "MZ1"
START = {"event": "start", "start": {"streamSid": STREAM, "callSid": "CA1", "customParameters": {}}}


class FakeSink:
    """Keeps the events of a call and may answer them like a kernel."""

    def __init__(self, answer: Callable[[Event], Iterable[Directive]] | None = None) -> None:
        self.events: list[Event] = []
        self.carry_out: Callable[[Directive], None] = lambda _: None
        self.clock_ms: int | None = None
        self._answer = answer or (lambda _: ())
        self._changed = asyncio.Event()
        self._began_s: float | None = None

    def now_ms(self) -> int:
        if self.clock_ms is not None:
            return self.clock_ms
        now_s = asyncio.get_running_loop().time()
        self._began_s = self._began_s if self._began_s is not None else now_s
        return round((now_s - self._began_s) * 1000)

    def post(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()
        for directive in self._answer(event):
            asyncio.get_running_loop().call_soon(self.carry_out, directive)

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> list[E]:
        """Wait until that many events of the kind are there."""
        async with asyncio.timeout(10):
            while len(found := self.of(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return found


def agreeable(event: Event) -> Iterable[Directive]:
    """A kernel that grants every token and releases every sentence."""
    match event:
        case TokensReserved():
            yield AnswerInference(inference=event.inference, tokens=event.tokens)
        case SentenceProposed():
            yield Speak(sentence=event.sentence, text=event.text, purpose="model")


class FakeSocket:
    """The side of a WebSocket that an ASGI server gives to an endpoint."""

    def __init__(self) -> None:
        self.client_state = WebSocketState.CONNECTED
        self.application_state = WebSocketState.CONNECTED
        self.headers: dict[str, str] = {}
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.on_sent: Callable[[dict[str, Any]], None] = lambda _: None
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        message = await self.incoming.get()
        if message["type"] == "websocket.disconnect":
            self.client_state = WebSocketState.DISCONNECTED
        return message

    async def send_text(self, text: str) -> None:
        message = json.loads(text)
        self.sent.append(message)
        self.on_sent(message)

    async def send_bytes(self, data: bytes) -> None:
        raise AssertionError("the carrier speaks text frames")

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.application_state = self.client_state = WebSocketState.DISCONNECTED
        await self.incoming.put({"type": "websocket.disconnect", "code": code})


class FakeCarrier:
    """Plays what the agent sends in real time, echoes marks when they play, sends what the caller says."""

    def __init__(self, socket: FakeSocket) -> None:
        self.socket = socket
        socket.on_sent = self._take
        self._queue: deque[bytes | str] = deque()
        self._speech: deque[np.ndarray[Any, np.dtype[np.int16]]] = deque()
        self._sequence = 0
        self._ticks = 0
        self.heard = bytearray()
        self.clears = 0
        self.is_mute = False
        """Marks are not echoed any more."""

    def speaks(self, pcm: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        """Let the caller say this after what is still to be said."""
        for start in range(0, len(pcm) - 159, 160):
            self._speech.append(pcm[start : start + 160])

    async def run(self) -> None:
        """Tick every 20 ms."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            self._tick()
            self._ticks += 1
            await asyncio.sleep(max(0.0, began_s + self._ticks * 0.02 - loop.time()))

    def send(self, event: str, **body: Any) -> None:
        """Send any message."""
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": STREAM, event: body}
        self.send_raw(json.dumps(message))

    def send_raw(self, text: str) -> None:
        """Send any text frame."""
        self.socket.incoming.put_nowait({"type": "websocket.receive", "text": text})

    def _tick(self) -> None:
        pcm = self._speech.popleft() if self._speech else np.zeros(160, dtype=np.int16)
        payload = base64.b64encode(mulaw.encode(pcm)).decode()
        at_ms = str(self._ticks * 20)
        self.send("media", track="inbound", chunk=str(self._ticks + 1), timestamp=at_ms, payload=payload)
        self._echo_due()
        played = self._queue.popleft() if self._queue else mulaw.SILENCE * 160
        assert isinstance(played, bytes)
        self.heard += played
        self._echo_due()

    def _echo_due(self) -> None:
        while self._queue and isinstance(self._queue[0], str):
            self._echo(str(self._queue.popleft()))

    def _echo(self, name: str) -> None:
        if not self.is_mute:
            self.send("mark", name=name)

    def _take(self, message: dict[str, Any]) -> None:
        match message["event"]:
            case "media":
                self._queue.append(base64.b64decode(message["media"]["payload"]))
            case "mark":
                self._queue.append(message["mark"]["name"])
            case "clear":
                self.clears += 1
                dropped = [item for item in self._queue if isinstance(item, str)]
                self._queue.clear()
                for name in dropped:
                    self._echo(name)


def heard(text: str, speech_ms: int = 400, permille: int = 900) -> Transcript:
    """A transcript whose words follow one another every 100 ms."""
    words = tuple(Word(word, permille, at * 100, at * 100 + 80) for at, word in enumerate(text.split()))
    return Transcript(text, words, -200, 10, 1000, 10_000, False, 5, speech_ms, ())


class FakeTranscriber:
    """Answers with the texts it was given, in order; None fails."""

    def __init__(self, *texts: str | None) -> None:
        self._texts = deque(texts)
        self.segments: list[int] = []

    def submit(self, pcm: Any, *, speech_ms: int | None = None, deadline_ms: int = 4_000) -> Awaitable[Transcript]:
        self.segments.append(len(pcm) // 8)
        return self._answer(self._texts.popleft() if self._texts else "")

    async def _answer(self, text: str | None) -> Transcript:
        if text is None:
            raise TranscriberFailed("the fake was told to fail")
        return heard(text)


class FakeSpeech:
    """Sound of ten milliseconds a character; a text with 'unspeakable' in it fails."""

    def __init__(self) -> None:
        self.rendered: list[tuple[str, bool]] = []

    async def render(self, text: str, *, first: bool) -> bytes:
        self.rendered.append((text, first))
        if "unspeakable" in text:
            raise SpeechFailed("the fake was told to fail")
        return voice_like(len(text) * 10).tobytes()


class FakeCutter:
    """Cuts behind each full stop."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> tuple[str, ...]:
        *done, self._rest = (self._rest + text).replace(". ", ".\n").split("\n")
        return tuple(part.strip() for part in done)

    def flush(self) -> tuple[str, ...]:
        rest, self._rest = self._rest.strip(), ""
        return (rest,) if rest else ()


def voice_like(ms: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Something that voice detectors take for speech: a buzz of many harmonics with the rhythm of syllables."""
    at = np.arange(ms * 8) / 8000
    buzz = sum(np.sin(2 * np.pi * 130 * k * at + k * k) / k for k in range(1, 20))
    formant = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * at)
    return np.asarray(buzz * formant * 4000, dtype=np.int16)


@dataclass
class Reply:
    """One scripted answer of the model server: pieces of text, (name, arguments) of tools, pauses in seconds."""

    pieces: list[str | tuple[str, str] | float] = field(default_factory=list)
    usage: int | None = None
    status: int = 200
    finish: str = "stop"
    ids: list[str] = field(default_factory=list)


class FakeModelServer:
    """A chat-completions endpoint on loopback that streams its replies one after the other."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = deque(replies)
        self.requests: list[dict[str, Any]] = []
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "FakeModelServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
            request = json.loads(await reader.readexactly(length))
            self.requests.append(request)
            reply = self.replies.popleft() if self.replies else Reply(["Well."])
            if request.get("stream"):
                await self._stream(writer, reply)
            else:
                self._whole(writer, reply)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _whole(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        text = "".join(piece for piece in reply.pieces if isinstance(piece, str))
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = json.dumps({"id": "c", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]})
        writer.write(
            f"HTTP/1.1 {reply.status} x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            f"connection: close\r\n\r\n{body}".encode()
        )

    async def _stream(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        writer.write(
            f"HTTP/1.1 {reply.status} x\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".encode()
        )
        tools = 0
        for piece in reply.pieces:
            if isinstance(piece, float):
                await writer.drain()
                await asyncio.sleep(piece)
                continue
            if isinstance(piece, str):
                delta: dict[str, Any] = {"content": piece}
            else:
                id_ = reply.ids[tools] if reply.ids else f"call_{tools}"
                function = {"name": piece[0], "arguments": piece[1]}
                delta = {"tool_calls": [{"index": tools, "id": id_, "type": "function", "function": function}]}
                tools += 1
            writer.write(_event([{"index": 0, "delta": delta, "finish_reason": None}]))
        writer.write(_event([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if tools else reply.finish}]))
        if reply.usage is not None:
            writer.write(_event([], usage=reply.usage))
        writer.write(b"data: [DONE]\n\n")


def _event(choices: list[dict[str, Any]], usage: int | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "c",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "fake",
        "choices": choices,
    }
    if usage is not None:
        chunk["usage"] = {"prompt_tokens": 10, "completion_tokens": usage, "total_tokens": 10 + usage}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"

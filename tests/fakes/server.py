"""A whole server in the test's own loop: real kernel, ledger, web application, pipeline, carrier simulator and scripted
model; only the voice is a buzz and the transcriber knows each text by the pitch it was spoken with.
"""

import asyncio
import base64
import contextlib
import functools
import json
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from xml.etree import ElementTree

import httpx
import msgspec
import numpy as np
import uvicorn
from tests.fakes.media import voice_like
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect

from voicewarden.cli.wiring import Server, account_of, assemble
from voicewarden.config.keys import Keys
from voicewarden.config.release import load_release
from voicewarden.config.settings import load_settings
from voicewarden.kernel.release import Compiled
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.action import Value
from voicewarden.model.error import SpeechFailed, TranscriberFailed
from voicewarden.model.event import CallEnded, Event, Word
from voicewarden.rehearsal.carrier import Carrier, Line, Person, SimulatedCall
from voicewarden.rehearsal.demo.outcome import outcome_of
from voicewarden.rehearsal.scripted_model import Pace, ScriptedModel, serve
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.sensors.mulaw import Samples, encode
from voicewarden.sensors.transcriber import Transcript

ROOT: Final = Path(__file__).resolve().parents[2]
SID: Final = "AC" + "0" * 32
TOKEN: Final = "a-test-token"
OWN, CALLER, SALES, BILLING = "+15555550100", "+15555550120", "+15555550101", "+15555550102"
WAIT_S: Final = 30.0
_LOWEST_HZ: Final = 140
_STEP_HZ: Final = 12
_MS_A_WORD: Final = 200
_PREROLL_MS: Final = 300
_EVENTS: Final = msgspec.json.Decoder(Event)

E = TypeVar("E")
Talk = Callable[[Line, "Tongue"], Awaitable[None]]


def buzz(hz: int, ms: int) -> Samples:
    """A voice of this pitch: many harmonics, the rhythm of syllables."""
    at = np.arange(ms * 8) / 8000
    harmonics = sum(np.sin(2 * np.pi * hz * k * at + k * k) / k for k in range(1, 3_400 // hz))
    return np.asarray(harmonics * (0.7 + 0.3 * np.sin(2 * np.pi * 4 * at)) * 4000, dtype=np.int16)


class Tongue:
    """Speaks texts as buzzes and understands them again; implements `pipeline.hearing.Transcribing`."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.unheard: set[str] = set()
        """Texts that the transcriber fails on."""

    def say(self, text: str) -> Samples:
        """The sound of a text, of a pitch of its own."""
        if text not in self._texts:
            self._texts.append(text)
        return buzz(_LOWEST_HZ + _STEP_HZ * self._texts.index(text), max(400, _MS_A_WORD * len(text.split())))

    def submit(self, pcm: Samples, *, speech_ms: int | None = None, deadline_ms: int = 4_000) -> Awaitable[Transcript]:
        """Understand one utterance."""
        return self._answer(self._text_of(pcm), speech_ms or len(pcm) // 8)

    def _text_of(self, pcm: Samples) -> str:
        spectrum = np.abs(np.fft.rfft(pcm.astype(np.float64), 16_000))
        low = spectrum[200:1_600]
        peak = int(np.argmax(low))
        place = round(((peak + 200) / 2 - _LOWEST_HZ) / _STEP_HZ)
        # Noise has no peak: its strongest line holds little of the whole.
        is_tone = low[peak] > 12 * float(np.mean(low))
        return self._texts[place] if is_tone and 0 <= place < len(self._texts) else ""

    async def _answer(self, text: str, speech_ms: int) -> Transcript:
        if text in self.unheard:
            raise TranscriberFailed("the fake was told to fail")
        each = speech_ms // max(1, len(text.split()))
        words = tuple(
            Word(word, 950, _PREROLL_MS + place * each, _PREROLL_MS + (place + 1) * each - 20)
            for place, word in enumerate(text.split())
        )
        return Transcript(text, words, -200, 10, 1_000, 10_000, False, 5, speech_ms, ())


class Buzzer:
    """The speech server's stand-in: six milliseconds a character; `fixed` lines are there even if it is not."""

    def __init__(self, fixed: Iterable[str] = ()) -> None:
        self.failures = 0
        """So many renderings fail from now on."""
        self.hangs = False
        self.said: list[str] = []
        self._fixed = frozenset(fixed)

    async def render(self, text: str, *, first: bool) -> bytes:
        """Sound of a text."""
        self.said.append(text)
        if text not in self._fixed:
            if self.hangs:
                await asyncio.Event().wait()
            if self.failures > 0:
                self.failures -= 1
                raise SpeechFailed("the speech server can't be reached; start it again and play a fixed line")
        return voice_like(max(160, len(text) * 6)).tobytes()


@dataclass
class House:
    """Everything that runs for one test."""

    server: Server
    carrier: Carrier
    ledger: Ledger
    client: httpx.AsyncClient
    tongue: Tongue
    speech: Buzzer
    url: str
    path: Path
    web: uvicorn.Server
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, call: str, event: Event, _: object) -> None:
        """What the switchboard tells of every step."""
        self.events[call].append(event)
        self.news.set()

    async def place(
        self, talk: Talk | Person | None, *, number: str = CALLER, agent: str = "booking", model: str = "",
        facts: dict[str, Value] | None = None,
    ) -> str:  # fmt: skip
        """Order a call to somebody who talks like this; returns its id."""
        if talk is not None:
            self.carrier.numbers[number] = talk if isinstance(talk, Person) else self.person(talk)
        await self.client.post("/local/consents", json={"number": number, "level": "written", "source": "a test"})
        body = {"number": number, "agent": agent, "model": model, "facts": facts or {}}
        answer = await self.client.post("/local/calls", json=body)
        answer.raise_for_status()
        return str(answer.json()["call"])

    def person(self, talk: Talk) -> Person:
        """Somebody who picks up at once."""

        async def speak(line: Line) -> None:
            await talk(line, self.tongue)

        return Person(speak, ring_ms=20, judged_after_ms=100)

    async def until(self, call: str, kind: type[E], count: int = 1, where: Callable[[E], bool] | None = None) -> E:
        """Wait until that many events of a kind are there; returns the last of them."""
        async with asyncio.timeout(WAIT_S):
            while len(found := self.of(call, kind, where)) < count:
                self.news.clear()
                await self.news.wait()
        return found[count - 1]

    def of(
        self, call: str, kind: type[E] | tuple[type[E], ...], where: Callable[[E], bool] | None = None
    ) -> list[E]:
        """The events of a kind, or of some kinds, so far."""
        return [event for event in self.events[call] if isinstance(event, kind) and (where is None or where(event))]

    async def end(self, call: str) -> str:
        """Wait for the call's end on both sides; returns why it ended."""
        ended = await self.until(call, CallEnded)
        line = self.line(call)
        if line is not None:
            await line.ended(timeout_ms=10_000)
        async with asyncio.timeout(WAIT_S):
            # The switchboard lets go of the call in a task of its own; nothing announces it.
            while self.server.switchboard.calls.get(call) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return ended.reason

    def line(self, call: str) -> SimulatedCall | None:
        """The carrier's side of a call; None when it was never dialled."""
        sid = next((sid for sid, line in self.carrier.calls.items() if self._is_of(line, call)), None)
        return self.carrier.calls[sid] if sid else None

    def _is_of(self, line: SimulatedCall, call: str) -> bool:
        return any(call in str(entry.detail) for entry in line.log)

    async def hook(self, path: str, *, signature: str | None = None, **parameters: str) -> httpx.Response:
        """Post a webhook, signed as the carrier does unless told otherwise."""
        body = {"AccountSid": SID, **parameters}
        own = RequestValidator(TOKEN).compute_signature(self.url + path, body) if signature is None else signature
        headers = {"X-Twilio-Signature": own} if own else {}
        return await self.client.post(path, data=body, headers=headers)

    def check(self) -> None:
        """The ledger holds, and every call replays to the byte and has an end."""
        view = Ledger.read(self.path)
        try:
            found = verify(view)
            assert found.ok, found.problems
            releases = _Known(view.get_blob)
            for stream in view.streams("call:"):
                result = replay_call(view.read_stream(stream), releases)
                assert result.difference is None, result.difference
                last = [record for record in view.read_stream(f"call:{result.call}") if record.kind == "event"][-1]
                assert isinstance(_EVENTS.decode(last.body), CallEnded), f"{result.call} ends with {last.body!r}"
        finally:
            view.close()

    def effects(self, call: str) -> tuple[str, ...]:
        """What was done in the world, by the ledger; calling and looking something up left out."""
        return outcome_of(call, self.ledger.read_stream(f"call:{call}")).done

    def recorded(self, call: str) -> list[Event]:
        """The events of a call as the ledger holds them."""
        return [
            _EVENTS.decode(record.body)
            for record in self.ledger.read_stream(f"call:{call}")
            if record.kind == "event"
        ]


@asynccontextmanager
async def open_house(
    folder: Path, *, vfs: str = "", capacity: int = 8_192, environment: Mapping[str, str] | None = None,
    pace: Pace | None = None, checks: bool = True,
) -> AsyncIterator[House]:  # fmt: skip
    """Start everything on loopback; at the end the calls are ended, and the ledger verified and replayed."""
    async with contextlib.AsyncExitStack() as stack:
        desks = {SALES: Person(_listen), BILLING: Person(_listen)}
        carrier = await stack.enter_async_context(Carrier(SID, TOKEN, desks))
        model = await stack.enter_async_context(serve(ScriptedModel(ROOT / "agents", pace=pace)))
        listener = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = load_settings(
            ROOT / "config" / "voicewarden.yaml",
            {
                "VOICEWARDEN_PROFILE": "development", "VOICEWARDEN_VAR_DIR": str(folder),
                "VOICEWARDEN_PUBLIC_BASE_URL": url, "VOICEWARDEN_MODEL_BASE_URL": model,
                "VOICEWARDEN_TWILIO_ACCOUNT_SID": SID, "VOICEWARDEN_TWILIO_AUTH_TOKEN": TOKEN,
                "VOICEWARDEN_TWILIO_FROM_NUMBER": OWN, "VOICEWARDEN_TWILIO_BASE_URL": carrier.base_url,
                **(environment or {}),
            },
        )  # fmt: skip
        release = shipped()
        ledger = Ledger.open(settings.ledger_path, vfs=vfs, capacity=capacity)
        stack.callback(_close, ledger)
        tongue, speech = Tongue(), Buzzer(release.data.lines.values())
        seen: list[House] = []
        server = assemble(
            settings, account_of(settings), release, Keys.open(settings.keys_dir), ledger, speech=speech,
            transcriber=tongue, inbound_agent="transfer",
            watch=lambda call, event, step: seen[0].watch(call, event, step),
        )  # fmt: skip
        token = json.loads((folder / "server.json").read_text(encoding="utf-8"))["token"]
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=15)
        )
        web = _Web(uvicorn.Config(server.app, log_config=None, lifespan="off", ws_ping_interval=None,
                                  ws_max_size=65_536, timeout_graceful_shutdown=2))  # fmt: skip
        house = House(server, carrier, ledger, client, tongue, speech, url, settings.ledger_path, web)
        seen.append(house)
        serving = asyncio.create_task(web.serve(sockets=[listener]))
        await web.is_serving.wait()
        try:
            yield house
        finally:
            await server.switchboard.close()
            web.should_exit = True
            await serving
        if checks:
            await asyncio.to_thread(ledger.flush)
            house.check()


@functools.cache
def shipped() -> Compiled:
    """The release in this repository; compiled once, because that takes most of a test's start."""
    settings = load_settings(ROOT / "config" / "voicewarden.yaml", {})
    return Compiled(load_release(settings.config_dir, settings.agents_dir, policy=settings.policy, approved=False))


class _Known(Releases):
    """Releases that need not be compiled again."""

    def get(self, name: str) -> Compiled:
        """The release of this hash."""
        return shipped() if name == shipped().hash else super().get(name)


class _Web(uvicorn.Server):
    """A server that leaves signals alone and says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _listen(line: Line) -> None:
    await line.wait(500)


def _close(ledger: Ledger) -> None:
    with contextlib.suppress(Exception):
        ledger.close()


async def hello(line: Line, tongue: Tongue) -> None:
    """Pick up, hear the opening and agree to talk; the agent's offer has then been heard."""
    # What is said before the carrier has connected the sound is heard by nobody: people say it again.
    for _ in range(5):
        await line.say(tongue.say("Hello?"))
        if await line.agent_finished(silence_ms=400, timeout_ms=5_000):
            break
    await line.say(tongue.say("Yes, sure."))
    await line.agent_finished(silence_ms=400)


async def book(line: Line, tongue: Tongue) -> None:
    """Take the appointment."""
    await hello(line, tongue)
    await line.say(tongue.say("Yes, Tuesday at three works for me."))
    await line.agent_finished(silence_ms=400)
    await line.say(tongue.say("Yes, book it please."))


class Peer:
    """The carrier's end of one inbound call, sent by hand: what the simulator would never send, too."""

    def __init__(self, house: House, sid: str = "CA" + "1" * 32) -> None:
        self.house = house
        self.sid = sid
        self.socket: ClientConnection | None = None
        self.parameters: dict[str, str] = {}
        self._chunk = 0

    @property
    def call(self) -> str:
        """Our id of the call, as the document names it."""
        return self.parameters["call"]

    async def ring(self) -> None:
        """Ask the voice URL what to do; keeps the stream's parameters."""
        answer = await self.house.hook("/twilio/voice", CallSid=self.sid, From=CALLER, To=OWN, CallStatus="ringing")
        stream = ElementTree.fromstring(answer.text).find("./Connect/Stream")
        assert stream is not None, answer.text
        self.parameters = {item.attrib["name"]: item.attrib["value"] for item in stream}

    async def connect(self, *, signature: str | None = None) -> ClientConnection:
        """Open the media socket; signed as the carrier does unless told otherwise."""
        url = self.house.url.replace("http", "ws") + "/twilio/stream"
        own = RequestValidator(TOKEN).compute_signature(url, {}) if signature is None else signature
        headers = {"X-Twilio-Signature": own} if own else {}
        self.socket = await connect(url, additional_headers=headers, proxy=None, compression=None, ping_interval=None)
        return self.socket

    async def start(self, **changed: Any) -> None:
        """Send `connected` and `start`; `changed` replaces fields of the start message."""
        body = {
            "streamSid": "MZ1", "callSid": self.sid, "accountSid": SID, "tracks": ["inbound"],
            "customParameters": self.parameters, **changed,
        }  # fmt: skip
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self.send({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": body})

    async def send(self, message: object) -> None:
        """Send anything: text as it is, all else as JSON."""
        assert self.socket is not None
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def sound(self, pcm: Samples | None = None, *, frames: int = 1) -> None:
        """Send 20 ms frames: of this sound, or of silence."""
        silence = np.zeros(160 * frames, dtype=np.int16)
        whole = silence if pcm is None else pcm
        for at in range(0, len(whole) - 159, 160):
            self._chunk += 1
            await self.media(encode(whole[at : at + 160]), self._chunk)

    async def media(self, payload: bytes, chunk: int) -> None:
        """Send one frame under this number."""
        body = {"track": "inbound", "chunk": str(chunk), "timestamp": str(chunk * 20),
                "payload": base64.b64encode(payload).decode()}  # fmt: skip
        await self.send({"event": "media", "streamSid": "MZ1", "media": body})

    async def closed(self) -> int | None:
        """Wait until the server closes the socket; returns the close code."""
        assert self.socket is not None
        async with asyncio.timeout(WAIT_S):
            await self.socket.wait_closed()
        return self.socket.close_code

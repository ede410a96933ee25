"""The simulated carrier on loopback, driven by the real twilio client, with a small product of the test's own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import socket
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from voicewarden.rehearsal.carrier import CallerScriptError, Carrier, Impairment, Line, Person, SimulatedCall
from voicewarden.sensors.mulaw import encode

SID = "AC" + "0" * 32
TOKEN = "test-token"
AGENT, CALLER, DESK = "+15550100001", "+15550100002", "+15550100003"
SPEED = 5.0

Handler = Callable[[WebSocket, str], Awaitable[None]]


def tone(duration_ms: int, hz: float = 440.0) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Return a sine at a speech-like level."""
    return (6000 * np.sin(2 * np.pi * hz * np.arange(duration_ms * 8) / 8000)).astype(np.int16)


class LoopbackHttpClient(TwilioHttpClient):
    """Sends what the SDK addresses to Twilio to another base URL."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=5)
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(url)
        there = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, there, *args, **kwargs)


class Server(uvicorn.Server):
    """Serves inside the test's loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Product:
    """A voice URL, callbacks and a media socket, all of which write down what came."""

    def __init__(self) -> None:
        self.twiml = ""
        self.after = "<Response><Hangup/></Response>"
        self.agent: Handler | None = None
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.messages: list[dict[str, Any]] = []
        self.bad_signatures = 0
        self.news = asyncio.Event()
        self.http = ""
        self.ws = ""

    def app(self) -> Starlette:
        routes = [
            Route("/{name}", self._webhook, methods=["POST"]),
            WebSocketRoute("/media", self._media),
        ]
        return Starlette(routes=routes)

    def stream(self, *, action: str = "", parameters: str = "") -> str:
        attribute = f' action="{self.http}/{action}"' if action else ""
        return f'<Response><Connect{attribute}><Stream url="{self.ws}">{parameters}</Stream></Connect></Response>'

    def got(self, name: str) -> list[dict[str, str]]:
        return [parameters for path, parameters in self.requests if path == name]

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_true():
                self.news.clear()
                await self.news.wait()

    async def _webhook(self, request: Request) -> Response:
        form = {key: str(value) for key, value in (await request.form()).items()}
        url = self.http + request.url.path
        if not RequestValidator(TOKEN).validate(url, form, request.headers["X-Twilio-Signature"]):
            self.bad_signatures += 1
        name = request.path_params["name"]
        self.requests.append((name, form))
        self.news.set()
        return Response({"voice": self.twiml, "after": self.after}.get(name, ""), media_type="application/xml")

    async def _media(self, socket: WebSocket) -> None:
        signature = socket.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(self.ws, {}, signature):
            self.bad_signatures += 1
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect):
            while socket.application_state is WebSocketState.CONNECTED:
                message = json.loads(await socket.receive_text())
                self.messages.append(message)
                self.news.set()
                if message["event"] == "start" and self.agent is not None:
                    await self.agent(socket, message["streamSid"])


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    product = Product()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    product.http, product.ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/media"
    server = Server(uvicorn.Config(product.app(), log_config=None, lifespan="off", ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield product
    server.should_exit = True
    await serving


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    async with Carrier(SID, TOKEN, speed=SPEED, max_call_s=60) as carrier:
        yield carrier


@pytest.fixture
def client(carrier: Carrier) -> Iterator[Client]:
    http = LoopbackHttpClient(carrier.base_url)
    yield Client(SID, TOKEN, http_client=http)
    assert http.session is not None
    http.session.close()


def media(stream_sid: str, pcm: np.ndarray[Any, np.dtype[np.int16]]) -> str:
    payload = base64.b64encode(encode(pcm)).decode()
    return json.dumps({"event": "media", "streamSid": stream_sid, "media": {"payload": payload}})


def mark(stream_sid: str, name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})


def channels(call: SimulatedCall) -> np.ndarray[Any, np.dtype[np.int16]]:
    with wave.open(io.BytesIO(call.wav_bytes())) as wav:
        assert (wav.getnchannels(), wav.getframerate(), wav.getsampwidth()) == (2, 8000, 2)
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").reshape(-1, 2)


async def hang_up_after(line: Line, duration_ms: int = 200) -> None:
    await line.wait(duration_ms)
    await line.hang_up()


async def test_stream_messages_come_in_twilio_order_with_numbers_as_text(carrier: Carrier, product: Product) -> None:
    async def talk(line: Line) -> None:
        await line.wait(200)
        await line.press("1")
        await line.hang_up()

    product.twiml = product.stream(parameters='<Parameter name="token" value="t1"/>')
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice", product.http + "/status")
    await call.ended(timeout_ms=10_000)

    events = [message["event"] for message in product.messages]
    assert events[:2] == ["connected", "start"]
    assert events[-1] == "stop"
    assert set(events[2:-1]) == {"media", "dtmf"}
    start = product.messages[1]["start"]
    assert start["customParameters"] == {"token": "t1"}
    assert start["callSid"] == call.sid
    frames = [message["media"] for message in product.messages if message["event"] == "media"]
    assert [frame["chunk"] for frame in frames] == [str(n + 1) for n in range(len(frames))]
    assert [frame["timestamp"] for frame in frames] == [str(n * 20) for n in range(len(frames))]
    assert all(len(base64.b64decode(frame["payload"])) == 160 for frame in frames)
    numbers = [message["sequenceNumber"] for message in product.messages[1:]]
    assert numbers == [str(n + 1) for n in range(len(numbers))]
    assert product.bad_signatures == 0
    assert (call.status, call.dtmf_sent) == ("completed", ["1"])
    assert product.got("voice")[0]["CallStatus"] == "ringing"
    assert product.got("voice")[0]["Direction"] == "inbound"
    assert product.got("status")[0]["CallStatus"] == "completed"


async def test_mark_echo_comes_at_the_true_end_of_its_audio(carrier: Carrier, product: Product) -> None:
    async def agent(socket: WebSocket, sid: str) -> None:
        await socket.send_text(media(sid, tone(500)))
        await socket.send_text(mark(sid, "end"))

    async def talk(line: Line) -> None:
        assert await line.agent_finished(silence_ms=200, timeout_ms=5_000)
        await line.hang_up()

    product.agent, product.twiml = agent, product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice")
    await call.ended(timeout_ms=10_000)

    heard = np.flatnonzero(np.abs(channels(call)[:, 1]) > 300)
    end_ms = (int(heard[-1]) + 1) / 8
    (echo,) = call.entries("mark")
    assert echo.detail["why"] == "played"
    assert abs(float(str(echo.detail["wav_ms"])) - end_ms) <= 20
    assert [m["mark"]["name"] for m in product.messages if m["event"] == "mark"] == ["end"]
    assert call.audible_holes == 0


async def test_clear_drops_audio_and_echoes_its_marks_at_once(carrier: Carrier, product: Product) -> None:
    async def agent(socket: WebSocket, sid: str) -> None:
        await socket.send_text(media(sid, tone(30_000)))
        await socket.send_text(mark(sid, "unheard"))
        await socket.send_text(json.dumps({"event": "clear", "streamSid": sid}))

    product.agent, product.twiml = agent, product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(hang_up_after), product.http + "/voice")
    await call.ended(timeout_ms=10_000)

    (cleared,) = call.entries("clear")
    assert cleared.detail["marks"] == ["unheard"]
    assert [echo.detail["why"] for echo in call.entries("mark")] == ["cleared"]
    assert np.count_nonzero(channels(call)[:, 1]) < 8000


async def test_both_channels_are_on_one_clock(carrier: Carrier, product: Product) -> None:
    async def echo(socket: WebSocket, sid: str) -> None:
        while True:
            message = json.loads(await socket.receive_text())
            if message["event"] == "media":
                payload = message["media"]["payload"]
                await socket.send_text(json.dumps({"event": "media", "streamSid": sid, "media": {"payload": payload}}))

    async def talk(line: Line) -> None:
        await line.wait(100)
        assert await line.say(tone(300), timeout_ms=2_000)
        await hang_up_after(line, 400)

    product.agent, product.twiml = echo, product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice")
    await call.ended(timeout_ms=10_000)

    said, heard = channels(call).T
    assert said.size == heard.size == call.recording.duration_ms * 8
    first_said, first_heard = (int(np.flatnonzero(np.abs(side) > 300)[0]) for side in (said, heard))
    assert first_said // 8 >= 100
    assert first_heard > first_said
    assert call.turn_gaps_ms() == []
    delay = (first_heard - first_said) // 160 * 160
    assert np.array_equal(said[first_said : first_said + 800], heard[first_said + delay : first_said + delay + 800])


async def test_real_client_places_reads_and_ends_a_call(carrier: Carrier, product: Product, client: Client) -> None:
    carrier.numbers[DESK] = Person(ring_ms=100)
    product.twiml = product.stream(action="after")
    made = await asyncio.to_thread(
        client.calls.create,
        to=DESK,
        from_=AGENT,
        url=product.http + "/voice",
        status_callback=product.http + "/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=product.http + "/amd",
    )
    assert made.status == "queued"
    call = carrier.calls[str(made.sid)]
    await product.until(lambda: bool(product.got("amd")))
    assert (await asyncio.to_thread(client.calls(call.sid).fetch)).status == "in-progress"
    await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    await call.ended(timeout_ms=10_000)

    statuses = [parameters["CallStatus"] for parameters in product.got("status")]
    assert statuses == ["initiated", "ringing", "in-progress", "completed"]
    assert product.got("amd")[0]["AnsweredBy"] == "human"
    assert product.got("voice")[0]["CallStatus"] == "in-progress"
    assert product.got("after") == []
    assert product.messages[-1]["event"] == "stop"
    assert product.bad_signatures == 0
    with pytest.raises(TwilioRestException) as gone:
        await asyncio.to_thread(client.calls(call.sid).update, status="completed")
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_only_completed_is_reported_unless_more_is_asked(
    carrier: Carrier, product: Product, client: Client
) -> None:
    carrier.numbers[DESK] = Person(ring_ms=20)
    made = await asyncio.to_thread(
        client.calls.create, to=DESK, from_=AGENT, twiml="<Response/>", status_callback=product.http + "/status"
    )
    await carrier.calls[str(made.sid)].ended(timeout_ms=10_000)
    assert [parameters["CallStatus"] for parameters in product.got("status")] == ["completed"]


@pytest.mark.parametrize(
    ("answerer", "status"),
    [
        (Person(ring_ms=20, outcome="busy"), "busy"),
        (Person(ring_ms=20, outcome="no-answer"), "no-answer"),
        (Person(ring_ms=90_000), "no-answer"),
        (None, "failed"),
    ],
)
async def test_unanswered_calls_end_with_their_status(
    carrier: Carrier, client: Client, answerer: Person | None, status: str
) -> None:
    if answerer is not None:
        carrier.numbers[DESK] = answerer
    made = await asyncio.to_thread(client.calls.create, to=DESK, from_=AGENT, twiml="<Response/>", timeout=1)
    call = await carrier.calls[str(made.sid)].ended(timeout_ms=10_000)
    assert (call.status, call.duration_s) == (status, 0)


async def test_canceling_a_ringing_call(carrier: Carrier, client: Client) -> None:
    carrier.numbers[DESK] = Person(ring_ms=50_000)
    made = await asyncio.to_thread(client.calls.create, to=DESK, from_=AGENT, twiml="<Response/>")
    await asyncio.to_thread(client.calls(made.sid).update, status="canceled")
    assert (await carrier.calls[str(made.sid)].ended(timeout_ms=10_000)).status == "canceled"


@pytest.mark.parametrize(
    ("desk", "result", "has_duration"),
    [
        (Person(lambda line: line.wait(200), ring_ms=40), "completed", True),
        (Person(ring_ms=40, outcome="busy"), "busy", False),
        (Person(ring_ms=40, outcome="no-answer"), "no-answer", False),
        (None, "failed", False),
    ],
)
async def test_transfer_by_update_ends_the_stream_and_reports_the_dial(
    carrier: Carrier, product: Product, client: Client, desk: Person | None, result: str, has_duration: bool
) -> None:
    if desk is not None:
        carrier.numbers[DESK] = desk
    product.twiml = product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(), product.http + "/voice")
    await product.until(lambda: any(message["event"] == "media" for message in product.messages))
    document = f'<Response><Dial action="{product.http}/after" timeout="5"><Number>{DESK}</Number></Dial></Response>'
    await asyncio.to_thread(client.calls(call.sid).update, twiml=document)
    await call.ended(timeout_ms=10_000)

    assert product.messages[-1]["event"] == "stop"
    (after,) = product.got("after")
    assert after["DialCallStatus"] == result
    assert after["DialCallSid"] == call.dials[0].sid
    assert ("DialCallDuration" in after) == has_duration
    assert (call.dials[0].status, call.status) == (result, "completed")


async def test_caller_and_dialled_party_hear_each_other(carrier: Carrier, product: Product) -> None:
    heard_by_desk: list[bool] = []

    async def desk(line: Line) -> None:
        await line.say(tone(300, 600), timeout_ms=2_000)
        heard_by_desk.append(await line.agent_finished(silence_ms=100, timeout_ms=5_000))

    async def talk(line: Line) -> None:
        assert await line.agent_finished(silence_ms=100, timeout_ms=5_000)
        await line.say(tone(300), timeout_ms=2_000)

    carrier.numbers[DESK] = Person(desk, ring_ms=20)
    product.twiml = f"<Response><Dial>{DESK}</Dial></Response>"
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice")
    await call.ended(timeout_ms=10_000)
    assert heard_by_desk == [True]


async def test_a_caller_who_leaves_during_a_dial_still_gives_a_result(carrier: Carrier, product: Product) -> None:
    carrier.numbers[DESK] = Person(ring_ms=5_000)
    product.twiml = f'<Response><Dial action="/after">{DESK}</Dial></Response>'
    call = await carrier.place_inbound(CALLER, AGENT, Person(hang_up_after), product.http + "/voice")
    await call.ended(timeout_ms=10_000)
    (after,) = product.got("after")
    assert (after["DialCallStatus"], after["CallStatus"]) == ("canceled", "completed")


async def test_document_goes_on_after_the_agent_closes_the_stream(carrier: Carrier, product: Product) -> None:
    async def agent(socket: WebSocket, sid: str) -> None:
        await socket.close()

    product.agent, product.twiml = agent, product.stream(action="after")
    product.after = "<Response><Say>bye</Say><Pause length='1'/><Redirect>/last</Redirect></Response>"
    call = await carrier.place_inbound(CALLER, AGENT, Person(), product.http + "/voice")
    await call.ended(timeout_ms=10_000)
    assert [entry.detail["name"] for entry in call.entries("verb")] == ["Connect", "Say", "Pause", "Redirect"]
    assert len(product.got("last")) == 1
    assert all(message["event"] != "stop" for message in product.messages)


@pytest.mark.parametrize(
    ("twiml", "code"),
    [
        ("not xml", "12100"),
        ("<Response><Dance/></Response>", "12200"),
        ('<Response><Connect><Stream url="ws://example.org/m"/></Connect></Response>', "31922"),
        ('<Response><Connect><Stream url="ws://127.0.0.1:9/m"/></Connect></Response>', "31920"),
        ("<Response><Redirect>http://127.0.0.1:9/x</Redirect></Response>", "11200"),
    ],
)
async def test_a_bad_answer_is_named_with_twilios_code(
    carrier: Carrier, product: Product, twiml: str, code: str
) -> None:
    product.twiml = twiml
    call = await carrier.place_inbound(CALLER, AGENT, Person(), product.http + "/voice")
    await call.ended(timeout_ms=10_000)
    assert call.errors[0].startswith(code)


async def test_rejected_calls_are_never_answered(carrier: Carrier, product: Product) -> None:
    product.twiml = '<Response><Reject reason="busy"/></Response>'
    call = await carrier.place_inbound(CALLER, AGENT, Person(), product.http + "/voice")
    assert (await call.ended(timeout_ms=10_000)).status == "busy"
    assert call.answered_at_ms is None


async def test_wrong_token_and_bad_numbers_are_refused_as_twilio_does(carrier: Carrier, client: Client) -> None:
    http = LoopbackHttpClient(carrier.base_url)
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(Client(SID, "wrong", http_client=http).calls.create, to=DESK, from_=AGENT, twiml="x")
    assert (refused.value.status, refused.value.code) == (401, 20003)
    with pytest.raises(TwilioRestException) as invalid:
        await asyncio.to_thread(client.calls.create, to="12", from_=AGENT, twiml="<Response/>")
    assert (invalid.value.status, invalid.value.code) == (400, 21211)
    with pytest.raises(TwilioRestException) as unknown:
        await asyncio.to_thread(client.calls("CA" + "0" * 32).fetch)
    assert (unknown.value.status, unknown.value.code) == (404, 20404)
    assert http.session is not None
    http.session.close()


async def test_messages_are_kept(carrier: Carrier, client: Client) -> None:
    sent = await asyncio.to_thread(client.messages.create, to=DESK, from_=AGENT, body="See you on Tuesday.")
    assert sent.status == "queued"
    assert [(message.to_number, message.body) for message in carrier.messages] == [(DESK, "See you on Tuesday.")]


async def test_wrong_agent_messages_are_written_down_and_the_call_goes_on(carrier: Carrier, product: Product) -> None:
    async def agent(socket: WebSocket, sid: str) -> None:
        await socket.send_text("{")
        await socket.send_text(json.dumps({"event": "media", "streamSid": "MZother", "media": {"payload": ""}}))
        await socket.send_text(media(sid, tone(100)))

    async def talk(line: Line) -> None:
        assert await line.agent_started(timeout_ms=2_000)
        await line.hang_up()

    product.agent, product.twiml = agent, product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice")
    await call.ended(timeout_ms=10_000)
    assert len(call.errors) == 2


async def test_lost_frames_leave_a_gap_in_the_timestamps(product: Product) -> None:
    impairment = Impairment(jitter_ms=60, loss_permille=300, seed=7)
    product.twiml = product.stream()
    async with Carrier(SID, TOKEN, speed=SPEED, impairment=impairment) as carrier:
        call = await carrier.place_inbound(
            CALLER, AGENT, Person(lambda line: hang_up_after(line, 1_000)), product.http + "/voice"
        )
        await call.ended(timeout_ms=10_000)
    stamps = [int(message["media"]["timestamp"]) for message in product.messages if message["event"] == "media"]
    assert stamps == sorted(stamps)
    assert len(stamps) < stamps[-1] // 20


async def test_time_limit_ends_the_call(product: Product) -> None:
    product.twiml = "<Response><Pause length='600'/></Response>"
    async with Carrier(SID, TOKEN, speed=50, max_call_s=2) as carrier:
        call = await carrier.place_inbound(CALLER, AGENT, Person(), product.http + "/voice")
        await call.ended(timeout_ms=10_000)
    assert [entry.kind for entry in call.log].count("time_limit") == 1


async def test_a_failing_script_reaches_who_waits_for_the_call(carrier: Carrier, product: Product) -> None:
    async def talk(line: Line) -> None:
        raise KeyError("script")

    product.twiml = product.stream()
    call = await carrier.place_inbound(CALLER, AGENT, Person(talk), product.http + "/voice")
    with pytest.raises(CallerScriptError):
        await call.ended(timeout_ms=10_000)

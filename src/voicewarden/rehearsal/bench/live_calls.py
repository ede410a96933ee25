"""Calls on the real media line without speech models: pipeline, loop, gate and ledger of each are the product's own.

In: a release and how many calls. Out: how late decisions were, by the moment at which what led to them was due. The
carrier is a socket in memory that is fed a 20 ms frame when it is due, whatever the loop does meanwhile; the voice is
noise that is there at once. A key press reaches the ear through the transport like any other; the request that it
stands for here is decided and recorded before the next thing happens. Called by `benchmarks/wake_to_decision.py`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import numpy as np
from fastapi import WebSocket
from starlette.websockets import WebSocketState

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.step import Step
from voicewarden.ledger.store import Ledger
from voicewarden.model.action import Value
from voicewarden.model.directive import Speak
from voicewarden.model.error import TranscriberFailed
from voicewarden.model.event import ActionRequested, CallAnswered, CallStarted, DtmfPressed, Event
from voicewarden.pipeline.hearing import Transcribing
from voicewarden.pipeline.line import Line, build_line, run_call
from voicewarden.pipeline.settings import AgentVoice, LineSettings, ModelSettings
from voicewarden.reading.sentence import Cutter
from voicewarden.runtime.burning import LedgerBurner
from voicewarden.runtime.clock import LoopScheduler
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.seal import SEAL_BYTES, Sealer
from voicewarden.sensors import mulaw
from voicewarden.sensors.transcriber import Transcript

FRAME_S: Final = 0.02
KEY_EVERY_FRAMES: Final = 10
SPEAK_EVERY_FRAMES: Final = 300
_SAMPLES: Final = 160
_SPOKEN_MS: Final = 2_500
_START: Final = {"event": "start", "start": {"streamSid": "MZ1", "callSid": "CA1", "customParameters": {}}}
_KEY: Final = json.dumps({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": "5"}})
_FAR_MS: Final = 86_400_000
_NOISE_FRAMES: Final = 50


class CarrierInMemory:
    """The side of a WebSocket that a server gives to an endpoint; marks come back when their sound has played."""

    def __init__(self) -> None:
        self.client_state = WebSocketState.CONNECTED
        self.application_state = WebSocketState.CONNECTED
        self.headers: dict[str, str] = {}
        self.incoming: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._plays_until_s = 0.0

    def put(self, text: str) -> None:
        """Something arrives from the carrier."""
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})

    async def receive(self) -> dict[str, str]:
        """What arrives next."""
        message = await self.incoming.get()
        self.incoming.task_done()
        if message["type"] == "websocket.disconnect":
            self.client_state = WebSocketState.DISCONNECTED
        return message

    async def send_text(self, text: str) -> None:
        """Play sound, and echo marks when all before them has played."""
        message = json.loads(text)
        loop = asyncio.get_running_loop()
        match message["event"]:
            case "media":
                length_s = len(message["media"]["payload"]) * 3 / 4 / 8_000
                self._plays_until_s = max(self._plays_until_s, loop.time()) + length_s
            case "mark":
                echo = json.dumps({"event": "mark", "streamSid": "MZ1", "mark": message["mark"]})
                loop.call_at(self._plays_until_s, self.put, echo)
            case "clear":
                self._plays_until_s = 0.0

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """The line hangs up."""
        self.application_state = self.client_state = WebSocketState.DISCONNECTED
        self.incoming.put_nowait({"type": "websocket.disconnect"})


class _Noise:
    """A voice that renders nothing: noise of the wanted length."""

    def __init__(self) -> None:
        self._pcm = np.random.default_rng(1).integers(-900, 900, _SPOKEN_MS * 8, dtype=np.int16).tobytes()

    async def render(self, text: str, *, first: bool) -> bytes:
        """The same for every text."""
        return self._pcm


class _Deaf:
    """A transcriber that is never asked: nobody speaks here."""

    def submit(self, pcm: Any, *, speech_ms: int | None = None, deadline_ms: int = 4_000) -> Awaitable[Transcript]:
        """Refuse."""
        # Any: samples, which nobody looks at.
        raise TranscriberFailed("no transcriber takes part in this measurement")


@dataclass(slots=True)
class Lateness:
    """Seconds by which things were late, while `is_counting`."""

    is_counting: bool = False
    decisions_s: list[float] = field(default_factory=list)
    """From the moment a key press was due at the socket until the decision it led to was recorded."""
    loop_s: list[float] = field(default_factory=list)
    """By how much the event loop itself woke too late for a frame."""
    verdicts: Counter[str] = field(default_factory=Counter)


class LiveCall:
    """One call: feeds its line, and turns key presses into requests."""

    def __init__(
        self, number: int, compiled: Compiled, ledger: Ledger, late: Lateness, facts: dict[str, Value]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._late = late
        self._number = number
        self._compiled = compiled
        self._facts = facts
        self._pressed: deque[float] = deque()
        self._frames = 0
        self._due: asyncio.TimerHandle | None = None
        self.socket = CarrierInMemory()
        self.calls = CallLoop(
            f"live-{number}", compiled, journal=ledger, burner=LedgerBurner(ledger),
            sealer=Sealer(bytes(SEAL_BYTES)), effectors=lambda _: {}, scheduler=LoopScheduler(), watch=self._watch,
        )  # fmt: skip
        self.line = self._line()

    def _line(self) -> Line:
        async def hang_up(reason: str) -> None:
            del reason

        return build_line(
            # The pipeline asks a WebSocket for no more than this class has.
            cast(WebSocket, self.socket), _START, sink=self, agents={"booking": AgentVoice("You book.")},
            agent="booking", model=ModelSettings(base_url="http://127.0.0.1:9/v1", model="none"), speech=_Noise(),
            transcriber=cast(Transcribing, _Deaf()), new_cutter=lambda: Cutter(first_clause=True), hang_up=hang_up,
            settings=LineSettings(cadence_until_ms=_FAR_MS),
        )  # fmt: skip

    def begin(self) -> None:
        """The call was answered, and sound arrives."""
        self.calls.attach(self.line.voice)
        self.calls.post(
            CallStarted(
                at_ms=0, call=self.calls.call, agent="booking", direction="inbound", contact="bench", stage="bounded",
                epoch=0, release=self._compiled.hash, started_unix_ms=0, facts=self._facts,
            )
        )  # fmt: skip
        self.calls.post(CallAnswered(at_ms=-1))
        self.resume()

    def resume(self) -> None:
        """Frames come from now on, every 20 ms; those of different calls at different moments."""
        self._plan(self._loop.time() + FRAME_S * (1 + self._number * 0.37 % 1))

    def _plan(self, due_s: float) -> None:
        self._due = self._loop.call_at(due_s, self._feed, due_s)

    def pause(self) -> None:
        """No more frames for now."""
        if self._due is not None:
            self._due.cancel()

    async def drained(self) -> None:
        """Wait until everything that has arrived was taken; while it is paused."""
        await self.socket.incoming.join()

    def now_ms(self) -> int:
        """The call's clock."""
        return self.calls.now_ms()

    def post(self, event: Event) -> None:
        """What the line posts; a key press is followed by the request that it stands for."""
        self.calls.post(event)
        if not isinstance(event, DtmfPressed):
            return
        due_s = self._pressed.popleft()
        self.calls.post(
            ActionRequested(at_ms=-1, request="key", action="transfer", args={"desk": "billing"}, principal="booking")
        )
        if self._late.is_counting:
            self._late.decisions_s.append(self._loop.time() - due_s)

    def _watch(self, event: Event, taken: Step) -> None:
        if self._late.is_counting and isinstance(event, ActionRequested):
            self._late.verdicts.update(item.verdict for item in taken.decisions)

    def _feed(self, due_s: float) -> None:
        """A frame is due; the next one is 20 ms after this one was due, however late this is."""
        if self.calls.ended.is_set():
            return
        if self._late.is_counting:
            self._late.loop_s.append(self._loop.time() - due_s)
        self.socket.put(_frame(self._frames))
        self._frames += 1
        if (self._frames + self._number) % KEY_EVERY_FRAMES == 0:
            self._pressed.append(due_s)
            self.socket.put(_KEY)
        if (self._frames + self._number * 17) % SPEAK_EVERY_FRAMES == 0:
            # Half of the time the agent speaks, so that the way out is as busy as the way in.
            self.line.voice.carry_out(Speak(sentence=f"b{self._frames}", text="Noise.", purpose="line"))
        self._plan(due_s + FRAME_S)

    def end(self) -> None:
        """Nothing more comes from the carrier."""
        self.pause()
        self.socket.incoming.put_nowait({"type": "websocket.disconnect"})


def _payloads() -> list[str]:
    sound = np.random.default_rng(2).integers(-60, 60, _NOISE_FRAMES * _SAMPLES, dtype=np.int16)
    return [
        base64.b64encode(mulaw.encode(sound[at : at + _SAMPLES])).decode() for at in range(0, len(sound), _SAMPLES)
    ]


_PAYLOADS: Final = _payloads()


def _frame(number: int) -> str:
    return (
        f'{{"event":"media","streamSid":"MZ1","media":{{"track":"inbound","chunk":"{number + 1}",'
        f'"timestamp":"{number * 20}","payload":"{_PAYLOADS[number % _NOISE_FRAMES]}"}}}}'
    )


@asynccontextmanager
async def live_calls(
    count: int, compiled: Compiled, ledger: Ledger, late: Lateness, facts: dict[str, Value],
    spread_s: Callable[[int], float] = lambda number: number * 0.05,
) -> AsyncIterator[list[LiveCall]]:  # fmt: skip
    """So many calls that go on until the block ends."""
    calls: list[LiveCall] = []
    tasks: list[asyncio.Task[None]] = []
    try:
        for number in range(count):
            call = LiveCall(number, compiled, ledger, late, facts)
            started = asyncio.Event()

            async def on_started(started: asyncio.Event = started) -> None:
                started.set()

            tasks.append(asyncio.create_task(run_call(call.line, on_started)))
            async with asyncio.timeout(30):
                await started.wait()
            call.begin()
            calls.append(call)
            await asyncio.sleep(spread_s(number) - spread_s(number - 1) if number else 0)
        yield calls
    finally:
        for call in calls:
            call.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.gather(*tasks, return_exceptions=True)
        for call in calls:
            await call.calls.settle()

"""A whole line on fakes: carrier, kernel, transcriber, voice and a model server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.media import (
    START,
    FakeCarrier,
    FakeCutter,
    FakeModelServer,
    FakeSink,
    FakeSocket,
    FakeSpeech,
    FakeTranscriber,
    Reply,
    agreeable,
)

from voicewarden.model.directive import Directive
from voicewarden.model.event import Event
from voicewarden.pipeline.line import Line, build_line, run_call
from voicewarden.pipeline.settings import AgentVoice, LineSettings, ModelSettings, ToolShape

BOOK = ToolShape("book_appointment", "book", "Book.", {"service": {"type": "string"}}, ("service",))


@dataclass
class Call:
    """One running call and everything around it."""

    line: Line
    sink: FakeSink
    carrier: FakeCarrier
    socket: FakeSocket
    model: FakeModelServer
    speech: FakeSpeech
    hung_up: list[str] = field(default_factory=list)

    def order(self, *directives: Directive) -> None:
        """What the kernel wants done."""
        for directive in directives:
            self.line.voice.carry_out(directive)


CallMaker = Callable[..., AbstractAsyncContextManager[Call]]


@pytest.fixture
def make_call() -> CallMaker:
    """A context manager around a running call; the socket is lost at its end unless the test ended the call."""

    @contextlib.asynccontextmanager
    async def make(
        *replies: Reply,
        answer: Callable[[Event], Iterable[Directive]] = agreeable,
        heard: tuple[str | None, ...] = (),
        recording: Path | None = None,
        line: LineSettings | None = None,
        limits: dict[str, Any] | None = None,
    ) -> AsyncIterator[Call]:
        socket, sink, speech = FakeSocket(), FakeSink(answer), FakeSpeech()
        carrier = FakeCarrier(socket)
        hung_up: list[str] = []

        async def hang_up(reason: str) -> None:
            hung_up.append(reason)

        async with FakeModelServer(*replies) as model:
            built = build_line(
                socket,
                START,
                sink=sink,
                agents={"booking": AgentVoice("You book.", (BOOK,)), "closing": AgentVoice("You close.")},
                agent="booking",
                model=ModelSettings(base_url=model.url, model="fake", **(limits or {})),
                speech=speech,
                transcriber=FakeTranscriber(*heard),
                new_cutter=FakeCutter,
                hang_up=hang_up,
                recording_path=recording,
                settings=line,
            )
            sink.carry_out = built.voice.carry_out
            started = asyncio.Event()

            async def on_started() -> None:
                started.set()

            running = asyncio.create_task(run_call(built, on_started))
            ticking = asyncio.create_task(carrier.run())
            try:
                async with asyncio.timeout(20):
                    await started.wait()
                    yield Call(built, sink, carrier, socket, model, speech, hung_up)
                    socket.incoming.put_nowait({"type": "websocket.disconnect"})
                    await running
            finally:
                ticking.cancel()
                running.cancel()
                await asyncio.wait({ticking, running})

    return make

"""The simulated carrier as one object: numbers in, a REST address and finished calls out.

Used by the demo, the tests and the benchmarks. Start it, give its `base_url` to the product's REST client, let the
product place calls or place one to the product, and read `calls` afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import uvicorn

from voicewarden.rehearsal.carrier.answerer import Answerer
from voicewarden.rehearsal.carrier.call import SimulatedCall
from voicewarden.rehearsal.carrier.exchange import Exchange
from voicewarden.rehearsal.carrier.impairment import Impairment
from voicewarden.rehearsal.carrier.resources import SentMessage
from voicewarden.rehearsal.carrier.rest import CallsApi
from voicewarden.rehearsal.carrier.session import CallOrder

LOOPBACK: Final = "127.0.0.1"
MAX_CALL_S: Final = 600


class _Server(uvicorn.Server):
    """A server that leaves the signals to the program it runs in and tells when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_serving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Carrier:
    """One account at a carrier that exists on this machine only.

    `numbers` says who answers which number (it may be changed while running; an unknown number fails). `speed` above
    1 runs calls faster than real time, for tests whose peer does not pace by the clock. No call outlives `max_call_s`.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        numbers: dict[str, Answerer] | None = None,
        *,
        port: int = 0,
        speed: float = 1.0,
        impairment: Impairment | None = None,
        max_call_s: int = MAX_CALL_S,
    ) -> None:
        self.numbers: dict[str, Answerer] = {} if numbers is None else numbers
        self._exchange = Exchange(
            account_sid,
            auth_token,
            self.numbers,
            speed=speed,
            impairment=impairment or Impairment(),
            max_call_s=max_call_s,
        )
        self._port = port
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        """The address that stands for https://api.twilio.com."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def calls(self) -> dict[str, SimulatedCall]:
        """Every call by its sid, oldest first."""
        return self._exchange.calls

    @property
    def messages(self) -> list[SentMessage]:
        """Every text message that was sent, oldest first."""
        return self._exchange.messages

    async def start(self) -> None:
        """Serve the REST side on loopback; raises OSError when the port is taken."""
        listener = socket.create_server((LOOPBACK, self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(CallsApi(self._exchange).app(), log_config=None, lifespan="off", ws="none")
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        await self._server.is_serving.wait()

    async def stop(self) -> None:
        """End all calls and the server."""
        await self._exchange.aclose()
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving

    async def place_inbound(
        self,
        from_number: str,
        to_number: str,
        answerer: Answerer,
        voice_url: str,
        status_callback: str | None = None,
    ) -> SimulatedCall:
        """Call the product: ask its voice URL and let `answerer` be the caller; returns while the call is ringing."""
        order = CallOrder(url=voice_url, status_callback=status_callback, time_limit_s=self._exchange.max_call_s)
        return self._exchange.receive(from_number, to_number, answerer, order)

    def place_outbound(self, from_number: str, to_number: str, order: CallOrder) -> SimulatedCall:
        """Place a call as the REST side does, without a REST client; returns while the call is queued."""
        return self._exchange.dial_out(from_number, to_number, order)

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

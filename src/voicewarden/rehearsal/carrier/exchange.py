"""All calls of one simulated account: orders in, running sessions out. Called by the REST routes and by the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from voicewarden.rehearsal.carrier.answerer import Answerer
from voicewarden.rehearsal.carrier.call import SimulatedCall
from voicewarden.rehearsal.carrier.clock import CallClock
from voicewarden.rehearsal.carrier.impairment import Impairment
from voicewarden.rehearsal.carrier.resources import SentMessage
from voicewarden.rehearsal.carrier.session import CallOrder, CallSession
from voicewarden.rehearsal.carrier.webhook import Webhooks


class Exchange:
    """Knows the numbers of the network and the calls that were made on it."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        numbers: dict[str, Answerer],
        *,
        speed: float,
        impairment: Impairment,
        max_call_s: int,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.numbers = numbers
        self.calls: dict[str, SimulatedCall] = {}
        self.messages: list[SentMessage] = []
        self.max_call_s = max_call_s
        self._speed = speed
        self._impairment = impairment
        self._webhooks = Webhooks(auth_token)
        self._sessions: dict[str, CallSession] = {}
        self._running: set[asyncio.Task[None]] = set()

    def dial_out(self, from_number: str, to_number: str, order: CallOrder) -> SimulatedCall:
        """Start an outbound call and return it at once, still queued."""
        call = SimulatedCall(self.account_sid, from_number, to_number, "outbound-api", CallClock(self._speed))
        session = self._session(call, order, self.numbers.get(to_number))
        self._start(session.run_outbound())
        return call

    def receive(self, from_number: str, to_number: str, answerer: Answerer, order: CallOrder) -> SimulatedCall:
        """Start an inbound call and return it at once."""
        call = SimulatedCall(self.account_sid, from_number, to_number, "inbound", CallClock(self._speed))
        session = self._session(call, order, answerer)
        self._start(session.run_inbound())
        return call

    def session(self, call_sid: str) -> CallSession | None:
        """Return the session behind a call."""
        return self._sessions.get(call_sid)

    async def aclose(self) -> None:
        """Drop the calls that are still up and close the connections."""
        running = list(self._running)
        for session in self._sessions.values():
            session.hang_up()
        if running:
            _, stuck = await asyncio.wait(running, timeout=5)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)
        await self._webhooks.aclose()

    def _session(self, call: SimulatedCall, order: CallOrder, answerer: Answerer | None) -> CallSession:
        self.calls[call.sid] = call
        session = CallSession(call, order, answerer, self.numbers, self._webhooks, self.auth_token, self._impairment)
        self._sessions[call.sid] = session
        return session

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

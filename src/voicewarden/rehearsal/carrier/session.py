"""One simulated call from dialling to its end: an order in, statuses, callbacks and a filled SimulatedCall out.

Made by the exchange for each call. Rings, answers, starts the audio path and the caller's talk, has the interpreter
run the documents, and ends the call when the first of them, the time limit or a REST order says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Final

from voicewarden.rehearsal.carrier import twiml
from voicewarden.rehearsal.carrier.answerer import Answerer
from voicewarden.rehearsal.carrier.audio_path import AudioPath
from voicewarden.rehearsal.carrier.call import CallStatus, SimulatedCall
from voicewarden.rehearsal.carrier.impairment import Impairment
from voicewarden.rehearsal.carrier.interpreter import Interpreter, Load, Page
from voicewarden.rehearsal.carrier.line import Line, LineClosed
from voicewarden.rehearsal.carrier.webhook import WebhookFailed, Webhooks, call_parameters

REJECTIONS: Final[dict[str, CallStatus]] = {"busy": "busy", "rejected": "no-answer"}


@dataclass(frozen=True, slots=True)
class CallOrder:
    """What was asked for when the call was made; the names follow Twilio's parameters."""

    url: str | None = None
    twiml: str | None = None
    status_callback: str | None = None
    status_events: frozenset[str] = frozenset({"completed"})
    machine_detection: bool = False
    is_async_amd: bool = False
    amd_callback: str | None = None
    time_limit_s: int = 14_400
    timeout_s: int = 60


class CallSession:
    """Runs one call."""

    def __init__(
        self,
        call: SimulatedCall,
        order: CallOrder,
        answerer: Answerer | None,
        numbers: Mapping[str, Answerer],
        webhooks: Webhooks,
        auth_token: str,
        impairment: Impairment,
    ) -> None:
        self.call = call
        self._order = order
        self._answerer = answerer
        self._webhooks = webhooks
        self._line = Line(self._press, self.hang_up)
        call.caller_spans = self._line.spans
        self._path = AudioPath(call, self._line, impairment)
        self._interpreter = Interpreter(call, self._path, webhooks, numbers, auth_token)
        self._is_canceled = asyncio.Event()
        self._callbacks: list[asyncio.Task[None]] = []

    def hang_up(self) -> None:
        """End the call from outside: before the answer it is canceled, afterwards it is completed."""
        self._is_canceled.set()
        self._interpreter.hang_up()

    def replace_twiml(self, text: str) -> None:
        """Run another document now; raises TwimlError when it is not one."""
        page = Page(twiml.parse(text), self._order.url or "")

        async def load() -> Page:
            return page

        self._interpreter.replace(load)

    def replace_url(self, url: str) -> None:
        """Fetch another document and run it now."""
        self._interpreter.replace(lambda: self._interpreter.fetch(url))

    async def run_outbound(self) -> None:
        """Dial the number and hold the call."""
        await self._watched(self._call_out())

    async def run_inbound(self) -> None:
        """Ask the voice URL what to do with a ringing caller and hold the call."""
        await self._watched(self._call_in())

    async def _watched(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # Nobody awaits this task, so a fault must reach who awaits the call.
            self.call.script_error = error
            self.call.enter("failed")
        finally:
            self.call.finish()

    async def _call_out(self) -> None:
        self._report("initiated")
        self.call.enter("ringing")
        self._report("ringing")
        final = await self._ring()
        if final is None and self._answerer is not None:
            self.call.enter("in-progress")
            self._report("answered")
            await self._hold(self._answerer, self._first_page)
            final = "completed"
        await self._end(final or "failed")

    async def _call_in(self) -> None:
        self.call.enter("ringing")
        await self._end(await self._receive())

    async def _receive(self) -> CallStatus:
        try:
            page = await self._first_page()
        except (WebhookFailed, twiml.TwimlError) as error:
            self.call.fail(str(error))
            return "failed"
        if page.verbs and isinstance(page.verbs[0], twiml.Reject):
            return REJECTIONS.get(page.verbs[0].reason, "no-answer")
        self.call.enter("in-progress")
        self._report("answered")

        async def load() -> Page:
            return page

        if self._answerer is not None:
            await self._hold(self._answerer, load)
        return "completed"

    async def _ring(self) -> CallStatus | None:
        if self._answerer is None:
            return "failed"
        limit_ms = self._order.timeout_s * 1000
        ringing = asyncio.create_task(self.call.clock.sleep(min(self._answerer.ring_ms, limit_ms)))
        canceled = asyncio.create_task(self._is_canceled.wait())
        await asyncio.wait({ringing, canceled}, return_when=asyncio.FIRST_COMPLETED)
        await _stop(ringing, canceled)
        if self._is_canceled.is_set():
            return "canceled"
        if self._answerer.outcome == "busy":
            return "busy"
        return "no-answer" if self._answerer.outcome == "no-answer" or self._answerer.ring_ms > limit_ms else None

    async def _hold(self, answerer: Answerer, load: Load) -> None:
        around = [
            asyncio.create_task(self._path.run()),
            asyncio.create_task(self._talk(answerer)),
            asyncio.create_task(self._limit()),
        ]
        if self._order.machine_detection and self._order.is_async_amd:
            around.append(asyncio.create_task(self._judge(answerer)))
        try:
            await self._interpreter.run(load)
        finally:
            self._line.close()
            await _stop(*around)

    async def _first_page(self) -> Page:
        if self._order.twiml is not None:
            return Page(twiml.parse(self._order.twiml))
        extra: dict[str, str] = {}
        if self._order.machine_detection and not self._order.is_async_amd and self._answerer is not None:
            await self.call.clock.sleep(self._answerer.judged_after_ms)
            self.call.answered_by = extra["AnsweredBy"] = self._answerer.answered_by
        return await self._interpreter.fetch(self._order.url or "", extra)

    async def _talk(self, answerer: Answerer) -> None:
        try:
            await answerer.talk(self._line)
        except LineClosed:
            return
        except Exception as error:  # A script is the tester's code: its failure must reach who awaits the call.
            self.call.script_error = error
            self.hang_up()

    async def _limit(self) -> None:
        await self.call.clock.sleep(self._order.time_limit_s * 1000)
        self.call.note("time_limit", limit_s=self._order.time_limit_s)
        self.hang_up()

    async def _judge(self, answerer: Answerer) -> None:
        await self.call.clock.sleep(answerer.judged_after_ms)
        self.call.answered_by = answerer.answered_by
        self.call.note("answered_by", verdict=answerer.answered_by)
        if self._order.amd_callback is not None:
            detail = {"AnsweredBy": answerer.answered_by, "MachineDetectionDuration": str(answerer.judged_after_ms)}
            self._queue(self._order.amd_callback, {**call_parameters(self.call), **detail})

    async def _end(self, final: CallStatus) -> None:
        self.call.enter(final)
        await self._interpreter.report_abandoned_dial()
        self._report("completed")
        await asyncio.gather(*self._callbacks)

    def _press(self, digit: str) -> None:
        self.call.dtmf_sent.append(digit)
        self.call.note("dtmf", digit=digit, has_stream=self._path.stream is not None)
        if self._path.stream is not None:
            self._path.stream.press(digit)

    def _report(self, event: str) -> None:
        if self._order.status_callback is None or event not in self._order.status_events:
            return
        parameters = call_parameters(self.call)
        if event == "initiated":
            parameters["CallStatus"] = "initiated"
        parameters |= {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(len(self._callbacks)),
            "Timestamp": self.call.started_at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        }
        if event == "completed":
            parameters["CallDuration"] = str(self.call.duration_s)
            if self.call.answered_by is not None:
                parameters["AnsweredBy"] = self.call.answered_by
        self._queue(self._order.status_callback, parameters)

    def _queue(self, url: str, parameters: dict[str, str]) -> None:
        # Each request waits for the one before, so that the product sees them in order.
        before = self._callbacks[-1] if self._callbacks else None
        self._callbacks.append(asyncio.create_task(self._post(url, parameters, before)))

    async def _post(self, url: str, parameters: dict[str, str], before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        self.call.note("callback", url=url, parameters=parameters)
        try:
            await self._webhooks.post(url, parameters)
        except WebhookFailed as error:
            self.call.fail(str(error))


async def _stop(*tasks: asyncio.Task[None] | asyncio.Task[bool]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""Runs TwiML on an answered call: documents in, streams and dials out, until a document ends or somebody hangs up.

Called by the session. A REST update or a hang-up interrupts the verb that is running: a stream gets `stop` and its
socket is closed, a dialled party is dropped, and the new document, if there is one, begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import urljoin

from voicewarden.rehearsal.carrier import twiml
from voicewarden.rehearsal.carrier.answerer import Answerer
from voicewarden.rehearsal.carrier.audio_path import AudioPath
from voicewarden.rehearsal.carrier.call import DialedLeg, SimulatedCall
from voicewarden.rehearsal.carrier.dialing import dial
from voicewarden.rehearsal.carrier.stream import MediaStream, StreamRefused
from voicewarden.rehearsal.carrier.webhook import WebhookFailed, Webhooks, call_parameters

REDIRECT_LIMIT: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A document and the address it came from, against which relative addresses are resolved."""

    verbs: twiml.Document
    url: str = ""


Load = Callable[[], Awaitable[Page]]


class Interpreter:
    """Carries out one call's documents."""

    def __init__(
        self,
        call: SimulatedCall,
        path: AudioPath,
        webhooks: Webhooks,
        numbers: Mapping[str, Answerer],
        auth_token: str,
    ) -> None:
        self._call = call
        self._path = path
        self._webhooks = webhooks
        self._numbers = numbers
        self._auth_token = auth_token
        self._is_interrupted = asyncio.Event()
        self._next: Load | None = None
        self._abandoned_dial: tuple[str, DialedLeg] | None = None
        self._pages = 0

    def replace(self, load: Load) -> None:
        """Interrupt what is running and go on with another document."""
        self._next = load
        self._is_interrupted.set()

    def hang_up(self) -> None:
        """Interrupt what is running and end the call."""
        self._next = None
        self._is_interrupted.set()

    async def fetch(self, url: str, extra: Mapping[str, str] | None = None) -> Page:
        """Ask the product for a document; raises WebhookFailed or TwimlError."""
        parameters = {**call_parameters(self._call), **(extra or {})}
        self._call.note("webhook", url=url, parameters=parameters)
        return Page(twiml.parse(await self._webhooks.post(url, parameters)), url)

    async def run(self, load: Load) -> None:
        """Load and run documents until none follows; what is wrong with one is written to the call's errors."""
        current: Load | None = load
        while current is not None and self._pages < REDIRECT_LIMIT:
            self._pages += 1
            try:
                current = await self._or_interrupt(self._run_page(current))
            except (WebhookFailed, twiml.TwimlError) as error:
                self._call.fail(str(error))
                return
        if current is not None:
            self._call.fail(f"more than {REDIRECT_LIMIT} documents ran in one call; look for a redirect loop")

    async def report_abandoned_dial(self) -> None:
        """Tell the product how a dial ended that the caller's hang-up cut short."""
        if self._abandoned_dial is None:
            return
        url, leg = self._abandoned_dial
        parameters = {**call_parameters(self._call), **_dial_result(leg)}
        self._call.note("webhook", url=url, parameters=parameters)
        try:
            await self._webhooks.post(url, parameters)
        except WebhookFailed as error:
            self._call.fail(str(error))

    async def _or_interrupt(self, work: Coroutine[object, object, Load | None]) -> Load | None:
        running = asyncio.create_task(work)
        interrupted = asyncio.create_task(self._is_interrupted.wait())
        try:
            await asyncio.wait({running, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            interrupted.cancel()
            running.cancel()
            await asyncio.gather(running, interrupted, return_exceptions=True)
        if self._is_interrupted.is_set():
            self._is_interrupted.clear()
            return self._next
        return running.result()

    async def _run_page(self, load: Load) -> Load | None:
        page = await load()
        for verb in page.verbs:
            self._call.note("verb", name=type(verb).__name__)
            match verb:
                case twiml.Connect():
                    following = await self._connect(verb, page)
                case twiml.Dial():
                    following = await self._dial(verb, page)
                case twiml.Redirect(url):
                    return self._later(page, url)
                case twiml.Pause(length_s):
                    await self._call.clock.sleep(length_s * 1000)
                    continue
                case twiml.Say(text):
                    self._call.note("say", text=text)
                    continue
                case twiml.Hangup() | twiml.Reject():
                    return None
                case _:
                    assert_never(verb)
            if following is not None:
                return following
        return None

    def _later(self, page: Page, url: str, extra: Mapping[str, str] | None = None) -> Load:
        return lambda: self.fetch(urljoin(page.url, url), extra)

    async def _connect(self, verb: twiml.Connect, page: Page) -> Load | None:
        stream = MediaStream(self._call, verb, self._auth_token)
        error = ""
        try:
            await stream.open()
            await self._tell_stream(verb, page, stream, "stream-started")
            self._path.plug(stream)
            await stream.read()
        except StreamRefused as refused:
            error = str(refused)
            self._call.fail(error)
        finally:
            self._path.plug(None)
            await stream.close()
        await self._tell_stream(verb, page, stream, "stream-error" if error else "stream-stopped", error)
        return self._later(page, verb.action, {"StreamSid": stream.sid}) if verb.action else None

    async def _tell_stream(
        self, verb: twiml.Connect, page: Page, stream: MediaStream, event: str, error: str = ""
    ) -> None:
        if verb.status_callback is None:
            return
        parameters = {
            "AccountSid": self._call.account_sid,
            "CallSid": self._call.sid,
            "StreamSid": stream.sid,
            "StreamName": verb.stream_name or stream.sid,
            "StreamEvent": event,
        }
        if error:
            parameters["StreamError"] = error
        try:
            await self._webhooks.post(urljoin(page.url, verb.status_callback), parameters)
        except WebhookFailed as failed:
            self._call.fail(str(failed))

    async def _report_answered(self, verb: twiml.Dial, page: Page, leg: DialedLeg) -> None:
        if verb.answered_url is None:
            return
        parameters = {
            **call_parameters(self._call), "CallSid": leg.sid, "ParentCallSid": self._call.sid, "To": leg.number,
            "Called": leg.number, "CallStatus": "in-progress", "CallbackSource": "call-progress-events",
        }  # fmt: skip
        url = urljoin(page.url, verb.answered_url)
        self._call.note("webhook", url=url, parameters=parameters)
        try:
            await self._webhooks.post(url, parameters)
        except WebhookFailed as failed:
            self._call.fail(str(failed))

    async def _dial(self, verb: twiml.Dial, page: Page) -> Load | None:
        try:
            leg = await dial(
                self._call, self._path, verb, self._numbers.get(verb.number),
                lambda leg: self._report_answered(verb, page, leg),
            )  # fmt: skip
        except asyncio.CancelledError:
            if verb.action and self._next is None:
                self._abandoned_dial = (urljoin(page.url, verb.action), self._call.dials[-1])
            raise
        return self._later(page, verb.action, _dial_result(leg)) if verb.action else None


def _dial_result(leg: DialedLeg) -> dict[str, str]:
    result = {"DialCallSid": leg.sid, "DialCallStatus": leg.status}
    if leg.status == "completed":
        result["DialCallDuration"] = str(max(1, round(leg.duration_ms / 1000)))
    return result

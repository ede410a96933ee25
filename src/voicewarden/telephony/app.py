"""The web application that the carrier talks to: voice webhooks, callbacks, the media socket.

In: signed requests of the carrier. Out: TwiML, events for calls. Everything unsigned, unknown or repeated is refused or
ignored; nothing that a caller said or dialled is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, Request, Response, WebSocket

from voicewarden.model.action import AnswererVerdict
from voicewarden.model.error import ConfigError, LedgerError
from voicewarden.model.event import CallEnded, CarrierJudgedAnswerer
from voicewarden.runtime.calls import LiveCall
from voicewarden.telephony import document
from voicewarden.telephony.desk import Desk
from voicewarden.telephony.signature import Signatures
from voicewarden.telephony.stream import serve_stream

_LOG: Final = logging.getLogger(__name__)
_NOT_REACHED: Final = frozenset({"busy", "no-answer", "failed", "canceled"})
_JUDGED: Final[dict[str, AnswererVerdict]] = {
    "human": "human", "machine_start": "voicemail", "machine_end_beep": "voicemail",
    "machine_end_silence": "voicemail", "machine_end_other": "voicemail", "fax": "fax", "unknown": "unknown",
}  # fmt: skip
_MEDIA_GRACE_S: Final = 2.0
"""How long after the carrier's `completed` the media socket may still report the end itself."""

Parameters = dict[str, str]
Hook = Callable[[Request, Parameters], Awaitable[Response]]


def create_app(desk: Desk) -> FastAPI:
    """The application of one desk."""
    app = FastAPI(title="voicewarden", docs_url=None, redoc_url=None, openapi_url=None)
    signatures = Signatures(desk.account)
    hooks = _Hooks(desk)

    def signed(handle: Hook) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            parameters = {key: str(value) for key, value in (await request.form()).items()}
            path, query = request.url.path, request.url.query
            if not signatures.holds(path, query, parameters, request.headers):
                _LOG.warning("a webhook without the carrier's signature was refused")
                return Response(status_code=403)
            return await handle(request, parameters)

        return checked

    app.add_api_route("/twilio/voice", signed(hooks.voice), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/answered", signed(hooks.answered), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/status", signed(hooks.status), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/amd", signed(hooks.judged), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/transferred", signed(hooks.transferred), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/leg", signed(hooks.leg), methods=["POST"])
    app.add_api_route("/twilio/calls/{call}/after", signed(hooks.after), methods=["POST"])

    @app.websocket("/twilio/stream")
    async def stream(websocket: WebSocket) -> None:
        if not signatures.holds_for_stream(websocket.headers):
            await websocket.close(code=1008)
            return
        await serve_stream(websocket, desk)

    @app.get("/health")
    async def health() -> dict[str, object]:
        return {"ok": True, "calls": len(desk.switchboard.calls)}

    return app


class _Hooks:
    """The webhooks, each of them harmless when it comes twice or too late."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._calls = desk.switchboard.calls
        self._endings: set[asyncio.Task[None]] = set()

    async def voice(self, _: Request, parameters: Parameters) -> Response:
        """Somebody calls us."""
        sid, number = parameters.get("CallSid", ""), parameters.get("From", "")
        if not sid or not number:
            return _xml(document.reject())
        live = self._calls.by_sid(sid)
        if live is None:
            try:
                prepared = await self._desk.switchboard.prepare()
                # The same webhook may have come again meanwhile: there is one call for it.
                live = self._calls.by_sid(sid) or self._desk.switchboard.open_call(
                    number, self._desk.inbound_agent, "inbound", dict(self._desk.facts), prepared
                )
            except (LedgerError, ConfigError) as error:
                _LOG.warning("an inbound call was not taken: %s", type(error).__name__)
                return _xml(document.reject(busy=isinstance(error, LedgerError)))
            self._calls.name(live, sid)
        return self._connect(live)

    async def answered(self, request: Request, parameters: Parameters) -> Response:
        """Somebody picked up a call of ours."""
        live = self._known(request, parameters)
        if live is None or live.loop.state.identity.ending:
            return _xml(document.hang_up())
        if answered_by := parameters.get("AnsweredBy"):
            self._weigh(live, answered_by)  # a call that was placed with synchronous detection
        return self._connect(live)

    async def status(self, request: Request, parameters: Parameters) -> Response:
        """The carrier's account of the call's progress."""
        live, status = self._known(request, parameters), parameters.get("CallStatus", "")
        if live is None or not live.first_time("status", status):
            return Response(status_code=204)
        if status in _NOT_REACHED:
            live.loop.post(CallEnded(at_ms=-1, reason=status.replace("-", "_")))
        elif status == "completed":
            self._desk.carrier.forget(live.id)
            self._end_later(live)
        return Response(status_code=204)

    async def judged(self, request: Request, parameters: Parameters) -> Response:
        """The carrier's opinion of who answered."""
        live = self._known(request, parameters)
        if live is not None:
            self._weigh(live, parameters.get("AnsweredBy", ""))
        return Response(status_code=204)

    async def transferred(self, request: Request, parameters: Parameters) -> Response:
        """How the other leg of a transfer ended."""
        live = self._known(request, parameters)
        if live is None:
            return _xml(document.hang_up())
        answered = self._desk.carrier.transferred(live.id, parameters.get("DialCallStatus", ""))
        return _xml(document.hang_up("" if answered else self._desk.apology))

    async def leg(self, request: Request, parameters: Parameters) -> Response:
        """Somebody picked up at the desk: from now on the call is theirs."""
        live = self._calls.get(request.path_params["call"])
        if live is not None and live.sid == parameters.get("ParentCallSid"):
            self._desk.carrier.transferred(live.id, parameters.get("CallStatus", ""))
        return Response(status_code=204)

    async def after(self, request: Request, parameters: Parameters) -> Response:
        """Our media socket has closed and no other document is there."""
        return _xml(document.hang_up())

    def _weigh(self, live: LiveCall, answered_by: str) -> None:
        """Hand the carrier's opinion to the call, once."""
        if live.first_time("amd", answered_by):
            live.loop.post(CarrierJudgedAnswerer(at_ms=-1, verdict=_JUDGED.get(answered_by, "unknown")))

    def _known(self, request: Request, parameters: Parameters) -> LiveCall | None:
        """The call of this address, if the carrier speaks of the same one."""
        live = self._calls.get(request.path_params["call"])
        sid = parameters.get("CallSid", "")
        if live is None or (live.sid and live.sid != sid):
            return None
        if not live.sid and sid:
            self._calls.name(live, sid)
        return live

    def _connect(self, live: LiveCall) -> Response:
        account = self._desk.account
        after = account.webhook(f"/twilio/calls/{live.id}/after")
        token = self._desk.tokens.make(live)
        return _xml(document.connect(account.stream_url, after, call=live.id, token=token))

    def _end_later(self, live: LiveCall) -> None:
        async def end() -> None:
            await asyncio.sleep(_MEDIA_GRACE_S)
            live.loop.post(CallEnded(at_ms=-1, reason="completed"))

        task = asyncio.get_running_loop().create_task(end())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)


def _xml(text: str) -> Response:
    return Response(text, media_type="application/xml")

"""The REST side: Twilio's Calls and Messages over HTTP in, orders to the exchange and Twilio-shaped JSON out.

Mounted by the carrier. Requests are form-encoded with basic auth; refusals carry Twilio's error codes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from voicewarden.rehearsal.carrier.call import SimulatedCall
from voicewarden.rehearsal.carrier.exchange import Exchange
from voicewarden.rehearsal.carrier.resources import RestError, SentMessage, call_body, message_body
from voicewarden.rehearsal.carrier.session import CallOrder, CallSession
from voicewarden.rehearsal.carrier.twiml import TwimlError
from voicewarden.rehearsal.carrier.webhook import API_VERSION

E164: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
WEB_ADDRESS: Final = re.compile(r"https?://[^/\s]+", re.ASCII)
EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})


class CallsApi:
    """Handlers over one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def app(self) -> Starlette:
        """Return the application to serve."""
        root = f"/{API_VERSION}/Accounts/{{account_sid}}"
        return Starlette(
            routes=[
                Route(f"{root}/Calls.json", self.create_call, methods=["POST"]),
                Route(f"{root}/Calls/{{call_sid}}.json", self.read_call, methods=["GET"]),
                Route(f"{root}/Calls/{{call_sid}}.json", self.update_call, methods=["POST"]),
                Route(f"{root}/Messages.json", self.create_message, methods=["POST"]),
            ],
            exception_handlers={RestError: _refusal, HTTPException: _not_found},
        )

    async def create_call(self, request: Request) -> JSONResponse:
        """Queue an outbound call."""
        self._authenticate(request)
        form = await request.form()
        to_number, from_number = _number(form, "To", 21201, 21211), _number(form, "From", 21213, 21212)
        call = self._exchange.dial_out(from_number, to_number, self._order(form))
        return JSONResponse(call_body(call), status_code=201)

    async def read_call(self, request: Request) -> JSONResponse:
        """Return one call."""
        self._authenticate(request)
        return JSONResponse(call_body(self._find(request).call))

    async def update_call(self, request: Request) -> JSONResponse:
        """End a call or give it another document."""
        self._authenticate(request)
        session = self._find(request)
        form = await request.form()
        status, document, url = (_text(form, name) for name in ("Status", "Twiml", "Url"))
        if status is not None:
            _end(session, status)
        elif session.call.status != "in-progress":
            raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
        elif document is not None:
            try:
                session.replace_twiml(document)
            except TwimlError as error:
                raise RestError(400, error.code, f"The Twiml parameter cannot be run: {error}") from None
        elif url is not None:
            session.replace_url(_address(url, "Url"))
        return JSONResponse(call_body(session.call))

    async def create_message(self, request: Request) -> JSONResponse:
        """Store a text message."""
        self._authenticate(request)
        form = await request.form()
        to_number, from_number = _number(form, "To", 21604, 21211), _number(form, "From", 21603, 21212)
        body = _text(form, "Body")
        if body is None:
            raise RestError(400, 21602, "Message body is required.")
        message = SentMessage(self._exchange.account_sid, to_number, from_number, body)
        self._exchange.messages.append(message)
        return JSONResponse(message_body(message), status_code=201)

    def _authenticate(self, request: Request) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            given = b""
        expected = f"{self._exchange.account_sid}:{self._exchange.auth_token}".encode()
        is_account = request.path_params["account_sid"] == self._exchange.account_sid
        if scheme != "Basic" or not hmac.compare_digest(given, expected) or not is_account:
            raise RestError(401, 20003, "Authenticate")

    def _find(self, request: Request) -> CallSession:
        session = self._exchange.session(request.path_params["call_sid"])
        if session is None:
            raise _gone(request.url.path)
        return session

    def _order(self, form: FormData) -> CallOrder:
        document, url = _text(form, "Twiml"), _text(form, "Url")
        if document is None:
            url = _address(url or "", "Url")
        events = [str(value) for given in form.getlist("StatusCallbackEvent") for value in str(given).split()]
        if not EVENTS.issuperset(events):
            raise RestError(400, 21626, f"Invalid StatusCallbackEvent; known are {', '.join(sorted(EVENTS))}")
        return CallOrder(
            url=None if document is not None else url,
            twiml=document,
            status_callback=_optional_address(form, "StatusCallback"),
            status_events=frozenset(events or ["completed"]),
            machine_detection=_text(form, "MachineDetection") in {"Enable", "DetectMessageEnd"},
            is_async_amd=_text(form, "AsyncAmd") == "true",
            amd_callback=_optional_address(form, "AsyncAmdStatusCallback"),
            time_limit_s=min(_seconds(form, "TimeLimit", self._exchange.max_call_s), self._exchange.max_call_s),
            timeout_s=_seconds(form, "Timeout", 60),
        )


def _end(session: CallSession, status: str) -> None:
    if session.call.is_over:
        raise _gone(f"/{API_VERSION}/Accounts/{session.call.account_sid}/Calls/{session.call.sid}.json")
    if status not in {"completed", "canceled"}:
        raise RestError(400, 21218, "Status may be set to completed or canceled only.")
    if status == "completed" or not _is_answered(session.call):
        session.hang_up()


def _is_answered(call: SimulatedCall) -> bool:
    return call.answered_at_ms is not None


def _gone(path: str) -> RestError:
    return RestError(404, 20404, f"The requested resource {path} was not found")


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) and value else None


def _number(form: FormData, name: str, missing_code: int, invalid_code: int) -> str:
    value = _text(form, name)
    if value is None:
        raise RestError(400, missing_code, f"No '{name}' number is specified")
    if E164.fullmatch(value) is None:
        raise RestError(
            400, invalid_code, f"The '{name}' number is not a valid phone number; use E.164, as +15551230000"
        )
    return value


def _address(value: str, name: str) -> str:
    if WEB_ADDRESS.match(value) is None:
        raise RestError(400, 21205, f"{name} is not a valid URL; give http:// or https:// with a host, or Twiml")
    return value


def _optional_address(form: FormData, name: str) -> str | None:
    value = _text(form, name)
    return None if value is None else _address(value, name)


def _seconds(form: FormData, name: str, default: int) -> int:
    value = _text(form, name) or str(default)
    if not value.isdecimal():
        raise RestError(400, 20001, f"{name} must be whole seconds")
    return int(value)


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RestError):
        raise error
    return JSONResponse(error.body(), status_code=error.status)


async def _not_found(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    body = RestError(status, 20000 + status, f"The requested resource {request.url.path} was not found").body()
    return JSONResponse(body, status_code=status)

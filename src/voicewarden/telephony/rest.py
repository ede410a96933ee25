"""The carrier's REST interface through its own client library, at any base address.

In: an account. Out: calls created, redirected and ended. The library is synchronous: every request runs in a thread,
with a deadline, and its errors become `CarrierFailed` without numbers in them.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from voicewarden.model.error import CarrierFailed
from voicewarden.telephony.account import TWILIO_API, Account

_Result = TypeVar("_Result")
_REQUEST_S: Final = 10.0
_GONE: Final = 20404
_NOT_IN_PROGRESS: Final = 21220


class _Elsewhere(TwilioHttpClient):  # type: ignore[misc]  # the library ships no types
    """Sends what the library addresses to Twilio to another base address (a simulator, a regional edge)."""

    def __init__(self, api_url: str) -> None:
        super().__init__(timeout=_REQUEST_S)
        self._base = urlsplit(api_url)

    # Any: the library's own untyped signature is passed through.
    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Rewrite scheme and host, keep the path."""
        parts = urlsplit(url)
        there = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, there, *args, **kwargs)


class Rest:
    """Calls and messages of one account."""

    def __init__(self, account: Account) -> None:
        http = None if account.api_url == TWILIO_API else _Elsewhere(account.api_url)
        self._account = account
        self._client = Client(account.account_sid, account.auth_token, http_client=http)

    async def create(self, to_number: str, *, url: str, status_url: str, amd_url: str, longest_s: int) -> str:
        """Start a call; the carrier asks `url` what to do once somebody answers. Returns the carrier's id."""
        made = await self._ask(
            lambda: self._client.calls.create(
                to=to_number, from_=self._account.from_number, url=url, method="POST", status_callback=status_url,
                status_callback_event=["initiated", "ringing", "answered", "completed"], timeout=20,
                time_limit=longest_s, machine_detection="Enable", async_amd="true", async_amd_status_callback=amd_url,
            )
        )  # fmt: skip
        return str(made.sid)

    async def redirect(self, sid: str, document: str) -> None:
        """Give a running call a new document; its media socket is closed by the carrier."""
        await self._ask(lambda: self._client.calls(sid).update(twiml=document))

    async def end(self, sid: str) -> None:
        """End a call; one that is over already is no error."""
        try:
            await self._ask(lambda: self._client.calls(sid).update(status="completed"))
        except CarrierFailed as failed:
            if failed.args[1:] and failed.args[1] in (_GONE, _NOT_IN_PROGRESS):
                return
            raise

    async def send_text(self, to_number: str, text: str) -> str:
        """Send a text message; returns the carrier's id of it."""
        sent = await self._ask(
            lambda: self._client.messages.create(to=to_number, from_=self._account.from_number, body=text)
        )
        return str(sent.sid)

    async def _ask(self, request: Callable[[], _Result]) -> _Result:
        try:
            return await asyncio.wait_for(asyncio.to_thread(request), _REQUEST_S + 2)
        except TwilioRestException as error:
            raise CarrierFailed(
                f"the carrier refused the request (status {error.status}, code {error.code}); "
                "look the code up in the carrier's error dictionary",
                error.code,
            ) from None
        except (TwilioException, OSError, TimeoutError) as error:
            raise CarrierFailed(f"the carrier did not answer ({type(error).__name__}); check its address") from None

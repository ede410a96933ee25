"""Requests from the carrier to the product: URL and parameters in, the answer's text out, signed as Twilio signs.

Called by the session and the interpreter for voice URLs, actions, status and detection callbacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx
from twilio.request_validator import RequestValidator

from voicewarden.rehearsal.carrier.call import SimulatedCall

API_VERSION: Final = "2010-04-01"
TIMEOUT_S: Final = 15.0


class WebhookFailed(Exception):
    """The product did not answer a webhook as Twilio needs it (error 11200)."""


class Webhooks:
    """Posts form-encoded, signed requests."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)

    async def post(self, url: str, parameters: Mapping[str, str]) -> str:
        """Return the body of the answer; raises WebhookFailed when there is none with a 2xx status."""
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(url, dict(parameters)),
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            answer = await self._client.post(url, data=dict(parameters), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebhookFailed(f"11200: {_path(url)} could not be reached ({type(error).__name__})") from error
        if not answer.is_success:
            raise WebhookFailed(f"11200: {_path(url)} answered {answer.status_code}; a 2xx answer was expected")
        return answer.text

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def call_parameters(call: SimulatedCall) -> dict[str, str]:
    """Return the parameters that every request about a call carries."""
    return {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Called": call.to_number,
        "Caller": call.from_number,
        "Direction": call.direction,
        "From": call.from_number,
        "FromCountry": "US",
        "To": call.to_number,
        "ToCountry": "US",
    }


def _path(url: str) -> str:
    # The host is the tester's own; a query may carry a token.
    return url.split("?", maxsplit=1)[0]

"""One-time tokens that bind a media socket to its call.

In: a call that is about to be connected. Out: a token for the carrier's document; the socket must bring it back, once.
"""

import hmac
import secrets
from typing import Final

from voicewarden.runtime.calls import Calls, LiveCall

_TOKEN_BYTES: Final = 24


class Tokens:
    """Tokens of the calls that wait for their sound."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._waiting: dict[str, str] = {}

    def make(self, call: LiveCall) -> str:
        """A fresh token; an older one of this call is void."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._waiting[call.id] = token
        return token

    def claim(self, call: str, token: str, sid: str) -> LiveCall | None:
        """The call that a media socket belongs to; None when anything does not fit."""
        live, wanted = self._calls.get(call), self._waiting.get(call, "")
        if live is None or not wanted or not sid or (live.sid and live.sid != sid):
            return None
        if not hmac.compare_digest(wanted.encode(), token.encode("utf-8", "surrogatepass")):
            return None
        del self._waiting[call]
        if not live.sid:
            self._calls.name(live, sid)
        return live

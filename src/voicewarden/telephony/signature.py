"""Checks the carrier's signature on webhooks and on the media socket's handshake.

In: a request as it arrived. Out: yes or no. The address is built from configuration, never from request headers,
because a proxy rewrites those. A missing signature is a no.
"""

from collections.abc import Iterable, Mapping

from twilio.request_validator import RequestValidator

from voicewarden.telephony.account import Account

_HEADER = "x-twilio-signature"
_SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"


class Signatures:
    """The signature check of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._validator = RequestValidator(account.auth_token)

    def holds(self, path: str, query: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Whether a form-encoded webhook was signed by the carrier."""
        signature = headers.get(_HEADER, "")
        if not signature or _SETTINGS_HEADER in headers:
            # Another algorithm needs another secret, which this account does not have: refused, not guessed.
            return False
        url = self._account.webhook(path) + (f"?{query}" if query else "")
        return bool(self._validator.validate(url, dict(parameters), signature))

    def holds_for_stream(self, headers: Mapping[str, str]) -> bool:
        """Whether the media socket's handshake was signed by the carrier."""
        signature = headers.get(_HEADER, "")
        return bool(signature) and any(
            self._validator.validate(url, {}, signature) for url in _forms(self._account.stream_url)
        )


def _forms(url: str) -> Iterable[str]:
    """The carrier documents the exact socket address; some of its edges sign it with a closing slash."""
    yield url
    yield url + "/"

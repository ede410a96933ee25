"""What is known of the carrier account, and the addresses that the carrier reaches us at.

In: settings. Out: one immutable value that the rest of the room takes. Secrets never appear in its text form.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

TWILIO_API: Final = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Account:
    """A carrier account; `public_url` is where the carrier reaches this server, scheme and host as it signs them."""

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str = field(repr=False)
    public_url: str
    api_url: str = TWILIO_API

    def webhook(self, path: str) -> str:
        """The address of one of our webhooks."""
        return self.public_url.rstrip("/") + path

    @property
    def stream_url(self) -> str:
        """The address of the media socket: the same host by WebSocket."""
        parts = urlsplit(self.public_url)
        scheme = "ws" if parts.scheme == "http" else "wss"
        return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/twilio/stream"

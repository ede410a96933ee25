"""What the REST side answers: a call, a message or an error in, Twilio's JSON shape out. Called by the REST routes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from voicewarden.rehearsal.carrier.call import SimulatedCall, new_sid
from voicewarden.rehearsal.carrier.webhook import API_VERSION


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A text message that the product asked the carrier to send."""

    account_sid: str
    to_number: str
    from_number: str
    body: str
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class RestError(Exception):
    """A refused request: HTTP status, Twilio's error code and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> dict[str, object]:
        """Return the error as Twilio prints it."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment)


def call_body(call: SimulatedCall) -> dict[str, object]:
    """Return a call as the resource `Calls/{Sid}` prints it."""
    uri = f"/{API_VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    parts: tuple[str, ...] = (
        "notifications",
        "recordings",
        "payments",
        "events",
        "siprec",
        "streams",
        "transcriptions",
    )
    parts += ("user_defined_message_subscriptions", "user_defined_messages")
    return {
        "account_sid": call.account_sid,
        "answered_by": call.answered_by,
        "api_version": API_VERSION,
        "caller_name": None,
        "date_created": _date(call.started_at),
        "date_updated": _date(call.ended_at or call.started_at),
        "direction": call.direction,
        "duration": str(call.duration_s) if call.is_over else None,
        "end_time": _date(call.ended_at),
        "forwarded_from": None,
        "from": call.from_number,
        "from_formatted": call.from_number,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": _date(call.started_at) if call.answered_at_ms is not None else None,
        "status": call.status,
        "subresource_uris": {name: f"{uri}/{name.title().replace('_', '')}.json" for name in parts},
        "to": call.to_number,
        "to_formatted": call.to_number,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def message_body(message: SentMessage) -> dict[str, object]:
    """Return a message as the resource `Messages/{Sid}` prints it."""
    uri = f"/{API_VERSION}/Accounts/{message.account_sid}/Messages/{message.sid}"
    return {
        "account_sid": message.account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": _date(message.created_at),
        "date_sent": None,
        "date_updated": _date(message.created_at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": message.from_number,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": message.sid,
        "status": "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to_number,
        "uri": f"{uri}.json",
    }

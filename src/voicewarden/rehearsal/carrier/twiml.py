"""TwiML as values: the XML of a webhook's answer in, a tuple of verbs out. Called by the interpreter and the REST side.

Only the verbs that the simulator can carry out are known. Anything else is an error with Twilio's code, so that a
typing mistake ends the practice call instead of being passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree

PARSE_FAILURE: Final = 12100
SCHEMA_FAILURE: Final = 12200
STREAM_SCHEME: Final = 31922
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class TwimlError(ValueError):
    """A document that cannot be run: `code` is Twilio's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a two-way media stream and wait until it has ended."""

    stream_url: str
    stream_name: str = ""
    status_callback: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """Add one more party and wait until that party has gone."""

    number: str
    action: str | None = None
    caller_id: str | None = None
    timeout_s: int = 30
    time_limit_s: int = 14_400
    answered_url: str | None = None
    """Asked when the other party picks up (`statusCallback` of `<Number>` with the event `answered`)."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stay silent."""

    length_s: int = 1


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at another address."""

    url: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Turn a ringing inbound call away."""

    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text (written to the log, not spoken)."""

    text: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


Verb = Connect | Dial | Pause | Redirect | Reject | Say | Hangup
Document = tuple[Verb, ...]


def parse(text: str) -> Document:
    """Return the verbs of a document; raises TwimlError with the place and what was expected."""
    # An answer with a document type could declare entities that expand without end.
    if "<!DOCTYPE" in text:
        raise TwimlError(PARSE_FAILURE, "a document type is not allowed; start the answer with <Response>")
    try:
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError as error:
        raise TwimlError(PARSE_FAILURE, f"the answer is not XML ({error}); return <Response>...</Response>") from None
    if root.tag != "Response":
        raise TwimlError(SCHEMA_FAILURE, f"the root is <{root.tag}>; it must be <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: ElementTree.Element) -> Verb:
    reader = _READERS.get(element.tag)
    if reader is None:
        raise TwimlError(SCHEMA_FAILURE, f"<{element.tag}> is unknown here; the simulator runs {', '.join(_READERS)}")
    return reader(element)


def _text(element: ElementTree.Element) -> str:
    return (element.text or "").strip()


def _seconds(element: ElementTree.Element, name: str, default: int) -> int:
    value = element.get(name, str(default))
    if not value.isdecimal():
        raise TwimlError(SCHEMA_FAILURE, f"<{element.tag} {name}> must be whole seconds, found {value!r}")
    return int(value)


def _connect(element: ElementTree.Element) -> Connect:
    stream = element.find("Stream")
    if stream is None or len(element) != 1:
        raise TwimlError(SCHEMA_FAILURE, "<Connect> must hold exactly one <Stream>")
    parameters = {}
    for child in stream:
        name, value = child.get("name"), child.get("value")
        if child.tag != "Parameter" or not name or value is None:
            raise TwimlError(SCHEMA_FAILURE, "<Stream> may hold only <Parameter name= value=>")
        parameters[name] = value
    return Connect(
        stream_url=_stream_url(stream.get("url", "")),
        stream_name=stream.get("name", ""),
        status_callback=stream.get("statusCallback"),
        parameters=parameters,
        action=element.get("action"),
    )


def _stream_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "wss" and not (parts.scheme == "ws" and parts.hostname in LOOPBACK_HOSTS):
        raise TwimlError(STREAM_SCHEME, "<Stream url> must be wss:// (the simulator also takes ws:// on loopback)")
    if parts.query:
        raise TwimlError(SCHEMA_FAILURE, "<Stream url> may not carry a query; pass values as <Parameter>")
    return url


def _dial(element: ElementTree.Element) -> Dial:
    nested = element.find("Number")
    number = _text(nested if nested is not None else element)
    if not number:
        raise TwimlError(SCHEMA_FAILURE, "<Dial> names no number; put it in as text or as <Number>")
    return Dial(
        number=number,
        action=element.get("action"),
        caller_id=element.get("callerId"),
        timeout_s=_seconds(element, "timeout", 30),
        time_limit_s=_seconds(element, "timeLimit", 14_400),
        answered_url=_answered_url(nested),
    )


def _answered_url(number: ElementTree.Element | None) -> str | None:
    if number is None or "answered" not in number.get("statusCallbackEvent", "completed").split():
        return None
    return number.get("statusCallback")


def _redirect(element: ElementTree.Element) -> Redirect:
    url = _text(element)
    if not url:
        raise TwimlError(SCHEMA_FAILURE, "<Redirect> names no address; put it in as text")
    return Redirect(url)


_READERS: Final[dict[str, Callable[[ElementTree.Element], Verb]]] = {
    "Connect": _connect,
    "Dial": _dial,
    "Hangup": lambda _: Hangup(),
    "Pause": lambda element: Pause(_seconds(element, "length", 1)),
    "Redirect": _redirect,
    "Reject": lambda element: Reject(element.get("reason", "rejected")),
    "Say": lambda element: Say(_text(element)),
}

"""What is on record about words that are gone: notes in the stream `control` on erasures and on periods that ran out.

In: the stream `control`. Out: which classes of which calls were destroyed, when and why. Called by whoever destroys, by
`verify`, and by reports of a call whose words are gone.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from voicewarden.ledger.view import LedgerView
from voicewarden.model.content import ContentClass


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person's signature on an order."""

    person: str
    unix_ms: int
    signature: str
    """Ed25519, in base64."""


class ContentErased(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="note", tag="content_erased",
                    kw_only=True):  # fmt: skip
    """The words of one call were erased by order of two people, whose signatures can be checked again."""

    unix_ms: int
    call: str
    classes: tuple[ContentClass, ...]
    reason: str
    head: str
    origin: str
    asked_unix_ms: int
    signatures: tuple[Signed, ...]


class ContentExpired(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="note", tag="content_expired",
                     kw_only=True):  # fmt: skip
    """The period of a class ran out for these calls."""

    unix_ms: int
    classes: tuple[ContentClass, ...]
    days: int
    before_unix_ms: int
    """Calls that began before this time."""
    calls: tuple[str, ...]
    held: tuple[str, ...] = ()
    """Calls of the same age that a hold keeps."""
    why: str = ""
    owner: str = ""


Forgotten = ContentErased | ContentExpired
_DECODE: Final = msgspec.json.Decoder(Forgotten).decode
CONTROL: Final = "control"
_TAGS: Final = (b'"note":"content_erased"', b'"note":"content_expired"')
_RECORDING: Final = b'"event":"RecordingStored"'


def read_forgotten(notes: Iterable[bytes]) -> list[Forgotten]:
    """Of the notes in the stream `control` those on what is gone, the oldest first."""
    found: list[Forgotten] = []
    for note in notes:
        if any(tag in note for tag in _TAGS):
            try:
                found.append(_DECODE(note))
            except msgspec.MsgspecError:
                continue  # of another version of this program; `verify` tells of the words that can't be explained
    return found


def forgotten(ledger: LedgerView) -> dict[str, tuple[ContentClass, ...]]:
    """The classes of every call that are gone."""
    gone: dict[str, set[ContentClass]] = {}
    for note in read_forgotten(record.body for record in ledger.read_stream(CONTROL)):
        for call in (note.call,) if isinstance(note, ContentErased) else note.calls:
            gone.setdefault(call, set()).update(note.classes)
    return {call: tuple(sorted(classes, reverse=True)) for call, classes in gone.items()}


def recordings_of(ledger: LedgerView, call: str) -> tuple[str, ...]:
    """Names of the blobs in which the sound of a call is stored."""
    names = []
    for record in ledger.read_stream(f"call:{call}"):
        if record.kind == "event" and _RECORDING in record.body:
            names.append(str(msgspec.json.decode(record.body)["blob"]))
    return tuple(names)

"""A person's history as notes in the stream `contact:<id>`, and the facts that follow from it.

In: records of one contact stream. Out: facts for `CallStarted`. Called by `Contacts` alone; pure.
"""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from voicewarden.model.action import Value
from voicewarden.model.record import Record

ConsentLevel = Literal["none", "inquiry", "oral", "written"]
CONSENT_LEVELS: Final[tuple[ConsentLevel, ...]] = ("none", "inquiry", "oral", "written")


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="note", kw_only=True):
    """What every note has: which call it comes from (empty for none) and when it was."""

    call: str
    unix_ms: int


class OptOut(_Note, frozen=True, tag="opt_out"):
    """The person wants no more calls; `how` says by which channel (words, key, operator)."""

    how: str


class Attempt(_Note, frozen=True, tag="attempt"):
    """The person was called, from whichever of our numbers."""


class Consent(_Note, frozen=True, tag="consent"):
    """The person agreed to be called, or took it back (`none`); `source` names the evidence."""

    level: ConsentLevel
    source: str


Note = OptOut | Attempt | Consent
_DECODE: Final = msgspec.json.Decoder(Note).decode


def facts_of(records: Iterable[Record], *, now_unix_ms: int, windows_s: Iterable[int]) -> dict[str, Value]:
    """Fold a history into facts.

    An opt-out stays: a later consent is remembered, yet does not lift it, since lowering takes one person and raising
    more. Attempts are counted by call, so that one that was noted twice counts once.
    """
    opted_out = False
    consent: ConsentLevel = "none"
    attempts: dict[str, int] = {}
    for record in records:
        note = _DECODE(record.body)
        match note:
            case OptOut():
                opted_out, consent = True, "none"
            case Consent():
                consent = note.level
            case Attempt():
                attempts.setdefault(note.call, note.unix_ms)
    facts: dict[str, Value] = {"opted_out": opted_out, "contact.consent": consent}
    for window_s in windows_s:
        since = now_unix_ms - window_s * 1000
        # An attempt that seems to lie in the future (a clock was set back) counts: the restrained reading.
        facts[f"contact.attempts_{window_s}"] = sum(1 for at in attempts.values() if at > since)
    return facts

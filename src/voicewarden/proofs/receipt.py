"""Receipts: what was proved about which policy, by what, as a note for the ledger.

In: theorems. Out: a `Receipt` with canonical bytes, which the command line prints and activation writes into the stream
`control`. Pure data: a receipt can be read where no solver is installed.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.record import Record, RecordKind
from voicewarden.proofs.context import Context

RECEIPT_STREAM: Final = "control"
RECEIPT_KIND: Final[RecordKind] = "note"


class Theorem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One statement about a policy, and whether it holds in every context."""

    name: str
    says: str
    """What exactly is claimed, in English, with what it does not cover."""
    proved: bool
    ms: int
    action: str = ""
    """The action that a counterexample is about."""
    counterexample: Context | None = None
    told: str = ""
    """The counterexample in English, or why there is no answer."""


class _Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="note", kw_only=True):
    """What every note about proving a policy has."""

    policy: str
    """Content hash of the policy."""


class Receipt(_Note, frozen=True, tag="policy_proved", omit_defaults=True):
    """The result of proving one policy."""

    name: str
    solver: str
    """Name and version, such as `z3 4.13.0`; a second one that had to agree follows behind a plus."""
    theorems: tuple[Theorem, ...]
    base: str = ""
    """Content hash of the policy that it extends, when narrowing was proved too."""

    @property
    def ok(self) -> bool:
        """Whether everything is proved."""
        return bool(self.theorems) and all(theorem.proved for theorem in self.theorems)

    @property
    def unproved(self) -> tuple[Theorem, ...]:
        """What does not hold, or has no answer."""
        return tuple(theorem for theorem in self.theorems if not theorem.proved)


class NotProved(_Note, frozen=True, tag="policy_not_proved"):
    """A policy went into force and nobody proved anything about it."""

    why: str


_NOTE: Final = msgspec.json.Decoder(Receipt | NotProved)


def receipt_record(note: Receipt | NotProved) -> tuple[str, RecordKind, bytes]:
    """Stream, kind and body of the record that keeps a receipt; the ledger chains it."""
    return RECEIPT_STREAM, RECEIPT_KIND, canonical_bytes(note)


def receipts_in(records: Iterable[Record], policy: str) -> tuple[Receipt | NotProved, ...]:
    """What the stream `control` says about proofs of one policy, the oldest first; other notes are passed over."""
    found: list[Receipt | NotProved] = []
    for record in records:
        if record.kind != RECEIPT_KIND or policy.encode() not in record.body:
            continue
        try:
            note = _NOTE.decode(record.body)
        except msgspec.MsgspecError:
            continue  # a note of another sort, or of another version of this program
        if note.policy == policy:
            found.append(note)
    return tuple(found)

"""Unknown outcomes: grants that were spent, and nobody has written down how that ended.

In: a ledger. Out: each such grant with its place, for people. Called by `voicewarden ledger unknown` and by the server
when it starts. Nothing runs such a grant again: whether the message was sent or the appointment made, a person finds
out at the calendar, the desk, the carrier.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

import msgspec

from voicewarden.ledger.port import Row, Snapshot
from voicewarden.ledger.view import LedgerView

_RECEIPT: Final = b'"ReceiptReturned"'


class UnknownGrant(NamedTuple):
    """A spent grant whose effect may or may not have happened."""

    grant: str
    call: str
    seq: int
    """The record that minted it; -1 where there is none."""
    action: str
    at_ms: int
    """When it was minted, from the start of the call."""
    unix_ms: int
    """The same on the clock; 0 where the call's start can't be read."""
    why: str
    """`no receipt`, or `unknown` where its effector has said that it can't tell."""


class _Minted(msgspec.Struct):
    """What is needed of a grant, sealed or not."""

    id: str = ""
    action: str = ""


class _Receipt(msgspec.Struct):
    """What is needed of a receipt."""

    event: str = ""
    grant: str = ""
    outcome: str = ""


class _Started(msgspec.Struct):
    """What is needed of a call's first event."""

    started_unix_ms: int = 0


_MINTED: Final = msgspec.json.Decoder(_Minted).decode
_RECEIVED: Final = msgspec.json.Decoder(_Receipt).decode
_STARTED: Final = msgspec.json.Decoder(_Started).decode


_Read = TypeVar("_Read")


def unknown_grants(ledger: LedgerView) -> tuple[UnknownGrant, ...]:
    """Spent grants without an outcome, in the order of their records. One pass over the ledger.

    While calls run, a grant that is being spent just now is among them.
    """
    with ledger.state() as state:
        burns = dict(state.burns())
        minted, told = _walk(state.rows(), burns)
        found = [
            _found(state, grant, call, minted.get(grant), told.get(grant, ""))
            for grant, call in burns.items()
            if told.get(grant, "") in ("", "unknown")
        ]
    return tuple(sorted(found, key=lambda item: (item.unix_ms, item.call, item.seq)))


def _walk(rows: Iterable[Row], burns: dict[str, str]) -> tuple[dict[str, tuple[Row, str]], dict[str, str]]:
    """Where each spent grant was minted, and what its last receipt says."""
    minted: dict[str, tuple[Row, str]] = {}
    told: dict[str, str] = {}
    for row in rows:
        if row.kind == "grant":
            grant = _decoded(_MINTED, row, _Minted())
            if grant.id in burns:
                minted[grant.id] = row, grant.action
        elif row.kind == "event" and _RECEIPT in row.body:
            receipt = _decoded(_RECEIVED, row, _Receipt())
            if receipt.event == "ReceiptReturned" and receipt.grant in burns:
                told[receipt.grant] = receipt.outcome
    return minted, told


def _found(
    state: Snapshot, grant: str, call: str, minted: tuple[Row, str] | None, outcome: str
) -> UnknownGrant:
    why = outcome or "no receipt"
    if minted is None:
        return UnknownGrant(grant, call, -1, "", 0, 0, why)
    row, action = minted
    first = state.row(row.stream, 0)
    started = _decoded(_STARTED, first, _Started()).started_unix_ms if first else 0
    return UnknownGrant(grant, call, row.seq, action, row.at_ms, started + row.at_ms if started else 0, why)


def _decoded(decode: Callable[[bytes], _Read], row: Row, otherwise: _Read) -> _Read:
    """What a body says; a body that can't be read is for `verify` to tell."""
    try:
        return decode(row.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return otherwise

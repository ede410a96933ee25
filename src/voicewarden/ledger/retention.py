"""Retention: what was said is kept for so many days, a period for each class, and then its keys are destroyed.

In: the periods, and the time. Out: destroyed keys and deleted recordings, and one note a class and run in the stream
`control` that names the calls. A call that is held is left alone, which the note says, too. Called by `voicewarden
ledger retain`, and once a day by a server.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicewarden.ledger.erasure import destroy, finish_erasures
from voicewarden.ledger.forgetting import CONTROL, ContentExpired
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.content import ContentClass

_DAY_MS: Final = 86_400_000
_CALLS_A_NOTE: Final = 1_000


class Period(NamedTuple):
    """How long a class is kept, why, and who answers for that."""

    content: ContentClass
    days: int
    why: str = ""
    owner: str = ""

    @property
    def classes(self) -> tuple[ContentClass, ...]:
        """What goes with it: sound says what the words said."""
        return ("words", "audio") if self.content == "words" else ("audio",)


class Due(NamedTuple):
    """Calls whose period of one class has run out, and those of them that a hold keeps."""

    period: Period
    before_unix_ms: int
    calls: tuple[str, ...]
    held: tuple[str, ...]


def find_due(ledger: LedgerView, periods: Sequence[Period], unix_ms: int) -> list[Due]:
    """What is to be destroyed by now; a call counts by the time at which it began."""
    vault = ledger.vault
    return [] if vault is None else [_due(vault, period, unix_ms) for period in periods]


def retain(ledger: Ledger, periods: Sequence[Period], unix_ms: int) -> list[Due]:
    """Destroy what is due, and what an earlier run has left; returns what was due. Raises LedgerError. Blocks."""
    vault = ledger.vault
    if vault is None:
        return []
    finish_erasures(ledger, unix_ms)
    done = []
    for period in periods:
        due = _due(vault, period, unix_ms)
        done.append(due)
        for begin in range(0, len(due.calls), _CALLS_A_NOTE):
            _expire(ledger, vault, due._replace(calls=due.calls[begin : begin + _CALLS_A_NOTE]), unix_ms)
    return done


def _due(vault: Vault, period: Period, unix_ms: int) -> Due:
    before = unix_ms - period.days * _DAY_MS
    held = {hold.stream for hold in vault.holds()}
    streams = vault.made_before(before, period.content)
    calls = tuple(stream.removeprefix("call:") for stream in streams if stream not in held)
    return Due(period, before, calls, tuple(stream.removeprefix("call:") for stream in streams if stream in held))


def _expire(ledger: Ledger, vault: Vault, due: Due, unix_ms: int) -> None:
    period = due.period
    note = ContentExpired(
        unix_ms=unix_ms, classes=period.classes, days=period.days, before_unix_ms=due.before_unix_ms, calls=due.calls,
        held=due.held, why=period.why, owner=period.owner,
    )  # fmt: skip
    ledger.append(CONTROL, unix_ms, "note", canonical_bytes(note))
    ledger.flush()  # as for an erasure: first the note, then what it says
    destroy(ledger, vault, due.calls, period.classes, unix_ms)

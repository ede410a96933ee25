"""What came of a call, read from the ledger: how it ended, what was done, what was refused and why.

In: a call's records. Out: `CallOutcome`, the rows of the table and of `summary.json`.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from voicewarden.model.decision import Decision, Grant
from voicewarden.model.event import CallEnded, CallerSpoke, Event, ReceiptReturned
from voicewarden.model.record import Record

_EVENT: Final = msgspec.json.Decoder(Event)
_DECISION: Final = msgspec.json.Decoder(Decision)
_GRANT: Final = msgspec.json.Decoder(Grant)
_TALK: Final = frozenset({"speak", "ask", "end_call"})


class Refusal(msgspec.Struct, frozen=True):
    """An action that was not allowed when it was asked for."""

    action: str
    verdict: str
    reasons: tuple[str, ...]


class CallOutcome(msgspec.Struct, frozen=True):
    """One call, in short."""

    call: str
    ended: str
    done: tuple[str, ...]
    refused: tuple[Refusal, ...]
    held_sentences: int
    """Sentences of the model that were not let through."""
    heard: tuple[str, ...]
    granted: tuple[str, ...]
    ungranted_effects: tuple[str, ...]
    """Receipts without a grant before them: must be empty."""


def outcome_of(call: str, records: Iterable[Record]) -> CallOutcome:
    """Read one call."""
    ended, held = "unfinished", 0
    grants: dict[str, str] = {}
    done: list[str] = []
    refused: list[Refusal] = []
    heard: list[str] = []
    stray: list[str] = []
    for record in records:
        if record.kind == "decision":
            decision = _DECISION.decode(record.body)
            if decision.verdict != "allow" and decision.action == "speak":
                held += 1
            elif decision.verdict != "allow" and decision.action not in _TALK:
                refused.append(_refusal(decision))
        elif record.kind == "grant":
            grant = _GRANT.decode(record.body)
            grants[grant.id] = grant.action
        elif record.kind == "event":
            event = _EVENT.decode(record.body)
            if isinstance(event, ReceiptReturned):
                action = grants.get(event.grant)
                if action is None:
                    stray.append(event.grant)
                elif event.outcome == "done":
                    done.append(action)
            elif isinstance(event, CallerSpoke) and event.text:
                heard.append(event.text)
            elif isinstance(event, CallEnded):
                ended = event.reason
    granted = tuple(action for action in grants.values() if action not in _TALK)
    effects = tuple(action for action in done if action not in ("place_call", "look_up"))
    return CallOutcome(call, ended, effects, tuple(refused), held, tuple(heard), granted, tuple(stray))


def _refusal(decision: Decision) -> Refusal:
    reasons = tuple(
        f"{reason.fact} must be: {reason.needed} (was: {reason.found})"
        for reason in decision.reasons
        if reason.verdict != "allow"
    )
    return Refusal(decision.action, decision.verdict, reasons)

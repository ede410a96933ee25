"""Decisions with everything that belongs to them: what was asked, the question put to the caller, grant and receipt.

In: `Entries`. Out: `Case` values in the order of the decisions, sorted by how much they matter. Used by the call
report.
"""

from typing import Literal

import msgspec

from voicewarden.model.action import Arguments
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import Speak, SpendGrant
from voicewarden.model.event import ActionRequested, ReceiptReturned, SentenceProposed
from voicewarden.replay.entries import Entries, Entry

Weight = Literal["action", "held", "late", "said", "tokens", "escape"]
"""An action; a sentence refused for its words; a sentence whose moment was over; one allowed; the token budget; the
grants made at the start so that stopping never waits."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One decision and what came before and after it."""

    seq: int
    at_ms: int
    weight: Weight
    decision: Decision
    asked_seq: int | None
    """The record of the request; None when the kernel asked by itself."""
    args: Arguments | None
    """None when no record holds them."""
    proposed: str
    """The sentence that the model wanted to say."""
    instead: tuple[str, ...]
    """What the agent was told to say in the same step: the question, or an approved line."""
    shadows: tuple[Shadowed, ...]
    """What log-only rules and policies would have decided otherwise."""
    grant: Grant | None
    handed_seq: int | None
    """When the grant was handed to its effector."""
    receipt: ReceiptReturned | None
    receipt_seq: int | None
    same_request: tuple[int, ...]
    """Other decisions on the same request (a question was answered in between)."""

    @property
    def title(self) -> str:
        """What was decided on, in a word or two."""
        if self.decision.action != "speak" or self.weight == "escape":
            return self.decision.action.replace("_", " ")
        return "inference" if self.decision.request.startswith("inference:") else "sentence"


def read_cases(entries: Entries) -> tuple[Case, ...]:
    """All decisions of a call."""
    found = _Related(entries)
    return tuple(
        found.case(position, entry, entry.value)
        for position, entry in enumerate(entries.items)
        if isinstance(entry.value, Decision)
    )


class _Related:
    """Finds the records that belong to a decision."""

    def __init__(self, entries: Entries) -> None:
        self._items = entries.items
        self._asked: dict[str, Entry] = {}
        self._receipts: dict[str, Entry] = {}
        self._handed: dict[str, int] = {}
        self._requests: dict[str, list[int]] = {}
        for entry in entries.items:
            match entry.value:
                case ActionRequested(request=name):
                    self._asked.setdefault(name, entry)
                case SentenceProposed(sentence=name):
                    self._asked.setdefault(name, entry)
                case ReceiptReturned(grant=name):
                    self._receipts.setdefault(name, entry)
                case SpendGrant(grant=name):
                    self._handed.setdefault(name, entry.seq)
                case Decision(request=name):
                    self._requests.setdefault(name, []).append(entry.seq)
                case _:
                    pass

    def case(self, position: int, entry: Entry, decision: Decision) -> Case:
        """Put together what belongs to a decision."""
        asked = self._asked.get(decision.request)
        request = asked.value if asked else None
        grant, instead, shadows = self._after(position, decision)
        receipt = self._receipts.get(grant.id) if grant else None
        returned = receipt.value if receipt else None
        args = request.args if isinstance(request, ActionRequested) else grant.args if grant else None
        return Case(
            seq=entry.seq, at_ms=entry.record.at_ms, weight=weight_of(decision), decision=decision,
            asked_seq=asked.seq if asked else None, args=args,
            proposed=request.text if isinstance(request, SentenceProposed) else "", instead=instead, shadows=shadows,
            grant=grant,
            handed_seq=self._handed.get(grant.id) if grant else None,
            receipt=returned if isinstance(returned, ReceiptReturned) else None,
            receipt_seq=receipt.seq if receipt else None,
            same_request=tuple(seq for seq in self._requests[decision.request] if seq != entry.seq),
        )  # fmt: skip

    def _after(
        self, position: int, decision: Decision
    ) -> tuple[Grant | None, tuple[str, ...], tuple[Shadowed, ...]]:
        """Grant, spoken lines and shadows that follow a decision, up to the next decision or event."""
        grant, lines, shadows = None, [], []
        for entry in self._items[position + 1 :]:
            if entry.record.kind in ("event", "decision"):
                break
            if isinstance(entry.value, Grant) and (entry.value.action, entry.value.digest) == (
                decision.action, decision.digest,
            ):  # fmt: skip
                grant = entry.value
            if isinstance(entry.value, Speak) and entry.value.sentence != decision.request:
                lines.append(entry.value.text)
            if isinstance(entry.value, Shadowed) and entry.value.request == decision.request:
                shadows.append(entry.value)
        return grant, tuple(lines), tuple(shadows)


def weight_of(decision: Decision) -> Weight:
    """How much a decision matters to a reader."""
    if decision.request.startswith("escape:"):
        return "escape"
    if decision.action != "speak":
        return "action"
    if decision.request.startswith("inference:"):
        return "tokens" if decision.verdict == "allow" else "held"
    if decision.verdict == "allow":
        return "said"
    return "held" if any(not reason.rule.startswith("kernel.") for reason in decision.reasons) else "late"

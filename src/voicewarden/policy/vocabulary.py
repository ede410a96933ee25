"""The built-in facts that every policy may look at, beside those it declares, and where each comes from.

A missing or unknown fact fails its atom. Read by the config room (validation), the kernel (types) and `policy facts`.
"""

from typing import Final

from voicewarden.model.action import STAGES
from voicewarden.policy.ast import FactType, Policy

_ANSWERERS: Final = (
    "human", "voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech", "unknown",
)  # fmt: skip
_READINGS: Final = ("none", "explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other")
_CONSENT_LEVELS: Final = ("none", "inquiry", "oral", "written")
_LONGEST_MS: Final = 86_400_000
_COUNTED: Final = {
    "contact": "calls to this person in that many seconds", "counted": "what other calls have used of this limit",
}  # fmt: skip


def _boolean(source: str) -> FactType:
    return FactType(kind="bool", source=source)


def _enum(values: tuple[str, ...], source: str) -> FactType:
    return FactType(kind="enum", values=values, source=source)


BUILT_IN_FACTS: Final[dict[str, FactType]] = {
    "answerer": _enum(_ANSWERERS, "kernel: who picked up"),
    "direction": _enum(("inbound", "outbound"), "the call's start"),
    "stage": _enum(tuple(STAGES), "the agent's stage, lowered by AuthorityTightened"),
    "agent": FactType(kind="text", source="the agent role that speaks now"),
    "opted_out": _boolean("the caller's words or keys in this call, or the contact's history"),
    "asked_for_person": _boolean("the caller's own words"),
    "paused": _boolean("the control plane"),
    "revoked": _boolean("the control plane"),
    "recording": _boolean("the recording notice was played"),
    "recording_refused": _boolean("the caller's own words"),
    "minor": _boolean("the caller's own words: a child is on the line"),
    "distress": _boolean("the caller's own words: an emergency, a loss, harm to themselves"),
    "wrong_person": _boolean("the caller's own words: somebody else was meant"),
    "hearing_permille": FactType(kind="int", low=0, high=1000, source="the last turn's words"),
    "call_ms": FactType(kind="int", low=0, high=_LONGEST_MS, source="time since the answer"),
    "contact.consent": _enum(_CONSENT_LEVELS, "the contact's history"),
    "message_ready": _boolean("a mailbox is recording now"),
}
"""Beside these: `disclosed.<must-say id>`, `consent.<action>`, `done.<action>`, `contact.attempts_<seconds>`, and, for
limits over a window alone, `counted.<window>`."""

READINGS: Final = _READINGS
CONSENT_LEVELS: Final = _CONSENT_LEVELS


def fact_type(name: str, declared: dict[str, FactType]) -> FactType | None:
    """The type of a fact, or None when the vocabulary does not know it."""
    if name in declared:
        return declared[name]
    if name in BUILT_IN_FACTS:
        return BUILT_IN_FACTS[name]
    family, _, rest = name.partition(".")
    if not rest:
        return None
    if family == "consent":
        return _enum(_READINGS, "the caller's own answer to this action's question")
    if family in ("disclosed", "done"):
        return _boolean("the line was wholly played" if family == "disclosed" else "a receipt said done")
    if family == "counted" or (family == "contact" and rest.startswith("attempts_")):
        return FactType(kind="int", low=0, high=1_000_000, source=_COUNTED[family])
    return None


def family_facts(policy: Policy) -> dict[str, FactType]:
    """The facts that come in families, as far as this policy has them: consents, lines, receipts, attempts."""
    names = [f"disclosed.{item.id}" for item in policy.speech.must_say]
    names += [f"consent.{action.name}" for action in policy.actions.values() if action.question]
    names += [f"done.{name}" for name in policy.actions]
    names += [f"contact.attempts_{window.in_s}" for window in policy.contact.per_person]
    found = {name: fact_type(name, {}) for name in names}
    return {name: kind for name, kind in found.items() if kind is not None}

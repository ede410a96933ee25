"""The actions that can be guarded, the stages of autonomy and the severities of a verdict.

Policies may declare further actions; an action that is neither here nor declared is denied.
"""

from typing import Final, Literal

Value = str | int | bool
"""What an argument or a fact may hold. Amounts are decimal strings, times are resolved local times."""

Arguments = dict[str, Value]
"""Arguments of an action: frozen by convention once they are inside an event."""

BUILT_IN_ACTIONS: Final[frozenset[str]] = frozenset(
    {
        "place_call", "speak", "ask", "look_up", "transfer", "book", "send_message", "update_crm", "leave_voicemail",
        "schedule_callback", "raise_urgency", "advance_commitment", "notify", "hand_over", "end_call",
    }
)  # fmt: skip
NEEDS_CONSENT: Final[frozenset[str]] = frozenset(
    {"book", "transfer", "send_message", "schedule_callback", "advance_commitment"}
)
"""Actions whose policy must require `consent.<action>`."""

MAY_BE_ASKED_FOR: Final[frozenset[str]] = frozenset({"transfer", "schedule_callback"})
"""Actions that `asked_for_person` may stand in for: they only reach a human."""

EFFECTLESS: Final[frozenset[str]] = frozenset({"look_up", "hand_over", "end_call", "speak", "ask"})
"""Actions that change nothing outside the call."""

WITHOUT_EFFECTOR: Final[frozenset[str]] = frozenset({"speak", "ask", "hand_over", "end_call"})
"""Actions that the call itself carries out: no grant of theirs is ever spent on the world."""

Stage = Literal["observe", "assist", "bounded", "autonomous"]
STAGES: Final[tuple[Stage, ...]] = ("observe", "assist", "bounded", "autonomous")

StageEffect = Literal["log", "approve", "allow"]

Verdict = Literal["allow", "confirm", "escalate", "deny"]
SEVERITY: Final[dict[str, int]] = {"allow": 0, "confirm": 1, "escalate": 2, "deny": 3}

Consent = Literal["none", "explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other"]

AnswererVerdict = Literal[
    "human", "voicemail", "menu", "screening", "unavailable", "fax", "busy", "no_speech", "unknown"
]
Direction = Literal["inbound", "outbound"]
Outcome = Literal["done", "refused", "failed", "unknown"]
"""How an effect ended: *refused* and *failed* give the count back, *unknown* does not."""

"""The policy that all engines are given: 8 actions with 10 conditions each over 18 facts, in the ordinary typed form.

In: nothing. Out: one `Policy`. It is made here and not read from a file, so that the comparison runs on any machine.
Called by `contexts`, `ours` and every peer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from voicewarden.model.action import Verdict
from voicewarden.policy.ast import (
    ActionRule,
    All,
    AnswererRules,
    AnyOf,
    Atom,
    Band,
    Budget,
    CallLength,
    Condition,
    Contact,
    FactType,
    Hearing,
    Oversight,
    Policy,
    Questions,
    Rule,
    Silence,
    Speech,
)

READINGS: Final = ("none", "explicit", "conditional", "ambiguous", "refused", "revoked", "question", "other")
STAGES: Final = ("observe", "assist", "bounded", "autonomous")
IDENTITIES: Final = ("none", "claimed", "verified")
SIGNAL: Final = "signal"
"""The fact whose age is tested, not its value."""


def _flag() -> FactType:
    return FactType(kind="bool")


def _count(high: int) -> FactType:
    return FactType(kind="int", low=0, high=high)


FACTS: Final[dict[str, FactType]] = {
    **{
        f"consent.{name}": FactType(kind="enum", values=READINGS)
        for name in ("book", "transfer", "send_message", "schedule_callback")
    },
    "hearing_permille": _count(1_000), "answer_permille": _count(1_000),
    "identity": FactType(kind="enum", values=IDENTITIES), "call_stage": FactType(kind="enum", values=STAGES),
    "paused": _flag(), "opted_out": _flag(), "sent_today": _count(20), "attempts_week": _count(20),
    "failed_checks": _count(20), "local_minute": _count(1_439), "weekday": _count(6), "human_available": _flag(),
    SIGNAL: _flag(), "policy_epoch": _count(12),
}  # fmt: skip


class _Terms(NamedTuple):
    """What one action asks, where the actions differ."""

    consent: Condition
    counter: str
    at_most: int
    fresh_ms: int
    stages: tuple[str, ...]
    opens: int
    closes: int
    identity: tuple[str, ...]
    hearing_permille: int
    answer_permille: int


def _yes(action: str) -> Atom:
    return Atom(fact=f"consent.{action}", is_="explicit")


def _perhaps(action: str) -> Atom:
    return Atom(fact=f"consent.{action}", in_=("explicit", "conditional"))


_UP: Final = ("bounded", "autonomous")
_KNOWN: Final = ("claimed", "verified")
_TERMS: Final[dict[str, _Terms]] = {
    "book": _Terms(_yes("book"), "attempts_week", 3, 30_000, _UP, 480, 1_200, _KNOWN, 600, 800),
    "transfer": _Terms(_yes("transfer"), "failed_checks", 2, 60_000, STAGES[1:], 0, 1_439, _KNOWN, 350, 700),
    "send_message": _Terms(
        _yes("send_message"), "sent_today", 2, 20_000, _UP, 540, 1_260, ("verified",), 700, 850
    ),
    "schedule_callback": _Terms(
        AnyOf(items=(_yes("schedule_callback"), _perhaps("transfer"))),
        "attempts_week", 5, 45_000, STAGES[1:], 0, 1_439, _KNOWN, 350, 600,
    ),
    "look_up": _Terms(
        AnyOf(items=(_perhaps("book"), Atom(fact="identity", is_="verified"))),
        "failed_checks", 3, 120_000, STAGES[1:], 0, 1_439, _KNOWN, 300, 300,
    ),
    "advance_commitment": _Terms(
        All(items=(_yes("book"), _perhaps("send_message"))),
        "sent_today", 1, 15_000, ("autonomous",), 540, 1_080, ("verified",), 750, 900,
    ),
    "raise_urgency": _Terms(
        AnyOf(items=(_yes("schedule_callback"), Atom(fact="human_available", is_=True))),
        "failed_checks", 1, 30_000, _UP, 480, 1_320, _KNOWN, 500, 650,
    ),
    "update_crm": _Terms(
        AnyOf(items=(_perhaps("book"), _perhaps("transfer"))),
        "attempts_week", 9, 90_000, STAGES[1:], 0, 1_439, _KNOWN, 400, 500,
    ),
}  # fmt: skip


def _conditions(terms: _Terms) -> tuple[tuple[Condition, Verdict], ...]:
    open_hours = (
        Atom(fact="local_minute", between=(terms.opens, terms.closes)), Atom(fact="weekday", at_most=5),
    )  # fmt: skip
    heard = (
        Atom(fact="hearing_permille", at_least=terms.hearing_permille),
        Atom(fact="answer_permille", at_least=terms.answer_permille),
    )
    few = Atom(fact=terms.counter, at_most=terms.at_most)
    return (
        (Atom(fact="paused", is_=False), "deny"),
        (Atom(fact="opted_out", is_=False), "deny"),
        (Atom(fact="policy_epoch", at_least=7), "deny"),
        (Atom(fact=SIGNAL, within_ms=terms.fresh_ms), "escalate"),
        (Atom(fact="call_stage", in_=terms.stages), "deny"),
        (All(items=open_hours), "deny"),
        (Atom(fact="identity", in_=terms.identity), "escalate"),
        (All(items=heard), "confirm"),
        (terms.consent, "confirm"),
        (AnyOf(items=(few, Atom(fact="human_available", is_=True))), "deny"),
    )


def _action(name: str, terms: _Terms) -> ActionRule:
    rules = tuple(
        Rule(id=f"{name}.{index}", condition=condition, otherwise=verdict)
        for index, (condition, verdict) in enumerate(_conditions(terms))
    )
    # The stage is a condition here like any other; the stage entry, which peers know nothing of, is in nobody's way.
    return ActionRule(
        name=name, owner="bench", why="to be measured", require=rules, stages=dict.fromkeys(STAGES, "allow")
    )


def contest_policy() -> Policy:
    """The policy; the parts that no decision looks at have ordinary numbers."""
    return Policy(
        name="contest", owner="bench", about="The same policy for every engine.", facts=FACTS,
        hearing=Hearing(
            transcriber="none", end_of_turn_ms=500, end_of_turn_spelling_ms=800,
            decide=Band(accept_permille=600, confirm_permille=350),
            content=Band(accept_permille=500, confirm_permille=250),
        ),
        answerer=AnswererRules(no_speech_ms=5_000, decide_by_ms=3_500, default="human", when={}),
        silence=Silence(ladder=(), backstop_ms=120_000),
        call=CallLength(longest_ms=600_000, warn_before_ms=60_000),
        budget=Budget(per_turn_tokens=160, per_call_tokens=4_000, tool_calls_per_turn=2),
        questions=Questions(
            answer_within_ms=15_000, answer_tolerance_ms=150, times_per_arguments=2, times_per_action=4
        ),
        speech=Speech(must_say=(), refuse=()), contact=Contact(consent_level="none"),
        oversight=Oversight(owner="bench", review_days=30, contact="nobody", pause_finishes_calls="politely"),
        actions={name: _action(name, terms) for name, terms in _TERMS.items()},
    )  # fmt: skip

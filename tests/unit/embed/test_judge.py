"""Rows are decided by the gate that decides in calls: the same verdict, reasons and digest for the same facts."""

import random
from typing import Any

import msgspec
import pytest
from tests.fakes.rig import BOOK, HAIRCUT, shipped
from tests.unit.embed.policies import WANTED, desk

from voicewarden.embed.judge import Judge, Row
from voicewarden.kernel.draft import Draft
from voicewarden.kernel.gate import Request, decide
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model import event as events
from voicewarden.model.action import STAGES
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision

READINGS = ("none", "explicit", "ambiguous", "refused")
POSSIBLE: dict[str, tuple[Any, ...]] = {
    "answerer": ("human", "voicemail", "unknown"), "disclosed.ai": (True, False), "opted_out": (True, False),
    "paused": (True, False), "quote_open": (True, False), "desk_open": (True, False), "asked_for_person": (True, False),
    "direction": ("inbound", "outbound"), "consent.book": READINGS, "consent.transfer": READINGS,
}  # fmt: skip
REQUESTS = (("book", BOOK), ("book", HAIRCUT), ("book", {"service": "yacht"}), ("transfer", {"desk": "sales"}),
            ("look_up", {"what": "quote"}), ("leave_voicemail", {}), ("launch", {}))  # fmt: skip


def row(**fields: Any) -> Row:
    return msgspec.convert(fields, Row)


def judged(**fields: Any) -> Decision:
    return Judge(desk()).judge(row(**fields)).decision


def in_a_call(action: str, args: dict[str, Any], facts: dict[str, Any], minted: int, stage: str, ages: int) -> Decision:
    """The gate's decision in a call that has these facts by other means than the judge's."""
    release = shipped()
    began = events.CallStarted(
        at_ms=0, call="row", agent="booking", direction="inbound", contact="", stage=stage, epoch=0,  # type: ignore[arg-type]
        release=release.hash, started_unix_ms=0,
    )  # fmt: skip
    state = step(release, EMPTY, began).state
    draft = Draft(release, state, events.CallAnswered(at_ms=100_000))
    for name, value in {**facts, "stage": stage}.items():
        draft.know(name, value, at_ms=100_000 - ages, digest=digest_of(args) if name.startswith("consent.") else "")
    draft.identity = msgspec.structs.replace(draft.identity, stage=stage)
    draft.grants = msgspec.structs.replace(draft.grants, minted={action: minted})
    return decide(draft, Request(id="row", action=action, args=args, principal="booking"))


def test_rows_agree_with_the_gate_in_a_call() -> None:
    chance, judge, seen = random.Random(7), Judge(shipped()), set()
    for _ in range(2_000):
        action, args = chance.choice(REQUESTS)
        facts = {name: chance.choice(values) for name, values in POSSIBLE.items() if chance.random() < 0.8}
        minted, stage, age_ms = chance.choice((0, 0, 1, 2)), chance.choice(STAGES), chance.choice((0, 50_000, 95_000))
        given = {name: {"value": value, "age_ms": age_ms} for name, value in facts.items()}
        asked = row(
            action=action, args=args, facts=given, minted=minted, stage=stage, role="booking", at_ms=100_000
        )
        mine, theirs = judge.judge(asked).decision, in_a_call(action, args, facts, minted, stage, age_ms)
        assert (mine.verdict, mine.would, mine.digest) == (theirs.verdict, theirs.would, theirs.digest)
        assert [(r.rule, r.verdict, r.found) for r in mine.reasons] == [
            (r.rule, r.verdict, r.found) for r in theirs.reasons
        ]
        seen.add(mine.verdict)
    assert seen == {"allow", "confirm", "escalate", "deny"}


AGREED = {"answerer": "human", "account_open": True, "consent.book": "explicit"}


def test_a_fact_that_is_not_given_is_not_known_whatever_its_default() -> None:
    known = {name: value for name, value in AGREED.items() if name != "account_open"}
    assert judged(action="book", args=WANTED, facts=AGREED).verdict == "allow"
    assert judged(action="book", args=WANTED, facts=known).verdict == "deny"


def test_an_answer_belongs_to_these_arguments_unless_it_is_said() -> None:
    facts = {**AGREED, "consent.book": {"value": "explicit", "digest": "0" * 64}}
    assert judged(action="book", args=WANTED, facts=facts).verdict == "confirm"


def test_null_makes_a_fact_unknown() -> None:
    assert judged(action="note", args={"text": "x"}, facts={"paused": True}).verdict == "deny"
    assert judged(action="note", args={"text": "x"}, facts={"paused": None}).verdict == "allow"


def test_roles_stages_approvals_and_counts() -> None:
    note = {"action": "note", "args": {"text": "x"}}
    assert judged(**note, role="intruder").verdict == "deny"
    assert judged(**note, agent="assistant").verdict == "allow"
    assert (judged(**note, stage="assist").verdict, judged(**note, stage="assist").would) == ("deny", "allow")
    assert judged(**note, stage="assist", approved=True).verdict == "allow"
    assert judged(action="book", args=WANTED, facts=AGREED, minted=1).verdict == "deny"


def test_ending_is_never_denied() -> None:
    assert judged(action="end_call", facts={"paused": True, "revoked": True}).verdict == "allow"


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [({"nonsense": 1}, "facts.nonsense: is no fact"), ({"paused": "yes"}, "true or false"),
     ({"answerer": "cat"}, "human, voicemail"), ({"consent.book": True}, "explicit")],
)  # fmt: skip
def test_facts_that_are_none_are_rejected_and_never_ignored(facts: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        judged(action="note", args={"text": "x"}, facts=facts)

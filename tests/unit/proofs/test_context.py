"""Contexts: what is said about them is what the kernel's own gate decides, and it can be read."""

import pytest
from tests.fakes.rig import shipped
from tests.unit.proofs.worlds import contexts

from voicewarden.model.action import Verdict
from voicewarden.proofs.bare_release import bare_release, gate_says
from voicewarden.proofs.context import Context, decide_in, facts_of, rules_in, told


@pytest.mark.parametrize("name", ["outbound-sales", "inbound-service", "booking-only"])
def test_a_context_decides_as_the_gate_does(name: str) -> None:
    terms = pytest.importorskip("voicewarden.proofs.terms")
    policy = shipped(name).policy.policy
    release = bare_release(policy)
    seen: set[Verdict] = set()
    for context in contexts(terms.Terms(policy), policy, 400):
        for action in (*policy.actions, "raise_urgency"):
            if action != "end_call":  # the kernel permits it without asking the gate
                verdict = decide_in(release.policy, action, context)
                assert verdict == gate_says(release, action, context), (action, context)
                seen.add(verdict)
    assert seen >= {"allow", "confirm", "deny"}


def test_ending_a_call_is_never_denied() -> None:
    context = Context({"paused": (True, 0)}, stage="observe")
    assert decide_in(shipped().policy, "end_call", context) == "allow"
    assert decide_in(shipped().policy, "look_up", context) == "deny"


def test_rules_alone_leave_role_and_stage_out() -> None:
    context = Context({}, stage="observe", role="nobody")
    assert rules_in(shipped().policy, "look_up", context).verdict == "allow"
    assert decide_in(shipped().policy, "look_up", context) == "deny"
    with pytest.raises(KeyError):
        rules_in(shipped().policy, "raise_urgency", context)


def test_an_answer_belongs_to_the_arguments_asked_for() -> None:
    facts = Context({"consent.book": ("explicit", 500), "answerer": ("human", 0)}).as_facts(2_000, "d")
    assert (facts["consent.book"].digest, facts["consent.book"].at_ms, facts["answerer"].digest) == ("d", 1_500, "")


def test_a_context_is_told_in_one_line() -> None:
    policy = shipped().policy.policy
    context = Context(
        {"answerer": ("human", 0), "opted_out": (False, 0), "consent.book": ("explicit", 95_000),
         "quote_open": (True, -1), "desk_open": (True, 0)},
        minted=1, since_last_ms=1_500, role="booking", approved=True, stage="assist",
    )  # fmt: skip
    assert told(context, policy=policy, action="book") == (
        "stage assist, approved by an operator; asked by booking; answerer is human; opted_out is false; "
        "consent.book is explicit (95 s ago); quote_open is true (in 1 ms); unknown: disclosed.ai, direction; "
        "granted once before"
    )
    assert told(Context({}), policy=policy, action="raise_urgency") == "stage bounded"


def test_the_facts_of_an_action_are_those_its_verdict_may_depend_on() -> None:
    names = facts_of(shipped().policy.policy, "transfer")
    assert names == ("answerer", "consent.transfer", "asked_for_person", "desk_open", "paused", "revoked", "opted_out")

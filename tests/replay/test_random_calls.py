"""What-if and pinning over calls in which anything may happen, held against the proof and the policy itself."""

from typing import Any

import msgspec
import pytest
from tests.fakes.rig import Rig, shipped
from tests.replay.random_call import random_call

from voicewarden.kernel.release import encode_release
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.policy.ast import Atom, FactType, Limit, Policy, Rule
from voicewarden.replay.claims import Claims
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.exchange import Exchanges
from voicewarden.replay.pin import pin_call
from voicewarden.replay.whatif import CallWhatIf, Flip, whatif_call

CALLS = 80
OLD = shipped().data.policy
RELEASE = encode_release(shipped().data)
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def calls() -> list[Rig]:
    return [random_call(seed) for seed in range(CALLS)]


def load(_: str) -> bytes:
    return RELEASE


def every_action(**changes: Any) -> Policy:
    return replace(OLD, actions={name: replace(rule, **changes) for name, rule in OLD.actions.items()})


def book(*more: Rule, without: str = "", **changes: Any) -> Policy:
    rule = OLD.actions["book"]
    kept = tuple(item for item in rule.require if getattr(item.condition, "fact", "") != without)
    return replace(OLD, actions={**OLD.actions, "book": replace(rule, require=(*kept, *more), **changes)})


def younger(rule: Rule) -> Rule:
    condition = rule.condition
    if not isinstance(condition, Atom) or condition.within_ms is None:
        return rule
    return replace(rule, condition=replace(condition, within_ms=500))


def a_rule(fact: str, otherwise: Any) -> Rule:
    return Rule(id=f"book.require.{fact}", condition=Atom(fact=fact, is_=True), otherwise=otherwise)


BY_RULES: dict[str, Policy] = {
    "no consent": book(without="consent.book"),
    "quote or nothing": book(a_rule("quote_open", "deny")),
    "quote or a person": book(a_rule("quote_open", "escalate")),
    "vetted": replace(book(a_rule("vetted", "deny")), facts={**OLD.facts, "vetted": FactType(kind="bool")}),
    "never": book(limits=(Limit(id="book.limits.1", at_most=0, otherwise="deny"),)),
    "no limits": every_action(limits=()),
    "nothing": replace(OLD, actions={}),
    "only people": every_action(stages={}),
    "everything": every_action(stages=dict.fromkeys(("observe", "assist", "bounded", "autonomous"), "allow")),
    "rarely": every_action(cooldown_ms=60_000),
    "at once": replace(
        OLD, actions={name: replace(rule, require=tuple(map(younger, rule.require)))
                      for name, rule in OLD.actions.items()},
    ),
}  # fmt: skip


def asked(calls: list[Rig], other: Policy) -> list[CallWhatIf]:
    exchanges = Exchanges(load, other, {shipped().hash: shipped()})
    return [whatif_call(rig.records, exchanges) for rig in calls]


@pytest.mark.parametrize("name", BY_RULES)
def test_the_first_flip_is_what_the_other_policy_really_decides(calls: list[Rig], name: str) -> None:
    """Up to its first flip a call is the same under both: played under the other policy alone, it arrives there too."""
    other = BY_RULES[name]
    exchange = Exchanges(load, other, {shipped().hash: shipped()}).exchange(shipped().hash)
    firsts = 0
    for rig, found in zip(calls, asked(calls, other), strict=True):
        assert found.problem == ""
        first = next((flip for flip in found.flips if flip.first_in_call), None)
        if first is not None and not any(flip.unrecorded for flip in found.flips):
            assert decided_alone(rig, exchange.other, first) == first.new
            firsts += 1
        elif not found.flips:
            assert verdicts(rig, exchange.other) == [item.verdict for item in rig.decisions]
    assert firsts or name in ("no limits", "vetted"), "the change shows nowhere"


def decided_alone(rig: Rig, release: Any, flip: Flip) -> str:
    state = EMPTY
    for event in rig.events:
        taken = step(release, state, event)
        for decision in taken.decisions:
            if (decision.seq, decision.action) == (flip.seq, flip.action):
                return decision.verdict
        if taken.state.seq > flip.seq:
            return "not asked"
        state = taken.state
    raise AssertionError("the call ended before")


def verdicts(rig: Rig, release: Any) -> list[str]:
    state, found = EMPTY, []
    for event in rig.events:
        taken = step(release, state, event)
        found += [decision.verdict for decision in taken.decisions]
        state = taken.state
    return found


@pytest.mark.parametrize("name", BY_RULES)
def test_no_flip_is_one_that_the_proof_rules_out(calls: list[Rig], name: str) -> None:
    pytest.importorskip("z3")
    found = asked(calls, BY_RULES[name])
    assert Claims({shipped().policy.hash: OLD}, BY_RULES[name]).contradictions(found) == ()


def test_every_call_replays_and_can_be_pinned(calls: list[Rig]) -> None:
    releases = Releases(load, {shipped().hash: shipped()})
    for rig in calls:
        made = pin_call(rig.records, releases, "a")
        assert made.needed == () and replay_call(made.records, releases).ok
        said = b"".join(record.body for record in made.records)
        assert not any(secret in said for secret in (b"uillfeather", b"ollikon", b"555 01 99"))

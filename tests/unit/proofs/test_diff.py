"""The difference of two policies: every loosened requirement is caught, with a call that shows it where one exists."""

from typing import Any

import msgspec
import pytest
from tests.fakes.rig import release_of, shipped
from tests.unit.proofs.loosened import loosened, with_action

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model.action import SEVERITY
from voicewarden.model.event import CallStarted
from voicewarden.policy.ast import Atom, Limit, Policy, Rule
from voicewarden.proofs.diff import Diff, diff
from voicewarden.proofs.reach import Reached, Search, Target, governed_by

SALES = release_of("outbound-sales").policy
# The other actions have rules of the same shapes.
PLAYED = ("book", "transfer", "leave_voicemail", "place_call", "hand_over")
UNREACHABLE = (
    "is known in every call, and where it is true nothing is allowed anyway", "becomes true with a mailbox",
    "a call ends at once where answerer is", "before it is known who answered", "than those that may ask already",
    "may go as far as the stage", "is known in every call",
)  # fmt: skip
"""Why no call shows a loosened requirement: something else in the kernel stands before it."""
replace = msgspec.structs.replace


def compare(old: Policy, new: Policy, **more: Any) -> Diff:
    return diff(old, new, release=shipped("outbound-sales"), **more)


def changed(found: Diff) -> dict[str, str]:
    return {name: entry.verdict for name, entry in found.actions.items() if entry.verdict != "equivalent"}


def with_rule(policy: Policy, action: str, index: int, **changes: Any) -> Policy:
    rules = list(policy.actions[action].require)
    rules[index] = replace(rules[index], **changes)
    return with_action(policy, action, require=tuple(rules))


def with_atom(policy: Policy, action: str, index: int, **changes: Any) -> Policy:
    atom = policy.actions[action].require[index].condition
    return with_rule(policy, action, index, condition=replace(atom, **changes))


def without_rule(policy: Policy, action: str, index: int) -> Policy:
    rules = policy.actions[action].require
    return with_action(policy, action, require=(*rules[:index], *rules[index + 1 :]))


def test_no_change_is_no_difference() -> None:
    for name in ("outbound-sales", "inbound-service", "booking-only", "organisation"):
        policy = release_of(name).policy
        found = compare(policy, msgspec.json.decode(msgspec.json.encode(policy), type=Policy))
        assert changed(found) == {}
        assert found.settings == ()
        assert not found.widens


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[Reached]:
    """Every call that a difference was shown with."""
    found: list[Reached] = []
    find = Search.find

    def recorded(self: Search, target: Target) -> Reached | None:
        shown = find(self, target)
        found.extend([shown] if shown else [])
        return shown

    monkeypatch.setattr(Search, "find", recorded)
    return found


def as_mild(release: Compiled, shown: Reached) -> int:
    """How often a release's policy says so mild a word about the action, over a call's own events."""
    state, count = EMPTY, 0
    for moment in shown.moments:
        event = moment.event
        if isinstance(event, CallStarted):
            event = replace(event, release=release.hash)
        taken = step(release, state, event)
        state = taken.state
        count += sum(
            decision.action == shown.new.action and SEVERITY[decision.verdict] <= SEVERITY[shown.new.verdict]
            for decision in taken.decisions
        )
    return count


@pytest.mark.parametrize("action", [*PLAYED, "look_up", "schedule_callback"])
def test_every_loosened_requirement_widens_and_the_reverse_narrows(action: str, reached: list[Reached]) -> None:
    for what, new in loosened(SALES, action):
        reached.clear()
        found = compare(SALES, new) if action in PLAYED else diff(SALES, new)
        assert changed(found) == {action: "widens"}, what
        example = found.actions[action].counterexample
        assert example is not None, what
        assert SEVERITY[example.new] < SEVERITY[example.old], what
        assert found.widens
        assert changed(diff(new, SALES)) == {action: "narrows"}, what
        if example.call is not None:
            check_call(action, new, example.call, reached[0], what)
        elif action in PLAYED:
            assert any(reason in example.told for reason in UNREACHABLE), f"{what}: {example.told}"


def check_call(action: str, new: Policy, call: tuple[str, ...], shown: Reached, what: str) -> None:
    """The call goes further under the new policy than under the old one, and says so."""
    release = shipped("outbound-sales")
    counts = [as_mild(governed_by(release, policy), shown) for policy in (SALES, new)]
    assert counts[0] < counts[1], what
    assert any(f"{action} is " in line and "under the old policy it would" in line for line in call), what


def test_an_older_yes_is_shown_with_a_turn_that_goes_on() -> None:
    found = compare(SALES, with_atom(SALES, "book", 3, within_ms=95_000))
    example = found.actions["book"].counterexample
    assert example is not None and example.call is not None
    assert (example.old, example.new) == ("confirm", "allow")
    assert example.facts["consent.book"] == "explicit"
    assert 90_000 < example.ages_ms["consent.book"] <= 95_000
    assert any('the caller says "yes, book it"' in line for line in example.call)
    assert "under the old policy it would have to be confirmed first: consent.book" in example.call[-1]


def test_facts_that_do_not_matter_are_left_out() -> None:
    example = compare(SALES, without_rule(SALES, "book", 0)).actions["book"].counterexample
    assert example is not None
    assert example.facts.pop("answerer") != "human"
    assert example.facts == {
        "consent.book": "explicit", "disclosed.ai": True, "opted_out": False,
        "quote_open": True,
    }  # fmt: skip
    assert example.situation.keys() == {"minted", "stage", "role"}


def test_two_loosened_rules_of_one_action_have_two_counterexamples() -> None:
    new = with_atom(without_rule(SALES, "book", 1), "book", 2, within_ms=95_000)
    entry = compare(SALES, new).actions["book"]
    assert entry.counterexample is not None
    disclosed = {example.facts["disclosed.ai"] for example in (entry.counterexample, *entry.further)}
    assert disclosed == {True, False}


@pytest.mark.parametrize("kind", ["conditional", "ambiguous", "refused", "revoked", "question", "other", "none"])
def test_every_answer_that_is_no_yes_can_be_shown(kind: str) -> None:
    found = compare(SALES, with_atom(SALES, "book", 3, is_=None, in_=("explicit", kind)))
    example = found.actions["book"].counterexample
    assert example is not None and example.call is not None
    assert example.facts["consent.book"] == kind


def test_a_shorter_cool_down_is_shown_within_it() -> None:
    limits = (replace(SALES.actions["book"].limits[0], at_most=2),)
    old = with_action(SALES, "book", cooldown_ms=60_000, limits=limits)
    for cooldown_ms, since_ms in ((30_000, 60_000), (0, 60_000)):
        example = compare(old, with_action(old, "book", cooldown_ms=cooldown_ms)).actions["book"].counterexample
        assert example is not None and example.call is not None
        assert cooldown_ms <= example.situation["since_last_ms"] < since_ms
        assert example.situation["minted"] == 1
    assert changed(diff(with_action(old, "book", cooldown_ms=0), old)) == {"book": "narrows"}


WEEK = Limit(id="book.limits.2", at_most=2, otherwise="deny", per="person", in_s=604_800)


def limited(*limits: Limit) -> Policy:
    return with_action(SALES, "book", limits=(SALES.actions["book"].limits[0], *limits))


def test_a_limit_over_a_window_is_compared_with_what_other_calls_used() -> None:
    old, more = limited(WEEK), limited(replace(WEEK, at_most=3))
    example = compare(old, more).actions["book"].counterexample
    assert example is not None and example.call is not None
    assert example.facts[WEEK.counted] == 2
    assert any(f"other calls have used 2 of {WEEK.window}" in line for line in example.call)
    assert changed(diff(more, old)) == {"book": "narrows"}
    assert changed(diff(SALES, old)) == {"book": "narrows"}


def test_a_window_that_looks_back_less_far_widens() -> None:
    old, new = limited(WEEK), limited(replace(WEEK, in_s=86_400))
    example = compare(old, new).actions["book"].counterexample
    assert example is not None and example.call is not None
    assert int(example.facts["counted.book.person.86400"] or 0) < 2 <= int(example.facts[WEEK.counted] or 0)
    assert changed(diff(new, old)) == {"book": "narrows"}
    assert changed(diff(old, limited(replace(WEEK, per="agent")))) == {"book": "incomparable"}


def test_both_directions_at_once_are_incomparable() -> None:
    new = with_atom(without_rule(SALES, "book", 0), "book", 2, within_ms=10_000)
    found = compare(SALES, new)
    assert changed(found) == {"book": "incomparable"}
    example = found.actions["book"].counterexample
    assert example is not None and example.call is not None
    assert found.widens


def test_an_action_of_one_policy_alone() -> None:
    fewer = replace(SALES, actions={name: rule for name, rule in SALES.actions.items() if name != "book"})
    found = compare(fewer, SALES)
    assert changed(found) == {"book": "widens"}
    example = found.actions["book"].counterexample
    assert example is not None and example.call is not None and example.old == "deny"
    assert changed(compare(SALES, fewer)) == {"book": "narrows"}
    never = with_action(SALES, "book", stages={})
    only_asked = replace(never, actions={**fewer.actions, "book": never.actions["book"]})
    # It is never allowed; that it may be asked for at all changes nothing.
    assert changed(compare(fewer, with_action(only_asked, "book", require=()))) == {}


def test_a_fact_that_no_call_can_have_is_said_to_be_so() -> None:
    example = compare(SALES, without_rule(SALES, "book", 2)).actions["book"].counterexample
    assert example is not None
    assert example.call is None
    assert example.facts["opted_out"] is None
    assert "opted_out is known in every call" in example.told


def test_without_a_release_the_difference_is_found_and_no_call_shown() -> None:
    example = diff(SALES, without_rule(SALES, "book", 0)).actions["book"].counterexample
    assert example is not None
    assert example.call is None
    assert "no release was given" in example.told


def test_another_action_s_receipt_can_be_part_of_the_call() -> None:
    receipt = Rule(id="send_message.require.5", condition=Atom(fact="done.book", is_=True), otherwise="deny")
    rules = SALES.actions["send_message"].require
    old = with_action(SALES, "send_message", require=(*rules, receipt))
    limited = with_rule(old, "send_message", 3, shadow=True)
    example = compare(old, limited).actions["send_message"].counterexample
    assert example is not None and example.call is not None
    assert example.facts["done.book"] is True
    assert any("book ends: done" in line for line in example.call)


def test_a_record_that_must_be_fresh_is_learnt_at_its_time() -> None:
    fresh = Atom(fact="quote_open", is_=True, within_ms=20_000)
    old = with_rule(SALES, "book", 4, condition=fresh)
    new = with_rule(SALES, "book", 4, condition=replace(fresh, within_ms=40_000))
    example = compare(old, new).actions["book"].counterexample
    assert example is not None and example.call is not None
    assert 20_000 < example.ages_ms["quote_open"] <= 40_000

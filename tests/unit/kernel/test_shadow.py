"""Shadow rules and shadow policies log what they would have changed; limits over a window; the second opinion."""

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, shipped, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Verdict
from voicewarden.model.decision import Shadowed
from voicewarden.model.event import ActionRequested, CountReserved
from voicewarden.policy.ast import Atom, Limit, Rule

REPLACE = msgspec.structs.replace
LOOK: dict[str, str | int | bool] = {"what": "quote"}


def with_look_up(*rules: Rule, limits: tuple[Limit, ...] = ()) -> Compiled:
    actions = shipped().data.policy.actions
    look_up = REPLACE(actions["look_up"], require=rules, limits=limits)
    return with_policy({"actions": {**actions, "look_up": look_up}})


def look(rig: Rig) -> tuple[Verdict, list[Shadowed]]:
    taken = rig.happen(ActionRequested, request="r", action="look_up", args=LOOK, principal="booking")
    return taken.decisions[0].verdict, [item for item in taken.outputs if isinstance(item, Shadowed)]


def never(*, shadow: bool) -> Rule:
    return Rule(id="look_up.require.1", condition=Atom(fact="paused", is_=True), otherwise="deny", shadow=shadow)


def test_a_shadow_rule_records_the_flip_and_changes_nothing() -> None:
    verdict, flips = look(Rig(with_look_up(never(shadow=True))))
    assert verdict == "allow"
    (flip,) = flips
    assert (flip.source, flip.verdict, flip.active) == ("rules", "deny", "allow")
    assert [reason.rule for reason in flip.reasons] == ["look_up.require.1"]
    assert look(Rig(with_look_up(never(shadow=False)))) == ("deny", [])


def test_a_shadow_that_agrees_is_silent() -> None:
    met = Rule(id="look_up.require.1", condition=Atom(fact="paused", is_=False), otherwise="deny", shadow=True)
    assert look(Rig(with_look_up(met))) == ("allow", [])


def test_an_allow_names_no_shadow_among_its_reasons() -> None:
    rig = Rig(with_look_up(never(shadow=True)))
    taken = rig.happen(ActionRequested, request="r", action="look_up", args=LOOK, principal="booking")
    assert taken.decisions[0].reasons == ()


def test_a_shadow_policy_records_where_it_differs() -> None:
    data = shipped().data
    strict = REPLACE(with_look_up(never(shadow=False)).data.policy, name="stricter")
    release = Compiled(REPLACE(data, shadow=strict))
    verdict, (flip,) = look(Rig(release))
    assert verdict == "allow"
    assert (flip.source, flip.verdict, flip.policy) == ("stricter", "deny", release.shadow.hash)  # type: ignore[union-attr]
    same = Compiled(REPLACE(data, shadow=data.policy))
    assert look(Rig(same)) == ("allow", [])


def test_a_shadow_is_recorded_behind_its_decision_and_replays() -> None:
    rig, again = (Rig(with_look_up(never(shadow=True))) for _ in range(2))
    look(rig)
    look(again)
    kinds = [record.kind for record in rig.records[-5:]]
    assert kinds[:3] == ["event", "decision", "shadow"]
    assert [record.hash for record in rig.records] == [record.hash for record in again.records]


WINDOW = Limit(id="look_up.limits.1", at_most=2, otherwise="deny", per="person", in_s=86_400)


def test_a_limit_over_a_window_is_unmet_while_nobody_has_counted() -> None:
    rig = Rig(with_look_up(limits=(WINDOW,)))
    taken = rig.happen(ActionRequested, request="r", action="look_up", args=LOOK, principal="booking")
    (reason,) = taken.decisions[0].reasons
    assert taken.decisions[0].verdict == "deny"
    assert (reason.fact, reason.needed) == ("granted to this person in 86400 s", "at most 2")
    assert reason.found == "0 in this call, unknown in others"


@pytest.mark.parametrize(("others", "verdicts"), [(0, "allow allow deny"), (1, "allow deny"), (2, "deny"), (9, "deny")])
def test_a_limit_over_a_window_counts_other_calls_and_this_one(others: int, verdicts: str) -> None:
    rig = Rig(with_look_up(limits=(WINDOW,)))
    rig.happen(CountReserved, limit=WINDOW.window, used=others)
    assert [look(rig)[0] for _ in verdicts.split()] == verdicts.split()


def test_only_the_count_itself_tells_a_count() -> None:
    facts: dict[str, str | int | bool] = {WINDOW.counted: 0}
    assert look(Rig(with_look_up(limits=(WINDOW,)), facts=facts))[0] == "deny"
    rig = Rig(with_look_up(limits=(WINDOW,)))
    rig.happen(CountReserved, limit=WINDOW.window, used=-1)
    assert look(rig)[0] == "deny"


def test_two_opinions_that_differ_deny() -> None:
    release = Compiled(shipped().data, second_opinion=True)
    assert look(Rig(release))[0] == "allow"
    release.policy.deciders["book"] = lambda facts, now_ms, digest, minted: 0
    rig = Rig(release)
    taken = rig.happen(ActionRequested, request="r", action="book", args=BOOK, principal="booking")
    assert taken.decisions[0].verdict == "deny"
    assert [reason.rule for reason in taken.decisions[0].reasons] == ["kernel.two_opinions"]
    assert not taken.grants

"""An operator's approval: of one action with exactly these arguments, and for one grant."""

import msgspec
from tests.fakes.rig import Rig, shipped, with_policy

from voicewarden.kernel.release import Compiled
from voicewarden.model.action import Stage, StageEffect, Value, Verdict
from voicewarden.model.canonical import digest_of
from voicewarden.model.event import ActionRequested, OperatorApproved
from voicewarden.policy.ast import Argument

REPLACE = msgspec.structs.replace
PAY: dict[str, Value] = {"id": "5"}
STAGES: dict[Stage, StageEffect] = {"assist": "approve", "bounded": "allow"}


def release() -> Compiled:
    actions = shipped().data.policy.actions
    plain = REPLACE(
        actions["look_up"], args=(Argument(name="id", kind="text"),), stages=STAGES, requested_by=(), require=()
    )
    named = {name: REPLACE(plain, name=name) for name in ("pay", "wipe")}
    return with_policy({"actions": {**actions, **named}})


def ask(rig: Rig, action: str, args: dict[str, Value] = PAY) -> Verdict:
    taken = rig.happen(ActionRequested, request="r", action=action, args=args, principal="booking")
    return taken.decisions[0].verdict


def approve(rig: Rig, args: dict[str, Value] = PAY, action: str = "") -> None:
    rig.happen(OperatorApproved, digest=digest_of(args), operator="o", action=action)


def assisted() -> Rig:
    return Rig(release(), stage="assist")


def test_an_approval_serves_the_action_that_waited_for_it_once() -> None:
    rig = assisted()
    assert ask(rig, "pay") == "deny"
    approve(rig)
    assert [ask(rig, "pay") for _ in range(2)] == ["allow", "deny"]


def test_equal_arguments_of_another_action_are_not_approved() -> None:
    rig = assisted()
    ask(rig, "pay")
    approve(rig)
    assert ask(rig, "wipe") == "deny"
    assert ask(rig, "pay") == "allow"


def test_other_arguments_are_not_approved() -> None:
    rig = assisted()
    ask(rig, "pay")
    approve(rig)
    assert ask(rig, "pay", {"id": "6"}) == "deny"


def test_of_two_actions_that_wait_the_newest_is_meant_unless_one_is_named() -> None:
    rig = assisted()
    ask(rig, "pay")
    ask(rig, "wipe")
    approve(rig)
    assert ask(rig, "pay") == "deny"
    assert ask(rig, "wipe") == "allow"
    approve(rig, action="pay")
    assert ask(rig, "pay") == "allow"


def test_an_approval_that_nothing_waits_for_is_kept_only_for_the_action_it_names() -> None:
    rig = assisted()
    approve(rig)
    assert ask(rig, "pay") == "deny"
    rig = assisted()
    approve(rig, action="pay")
    assert ask(rig, "wipe") == "deny"
    assert ask(rig, "pay") == "allow"


def test_two_approvals_serve_twice() -> None:
    rig = assisted()
    ask(rig, "pay")
    approve(rig)
    approve(rig, action="pay")
    assert [ask(rig, "pay") for _ in range(3)] == ["allow", "allow", "deny"]


def test_only_so_many_requests_wait_for_an_approval() -> None:
    rig = assisted()
    ask(rig, "pay")
    for number in range(16):
        ask(rig, "wipe", {"id": f"w{number}"})
    approve(rig)
    assert ask(rig, "pay") == "deny"

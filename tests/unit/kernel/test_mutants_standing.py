"""What stands against a grant at the moment of its effect, in the order in which it is asked and word by word."""

from typing import Any

import msgspec
import pytest

from voicewarden.kernel.standing import objection
from voicewarden.kernel.state import GrantPart, Identity, OpenGrant, State
from voicewarden.model.decision import Grant

REPLACE = msgspec.structs.replace
GRANT = Grant(
    id="c1/5", call="c1", seq=5, action="book", args={}, digest="d", version=2, policy="p", epoch=3, principal="x",
    confirmed="", minted_at_ms=10, expires_at_ms=100,
)  # fmt: skip
GOING_ON = Identity(call="c1", epoch=3)
OPEN = GrantPart(open={"c1/5": OpenGrant(grant=GRANT, request="r", answered=False)})
STATE = State(version=2, identity=GOING_ON, grants=OPEN)


def against(state: State = STATE, grant: Grant = GRANT, **more: Any) -> str:
    return objection(grant, state=state, **{"call": "c1", "policy": "p", "now_ms": 99, **more})


def test_nothing_stands_against_a_grant_that_is_open_and_of_now() -> None:
    assert against() == ""
    assert against(grant=REPLACE(GRANT)) == ""


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [(STATE, {"call": "c2"}, "it belongs to another call"),
     (REPLACE(STATE, identity=REPLACE(GOING_ON, fault="lease_lost")), {}, "lease_lost"),
     (REPLACE(STATE, identity=REPLACE(GOING_ON, ended=True)), {}, "the call is over"),
     (REPLACE(STATE, version=3), {}, "authority was lowered since"),
     (REPLACE(STATE, identity=REPLACE(GOING_ON, epoch=4)), {}, "the control plane has moved on"),
     (STATE, {"now_ms": 100}, "it has expired"), (STATE, {"policy": "q"}, "another policy is in force"),
     (REPLACE(STATE, grants=GrantPart()), {}, "the call holds no such grant open"),
     (STATE, {"grant": REPLACE(GRANT, args={"x": 1})}, "the call holds no such grant open")],
)  # fmt: skip
def test_each_objection_is_said(state: State, more: dict[str, Any], words: str) -> None:
    assert against(state, **more) == words

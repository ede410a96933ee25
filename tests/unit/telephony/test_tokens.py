"""One-time tokens: only the right one, of the right call, once."""

from typing import cast

import pytest

pytest.importorskip("twilio")

from voicewarden.runtime.calls import Calls, LiveCall
from voicewarden.runtime.loop import CallLoop
from voicewarden.telephony.tokens import Tokens


def live(name: str, sid: str = "") -> LiveCall:
    # A token never looks at the call's loop.
    return LiveCall(name, "booking", "inbound", "contact", "+15555550120", cast(CallLoop, None), sid)


@pytest.fixture
def calls() -> Calls:
    found = Calls()
    for call in (live("c1", "CA1"), live("c2", "CA2"), live("c3")):
        found.add(call)
    return found


def test_a_token_opens_its_call_once(calls: Calls) -> None:
    tokens = Tokens(calls)
    token = tokens.make(calls.live[0])
    assert tokens.claim("c1", token, "CA1") is calls.live[0]
    assert tokens.claim("c1", token, "CA1") is None


@pytest.mark.parametrize(
    ("call", "sid"), [("c2", "CA2"), ("c1", "CA2"), ("c1", ""), ("", "CA1"), ("c9", "CA1"), ("c3", "CA3")]
)
def test_a_token_opens_nothing_else(calls: Calls, call: str, sid: str) -> None:
    tokens = Tokens(calls)
    token = tokens.make(calls.live[0])
    assert tokens.claim(call, token, sid) is None
    assert tokens.claim("c1", token, "CA1") is calls.live[0]


@pytest.mark.parametrize("token", ["", "guessed", "t\u00f6k\u00e9n", "\ud83d\ude00"])
def test_a_wrong_token_opens_nothing_and_does_not_use_up_the_right_one(calls: Calls, token: str) -> None:
    tokens = Tokens(calls)
    right = tokens.make(calls.live[0])
    assert tokens.claim("c1", token, "CA1") is None
    assert tokens.claim("c1", right, "CA1") is not None


def test_a_call_without_a_token_is_not_opened_by_none(calls: Calls) -> None:
    assert Tokens(calls).claim("c1", "", "CA1") is None


def test_a_newer_token_makes_the_older_void(calls: Calls) -> None:
    tokens = Tokens(calls)
    older, newer = tokens.make(calls.live[0]), tokens.make(calls.live[0])
    assert tokens.claim("c1", older, "CA1") is None
    assert tokens.claim("c1", newer, "CA1") is not None


def test_a_call_that_has_no_name_yet_gets_it_from_the_socket(calls: Calls) -> None:
    tokens = Tokens(calls)
    third = calls.live[2]
    assert tokens.claim("c3", tokens.make(third), "CA3") is third
    assert calls.by_sid("CA3") is third


def test_a_call_that_is_over_is_not_opened(calls: Calls) -> None:
    tokens = Tokens(calls)
    first = calls.live[0]
    token = tokens.make(first)
    calls.remove(first)
    assert tokens.claim("c1", token, "CA1") is None

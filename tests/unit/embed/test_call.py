"""The public API without a phone: requests are decided, grants are handed out once, records replay."""

import json

import pytest
from tests.fakes.rig import BOOK, TOP, shipped

from voicewarden.embed import Call, open_policy
from voicewarden.model.canonical import check_profile
from voicewarden.model.directive import Speak
from voicewarden.model.error import ConfigError
from voicewarden.model.event import CallAnswered, DtmfPressed, FactLearned, LeaseLost, SentencePlayed, SentenceStarted
from voicewarden.replay.exact import Releases, replay_call


def opened() -> Call:
    """A call that was answered and whose opening was played."""
    call = Call(shipped(), call="e1", agent="booking", facts={"quote_open": True, "desk_open": True})
    play(call, call.observe(CallAnswered(at_ms=10)).directives, 20)
    return call


def play(call: Call, directives: object, at_ms: int) -> None:
    for directive in directives:  # type: ignore[attr-defined]
        if isinstance(directive, Speak):
            call.observe(SentenceStarted(at_ms=at_ms, sentence=directive.sentence))
            call.observe(SentencePlayed(at_ms=at_ms, sentence=directive.sentence, played_ms=1, whole=True))


def releases() -> Releases:
    found = Releases(lambda name: b"")
    found._compiled[shipped().hash] = shipped()
    return found


def test_a_call_needs_a_role_that_there_is() -> None:
    for agent in ("", "nobody"):
        with pytest.raises(ConfigError, match="booking, closing, transfer"):
            Call(shipped(), agent=agent)


def test_a_request_that_needs_a_yes_comes_with_its_question_and_without_a_grant() -> None:
    call = opened()
    outcome = call.request("book", BOOK, at_ms=100)
    assert (outcome.decision.verdict, outcome.grant) == ("confirm", None)
    question = next(item.text for item in outcome.directives if isinstance(item, Speak))
    assert question.startswith("Shall I book")


def test_a_yes_leads_to_one_grant() -> None:
    call = opened()
    play(call, call.request("book", BOOK, at_ms=100).directives, 200)
    (grant,) = call.observe(DtmfPressed(at_ms=300, digit="1")).grants
    assert (grant.action, grant.args) == ("book", BOOK)
    call.done(grant, at_ms=400, detail={"place": "9"})
    assert call.state.grants.open == {}
    assert call.request("book", BOOK, at_ms=500).grant is None


def test_a_request_that_is_denied_has_reasons_and_no_grant() -> None:
    outcome = opened().request("launch_rocket", {}, at_ms=100)
    assert (outcome.decision.verdict, outcome.grant) == ("deny", None)
    assert outcome.decision.reasons


def test_another_principal_may_be_named() -> None:
    assert opened().request("advance_commitment", {"offer": "haircut"}, at_ms=1).decision.verdict == "deny"
    call = opened()
    assert call.request("advance_commitment", {"offer": "haircut"}, at_ms=1, principal="closing").grant is None


def test_arguments_are_frozen_when_they_are_asked_with() -> None:
    call, args = opened(), {"what": "quote"}
    grant = call.request("look_up", args, at_ms=100).grant
    args["what"] = "opening_hours"
    assert grant is not None and grant.args == {"what": "quote"}


def test_arguments_may_be_the_models_own_text() -> None:
    grant = opened().request("look_up", '{"what": "quote"}', at_ms=100).grant
    assert grant is not None and grant.args == {"what": "quote"}


@pytest.mark.parametrize("text", ["{", "[]", "null", "7", "[" * 100_000, '{"what": ' + "9" * 5_000 + "}"])
def test_a_text_that_is_no_arguments_is_denied_and_not_raised(text: str) -> None:
    assert opened().request("look_up", text, at_ms=100).decision.verdict == "deny"


def test_what_no_record_can_hold_is_denied_and_not_raised() -> None:
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    circle: dict[str, object] = {}
    circle["what"] = circle
    for args in ({"what": deep}, circle, {"what": object()}, {"what": "x" * 10_000}):
        assert opened().request("look_up", args, at_ms=100).decision.verdict == "deny"


def test_facts_that_no_record_can_hold_are_left_out() -> None:
    call = Call(shipped(), call="e1", agent="booking", facts={"quote_open": 1.5, "desk_open": "\ud800"})  # type: ignore[dict-item]
    call.learn("quote_open", {"a": 1})  # type: ignore[arg-type]
    call.learn("quote_open", object())  # type: ignore[arg-type]
    call.learn("quote_open", None)  # type: ignore[arg-type]
    assert not {"desk_open", "quote_open"} & set(call.state.facts)
    for record in call.records:
        check_profile(json.loads(record.body))


def test_after_a_fault_a_request_is_denied_and_does_not_raise() -> None:
    call = opened()
    call.observe(LeaseLost(at_ms=50))
    assert call.request("look_up", {"what": "quote"}, at_ms=100).decision.verdict == "deny"


@pytest.mark.parametrize("value", [1.5, None, ["x"], {"a": 1}, 2**60, "\ud800"])
def test_arguments_outside_of_the_canonical_profile_are_denied_and_leave_no_float_in_a_record(value: object) -> None:
    """Law 1: what has no canonical form can't be bound to a yes; it is denied, not raised."""
    call = opened()
    outcome = call.request("look_up", {"what": value}, at_ms=100)
    assert (outcome.decision.verdict, outcome.grant) == ("deny", None)
    for record in call.records:
        check_profile(json.loads(record.body))
    assert not call.state.identity.fault
    assert replay_call(call.records, releases()).difference is None


def test_the_records_of_an_embedded_call_replay() -> None:
    call = opened()
    play(call, call.request("book", BOOK, at_ms=100).directives, 200)
    call.observe(FactLearned(at_ms=250, fact="desk_open", value=False, source="hours"))
    call.observe(DtmfPressed(at_ms=300, digit="1"))
    replayed = replay_call(call.records, releases())
    assert (replayed.call, replayed.difference) == ("e1", None)


def test_facts_of_the_wrong_type_are_left_out_and_so_deny() -> None:
    call = Call(shipped(), call="e1", agent="booking", facts={"desk_open": "yes", "quote_open": 1})
    assert not {"desk_open", "quote_open"} & set(call.state.facts)


def test_the_same_times_give_the_same_bytes() -> None:
    def records() -> list[bytes]:
        call = Call(shipped(), call="e1", agent="booking", started_unix_ms=0)
        call.answered(at_ms=1)
        call.shown(at_ms=2)
        call.heard("I want a haircut.", at_ms=3)
        call.request("book", BOOK, at_ms=4)
        return [record.body for record in call.records]

    assert records() == records()


def test_the_facts_defaults_of_a_policy_hold_as_on_the_telephone() -> None:
    release = open_policy("outbound-sales", config=TOP / "config", agents=TOP / "agents")
    assert Call(release, agent="booking").state.facts["quote_open"].value is True

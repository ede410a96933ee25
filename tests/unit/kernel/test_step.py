"""`step` itself: pure, total, one record after another, and closed when something breaks inside."""

import copy
from typing import Any, get_args

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, of, rules, shipped

from voicewarden.kernel import step as kernel_step
from voicewarden.kernel.facets import actions, call, keypad, speech, turn
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model.directive import ConsultModel, HangUp, Speak, SpendGrant
from voicewarden.model.event import (
    ActionRequested,
    CallAnswered,
    CallStarted,
    DtmfPressed,
    Event,
    FactLearned,
    TimerFired,
)
from voicewarden.model.record import chain_hash


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("injected")


def test_every_event_has_a_handler() -> None:
    assert set(kernel_step._HANDLERS) == set(get_args(Event))


def test_step_changes_neither_the_state_nor_the_event() -> None:
    rig = Rig()
    rig.question()
    state, before = rig.state, copy.deepcopy(rig.state)
    event = DtmfPressed(at_ms=rig.now_ms, digit="1")
    one, other = step(rig.release, state, event), step(rig.release, state, event)
    assert state == before
    assert one == other
    assert one.grants


def test_the_state_counts_its_records_and_the_chain_holds() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    assert rig.state.seq == len(rig.records)
    assert [record.seq for record in rig.records] == list(range(len(rig.records)))
    for before, record in zip(rig.records, rig.records[1:], strict=False):
        assert record.prev_hash == before.hash
        assert record.hash == chain_hash(
            record.stream, record.seq, record.at_ms, record.kind, record.body, record.prev_hash
        )


def test_decisions_and_grants_carry_the_number_of_their_record() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    for record in rig.records:
        if record.kind in ("decision", "grant"):
            assert msgspec.json.decode(record.body)["seq"] == record.seq


def test_time_never_goes_back_within_a_call() -> None:
    rig = Rig()
    before = rig.now_ms
    rig.now_ms = 5
    rig.press("5")
    assert rig.state.now_ms == before
    assert [record.at_ms for record in rig.records] == sorted(record.at_ms for record in rig.records)


def test_a_clock_that_jumps_back_makes_no_yes_fresher() -> None:
    rig = Rig()
    rig.question()
    rig.begin()
    rig.segment("yes")
    rig.now_ms += 100_000
    rig.press("5")
    rig.now_ms -= 100_000
    assert not rig.end().grants


@pytest.mark.parametrize("offset", [-1, 1, 5_000])
def test_a_timer_that_was_not_asked_for_does_nothing(offset: int) -> None:
    rig = Rig()
    due_ms = rig.state.timers["silence"]
    assert not rig.happen(TimerFired, timer="silence", due_ms=due_ms + offset).outputs
    assert not rig.happen(TimerFired, timer="unheard of", due_ms=due_ms).outputs


def test_a_second_start_changes_nothing() -> None:
    rig = Rig()
    before = rig.state
    rig.feed(rig.events[0])
    assert msgspec.structs.replace(rig.state, seq=before.seq, now_ms=before.now_ms) == before


def test_nothing_is_allowed_before_a_call_has_started() -> None:
    rig = Rig(opened=False)
    rig.state = EMPTY
    assert "kernel.not_started" in rules(rig.ask("look_up", what="quote"))


def test_the_ways_out_are_granted_when_the_call_starts() -> None:
    rig = Rig(opened=False)
    escape = [item for item in rig.outputs if getattr(item, "escape", False)]
    assert [item.action for item in escape] == ["speak", "end_call"]
    assert rig.state.grants.minted == {}


def _request(rig: Rig) -> Any:
    return rig.happen(ActionRequested, request="r", action="look_up", args={"what": "quote"}, principal="booking")


FAULTS = [
    (actions, "submit", _request),
    (turn, "signals", lambda rig: rig.hear("yes, book it")),
    (speech, "claims", lambda rig: rig.propose("It is free.")),
    (call, "learn", lambda rig: rig.happen(FactLearned, fact="desk_open", value=True, source="s")),
]


@pytest.mark.parametrize(("module", "name", "act"), FAULTS)
def test_a_fault_inside_denies_everything_and_ends(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Any
) -> None:
    """Law 1: an exception takes all authority away; the caller hears the safe line."""
    rig = Rig()
    rig.hear("tell me more")
    monkeypatch.setattr(module, name, broken)
    act(rig)
    monkeypatch.undo()
    assert rig.state.identity.fault == "kernel_fault"
    assert rig.queue[-1].line == "safe"
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "deny"
    assert "kernel.fault" in rules(decision)
    rig.play()
    assert rig.hung_up == "kernel_fault"
    assert rig.state.seq == len(rig.records)


def test_a_fault_on_the_way_of_a_fault_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    monkeypatch.setattr(call, "fault", broken)
    monkeypatch.setattr(keypad, "silence", None)
    taken = rig.press("5")
    assert [item.reason for item in of(taken, HangUp)] == ["kernel_fault"]


def test_a_fault_leaves_nothing_of_the_step_that_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.question()
    monkeypatch.setattr(actions, "hand_to_effector", broken)
    taken = rig.hear("yes, book it")
    assert not taken.grants and not of(taken, SpendGrant) and not of(taken, ConsultModel)
    assert rig.state.grants.open == {}


def test_an_event_of_an_unknown_kind_is_a_fault_and_no_exception() -> None:
    class Odd(msgspec.Struct):
        at_ms: int = 0

    rig = Rig()
    taken = step(rig.release, rig.state, Odd())  # type: ignore[arg-type]
    assert taken.state.identity.fault == "kernel_fault"
    assert of(taken, Speak)


def test_a_release_without_its_safe_line_still_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    data = shipped().data
    release = type(shipped())(msgspec.structs.replace(data, lines={k: v for k, v in data.lines.items() if k != "safe"}))
    rig = Rig(release)
    monkeypatch.setattr(keypad, "silence", None)
    assert of(rig.press("5"), HangUp)


def test_no_float_is_in_any_record() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it", permille=(701, 650, 999))
    rig.receipt(rig.grants[0], "done", price="45.50")

    def floats(value: object) -> bool:
        if isinstance(value, dict):
            return any(map(floats, value.values()))
        return any(map(floats, value)) if isinstance(value, list) else isinstance(value, float)

    assert not any(floats(msgspec.json.decode(record.body)) for record in rig.records)


def test_a_call_that_was_answered_twice_is_opened_once() -> None:
    rig = Rig()
    assert not rig.happen(CallAnswered).outputs


def test_the_first_event_names_its_release() -> None:
    first = Rig(opened=False).events[0]
    assert isinstance(first, CallStarted)
    assert first.release == shipped().hash

"""`voicewarden.Call` used in ways that the page about it does not show: out of order, twice, with odd values."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.acceptance.authority_policies import CONFIG, ROOT, atom, written

from voicewarden import Answer, Call, open_policy
from voicewarden.embed import OpenedPolicy, read_records
from voicewarden.ledger.store import Ledger
from voicewarden.model import event as events
from voicewarden.model.action import Stage
from voicewarden.model.decision import Grant
from voicewarden.model.error import ConfigError, GrantRefused, LedgerBroken, LedgerError

SERVICES = {"services": {"haircut": "a haircut", "größe": "eine Größe"}}
WANTED = {"service": "haircut", "start": "2026-12-03T11:00"}
LATER = {"service": "haircut", "start": "2026-12-04T11:00"}


@cache
def chat() -> OpenedPolicy:
    return open_policy(ROOT / "examples" / "booking.yaml", catalogue=SERVICES)


@cache
def desk(stage: Stage | None = None) -> OpenedPolicy:
    """`act` at most twice an hour a person, with a rule that only logs."""
    tested = atom("flag", known=True)
    window = {"per": "person", "at_most": 2, "in_s": 3600}
    shadowed = {**atom("answerer", is_="human"), "shadow": True}
    file = written(tested, shadowed, limits=(window,), args={"id": {"type": "int"}}, name=f"desk-{stage or 'usual'}")
    return open_policy(file, config=CONFIG, stage=stage)


def ready(**options: Any) -> Call:
    call = Call(chat(), agent="assistant", **options)
    call.answered()
    call.shown()
    return call


def agreed(**options: Any) -> tuple[Call, Grant]:
    call = ready(**options)
    call.request("book", WANTED)
    call.shown()
    grant = call.heard("Yes, book it.").grant
    assert grant is not None
    return call, grant


def at_desk(used: int | None = 0, *, stage: Stage | None = None) -> Call:
    call = Call(desk(stage), agent="booking", facts={"flag": True})
    call.answered()
    call.shown()
    if used is not None:
        call.observe(events.CountReserved(at_ms=call.state.now_ms, limit="act.person.3600", used=used))
    return call


def asked(call: Call, number: int) -> tuple[str, list[str], Grant | None]:
    outcome = call.request("act", {"id": number})
    unmet = [reason.rule for reason in outcome.decision.reasons if reason.verdict != "allow"]
    return outcome.decision.verdict, unmet, outcome.grant


def test_a_grant_serves_once_in_its_own_call() -> None:
    (one, mine), (other, theirs) = agreed(), agreed()
    with pytest.raises(GrantRefused, match="not open in this call"):
        one.spend(theirs)
    assert one.done(theirs).notes == ()
    assert one.spend(mine) == WANTED
    with pytest.raises(GrantRefused, match="spent before"):
        one.spend(mine)
    one.done(mine)
    with pytest.raises(GrantRefused):
        one.spend(mine)
    assert other.spend(theirs) == WANTED


@pytest.mark.parametrize(
    "part", [{"args": LATER}, {"action": "transfer"}, {"expires_at_ms": 10**9}, {"version": 99}, {"call": "another"}]
)
def test_an_altered_grant_is_refused(part: dict[str, Any]) -> None:
    call, grant = agreed()
    with pytest.raises(GrantRefused):
        call.spend(msgspec.structs.replace(grant, **part))
    assert call.spend(grant) == WANTED


def test_arguments_that_are_changed_in_place_change_nothing() -> None:
    call, grant = agreed()
    grant.args["start"] = "2030-01-01T09:00"
    with pytest.raises(GrantRefused):
        call.spend(grant)
    call, wanted = ready(), dict(WANTED)
    call.request("book", wanted)
    call.shown()
    wanted["start"] = "2030-01-01T09:00"
    given = call.heard("Yes, book it.").grant
    assert given is not None
    assert call.spend(given) == WANTED


@pytest.mark.parametrize("what", ["late", "opt-out", "key", "end", "pause"])
def test_what_lowers_authority_voids_the_grant(what: str) -> None:
    call, grant = agreed()
    match what:
        case "opt-out":
            call.heard("Stop calling me.")
        case "key":
            call.pressed("9")
        case "end":
            call.end()
        case "pause":
            call.observe(events.CallsPaused(at_ms=call.state.now_ms, epoch=1, operator="boss"))
    with pytest.raises(GrantRefused, match="the grant is"):
        call.spend(grant, at_ms=10**7 if what == "late" else None)
    if what != "late":
        assert call.request("book", WANTED).decision.verdict == "deny"


@pytest.mark.parametrize("order", ["before the request", "before it was shown", "to other arguments", "early key"])
def test_a_yes_to_nothing_that_was_shown_is_no_yes(order: str) -> None:
    call, answer = ready(), Answer
    if order == "before the request":
        assert call.heard("Yes, book it.").grant is None
        assert call.request("book", WANTED).grant is None
    call.request("book", WANTED)
    if order == "to other arguments":
        call.shown()
        call.request("book", LATER)
    given = call.pressed("1") if order == "early key" else call.heard("Yes, book it.")
    assert isinstance(given, answer)
    assert given.grant is None


def test_a_no_is_final_for_these_arguments_alone() -> None:
    call = ready()
    call.request("book", WANTED)
    call.shown()
    call.heard("No.")
    assert call.request("book", WANTED).decision.reasons[-1].rule == "kernel.refused_before"
    assert call.request("book", LATER).decision.verdict == "confirm"


def test_nobody_can_claim_what_the_gate_finds_out() -> None:
    call = ready(facts={"consent.book": "explicit", "disclosed.ai": True, "answerer": "human"})
    call.learn("consent.book", "explicit")
    assert call.request("book", WANTED).decision.verdict == "confirm"
    unanswered = Call(chat(), agent="assistant", facts={"answerer": "human"})
    unanswered.learn("answerer", "human")
    assert unanswered.request("book", WANTED).decision.verdict == "deny"


ODD: tuple[Any, ...] = (
    "{{{", "[1,2]", None, '{"service": NaN}', {1: 2}, {**WANTED, "more": 1}, {"service": "haircut"},
    {**WANTED, "service": "nose"}, {**WANTED, "service": "\ud800"}, {**WANTED, "service": "gro\u0308ße"},
    {**WANTED, "service": {"a": 1}}, {**WANTED, "service": b"haircut"}, {**WANTED, "service": object()},
    {**WANTED, "start": "tomorrow"}, {**WANTED, "start": "x" * 1_000_000}, '{"service": 1%s}' % ("0" * 5000),
    '{"service": ' + "[" * 5000 + "]" * 5000 + "}",
)  # fmt: skip


@pytest.mark.parametrize("args", ODD, ids=range(len(ODD)))
def test_what_a_model_may_write_is_denied_and_never_raised(args: Any) -> None:
    decision = ready().request("book", args).decision
    assert (decision.verdict, decision.reasons[0].rule) == ("deny", "kernel.arguments")


def test_letters_of_any_language_are_letters() -> None:
    call = ready(call="Ärger 你好")
    assert call.request("book", {**WANTED, "service": "größe"}).decision.verdict == "confirm"
    assert any("eine Größe" in text for text in call.unshown)
    assert call.request("b\u0000ook\ud800", WANTED).decision.verdict == "deny"


def test_a_window_counts_what_was_told_and_what_was_granted() -> None:
    assert asked(at_desk(None), 1)[:2] == ("deny", ["act.limits.1"])
    assert asked(at_desk(2), 1)[:2] == ("deny", ["act.limits.1"])
    call = at_desk(1)
    verdict, _, grant = asked(call, 1)
    assert (verdict, asked(call, 2)[:2]) == ("allow", ("deny", ["act.limits.1"]))
    assert grant is not None
    call.failed(grant)
    again = asked(call, 3)[2]
    assert again is not None
    call.failed(again, unknown=True)
    assert asked(call, 4)[0] == "deny"
    call.learn("counted.act.person.3600", 0)
    assert asked(call, 5)[0] == "deny"


def test_an_approval_is_for_one_action_with_these_arguments_once() -> None:
    call = at_desk(stage="assist")
    waiting = call.request("act", {"id": 1}).decision
    assert (waiting.verdict, waiting.would) == ("deny", "allow")
    call.approved(waiting, operator="duty-manager")
    assert asked(call, 2)[1] == ["kernel.stage"]
    assert asked(call, 1)[0] == "allow"
    assert asked(call, 1)[1] == ["kernel.stage"]


def test_in_observe_nothing_acts_whoever_approves_and_whatever_the_call_says() -> None:
    call = at_desk(stage="observe")
    watched = call.request("act", {"id": 1}).decision
    assert (watched.verdict, watched.would) == ("deny", "allow")
    call.approved(watched, operator="duty-manager")
    assert asked(call, 1)[0] == "deny"
    higher = Call(desk("observe"), agent="booking", stage="autonomous", facts={"flag": True})
    assert higher.request("act", {"id": 1}).grant is None


def test_a_hand_over_takes_grants_and_rights_along_with_the_role() -> None:
    call = at_desk()
    grant = asked(call, 1)[2]
    assert grant is not None
    assert call.request("hand_over", {"to": "closing"}).decision.verdict == "allow"
    with pytest.raises(GrantRefused, match="authority was lowered"):
        call.spend(grant)
    assert asked(call, 2)[1] == ["kernel.role"]


def test_a_shadow_rule_is_recorded_and_changes_nothing() -> None:
    call = at_desk()
    before = len(call.records)
    assert asked(call, 1)[0] == "allow"
    assert "shadow" not in [record.kind for record in call.records[before:]]
    early = Call(desk(), agent="booking", facts={"flag": True})
    early.observe(events.CountReserved(at_ms=0, limit="act.person.3600", used=0))
    before = len(early.records)
    assert asked(early, 1)[0] == "allow"
    assert [record.kind for record in early.records[before:]].count("shadow") == 1


def test_records_are_read_back_and_show_what_was_done_to_them(tmp_path: Path) -> None:
    call, grant = agreed()
    call.spend(grant)
    call.done(grant)
    file = tmp_path / "call.jsonl"
    call.save(file)
    assert read_records(file) == call.records
    lines = file.read_text(encoding="utf-8").splitlines()
    altered = [line.replace("haircut", "haircvt") for line in lines]
    for broken in ([*lines[:5], *lines[6:]], [lines[1], lines[0], *lines[2:]], altered, [*lines, lines[-1]], ["{}"]):
        file.write_text("\n".join(broken), encoding="utf-8")
        with pytest.raises(LedgerBroken):
            read_records(file)


def test_records_whose_beginning_is_gone_are_not_whole(tmp_path: Path) -> None:
    file = tmp_path / "call.jsonl"
    agreed()[0].save(file)
    file.write_text("\n".join(file.read_text(encoding="utf-8").splitlines()[1:]), encoding="utf-8")
    with pytest.raises(LedgerBroken):
        read_records(file)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_a_text_may_hold_what_ends_lines_elsewhere(tmp_path: Path, separator: str) -> None:
    call = ready()
    call.heard(f"hello{separator}there")
    call.save(tmp_path / "call.jsonl")
    assert read_records(tmp_path / "call.jsonl") == call.records


def test_events_that_are_told_again_lead_to_the_same_bytes() -> None:
    first, grant = agreed(call="again", clock=lambda: 5, started_unix_ms=0)
    first.done(grant)
    told = [record for record in first.records if record.kind == "event"]
    second, again = agreed(call="again", clock=lambda: 5, started_unix_ms=0)
    second.done(again)
    assert [record.hash for record in second.records] == [record.hash for record in first.records]
    assert json.loads(bytes(told[0].body))


def test_a_ledger_takes_a_name_once_and_a_grant_once(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call, grant = agreed(ledger=ledger, call="one")
        assert call.spend(grant) == WANTED
        with pytest.raises(LedgerError, match="takes no call named 'one'"):
            Call(chat(), agent="assistant", ledger=ledger, call="one")
        twin, same = agreed(call="one")
        assert twin.spend(same) == WANTED  # no ledger, no memory beyond the object: the page says so


@pytest.mark.parametrize("agent", ["nobody", ""])
def test_a_role_that_there_is_not(agent: str) -> None:
    with pytest.raises(ConfigError, match="assistant, booking"):
        Call(chat(), agent=agent)

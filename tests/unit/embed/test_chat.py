"""A conversation without sound: what is shown and typed leads to grants, which are spent once."""

from pathlib import Path

import msgspec
import pytest
from tests.fakes.rig import BOOK, shipped
from tests.unit.embed.policies import OTHER, WANTED, chat, desk

from voicewarden.embed import Call, read_records
from voicewarden.kernel.release import encode_release
from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Grant
from voicewarden.model.error import GrantRefused, LedgerBroken, LedgerError
from voicewarden.model.event import AuthorityRevoked
from voicewarden.replay.exact import Releases, replay_call, replay_ledger


def agreed(call: Call) -> Grant:
    call.request("book", WANTED)
    call.shown()
    grant = call.heard("Yes, book it please.").grant
    assert grant is not None
    return grant


def test_what_must_be_said_first_waits_to_be_shown() -> None:
    call = Call(desk(), agent="assistant")
    assert call.unshown == ()
    call.answered()
    assert call.unshown[0] == "Hello, I am an automated assistant."
    call.shown()
    assert call.unshown == ()
    assert call.state.facts["disclosed.ai"].value is True


def test_a_booking_takes_a_question_and_a_yes() -> None:
    call = chat()
    assert call.heard("A haircut, please.").model_may_speak
    outcome = call.request("book", WANTED)
    assert (outcome.decision.verdict, outcome.grant) == ("confirm", None)
    assert '"awaiting_confirmation"' in outcome.notes[0]
    assert call.unshown == ("Shall I book a haircut for Thursday the third of December at 11 am?",)
    call.shown()
    grant = call.heard("Yes, book it please.").grant
    assert grant is not None and call.spend(grant) == WANTED
    answer = call.done(grant, detail={"reference": "A17"})
    assert '"result":{"reference":"A17"}' in answer.notes[0]
    assert answer.model_may_speak


def test_a_button_agrees_as_well() -> None:
    call = chat()
    call.request("book", WANTED)
    call.shown()
    grant = call.pressed("1").grant
    assert grant is not None and grant.args == WANTED


def test_a_yes_before_the_question_was_shown_is_none() -> None:
    call = chat()
    call.request("book", WANTED)
    answer = call.heard("Yes, book it please.")
    assert answer.grant is None
    assert call.unshown[0].startswith("Shall I book")


def test_a_yes_to_other_arguments_is_none() -> None:
    call = chat()
    call.request("book", WANTED)
    call.shown()
    assert call.request("book", OTHER).grant is None
    assert call.heard("Yes, book it please.").grant is None


@pytest.mark.parametrize("said", ["No, thank you.", "What does it cost?", "Yes, but not on Thursday.", ""])
def test_anything_but_a_yes_leads_to_no_grant(said: str) -> None:
    call = chat()
    call.request("book", WANTED)
    call.shown()
    assert call.heard(said).grant is None


def test_an_unsure_transcript_is_asked_about_again() -> None:
    call = chat()
    call.request("book", WANTED)
    call.shown()
    assert call.heard("Yes, book it please.", permille=450).grant is None
    assert call.unshown[0].startswith("Shall I book")


def test_a_grant_is_spent_once() -> None:
    call = chat()
    grant = agreed(call)
    call.spend(grant)
    with pytest.raises(GrantRefused, match="spent before"):
        call.spend(grant)
    call.done(grant)
    with pytest.raises(GrantRefused, match="not open"):
        call.spend(grant)


def test_an_altered_grant_is_refused() -> None:
    call = chat()
    grant = agreed(call)
    for altered in (
        msgspec.structs.replace(grant, args=OTHER), msgspec.structs.replace(grant, action="note"),
        msgspec.structs.replace(grant, expires_at_ms=10**9), msgspec.structs.replace(grant, id="chat/1"),
    ):  # fmt: skip
        with pytest.raises(GrantRefused, match="not open"):
            call.spend(altered)
    grant.args["service"] = "consultation"
    with pytest.raises(GrantRefused, match="not open"):
        call.spend(grant)


def test_a_grant_of_another_call_is_refused() -> None:
    with pytest.raises(GrantRefused, match="not open"):
        chat().spend(msgspec.structs.replace(agreed(chat()), call="another"))


def test_what_is_announced_first_is_spent_after_the_announcement() -> None:
    call = Call(shipped(), agent="booking", facts={"desk_open": True}, clock=lambda: 0)
    call.answered()
    call.shown()
    grant = call.heard("Can I talk to a real person please?").grant
    assert grant is not None and (grant.action, grant.args) == ("transfer", {"desk": "sales"})
    assert call.unshown == ("I am putting you through to sales now.",)
    with pytest.raises(GrantRefused, match="not shown yet"):
        call.spend(grant)
    call.shown()
    assert call.spend(grant) == {"desk": "sales"}


def test_an_escalation_grants_another_action_and_never_the_one_that_was_asked_for() -> None:
    call = Call(shipped(), agent="booking", direction="outbound", facts={"quote_open": False}, clock=lambda: 0)
    call.answered()
    call.heard("Hello?")
    call.shown()
    assert call.state.facts["answerer"].value == "human"
    outcome = call.request("book", BOOK)
    assert (outcome.decision.verdict, outcome.grant) == ("escalate", None)


def test_a_grant_does_not_outlive_its_time() -> None:
    call = chat()
    grant = agreed(call)
    with pytest.raises(GrantRefused, match="expired"):
        call.spend(grant, at_ms=30_000)


def test_a_grant_does_not_outlive_the_authority_it_came_from() -> None:
    call = chat()
    grant = agreed(call)
    call.observe(AuthorityRevoked(at_ms=0, epoch=1, operator="duty"))
    with pytest.raises(GrantRefused, match="authority was lowered"):
        call.spend(grant)


def test_somebody_who_opts_out_ends_the_conversation() -> None:
    call = chat()
    call.heard("Please never contact me again, take me off your list.")
    assert call.unshown == ("I understand. We will not contact you again. Goodbye.",)
    assert not call.is_over
    call.shown()
    assert call.is_over
    assert call.request("note", {"text": "x"}).decision.verdict == "deny"


def test_a_failure_gives_the_count_back_and_an_unknown_end_does_not() -> None:
    call = chat()
    call.failed(agreed(call))
    call.failed(agreed(call), unknown=True)
    assert call.request("book", WANTED).decision.verdict == "deny"


def test_the_models_words_pass_the_gate_before_they_are_shown() -> None:
    call = chat()
    call.heard("Are you a person?")
    call.shown()
    call.say("I am a real human being.")
    assert call.unshown == ("Hello, I am an automated assistant.",)
    call.shown()
    call.heard("What does it cost?")
    call.say("Just come by.")
    assert call.unshown == ("Just come by.",)
    call.say("It costs 45 dollars.")
    assert call.unshown[1:] == ("I am not sure about that, and I don't want to tell you anything wrong.",)


def test_an_operators_approval_lets_exactly_these_arguments_through() -> None:
    call = chat("assist")
    denied = call.request("note", {"text": "call back"})
    assert (denied.grant, denied.decision.would) == (None, "allow")
    call.approved(denied.decision, operator="duty")
    assert call.request("note", {"text": "something else"}).grant is None
    assert call.request("note", {"text": "call back", "times": 2}).grant is None
    grant = call.request("note", {"text": "call back"}).grant
    assert grant is not None and call.spend(grant) == {"text": "call back"}
    call.done(grant)
    assert call.request("note", {"text": "call back"}).grant is None


def test_in_observe_nothing_acts_and_it_is_recorded_what_would_have_been() -> None:
    decision = chat("observe").request("note", {"text": "x"}).decision
    assert (decision.verdict, decision.would) == ("deny", "allow")


def test_a_fact_that_is_learnt_changes_the_next_decision() -> None:
    call = chat()
    call.learn("account_open", False)
    assert call.request("book", WANTED).decision.verdict == "deny"
    call.learn("account_open", "true")  # of the wrong type: left out, the older value stands
    assert call.request("book", WANTED).decision.verdict == "deny"


def test_timers_fire_only_for_those_who_tick() -> None:
    call = chat()
    call.tick(at_ms=6_999)
    assert call.unshown == ()
    call.tick(at_ms=7_001)
    assert call.unshown == ("Are you still there?",)


def test_records_are_written_and_read_back_and_replay(tmp_path: Path) -> None:
    call = chat()
    call.done(agreed(call))
    call.end()
    call.save(tmp_path / "call.jsonl")
    records = read_records(tmp_path / "call.jsonl")
    assert records == call.records
    found = Releases(lambda name: encode_release(desk().data))
    assert replay_call(records, found).difference is None


def test_a_file_that_was_altered_is_not_read(tmp_path: Path) -> None:
    call, path = chat(), tmp_path / "call.jsonl"
    call.save(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    for wrong in ([lines[0], *lines[2:]], [lines[0].replace("assistant", "intruder"), *lines[1:]], ["{}"]):
        path.write_text("\n".join(wrong), encoding="utf-8")
        with pytest.raises(LedgerBroken, match=r"call\.jsonl:[12]:"):
            read_records(path)
    with pytest.raises(LedgerError, match="can't be written"):
        call.save(tmp_path)


def test_a_ledger_has_every_record_at_once_and_replays(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call = Call(desk(), call="kept", agent="assistant", ledger=ledger)
        call.answered()
        call.shown()
        grant = agreed(call)
        assert call.spend(grant) == WANTED
        call.done(grant)
        assert not ledger.burn(grant.id, grant.call, grant.epoch, grant.minted_at_ms)
        call.end()
        chat().save(ledger)
    (first, second) = replay_ledger(Ledger.read(tmp_path / "ledger.db"))
    assert {first.call, second.call} == {"kept", "chat"}
    assert first.difference is second.difference is None


def test_a_name_that_the_ledger_has_already_is_refused(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        Call(desk(), call="kept", agent="assistant", ledger=ledger)
        with pytest.raises(LedgerError, match="'kept'"):
            Call(desk(), call="kept", agent="assistant", ledger=ledger)


def test_a_grant_that_another_process_burnt_is_refused(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        call = Call(desk(), call="kept", agent="assistant", ledger=ledger)
        call.answered()
        call.shown()
        grant = agreed(call)
        assert ledger.burn(grant.id, grant.call, grant.epoch, grant.minted_at_ms)
        with pytest.raises(GrantRefused, match="spent before"):
            call.spend(grant)


def test_where_the_ledger_takes_no_records_nothing_is_spent(tmp_path: Path) -> None:
    """Law 5: write before you act."""
    ledger = Ledger.open(tmp_path / "ledger.db")
    call = Call(desk(), call="kept", agent="assistant", ledger=ledger)
    call.answered()
    call.shown()
    grant = agreed(call)
    ledger.close()
    assert call.request("note", {"text": "x"}).decision.verdict in ("allow", "deny")
    with pytest.raises(GrantRefused):
        call.spend(grant)
    assert call.request("note", {"text": "x"}).decision.verdict == "deny"

"""Law 1. Default deny: unknown action, missing fact, exception, full queue, dead ledger, lost lease."""

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, rules

from voicewarden.kernel.facets import keypad
from voicewarden.model.event import LeaseLost, LedgerFaltered


@pytest.mark.parametrize("action", ["wire_money", "update_crm", "notify", "raise_urgency"])
def test_law_1_an_action_that_no_policy_names_is_denied_with_the_reason(action: str) -> None:
    assert rules(Rig().ask(action)) == ["kernel.default_deny"]


@pytest.mark.parametrize("fact", ["answerer", "disclosed.ai", "opted_out"])
def test_law_1_a_missing_fact_denies(fact: str) -> None:
    rig = Rig()
    facts = {name: found for name, found in rig.state.facts.items() if name != fact}
    rig.state = msgspec.structs.replace(rig.state, facts=facts)
    decision = rig.ask("book", **BOOK)
    assert decision.verdict == "deny"
    assert fact in [reason.fact for reason in decision.reasons]


@pytest.mark.parametrize("fault", [LeaseLost, LedgerFaltered])
def test_law_1_a_lost_lease_and_a_dead_ledger_deny(fault: type) -> None:
    rig = Rig()
    rig.happen(fault)
    assert "kernel.fault" in rules(rig.ask("look_up", what="quote"))


def test_law_1_an_exception_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    monkeypatch.setattr(keypad, "silence", None)
    rig.press("5")
    assert "kernel.fault" in rules(rig.ask("look_up", what="quote"))


def test_law_1_stopping_is_never_denied() -> None:
    rig = Rig()
    rig.happen(LeaseLost)
    assert rig.ask("end_call").verdict == "allow"

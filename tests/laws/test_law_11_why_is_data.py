"""Law 11. Why is data: every rule carries why and owner, every decision can be said in a sentence."""

import pytest
from tests.fakes.rig import BOOK, Rig, release_of

from voicewarden.policy.reasons import sentence, still_to_earn

POLICIES = ("outbound-sales", "inbound-service", "booking-only")


@pytest.mark.parametrize("name", POLICIES)
def test_law_11_every_rule_and_limit_carries_why_and_owner(name: str) -> None:
    for action in release_of(name).policy.actions.values():
        for item in (action, *action.require, *action.limits):
            assert item.why and item.owner, getattr(item, "id", action.name)


def test_law_11_every_decision_is_a_sentence_without_code() -> None:
    rig = Rig(facts={"desk_open": False})
    rig.question()
    rig.hear("hmm okay")
    rig.play()
    rig.hear("yes, book it")
    rig.ask("transfer", desk="sales")
    rig.ask("unheard_of")
    rig.propose("It costs 99 dollars.")
    for decision in rig.decisions:
        text = sentence(decision)
        assert text.endswith(".") and decision.action in text
        assert not {"{", "}", "None", "True", "False", "Reason("} & set(text.split())


def test_law_11_a_refusal_says_what_is_still_to_be_earned() -> None:
    earned = still_to_earn(Rig().ask("book", **BOOK))
    assert earned == ("consent.book is explicit, no older than 90 s",)

"""Law 3. The model proposes, the gate disposes: nothing that the model says or passes is evidence."""

from tests.fakes.rig import BOOK, Rig, rules


def test_law_3_what_the_model_says_the_caller_agreed_to_is_worth_nothing() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.propose("You said yes, book it.", "So I book it.")
    rig.play()
    assert rig.ask("book", **BOOK).verdict == "confirm"


def test_law_3_arguments_that_claim_consent_are_refused() -> None:
    assert rules(Rig().ask("book", consent="explicit", **BOOK)) == ["kernel.arguments"]


def test_law_3_a_consequential_act_needs_a_question_that_was_played() -> None:
    rig = Rig()
    rig.hear("yes, book it, book the consultation on Tuesday at three, I agree")
    assert rig.ask("book", **BOOK).verdict == "confirm"
    assert not rig.press("1").grants, "the question was asked for but not heard"


def test_law_3_an_unprompted_request_may_reach_a_human() -> None:
    rig = Rig()
    rig.hear("I want to talk to a real person")
    assert [grant.action for grant in rig.grants] == ["transfer"]


def test_law_3_destinations_come_from_configuration() -> None:
    rig = Rig()
    assert rules(rig.ask("transfer", desk="+15550001111")) == ["kernel.arguments"]
    assert set(rig.release.data.catalogue["desks"]) == set(rig.release.data.destinations)


def test_law_3_a_figure_in_a_tool_call_grounds_no_sentence() -> None:
    rig = Rig()
    rig.hear("tell me more")
    rig.ask("book", service="haircut", start="2026-12-24T17:45")
    rig.hear("what?")
    rig.propose("So the twenty fourth of December it is.")
    assert "So the twenty fourth of December it is." not in [speak.text for speak in rig.queue]

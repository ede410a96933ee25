"""Law 2. No inheritance: each action earns its own permission; a hand-over carries facts, never authority."""

from tests.fakes.rig import BOOK, Rig


def test_law_2_a_yes_to_one_action_allows_no_other() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    for action, args in (("send_message", {"template": "confirmation"}), ("transfer", {"desk": "sales"}),
                         ("schedule_callback", {"when": "tomorrow_morning"})):  # fmt: skip
        assert rig.ask(action, **args).verdict == "confirm"
    assert [grant.action for grant in rig.grants] == ["book"]


def test_law_2_a_grant_serves_once_and_its_yes_with_it() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "failed")
    assert rig.ask("book", **BOOK).verdict == "confirm"


def test_law_2_a_hand_over_carries_facts_and_no_yes() -> None:
    rig = Rig(stage="assist")
    rig.question()
    rig.hear("yes, book it")
    assert rig.value("consent.book") == "explicit"
    rig.ask("hand_over", to="closing")
    assert rig.value("disclosed.ai") is True
    assert rig.value("consent.book") is None
    assert rig.ask("book", **BOOK).verdict == "confirm"


def test_law_2_a_hand_over_voids_grants_and_the_open_question() -> None:
    rig = Rig()
    rig.question("transfer", desk="sales")
    rig.hear("yes, go ahead")
    rig.ask("hand_over", to="closing")
    assert rig.grants[0].version < rig.state.version
    rig.play()
    rig.wait(10_000)
    assert not rig.spent

"""Law 4. A yes is bound to what was read back: other arguments, other yes; too early or too unsure is no yes."""

import pytest
from tests.fakes.rig import BOOK, HAIRCUT, Rig, release_of


def test_law_4_other_arguments_need_another_yes() -> None:
    rig = Rig()
    rig.question()
    rig.ask("book", **HAIRCUT)
    rig.play()
    assert [grant.args for grant in rig.hear("yes, book it").grants] == [HAIRCUT]


def test_law_4_every_argument_was_read_back() -> None:
    for name in ("outbound-sales", "inbound-service", "booking-only"):
        for rule in release_of(name).policy.actions.values():
            if rule.question:
                assert set(rule.read_back) == {argument.name for argument in rule.args}
                assert all("{" + argument + "}" in rule.question for argument in rule.read_back)


def test_law_4_a_yes_that_began_before_the_last_argument_does_not_count() -> None:
    rig = Rig()
    rig.ask("book", **BOOK)
    rig.begin()
    rig.now_ms += 3_000
    rig.segment("yes")
    assert not rig.end().grants


@pytest.mark.parametrize("permille", [None, 0, 260, 599])
def test_law_4_an_unsure_yes_restrains(permille: int | None) -> None:
    rig = Rig()
    rig.question()
    assert not rig.hear("yes, book it", permille=permille).grants


@pytest.mark.parametrize("text", ["maybe", "yes I guess", "okay", "uh huh whatever", "yes and no"])
def test_law_4_ambiguity_restrains(text: str) -> None:
    rig = Rig()
    rig.question()
    assert not rig.hear(text).grants

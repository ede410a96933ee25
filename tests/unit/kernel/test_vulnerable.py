"""Children, people in distress and the wrong person: nothing is agreed with them."""

import msgspec
import pytest
from tests.fakes.rig import BOOK, Rig, shipped, told

from voicewarden.kernel.facets.vulnerable import PLIGHTS
from voicewarden.kernel.release import Compiled

SAID = {"minor": "my mom's not home, I'm twelve", "distress": "my husband just died", "wrong_person": "wrong number"}


def changed(**change: object) -> Compiled:
    return Compiled(msgspec.structs.replace(shipped().data, **change))  # type: ignore[arg-type]  # any field


def dialled(release: Compiled | None = None) -> Rig:
    """A call of ours that a person has answered."""
    rig = Rig(release, direction="outbound")
    rig.hear("hello?")
    rig.play()
    return rig


@pytest.mark.parametrize("plight", PLIGHTS)
def test_at_the_start_nothing_of_the_kind_is_known(plight: str) -> None:
    assert Rig().value(plight) is False
    assert Rig(facts={plight: True}).value(plight) is False  # found out in the call, never from a record


@pytest.mark.parametrize("plight", PLIGHTS)
def test_a_call_of_ours_ends_with_the_approved_line(plight: str) -> None:
    rig = dialled()
    rig.begin()
    taken = rig.segment(SAID[plight])
    assert rig.value(plight) is True
    assert told(taken.directives) == [rig.release.data.lines[f"{plight}.goodbye"]]
    rig.play()
    rig.end()
    assert rig.hung_up == plight


@pytest.mark.parametrize("plight", PLIGHTS)
def test_without_the_line_the_call_goes_on_without_authority(plight: str) -> None:
    lines = {name: text for name, text in shipped().data.lines.items() if name != f"{plight}.goodbye"}
    rig = dialled(changed(lines=lines))
    before = rig.state.version
    rig.hear(SAID[plight])
    assert rig.value(plight) is True and rig.state.version > before
    assert not rig.state.identity.ending


@pytest.mark.parametrize("plight", ["minor", "distress"])
def test_who_calls_us_is_offered_a_person(plight: str) -> None:
    rig = Rig()
    rig.question("book", **BOOK)
    rig.hear(SAID[plight])
    pending = rig.state.consent.pending
    assert pending is not None and pending.action == "transfer"
    assert not rig.spent


@pytest.mark.parametrize("plight", PLIGHTS)
def test_a_yes_to_the_question_before_counts_no_more(plight: str) -> None:
    rig = Rig()
    rig.question("book", **BOOK)
    rig.hear(f"{SAID[plight]}. But yes, book it.")
    assert not rig.grants and not rig.spent


@pytest.mark.parametrize("plight", PLIGHTS)
def test_what_was_granted_is_withdrawn(plight: str) -> None:
    rig = Rig()
    rig.question("transfer", desk="sales")
    rig.hear("yes, go ahead")
    assert rig.grants and not rig.spent
    rig.hear(SAID[plight])
    rig.play()
    assert not rig.spent


@pytest.mark.parametrize("plight", PLIGHTS)
def test_a_call_of_an_older_release_goes_on_as_it_went(plight: str) -> None:
    rig = dialled(changed(edition=1))
    rig.hear(SAID[plight])
    assert rig.value(plight) is None and not rig.state.identity.ending

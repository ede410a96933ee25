"""Law 7. Lowering is instant, raising is slow: one person lowers at once, and nothing within a call raises."""

import pytest
from tests.fakes.rig import BOOK, Rig

from voicewarden.model.action import STAGES, Stage
from voicewarden.model.event import AuthorityRevoked, AuthorityTightened, CallsPaused, FactLearned


@pytest.mark.parametrize(
    ("kind", "fields"), [(CallsPaused, {}), (AuthorityRevoked, {}), (AuthorityTightened, {"stage": "observe"})]
)
def test_law_7_one_order_of_one_person_lowers_in_its_own_step(kind: type, fields: dict[str, str]) -> None:
    rig = Rig()
    rig.question()
    rig.happen(kind, epoch=2, operator="one", **fields)
    rig.press("1")
    assert not rig.grants


@pytest.mark.parametrize("stage", STAGES)
def test_law_7_tightening_never_loosens(stage: Stage) -> None:
    rig = Rig(stage="assist")
    rig.happen(AuthorityTightened, stage=stage, epoch=2, operator="one")
    assert STAGES.index(rig.state.identity.stage) <= STAGES.index("assist")


@pytest.mark.parametrize("fact", ["opted_out", "paused", "revoked"])
def test_law_7_what_was_lowered_stays_low_for_the_call(fact: str) -> None:
    rig = Rig()
    rig.happen(FactLearned, fact=fact, value=True, source="console")
    rig.happen(FactLearned, fact=fact, value=False, source="console")
    assert rig.ask("book", **BOOK).verdict == "deny"


def test_law_7_open_grants_die_with_the_version() -> None:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    rig.happen(AuthorityRevoked, epoch=2, operator="one")
    assert rig.grants[0].version < rig.state.version

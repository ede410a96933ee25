"""Law 6. A grant is spent at most once; after the burn, authority is looked at again."""

import asyncio

import pytest
from tests.fakes.journal import NOW, Stage, begin, look_up

from voicewarden.model import event as events
from voicewarden.model.error import GrantRefused


async def test_law_6_a_spent_grant_is_refused_to_whoever_holds_it() -> None:
    stage = Stage()
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    (spending,) = stage.effector.spendings
    with pytest.raises(GrantRefused):
        await spending.burn()
    with pytest.raises(GrantRefused):
        spending.start()
    assert stage.burner.burnt == [spending.grant.id]


@pytest.mark.parametrize(
    "lowering",
    [events.AuthorityTightened(at_ms=NOW, stage="assist", epoch=9, operator="o"),
     events.AuthorityRevoked(at_ms=NOW, epoch=9, operator="o"), events.CallsPaused(at_ms=NOW, epoch=9, operator="o"),
     events.LeaseLost(at_ms=NOW), events.LedgerFaltered(at_ms=NOW), events.DtmfPressed(at_ms=NOW, digit="9")],
    ids=lambda event: type(event).__name__,
)  # fmt: skip
async def test_law_6_authority_that_falls_during_the_burn_keeps_the_effect_from_starting(
    lowering: events.Event,
) -> None:
    stage = Stage()
    stage.burner.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.burner.began.wait()
    stage.loop.post(lowering)
    stage.burner.hold.set()
    await stage.loop.quiet()
    assert "effect look_up" not in stage.diary


async def test_law_6_a_grant_of_another_call_is_refused() -> None:
    stage, other = Stage(), Stage()
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    (spending,) = stage.effector.spendings
    other.loop.call = "c2"
    assert other.loop.objection(spending.grant) == "it belongs to another call"

"""Law 9. Nothing waits for ever: every wait has a deadline, restrained for authority and humane for speech."""

import asyncio

import pytest
from tests.fakes.journal import Stage, begin, look_up
from tests.fakes.rig import Rig

from voicewarden.model.event import CallAnswered
from voicewarden.runtime import effects


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_law_9_a_call_in_which_nothing_happens_ends_by_itself(direction: str) -> None:
    rig = Rig(direction=direction)  # type: ignore[arg-type]
    for _ in range(100):
        rig.play()
        rig.wait(10_000)
    assert rig.hung_up


def test_law_9_a_voice_that_never_answers_does_not_keep_the_call() -> None:
    rig = Rig(opened=False)
    rig.happen(CallAnswered)
    rig.wait(700_000)
    assert rig.hung_up


def test_law_9_a_question_without_an_answer_is_no_yes() -> None:
    rig = Rig()
    rig.question()
    for _ in range(8):
        rig.wait(20_000)
        rig.play()
    assert not rig.grants
    assert rig.state.consent.pending is None


def test_law_9_when_unsure_it_is_a_person_who_has_consented_to_nothing() -> None:
    rig = Rig(direction="outbound")
    rig.begin()
    rig.wait(3_500)
    assert rig.value("answerer") == "human"
    assert not [name for name in rig.state.facts if name.startswith("consent.")]


async def test_law_9_a_disk_that_never_answers_lets_the_effect_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "DURABLE_WITHIN_S", 0.01)
    stage = Stage()
    begin(stage)
    stage.journal.hold = True
    look_up(stage)
    await stage.loop.quiet()
    assert not stage.effector.spendings
    assert any(b'"outcome":"failed"' in record.body for record in stage.journal.records)


async def test_law_9_an_effect_that_never_ends_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "EFFECT_WITHIN_S", 0.01)
    stage = Stage()
    stage.effector.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    assert any(b'"outcome":"unknown"' in record.body for record in stage.journal.records)

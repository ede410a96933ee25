"""Law 5. Write before you act: effects wait for the disk, speech for the queue, and the ways out for nothing."""

import asyncio

from tests.fakes.journal import NOW, Stage, begin, look_up

from voicewarden.model import event as events
from voicewarden.model.directive import Speak, StopSpeaking


async def turns_of_the_loop(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_law_5_class_a_waits_until_its_grant_is_durable() -> None:
    stage = Stage()
    begin(stage)
    stage.journal.hold = True
    look_up(stage)
    await turns_of_the_loop()
    assert not stage.effector.spendings
    stage.journal.release()
    await stage.loop.quiet()
    assert stage.diary.count("effect look_up") == 1


async def test_law_5_class_b_is_written_first_and_waits_for_no_disk() -> None:
    stage = Stage()
    stage.journal.hold = True
    begin(stage)
    assert "durable" not in stage.diary
    assert stage.diary.index("record directive") < stage.diary.index("voice Speak")


async def test_law_5_class_0_is_carried_out_with_a_dead_ledger() -> None:
    stage = Stage()
    begin(stage)
    stage.journal.full = True
    stage.loop.post(events.CallerStartedSpeaking(at_ms=NOW, turn=1))
    await turns_of_the_loop()
    assert any(isinstance(item, StopSpeaking) for item in stage.voice.told)
    assert [item.line for item in stage.voice.told if isinstance(item, Speak)][-1] == "safe"


async def test_law_5_the_ways_out_are_on_record_when_the_call_starts() -> None:
    stage = Stage()
    begin(stage, answered=False)
    grants = [record for record in stage.journal.records if record.kind == "grant"]
    assert [b'"escape":true' in record.body for record in grants] == [True, True]


async def test_law_5_a_grant_without_an_outcome_is_unknown_and_not_run_again() -> None:
    stage = Stage()
    stage.effector.fault = RuntimeError("gone")
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    assert any(b'"outcome":"unknown"' in record.body for record in stage.journal.records)
    assert len(stage.effector.spendings) == 1

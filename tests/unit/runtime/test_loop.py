"""The loop of one call: written before it acts, in order, timers, and ways out that no ledger can block."""

import asyncio

from tests.fakes.journal import NOW, Stage, begin, look_up

from voicewarden.kernel.records import records_of
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model import event as events
from voicewarden.model.directive import ConsultModel, Directive, Speak, StopSpeaking
from voicewarden.model.error import LedgerBroken
from voicewarden.model.ports import Receipt, Spending
from voicewarden.model.record import GENESIS


async def test_everything_is_recorded_before_it_is_carried_out() -> None:
    """Law 5: the record is enqueued before the voice hears of it."""
    stage = Stage()
    begin(stage)
    directives = sum(record.kind == "directive" for record in stage.journal.records)
    first_word = stage.diary.index("voice Speak")
    assert stage.diary[:first_word].count("record directive") == directives


async def test_the_records_are_those_of_the_kernel() -> None:
    stage = Stage()
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    state, last, made = EMPTY, GENESIS, []
    decode = events.msgspec.json.Decoder(events.Event).decode
    for record in stage.journal.records:
        if record.kind == "event":
            event = decode(record.body)
            taken = step(stage.release, state, event)
            again = records_of("call:c1", state.seq, last, event, taken.outputs, max(event.at_ms, state.now_ms))
            made += again
            state, last = taken.state, again[-1].hash
    assert made == stage.journal.records


async def test_what_the_loop_stamps_is_the_clocks_time() -> None:
    stage = Stage()
    begin(stage)
    stage.time.at(1_234, lambda: stage.loop.post(events.DtmfPressed(at_ms=NOW, digit="5")))
    while stage.loop.state.now_ms < 1_234 and stage.time.advance():
        pass
    key = next(record for record in stage.journal.records if b"DtmfPressed" in record.body)
    assert key.at_ms == 1_234


async def test_an_effect_follows_its_request_and_its_receipt_comes_back() -> None:
    stage = Stage()
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    assert stage.diary.count("effect look_up") == 1
    assert stage.loop.state.grants.open == {}
    assert sum(b"ReceiptReturned" in record.body for record in stage.journal.records) == 1


async def test_no_effect_starts_before_its_grant_is_durable() -> None:
    """Law 5, class A."""
    stage = Stage()
    begin(stage)
    stage.journal.hold = True
    look_up(stage)
    for _ in range(20):
        await asyncio.sleep(0)
    assert "effect look_up" not in stage.diary
    assert stage.burner.burnt == []
    stage.journal.release()
    await stage.loop.quiet()
    assert stage.diary.index("effect look_up") > len(stage.diary) - 1 - stage.diary[::-1].index("durable")


async def test_a_journal_that_is_full_lets_no_effect_start_but_the_safe_line() -> None:
    stage = Stage()
    begin(stage)
    stage.journal.full = True
    look_up(stage)
    await stage.loop.quiet()
    for _ in range(5):
        await asyncio.sleep(0)
    assert "effect look_up" not in stage.diary
    assert stage.burner.burnt == []
    assert stage.loop.state.identity.fault == "ledger_failed"
    assert [item.line for item in stage.voice.told if isinstance(item, Speak)][-1] == "safe"


async def test_with_a_full_journal_only_the_ways_out_reach_the_voice() -> None:
    stage = Stage()
    begin(stage)
    stage.voice.told.clear()
    stage.journal.full = True
    stage.loop.post(events.CallerStartedSpeaking(at_ms=NOW, turn=1))
    words = (events.Word("hello", 900, 0, 100),)
    stage.loop.post(events.CallerSpoke(at_ms=NOW, turn=1, text="hello", words=words, speech_ms=100))
    stage.loop.post(events.CallerTurnEnded(at_ms=NOW, turn=1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert any(isinstance(item, StopSpeaking) for item in stage.voice.told)
    assert not any(isinstance(item, ConsultModel) for item in stage.voice.told)
    purposes = {item.purpose for item in stage.voice.told if isinstance(item, Speak)}
    assert purposes == {"goodbye"}


async def test_a_journal_that_fails_later_ends_the_call_and_no_effect_starts() -> None:
    stage = Stage()
    begin(stage)
    stage.journal.hold = True
    look_up(stage)
    stage.journal.release(LedgerBroken("the disk went away (injected)"))
    await stage.loop.quiet()
    assert "effect look_up" not in stage.diary
    assert stage.loop.state.identity.fault == "ledger_failed"


async def test_what_is_posted_while_a_directive_is_carried_out_comes_after_all_of_its_step() -> None:
    stage = Stage()
    reacted: list[int] = []

    def react(directive: Directive) -> None:
        if isinstance(directive, Speak) and not reacted:
            stage.loop.post(events.DtmfPressed(at_ms=NOW, digit="9"))
            reacted.append(len(stage.voice.told))

    stage.voice.react = react
    begin(stage)
    kinds = [type(item).__name__ for item in stage.voice.told]
    openings = [item.line for item in stage.voice.told if isinstance(item, Speak)]
    assert openings == [
        "disclosures.ai", "disclosures.recording", "disclosures.keys", "openings.booking", "opt_out.goodbye"
    ]  # fmt: skip
    assert kinds.index("StopSpeaking") == 4


async def test_what_waited_for_a_voice_is_handed_over_in_order() -> None:
    stage = Stage()
    begin(stage, attached=False)
    reacted: list[bool] = []

    def react(directive: Directive) -> None:
        if isinstance(directive, Speak) and not reacted:
            reacted.append(True)
            stage.loop.post(events.DtmfPressed(at_ms=NOW, digit="9"))

    stage.voice.react = react
    stage.loop.attach(stage.voice)
    lines = [item.line for item in stage.voice.told if isinstance(item, Speak)]
    assert lines[:4] == ["disclosures.ai", "disclosures.recording", "disclosures.keys", "openings.booking"]
    assert lines[-1] == "opt_out.goodbye"


async def test_timers_fire_when_they_are_due_and_cancelled_ones_do_not() -> None:
    stage = Stage()
    begin(stage)
    while stage.time.advance() and not stage.loop.state.identity.ending:
        pass
    fired = [record for record in stage.journal.records if b"TimerFired" in record.body]
    assert fired
    for record in fired:
        event = events.msgspec.json.decode(record.body)
        assert event["at_ms"] >= event["due_ms"]


async def test_a_timer_that_was_set_anew_fires_once() -> None:
    stage = Stage()
    begin(stage)
    for digit in "5555":
        stage.loop.post(events.DtmfPressed(at_ms=NOW, digit=digit))
    due_ms = stage.loop.state.timers["backstop"]
    while stage.time.now_ms() < due_ms and stage.time.advance():
        pass
    assert sum(b'"timer":"backstop"' in r.body and b"TimerFired" in r.body for r in stage.journal.records) == 1


async def test_nothing_is_recorded_after_the_end() -> None:
    stage = Stage()
    begin(stage)
    stage.loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    count = len(stage.journal.records)
    stage.loop.post(events.DtmfPressed(at_ms=NOW, digit="1"))
    while stage.time.advance():
        pass
    assert len(stage.journal.records) == count
    assert stage.loop.ended.is_set()


async def test_a_hang_up_ends_the_call_even_when_nobody_can_do_it() -> None:
    stage = Stage()
    begin(stage, answered=False)
    stage.loop.post(events.LeaseLost(at_ms=NOW))
    for _ in range(3):
        await asyncio.sleep(0)
    assert stage.loop.ended.is_set()
    assert stage.loop.state.identity.ending == "lease_lost"


async def test_a_hang_up_goes_to_whoever_can_do_it() -> None:
    stage = Stage()
    reasons: list[str] = []
    stage.loop.hang_up_by(reasons.append)
    begin(stage, answered=False)
    stage.loop.post(events.LeaseLost(at_ms=NOW))
    assert reasons == ["lease_lost"]


async def test_the_voice_is_closed_once() -> None:
    stage = Stage()
    begin(stage)
    await stage.loop.close_voice()
    await stage.loop.close_voice()
    assert stage.voice.closed == 1


async def test_an_action_without_an_effector_fails_and_says_so() -> None:
    stage = Stage(actions=())
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    receipt = next(r for r in stage.journal.records if b"ReceiptReturned" in r.body)
    assert b'"outcome":"failed"' in receipt.body


async def test_an_effect_that_raises_is_unknown_and_counts() -> None:
    """Law 5: a grant without an outcome is unknown and is never run again blindly."""
    stage = Stage()
    stage.effector.fault = OSError("the line broke")
    begin(stage)
    look_up(stage)
    await stage.loop.quiet()
    receipt = next(r for r in stage.journal.records if b"ReceiptReturned" in r.body)
    assert b'"outcome":"unknown"' in receipt.body
    assert b"the line broke" not in receipt.body
    assert stage.loop.state.grants.minted["look_up"] == 1
    assert stage.diary.count("effect look_up") == 1


async def test_authority_that_falls_while_the_burn_waits_keeps_the_effect_from_starting() -> None:
    """Law 6: after the burn, version and expiry are looked at again."""
    stage = Stage()
    stage.burner.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.burner.began.wait()
    stage.loop.post(events.AuthorityTightened(at_ms=NOW, stage="assist", epoch=2, operator="o"))
    stage.burner.hold.set()
    await stage.loop.quiet()
    assert "effect look_up" not in stage.diary
    receipt = next(r for r in stage.journal.records if b"ReceiptReturned" in r.body)
    assert b'"outcome":"refused"' in receipt.body


async def test_a_grant_that_expires_while_the_burn_waits_is_not_used() -> None:
    stage = Stage()
    stage.burner.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.burner.began.wait()
    stage.time.at(31_000, lambda: None)
    while stage.time.now_ms() < 30_000 and stage.time.advance():
        pass
    stage.burner.hold.set()
    await stage.loop.quiet()
    assert "effect look_up" not in stage.diary


async def test_an_effector_that_tries_its_grant_twice_has_an_unknown_outcome() -> None:
    """It may have acted the first time, so that nothing may give the count back."""
    stage = Stage()
    begin(stage)
    spend = stage.effector.spend

    async def twice(spending: Spending) -> Receipt:
        await spend(spending)
        return await spend(spending)

    stage.effector.spend = twice  # type: ignore[method-assign]
    look_up(stage)
    await stage.loop.quiet()
    receipt = next(r for r in stage.journal.records if b"ReceiptReturned" in r.body)
    assert b'"outcome":"unknown"' in receipt.body
    assert stage.loop.state.grants.minted["look_up"] == 1


async def test_no_effect_starts_after_the_end_of_its_call() -> None:
    stage = Stage()
    stage.burner.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.burner.began.wait()
    stage.loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    stage.burner.hold.set()
    await stage.loop.quiet()
    assert "effect look_up" not in stage.diary


async def test_settling_lets_go_of_what_does_not_end() -> None:
    stage = Stage()
    stage.effector.hold = asyncio.Event()
    begin(stage)
    look_up(stage)
    await stage.burner.began.wait()
    stage.loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    await stage.loop._effects.settle(0.01)
    for _ in range(3):
        await asyncio.sleep(0)
    assert stage.loop._effects.running == 0
    assert not any(b"ReceiptReturned" in r.body for r in stage.journal.records)


async def test_texts_of_effectors_are_answered_by_playout_marks() -> None:
    stage = Stage()
    begin(stage)
    heard = asyncio.ensure_future(stage.playout.play("A message."))
    await asyncio.sleep(0)
    speak = stage.voice.told[-1]
    assert isinstance(speak, Speak) and speak.purpose == "voicemail"
    stage.loop.post(events.SentencePlayed(at_ms=NOW, sentence=speak.sentence, played_ms=900, whole=True))
    assert await heard is True


async def test_a_text_that_was_cut_or_never_ended_was_not_heard() -> None:
    stage = Stage()
    begin(stage)
    cut = asyncio.ensure_future(stage.playout.play("A message."))
    never = asyncio.ensure_future(stage.playout.play("Another."))
    await asyncio.sleep(0)
    first = stage.voice.told[-2]
    assert isinstance(first, Speak)
    stage.loop.post(events.SentencePlayed(at_ms=NOW, sentence=first.sentence, played_ms=100, whole=False))
    stage.loop.post(events.CallEnded(at_ms=NOW, reason="x"))
    assert (await cut, await never) == (False, False)

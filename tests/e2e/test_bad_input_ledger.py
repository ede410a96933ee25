"""A disk that is full or broken, a queue without room: nothing acts, the caller hears why, what was written holds."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.disk import FailingDisk, Fault
from tests.fakes.server import CALLER, House, Peer, Tongue, hello, open_house

from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.event import CallEnded, LedgerFaltered, ReceiptReturned, SentenceStarted
from voicewarden.rehearsal.carrier import Line

SAFE = "I am sorry, I have a technical problem and must end this call. Goodbye."


async def agree(line: Line, tongue: Tongue) -> None:
    """Agree to the appointment, as far as the agent still listens."""
    await hello(line, tongue)
    await line.say(tongue.say("Yes, Tuesday at three works for me."))
    await line.agent_finished(silence_ms=400)
    await line.say(tongue.say("Yes, book it please."))
    await line.wait(20_000)


async def on_a_bad_disk(folder: Path, fault: Fault) -> None:
    """A call whose records can't be written any more just before the yes."""
    disk = FailingDisk()
    async with open_house(folder, vfs=disk.name, checks=False) as house:

        async def talks(line: Line, tongue: Tongue) -> None:
            await hello(line, tongue)
            await line.say(tongue.say("Yes, Tuesday at three works for me."))
            await line.agent_finished(silence_ms=400)
            disk.fault = fault
            await line.say(tongue.say("Yes, book it please."))
            await line.wait(20_000)

        call = await house.place(talks)
        assert await house.end(call) == "ledger_failed"
        assert len(house.of(call, LedgerFaltered)) >= 1
        assert not [event for event in house.of(call, ReceiptReturned)[1:] if event.outcome == "done"]
        assert SAFE in house.speech.said
        faltered = house.of(call, LedgerFaltered)[0].at_ms
        assert [event for event in house.of(call, SentenceStarted) if event.at_ms >= faltered], "nobody heard why"
        assert not list((folder / "calendar").glob("*.ics"))
        await refuses_new_calls(house)
    check_prefix(folder, call)


async def test_a_disk_that_fails_in_mid_call_means_the_safe_line_and_no_effect(tmp_path: Path) -> None:
    faults: tuple[Fault, ...] = ("full", "write", "sync", "read_only")
    await asyncio.gather(*(on_a_bad_disk(tmp_path / fault, fault) for fault in faults))


async def refuses_new_calls(house: House) -> None:
    """Nothing new is dialled or answered while nothing can be written."""
    before = len(house.carrier.calls)
    ordered = await house.client.post("/local/calls", json={"number": "+15555550177", "agent": "booking"})
    assert ordered.status_code == 503
    assert CALLER not in ordered.text
    answer = await house.hook("/twilio/voice", CallSid="CA77", From="+15555550178")
    assert "<Reject" in answer.text
    assert len(house.carrier.calls) == before
    assert len(house.server.switchboard.calls) == 0


def check_prefix(folder: Path, call: str) -> None:
    """What was acknowledged is there and holds."""
    view = Ledger.read(folder / "ledger.db")
    try:
        found = verify(view)
        assert found.ok, found.problems
        assert view.read_stream(f"call:{call}")
    finally:
        view.close()


async def test_a_ledger_that_falls_behind_takes_no_new_call(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "pressure_permille", property(lambda _: 750))
    answer = await house.client.post("/local/calls", json={"number": CALLER, "agent": "booking"})
    assert answer.status_code == 503
    assert "try again in a moment" in answer.json()["detail"]
    hook = await house.hook("/twilio/voice", CallSid="CA1", From=CALLER)
    assert "<Reject" in hook.text
    monkeypatch.undo()
    peer = Peer(house)
    await peer.ring()
    await house.hook(f"/twilio/calls/{peer.call}/status", CallSid=peer.sid, CallStatus="canceled")
    assert await house.end(peer.call) == "canceled"


async def test_a_queue_without_room_ends_the_call_and_keeps_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(tmp_path, checks=False) as house:
        call = await house.place(agree)
        await house.until(call, SentenceStarted)
        # As if the writer had stopped taking anything: the queue is full at the next record.
        monkeypatch.setattr(house.ledger._backlog, "_capacity", 0)
        assert await house.end(call) == "ledger_failed"
        assert SAFE in house.speech.said
        assert len(house.of(call, CallEnded)) == 1
        monkeypatch.undo()
        await asyncio.to_thread(house.ledger.flush)
    check_prefix(tmp_path, call)

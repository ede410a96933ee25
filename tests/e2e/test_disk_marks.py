"""A disk that gets too full in mid-call: nothing acts, the caller hears a goodbye, whoever rings hears a busy line."""

import asyncio
from pathlib import Path
from typing import NamedTuple

from tests.fakes.server import CALLER, House, Tongue, hello, open_house

from voicewarden.ledger.disk import DiskWatch
from voicewarden.model.event import CallsPaused, ReceiptReturned
from voicewarden.rehearsal.carrier import Line


class Room(NamedTuple):
    """What a file system says of itself."""

    f_blocks: int
    f_bfree: int
    f_bavail: int


async def refused(house: House) -> None:
    """New calls are refused, ours with the reason, theirs with a busy line."""
    ordered = await house.client.post("/local/calls", json={"number": CALLER, "agent": "booking"})
    assert ordered.status_code == 503
    assert "disk is" in ordered.json()["detail"] and "make room" in ordered.json()["detail"]
    ringing = await house.hook("/twilio/voice", CallSid="CA77", From="+15555550178")
    assert '<Reject reason="busy"' in ringing.text


async def test_a_disk_that_gets_too_full_ends_calls_politely(tmp_path: Path) -> None:
    used = 50
    async with open_house(tmp_path, checks=False) as house:
        watch = DiskWatch(house.ledger, look_at=lambda _: Room(100, 100 - used, 100 - used))
        pause = house.server.switchboard.pause
        watching = asyncio.create_task(watch.run(0.02, no_effects=lambda _: pause("disk full")))

        async def talks(line: Line, tongue: Tongue) -> None:
            nonlocal used
            await hello(line, tongue)
            await line.say(tongue.say("Yes, Tuesday at three works for me."))
            await line.agent_finished(silence_ms=400)
            used = 91
            await line.wait(500)
            await refused(house)
            assert len(house.server.switchboard.calls) == 1, "a call that runs goes on"
            used = 96
            await line.say(tongue.say("Yes, book it please."))
            await line.wait(20_000)

        call = await house.place(talks)
        await house.end(call)
        assert [event.operator for event in house.of(call, CallsPaused)] == ["disk full"]
        assert not [event for event in house.of(call, ReceiptReturned)[1:] if event.outcome == "done"]
        assert not list((tmp_path / "calendar").glob("*.ics"))
        await refused(house)
        watching.cancel()
        await asyncio.wait({watching})
        used = 40
        assert not watch.look().calls
        assert not house.ledger.restraint.effects

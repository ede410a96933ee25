"""Adding a party to a live call: a `<Dial>` verb and who is behind the number in, the finished leg out.

Called by the interpreter. While both talk, each hears the other through the audio path.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voicewarden.rehearsal.carrier.answerer import Answerer
from voicewarden.rehearsal.carrier.audio_path import AudioPath
from voicewarden.rehearsal.carrier.call import DialedLeg, SimulatedCall, new_sid
from voicewarden.rehearsal.carrier.line import Line, LineClosed
from voicewarden.rehearsal.carrier.twiml import Dial

OnAnswered = Callable[[DialedLeg], Awaitable[None]]


async def dial(
    call: SimulatedCall, path: AudioPath, verb: Dial, answerer: Answerer | None, on_answered: OnAnswered
) -> DialedLeg:
    """Ring the number, join the two while both stay, and return how it went; cancelling it takes the party away."""
    leg = DialedLeg(new_sid("CA"), verb.number, verb.caller_id)
    call.dials.append(leg)
    call.note("dial", sid=leg.sid, number=leg.number)
    try:
        if answerer is None:
            leg.status = "failed"
        else:
            await _ring(call, path, verb, answerer, leg, on_answered)
    finally:
        if leg.status == "ringing":
            leg.status = "canceled"
        elif leg.status == "in-progress" and leg.answered_at_ms is not None:
            leg.status = "completed"
            leg.duration_ms = round(call.clock.now_ms()) - leg.answered_at_ms
        call.note("dial_ended", sid=leg.sid, status=leg.status, duration_ms=leg.duration_ms)
    return leg


async def _ring(
    call: SimulatedCall, path: AudioPath, verb: Dial, answerer: Answerer, leg: DialedLeg, on_answered: OnAnswered
) -> None:
    limit_ms = verb.timeout_s * 1000
    await call.clock.sleep(min(answerer.ring_ms, limit_ms))
    if answerer.outcome == "busy":
        leg.status = "busy"
    elif answerer.outcome == "no-answer" or answerer.ring_ms > limit_ms:
        leg.status = "no-answer"
    else:
        leg.status = "in-progress"
        leg.answered_at_ms = round(call.clock.now_ms())
        call.note("dial_answered", sid=leg.sid)
        await on_answered(leg)
        await _join(call, path, verb, answerer)


async def _join(call: SimulatedCall, path: AudioPath, verb: Dial, answerer: Answerer) -> None:
    gone = asyncio.Event()
    line = Line(on_press=lambda digit: call.note("dial_dtmf", digit=digit), on_hang_up=gone.set)
    path.party = line
    ends = [
        asyncio.create_task(_talk(call, answerer, line)),
        asyncio.create_task(gone.wait()),
        asyncio.create_task(call.clock.sleep(verb.time_limit_s * 1000)),
    ]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        path.party = None
        line.close()
        for task in ends:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


async def _talk(call: SimulatedCall, answerer: Answerer, line: Line) -> None:
    try:
        await answerer.talk(line)
    except LineClosed:
        return
    except Exception as error:  # A script is the tester's code: its failure must reach who awaits the call.
        call.script_error = error

"""The media socket in wrong hands or on a bad network: refused, ignored or ended well, and always on record."""

import asyncio
import contextlib
import functools
import json
from pathlib import Path

import pytest
from tests.fakes.server import House, Peer, open_house
from websockets.exceptions import ConnectionClosed, InvalidStatus

from voicewarden.cli import wiring
from voicewarden.model.event import (
    CallAnswered,
    CallEnded,
    CallerSpoke,
    DtmfPressed,
    MediaEnded,
    RecordingStored,
    SentencePlayed,
    SentenceStarted,
)
from voicewarden.pipeline.settings import LineSettings

REFUSED = 1008
MALFORMED: tuple[object, ...] = (
    "", "no json", "[]", "null", "7", '"text"', "[" * 20_000, {}, {"event": None}, {"event": "media"},
    {"event": "media", "media": None}, {"event": "media", "media": {"payload": "!!"}},
    {"event": "media", "media": {"payload": ""}}, {"event": "media", "media": {"payload": "AAA", "chunk": "x"}},
    {"event": "media", "media": {"payload": "/w==", "chunk": "5", "timestamp": "soon"}},
    {"event": "media", "media": {"payload": "A" * 20_000}}, {"event": "mark"}, {"event": "mark", "mark": {}},
    {"event": "mark", "mark": {"name": "e:99:nobody"}}, {"event": "mark", "mark": {"name": ["e"]}},
    {"event": "dtmf", "dtmf": {"digit": "12"}}, {"event": "dtmf", "dtmf": {}}, {"event": "unheard of"},
    {"event": "start", "start": {}}, b"\xff\xfe\x00",
)  # fmt: skip


async def test_a_socket_without_the_carriers_signature_is_not_opened(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    for signature in ("", "bm90IGl0"):
        with pytest.raises(InvalidStatus) as refused:
            await peer.connect(signature=signature)
        assert refused.value.response.status_code == 403
    assert not house.of(peer.call, CallAnswered)
    await house.hook(f"/twilio/calls/{peer.call}/status", CallSid=peer.sid, CallStatus="no-answer")
    assert await house.end(peer.call) == "no_answer"


async def test_only_the_right_token_of_the_right_call_opens_the_line_and_only_once(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    given = dict(peer.parameters)
    wrong = (
        {"customParameters": {**given, "token": "guessed"}}, {"customParameters": {**given, "call": "c0"}},
        {"customParameters": {"call": given["call"]}}, {"customParameters": "none"}, {"streamSid": ""},
        {"callSid": "CA" + "2" * 32}, {"callSid": ""}, {"customParameters": {**given, "token": "tök"}},
    )  # fmt: skip
    for changed in wrong:
        await peer.connect()
        await peer.start(**changed)
        assert await peer.closed() == REFUSED, changed
    assert not house.of(peer.call, CallAnswered)
    socket = await peer.connect()
    await peer.start()
    await house.until(peer.call, CallAnswered)
    second = Peer(house, peer.sid)
    second.parameters = given
    await second.connect()
    await second.start()
    assert await second.closed() == REFUSED
    await socket.close()
    assert await house.end(peer.call) == "line_lost"
    third = Peer(house, peer.sid)
    third.parameters = given
    await third.connect()
    await third.start()
    assert await third.closed() == REFUSED


async def test_a_socket_that_begins_with_nonsense_or_leaves_at_once_is_closed(house: House) -> None:
    peer = Peer(house)
    for first in ("no json", "[]", "{}", '{"event": "start"}', '{"event": "start", "start": 3}', "x" * 70_000):
        await peer.connect()
        await peer.send(first)
        with contextlib.suppress(ConnectionClosed):
            await peer.send(first)
        assert await peer.closed() in (REFUSED, 1009), first[:40]
    await peer.connect()
    await peer.send(b"\x00\x01")
    assert await peer.closed() is not None
    socket = await peer.connect()
    await socket.close()
    answer = await house.client.get("/health")
    assert answer.json() == {"ok": True, "calls": 0}


async def test_malformed_and_disordered_messages_do_not_end_a_call(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    socket = await peer.connect()
    await peer.start()
    await house.until(peer.call, CallAnswered)
    for message in MALFORMED:
        await peer.send(message)
    await peer.sound(frames=5)
    for chunk in (5, 4, 3, 3, 2, 1):
        await peer.media(bytes(160), chunk)
    await peer.media(b"\xff" * 37, 6)
    await peer.sound(house.tongue.say("What are your opening hours?"))
    await peer.sound(frames=60)
    spoke = await house.until(peer.call, CallerSpoke)
    assert spoke.text == "What are your opening hours?"
    assert not house.of(peer.call, DtmfPressed)
    await peer.send({"event": "stop", "streamSid": "MZ1", "stop": {}})
    await house.until(peer.call, MediaEnded, where=lambda event: event.clean)
    assert await house.end(peer.call) == "caller_left"
    await socket.close()


async def test_a_message_beyond_the_limit_ends_the_call_on_record(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    await peer.connect()
    await peer.start()
    await house.until(peer.call, CallAnswered)
    await peer.send("x" * 70_000)
    assert await peer.closed() == 1009
    assert await house.end(peer.call) == "line_lost"


async def test_a_socket_that_drops_in_mid_call_ends_it_and_keeps_the_recording(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    socket = await peer.connect()
    await peer.start()
    await house.until(peer.call, CallAnswered)
    for _ in range(2):  # the two notices: answer their marks, and the recording begins
        while (message := json.loads(await socket.recv()))["event"] != "mark" or message["mark"]["name"][0] != "e":
            pass
        await peer.send({"event": "mark", "streamSid": "MZ1", "mark": message["mark"]})
    await house.until(peer.call, SentencePlayed, 2)
    await peer.sound(frames=20)
    socket.transport.abort()
    ended = await house.until(peer.call, MediaEnded)
    assert not ended.clean
    assert await house.end(peer.call) == "line_lost"
    assert house.of(peer.call, RecordingStored)
    assert len(house.of(peer.call, CallEnded)) == 1


async def test_marks_that_never_come_back_mean_that_nothing_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "LineSettings", functools.partial(LineSettings, mark_margin_ms=200))
    async with open_house(tmp_path) as house:
        peer = Peer(house)
        await peer.ring()
        socket = await peer.connect()
        await peer.start()
        cut = await house.until(peer.call, SentencePlayed, where=lambda event: not event.whole)
        assert cut.played_ms == 0
        assert not house.of(peer.call, SentenceStarted)
        socket.transport.abort()
        assert await house.end(peer.call) == "line_lost"


async def test_the_carriers_word_after_a_lost_socket_changes_nothing(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    socket = await peer.connect()
    await peer.start()
    await house.until(peer.call, CallAnswered)
    await socket.close()
    await house.end(peer.call)
    for _ in range(2):
        answer = await house.hook(f"/twilio/calls/{peer.call}/status", CallSid=peer.sid, CallStatus="completed")
        assert answer.status_code == 204
    await asyncio.to_thread(house.ledger.flush)
    assert [type(event) for event in house.recorded(peer.call)].count(CallEnded) == 1

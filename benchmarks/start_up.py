"""How long `voicewarden serve` takes from exec to ready, models loaded and fixed lines rendered.

    python benchmarks/start_up.py [--quick] [--runs 3] [--out FOLDER]

Warm: one start that is not counted comes first, so that files are in memory. The peer is the bare interpreter. One more
start, not counted either, has a stopwatch in it and says what the time is spent on. With --quick only
`voicewarden --help` is timed, which loads no model.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import measure

from voicewarden.rehearsal.demo.stage import OWN_NUMBER

GOAL_S: Final = 3.0
PHASES: Final = "phases.json"
_LONGEST_S: Final = 60.0
_COMMAND: Final = (sys.executable, "-m", "voicewarden.cli.main")


def once(*arguments: str) -> float:
    """Seconds that a command takes from exec to its end."""
    begin = time.monotonic()
    subprocess.run([*_COMMAND, *arguments], cwd=measure.TOP, capture_output=True, check=True)
    return time.monotonic() - begin


def serve_once(folder: str, command: tuple[str, ...] = (*_COMMAND, "serve")) -> float:
    """Seconds from exec to `ready on`; the server is ended at once."""
    environment = {
        **os.environ, "VOICEWARDEN_PROFILE": "development", "VOICEWARDEN_VAR_DIR": folder,
        "VOICEWARDEN_LISTEN_HOST": "127.0.0.1", "VOICEWARDEN_LISTEN_PORT": "0",
        "VOICEWARDEN_PUBLIC_BASE_URL": "http://127.0.0.1:9", "VOICEWARDEN_MODEL_BASE_URL": "http://127.0.0.1:9/v1",
        "VOICEWARDEN_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "VOICEWARDEN_TWILIO_AUTH_TOKEN": "0" * 32,
        "VOICEWARDEN_TWILIO_FROM_NUMBER": OWN_NUMBER, "VOICEWARDEN_TWILIO_BASE_URL": "http://127.0.0.1:9",
    }  # fmt: skip
    begin = time.monotonic()
    server = subprocess.Popen(
        [*command, "--settings", "config/voicewarden.yaml"], cwd=measure.TOP, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if line.startswith("ready on "):
                return time.monotonic() - begin
        assert server.stderr is not None
        raise SystemExit(f"the server did not get ready: {server.stderr.read()[-400:]}")
    finally:
        server.terminate()
        server.communicate(timeout=_LONGEST_S)


def phases(folder: str) -> dict[str, float]:
    """Seconds of each part of one start, in a server with a stopwatch in it."""
    serve_once(folder, (sys.executable, __file__, "--serve"))
    found: dict[str, float] = json.loads((Path(folder) / PHASES).read_text(encoding="utf-8"))
    return found


def serve(settings: Path) -> None:
    """Be the product, and write down what its start is spent on."""
    import asyncio

    found: dict[str, float] = {}
    begin = time.monotonic()
    from voicewarden.cli import wiring
    from voicewarden.pipeline.speech_client import SpeechClient, SpeechServer

    found["imports"] = round(time.monotonic() - begin, 2)
    _time(found, wiring, "load_release", "policy and agents")
    _time(found, wiring, "Compiled", "release made ready")
    _time(found, wiring.Transcriber, "load", "speech recognition")
    _time(found, SpeechServer, "start", "speech process")
    _time(found, SpeechClient, "prerender", "fixed lines rendered")
    asyncio.run(wiring.serve_until_told(settings, inbound_agent="transfer", environment=None))
    (Path(os.environ["VOICEWARDEN_VAR_DIR"]) / PHASES).write_text(json.dumps(found), encoding="utf-8")


def _time(found: dict[str, float], owner: Any, name: str, label: str) -> None:
    # Any: a module or a class, and whatever its function takes and gives.
    inner: Callable[..., Any] = getattr(owner, name)

    def note(begin: float) -> None:
        found[label] = round(time.monotonic() - begin, 2)

    @functools.wraps(inner)
    async def waiting(*arguments: Any, **named: Any) -> Any:
        begin = time.monotonic()
        try:
            return await inner(*arguments, **named)
        finally:
            note(begin)

    @functools.wraps(inner)
    def plain(*arguments: Any, **named: Any) -> Any:
        begin = time.monotonic()
        try:
            return inner(*arguments, **named)
        finally:
            note(begin)

    setattr(owner, name, waiting if inspect.iscoroutinefunction(inner) else plain)


def _python_s(code: str) -> float:
    begin = time.monotonic()
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=measure.TOP, capture_output=True, check=True)
    return time.monotonic() - begin


def run(options: Any) -> measure.Report:
    """Measure."""
    # Any: argparse's namespace.
    report = measure.Report("start_up", "From exec to ready", "s")
    report.row("bare interpreter", [_python_s("pass") for _ in range(1 if options.quick else 3)])
    report.row("voicewarden --help", [once("--help") for _ in range(1 if options.quick else 3)])
    if options.quick:
        return report
    with tempfile.TemporaryDirectory() as folder:
        first = serve_once(folder)
        took = report.row("voicewarden serve, warm", [serve_once(folder) for _ in range(options.runs)])
        report.figure("the start before, s", round(first, 2))
        report.figure("one start by parts, s", phases(folder))
    report.goal("start-up p50, warm", took["p50"], GOAL_S, "s")
    return report


def main() -> int:
    """Measure and print; with --serve, be measured."""
    parser = measure.parser(__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help="be the product, with a stopwatch in its start")
    parser.add_argument("--settings", type=Path, help="settings of the product, with --serve")
    options = parser.parse_args()
    if options.serve:
        serve(options.settings)
        return 0
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

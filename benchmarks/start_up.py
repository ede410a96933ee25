"""How long `voicewarden serve` takes from exec to ready, models loaded and fixed lines rendered.

    python benchmarks/start_up.py [--quick] [--runs 3] [--out FOLDER]

Warm: one start that is not counted comes first, so that files are in memory. The peer is the bare interpreter. With
--quick only `voicewarden --help` is timed, which loads no model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Final

import measure

from voicewarden.rehearsal.demo.stage import OWN_NUMBER

GOAL_S: Final = 3.0
_LONGEST_S: Final = 60.0
_COMMAND: Final = (sys.executable, "-m", "voicewarden.cli.main")


def once(*arguments: str) -> float:
    """Seconds that a command takes from exec to its end."""
    begin = time.monotonic()
    subprocess.run([*_COMMAND, *arguments], cwd=measure.TOP, capture_output=True, check=True)
    return time.monotonic() - begin


def serve_once(folder: str) -> float:
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
        [*_COMMAND, "serve", "--settings", "config/voicewarden.yaml"], cwd=measure.TOP, env=environment, text=True,
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


def imports_s() -> dict[str, float]:
    """Seconds of the slowest imports on the way, each in its own interpreter, the interpreter's own start taken off."""
    bare = _python_s("pass")
    names = ("pipecat.pipeline.worker", "faster_whisper", "fastapi", "openai", "voicewarden.cli.wiring")
    return {name: round(_python_s(f"import {name}") - bare, 2) for name in names}


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
    report.figure("imports, s", imports_s())
    report.goal("start-up p50, warm", took["p50"], GOAL_S, "s")
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

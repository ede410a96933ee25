"""The stage: the model server and voicewarden itself as processes of their own, the carrier beside the callers.

In: a folder. Out: addresses. Every process is ended by its own handle; all addresses are on loopback.
"""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from voicewarden.model.error import VoicewardenError
from voicewarden.rehearsal.carrier import Carrier

_READY_S: Final = 60.0
_STOP_S: Final = 15.0
OWN_NUMBER: Final = "+15555550100"


@dataclass(slots=True)
class Stage:
    """What is running for the demo."""

    carrier: Carrier
    url: str
    client: httpx.AsyncClient
    server_pid: int
    small_model: str = ""
    """Address and name of the small model, empty without it."""

    async def order(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give the server an order. Raises VoicewardenError with its reason."""
        # Any: JSON in and out of the server's local interface.
        answer = await self.client.post(path, json=body)
        if not answer.is_success:
            raise VoicewardenError(f"the server refused an order: {answer.json().get('detail', answer.status_code)}")
        found: dict[str, Any] = answer.json()
        return found

    async def call_of(self, sid: str) -> str:
        """Our id of a call that the carrier knows."""
        answer = await self.client.get(f"/local/calls/{sid}")
        return str(answer.json().get("call", "")) if answer.is_success else ""


@asynccontextmanager
async def set_up(
    root: Path, out: Path, *, first_token_ms: int = 150, token_ms: int = 10, small_model: bool = False,
    more_settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """Start everything and stop it again; raises VoicewardenError when a part does not start.

    `more_settings` are variables for the server, such as those of a witness.
    """
    account, secret, port = "AC" + secrets.token_hex(16), secrets.token_hex(16), _free_port()
    async with contextlib.AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Carrier(account, secret))
        model = await stack.enter_async_context(
            _process(
                ["-m", "voicewarden.rehearsal.scripted_model", "--agents", str(root / "agents"), "--port", "0",
                 "--first-token-ms", str(first_token_ms), "--token-ms", str(token_ms)], {},
            )
        )  # fmt: skip
        small = ""
        if small_model:
            other = await stack.enter_async_context(
                _process(["-m", "voicewarden.rehearsal.small_model", "--port", "0"], {})
            )
            small = f"http://127.0.0.1:{other.port}/v1#smollm2"
            await _warm_up(f"http://127.0.0.1:{other.port}/v1", (root / "agents/booking/prompt.md"))
        server = await stack.enter_async_context(
            _process(
                ["-m", "voicewarden.cli.main", "serve", "--settings", str(root / "config" / "voicewarden.yaml")],
                {
                    "VOICEWARDEN_PROFILE": "development", "VOICEWARDEN_VAR_DIR": str(out),
                    "VOICEWARDEN_LISTEN_PORT": str(port), "VOICEWARDEN_LISTEN_HOST": "127.0.0.1",
                    "VOICEWARDEN_PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
                    "VOICEWARDEN_MODEL_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
                    "VOICEWARDEN_TWILIO_ACCOUNT_SID": account, "VOICEWARDEN_TWILIO_AUTH_TOKEN": secret,
                    "VOICEWARDEN_TWILIO_FROM_NUMBER": OWN_NUMBER, "VOICEWARDEN_TWILIO_BASE_URL": carrier.base_url,
                    **(more_settings or {}),
                },
            )
        )  # fmt: skip
        token = json.loads((out / "server.json").read_text(encoding="utf-8"))["token"]
        url = f"http://127.0.0.1:{port}"
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20, trust_env=False
            )
        )
        yield Stage(carrier, url, client, server.pid, small)


async def _warm_up(url: str, prompt: Path) -> None:
    """Let the small model read its prompt once: it keeps it, and the caller does not wait for that."""
    text = await asyncio.to_thread(prompt.read_text, encoding="utf-8")
    messages = [{"role": "system", "content": text}, {"role": "user", "content": "Hello?"}]
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        await client.post(f"{url}/chat/completions", json={"model": "smollm2", "messages": messages, "max_tokens": 8})


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class RunningProcess:
    """A process that said that it is ready."""

    pid: int
    port: int


def run_process(arguments: list[str], environment: dict[str, str]) -> AbstractAsyncContextManager[RunningProcess]:
    """Start a Python process and end it again; raises VoicewardenError when it is not ready in time."""
    return _process(arguments, environment)


@asynccontextmanager
async def _process(arguments: list[str], environment: dict[str, str]) -> AsyncIterator[RunningProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}
    )
    try:
        try:
            port = await asyncio.wait_for(_ready(process), _READY_S)
        except TimeoutError:
            what = f"{arguments[1]} was not ready in {_READY_S:.0f} s; run it by hand to see why"
            raise VoicewardenError(what) from None
        yield RunningProcess(process.pid, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> int:
    """The port of `{"port": N}`, or of `ready on HOST:PORT`."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith("{"):
            return int(json.loads(line)["port"])
        if line.startswith("ready on "):
            return int(line.rsplit(":", 1)[1])
    raise VoicewardenError("a process of the demo ended at its start; its last words stand above")

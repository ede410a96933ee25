"""The media socket: its first messages, its token, then the line until the socket is gone.

In: a socket whose signature holds. Out: a running line for the call that the token belongs to; anything else is closed.
"""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any, Final

from fastapi import WebSocket, WebSocketDisconnect

from voicewarden.model.event import CallAnswered
from voicewarden.pipeline.line import build_line, run_call
from voicewarden.pipeline.settings import ModelSettings
from voicewarden.runtime.calls import LiveCall
from voicewarden.telephony.desk import Desk

_LOG: Final = logging.getLogger(__name__)
_START_WITHIN_S: Final = 5.0
_POLICY_VIOLATION: Final = 1008
_LONGEST_MESSAGE: Final = 65_536


async def serve_stream(websocket: WebSocket, desk: Desk) -> None:
    """Take the socket, find its call and run the line."""
    await websocket.accept()
    start = await _start_message(websocket)
    live = _call_of(start, desk) if start is not None else None
    if start is None or live is None:
        _LOG.warning("a media socket without a known call and token was closed")
        await websocket.close(code=_POLICY_VIOLATION)
        return
    await _run(websocket, start, live, desk)


async def _run(websocket: WebSocket, start: dict[str, Any], live: LiveCall, desk: Desk) -> None:
    # Any: the carrier's JSON, as it came.
    model = _model_of(live, desk)

    async def hang_up(_: str) -> None:
        """The loop ends calls through the carrier itself."""

    line = build_line(
        websocket, start, sink=live.loop, agents=desk.agents, agent=live.agent, model=model, speech=desk.speech,
        transcriber=desk.transcriber, new_cutter=desk.new_cutter, hang_up=hang_up,
        recording_path=desk.recordings / f"{live.id}.wav", keep_recording=live.keep_recording, settings=desk.line,
    )  # fmt: skip

    async def started() -> None:
        live.loop.attach(line.voice)
        live.loop.post(CallAnswered(at_ms=-1))

    await run_call(line, started)


def _model_of(live: LiveCall, desk: Desk) -> ModelSettings:
    """The configured model, or the rehearsal's own: a name, or `address#name`."""
    if not live.model:
        return desk.model
    address, _, name = live.model.rpartition("#")
    # A small server of old style: it has no developer role and an older name for the token limit.
    # It is slow as well; the kernel's own deadline for a first sentence stays above these.
    plain: dict[str, Any] = (
        {"token_field": "max_tokens", "knows_developer_role": False, "first_token_ms": 8_000,
         "first_sentence_ms": 8_500}
        if address
        else {}
    )  # fmt: skip
    return replace(desk.model, base_url=address or desk.model.base_url, model=name, **plain)


async def _start_message(websocket: WebSocket) -> dict[str, Any] | None:
    """The carrier's `start` message; None when it does not come, or something else does."""
    try:
        async with asyncio.timeout(_START_WITHIN_S):
            for _ in range(2):
                text = await websocket.receive_text()
                message = json.loads(text) if len(text) <= _LONGEST_MESSAGE else None
                if isinstance(message, dict) and message.get("event") == "start":
                    return message if isinstance(message.get("start"), dict) else None
    except (TimeoutError, ValueError, KeyError, WebSocketDisconnect):
        return None
    return None


def _call_of(message: dict[str, Any], desk: Desk) -> LiveCall | None:
    start = message["start"]
    given = start.get("customParameters")
    if not isinstance(given, dict) or not start.get("streamSid"):
        return None
    return desk.tokens.claim(str(given.get("call", "")), str(given.get("token", "")), str(start.get("callSid", "")))

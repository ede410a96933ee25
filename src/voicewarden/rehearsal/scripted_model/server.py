"""The scripted model on loopback: an endpoint that the real `openai` client can't tell from a provider's.

In come chat-completion requests, out go answers from the dialogue files, streamed or whole. Demo, tests and benchmarks
start it with `serve`, or mount `app` in their own process. It keeps no state between requests.
"""

import asyncio
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from voicewarden.rehearsal.scripted_model.choosing import choose
from voicewarden.rehearsal.scripted_model.dialogues import DialogueLibrary, UnknownModel, parse_model_name
from voicewarden.rehearsal.scripted_model.history import read_history
from voicewarden.rehearsal.scripted_model.pace import Fault, Pace, StreamCut, paced
from voicewarden.rehearsal.scripted_model.protocol import CREATED, ChatRequest, chunks, completion, error_body
from voicewarden.rehearsal.scripted_model.reply import Reply

LOOPBACK = "127.0.0.1"
FAULT_HEADER = "x-scripted-fault"


class ScriptedModel:
    """The dialogues, a pace, and a fault for every answer if one is wanted."""

    def __init__(
        self, agents_dir: Path, *, pace: Pace | None = None, api_key: str | None = None, fault: Fault | None = None
    ) -> None:
        self.dialogues = DialogueLibrary(agents_dir)
        self.pace = pace or Pace()
        self.fault = fault
        self._api_key = api_key

    def is_authorised(self, header: str | None) -> bool:
        """Check the bearer key, if one was set."""
        return self._api_key is None or hmac.compare_digest((header or "").encode(), f"Bearer {self._api_key}".encode())

    def reply(self, request: ChatRequest) -> Reply:
        """Answer one request; raises `UnknownModel` if it is for no dialogue that is there."""
        name = parse_model_name(request.model)
        history = read_history(request.messages)
        reply = choose(self.dialogues.find(name, history.system), history, request.tool_names)
        is_due = name.fault_turn in (0, len(history.caller_turns))
        fault = (name.fault if is_due else None) or self.fault or reply.fault
        limited = reply.limited(request.token_limit)
        return _spoiled(limited, fault)


def app(model: ScriptedModel) -> Starlette:
    """Make the ASGI application."""

    async def list_models(request: Request) -> Response:
        names = model.dialogues.model_names
        data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "script"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def complete(request: Request) -> Response:
        if not model.is_authorised(request.headers.get("authorization")):
            return JSONResponse(error_body("wrong API key", "authentication_error", "invalid_api_key"), 401)
        try:
            chat = ChatRequest.model_validate(await _body(request))
            reply = _spoiled(model.reply(chat), _asked_fault(request))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in problem["loc"])
            return JSONResponse(error_body(f"{where}: {problem['msg']}", "invalid_request_error"), 400)
        except UnknownModel as error:
            return JSONResponse(error_body(str(error), "invalid_request_error", "model_not_found"), 404)
        return _response(chat, reply, model.pace)

    return Starlette(
        routes=[
            Route("/v1/models", list_models),
            Route("/v1/chat/completions", complete, methods=["POST"]),
        ]
    )


@asynccontextmanager
async def serve(model: ScriptedModel, *, port: int = 0) -> AsyncIterator[str]:
    """Serve on loopback and yield the base URL (`http://127.0.0.1:PORT/v1`); port 0 takes a free one."""
    listener = socket.create_server((LOOPBACK, port))
    config = uvicorn.Config(
        app(model), log_config=None, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = _QuietServer(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        await task
        listener.close()


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals to the process that it is a part of."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Hang(Response):
    """An answer that does not come: not a byte is sent before the client gives up or the time is over."""

    def __init__(self, hang_ms: int) -> None:
        super().__init__()
        self._hang_ms = hang_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the client to leave; 504 if it stays too long."""
        try:
            async with asyncio.timeout(self._hang_ms / 1000):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            late = JSONResponse(error_body("the script hung as asked, and the time is over", "server_error"), 504)
            await late(scope, receive, send)


class _BreakableStream(StreamingResponse):
    """A stream that can end without its end, as a broken connection does."""

    async def stream_response(self, send: Send) -> None:
        """Return early on a cut: the server then closes the connection, since the body is not complete."""
        try:
            await super().stream_response(send)
        except StreamCut:
            return


def _response(chat: ChatRequest, reply: Reply, pace: Pace) -> Response:
    if reply.fault is Fault.HTTP_500:
        return JSONResponse(error_body("the script asked for this failure", "server_error"), 500)
    if reply.fault is Fault.HANG:
        return _Hang(pace.hang_ms)
    parts: Iterable[str]
    if chat.stream:
        parts, media = chunks(chat, reply), "text/event-stream"
    else:
        parts, media = [json.dumps(completion(chat, reply)), ""], "application/json"
    return _BreakableStream(paced(parts, pace, reply.fault), media_type=media)


def _spoiled(reply: Reply, fault: Fault | None) -> Reply:
    if fault is Fault.BAD_ARGS:
        return reply.with_broken_arguments()
    return reply if fault is None else reply.with_fault(fault)


def _asked_fault(request: Request) -> Fault | None:
    wish = request.headers.get(FAULT_HEADER)
    if wish is None:
        return None
    if wish not in set(Fault):
        raise UnknownModel(f"header {FAULT_HEADER} names no fault: accepted are {', '.join(Fault)}")
    return Fault(wish)


async def _body(request: Request) -> object:
    try:
        return await request.json()
    except ValueError:
        return None

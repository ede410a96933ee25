"""The examples run as they stand, against a small stand-in for an endpoint on this machine."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the example is about the openai package")

TOP = Path(__file__).resolve().parents[2]
EXAMPLE = TOP / "examples" / "guarded_openai_loop.py"
WANTED = {"service": "haircut", "start": "2026-12-03T11:00"}


def tool(name: str, arguments: str) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def words(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@contextmanager
def endpoint(replies: list[dict[str, Any]]) -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """Answers chat completions with these messages in order; yields its address and what it was sent."""
    seen: list[list[dict[str, Any]]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            seen.append(asked["messages"])
            choice = {"index": 0, "finish_reason": "stop", "message": replies[len(seen) - 1]}
            body = json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def talk(replies: list[dict[str, Any]], *said: str) -> tuple[list[str], list[list[dict[str, Any]]]]:
    """What the person read, and what the model was sent each time."""
    with endpoint(replies) as (address, seen):
        environment = {**os.environ, "PYTHONPATH": str(TOP / "src")}
        environment |= {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "none"}
        run = subprocess.run(
            [sys.executable, str(EXAMPLE), "m"], input="".join(f"{line}\n" for line in said), env=environment,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines(), seen


def statuses(messages: list[dict[str, Any]]) -> list[str]:
    """What the model was told of its wishes, in order."""
    notes = [item["content"] for item in messages if item["role"] == "tool"]
    notes += [item["content"] for item in messages[1:] if item["role"] == "system"]
    return [json.loads(note)["status"] for note in notes]


def test_a_booking_is_made_after_the_persons_yes() -> None:
    replies = [words("When would you like to come?"), tool("book", json.dumps(WANTED)), words("You are booked.")]
    read, seen = talk(replies, "A haircut please.", "Thursday at eleven.", "Yes, book it.")
    assert read[-4:] == [
        "When would you like to come?", "Shall I book a haircut for Thursday the third of December at 11 am?",
        "Please answer: yes, book it.", "You are booked.",
    ]  # fmt: skip
    assert len(seen) == len(replies)
    assert statuses(seen[-1]) == ["awaiting_confirmation", "done"]
    assert json.loads(seen[-1][-1]["content"])["result"] == {"reference": "haircut-2026-12-03T11:00"}


def test_a_model_that_books_by_itself_is_refused() -> None:
    """Without a yes, with other arguments, with nonsense, with a tool that there is not, and after a no."""
    other = json.dumps({**WANTED, "service": "consultation"})
    replies = [tool("book", json.dumps(WANTED)), tool("book", other), tool("book", "{nonsense"), tool("pay", "{}"),
               tool("book", other), words("Never mind.")]  # fmt: skip
    read, seen = talk(replies, "Hello.", "What does it cost?", "No, not that.")
    assert [line for line in read if "Shall I book" in line] == [
        "Shall I book a haircut for Thursday the third of December at 11 am?",
        "Shall I book a consultation for Thursday the third of December at 11 am?",
    ]
    assert read[-1] == "Never mind."
    asked = "awaiting_confirmation"
    assert statuses(seen[-1]) == [asked, asked, "denied", "denied", "denied", "refused"]


def test_somebody_who_wants_no_more_ends_it() -> None:
    read, seen = talk([], "Please stop contacting me and take me off your list.")
    assert read[-1] == "I understand. We will not contact you again. Goodbye."
    assert seen == []

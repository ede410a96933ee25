"""Orders to a running server: what it answers, what it refuses, and that there may be none."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from voicewarden.cli.order import NoServer, send_order
from voicewarden.model.error import ConfigError

Answers = Callable[[int, bytes], Path]


class _Stub(BaseHTTPRequestHandler):
    """Answers every order with what the test said, if the token is right."""

    answer: tuple[int, bytes] = (200, b"{}")
    seen: ClassVar[list[tuple[str, object]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, body))
        assert self.headers["Authorization"] == "Bearer secret"
        status, content = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    server = HTTPServer(("127.0.0.1", 0), _Stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    file = tmp_path / "server.json"
    file.write_text(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "token": "secret"}))

    def answer(status: int, content: bytes) -> Path:
        _Stub.answer = status, content
        _Stub.seen.clear()
        return file

    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_order_is_answered(answers: Answers) -> None:
    file = answers(200, b'{"call": "c1"}')
    assert send_order(file, "/local/calls", {"number": "x"}) == {"call": "c1"}
    assert _Stub.seen == [("/local/calls", {"number": "x"})]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b'{"detail": "there is no agent of that name"}', "there is no agent of that name"),
     (b'{"detail": [{"loc": ["body", "seq"], "msg": "should be an integer"}]}', "seq: should be an integer"),
     (b"gone", "no reason given"), (b"[]", "no reason given"), (b"", "no reason given")],
)  # fmt: skip
def test_a_refusal_says_why(answers: Answers, content: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match="the server refused: ") as refused:
        send_order(answers(422, content), "/local/labels", {})
    assert str(refused.value).endswith(told) and not isinstance(refused.value, NoServer)


@pytest.mark.parametrize("content", ["", "{}", '{"url": "http://127.0.0.1:1", "token": "secret"}', '{"url": 3}'])
def test_there_may_be_no_server(tmp_path: Path, content: str) -> None:
    file = tmp_path / "server.json"
    with pytest.raises(NoServer):
        send_order(file, "/local/calls", {})
    file.write_text(content)
    with pytest.raises(NoServer, match="voicewarden serve"):
        send_order(file, "/local/calls", {})

"""The HTTP side of a witness: requests come in over a socket, `Witness` answers them.

Called by `voicewarden ledger witness`. `POST /add-checkpoint` and `GET /<SHA-256 of the origin>/checkpoint`, as in
c2sp.org/tlog-witness. There is no other authentication than the signature on a checkpoint.
"""

import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from voicewarden.ledger.witness import Reply, Witness

_LARGEST_BODY: Final = 131_072
_IDLE_S: Final = 10.0
_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; `serve_forever` runs it, port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        super().__init__(address, _Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A log that went away in mid-request asks again when it is back; everything else is told as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # typeshed wants a socket


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    server_version = "voicewarden-witness"
    sys_version = ""
    server: WitnessServer

    def do_POST(self) -> None:
        """`/add-checkpoint`."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or len(length) > 9 or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._answer(Reply(413, "the body needs a length of at most 128 KiB\n"))
            return
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            self._answer(Reply(404, "there is no such place\n"))
            return
        self._answer(self.server.witness.add_checkpoint(body))

    def do_GET(self) -> None:
        """`/<origin hash>/checkpoint`."""
        found = _CHECKPOINT.fullmatch(self.path)
        self._answer(self.server.witness.newest(found[1]) if found else Reply(404, "there is no such place\n"))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing for each request."""

    def _answer(self, reply: Reply) -> None:
        body = reply.text.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

"""Orders to the server that runs on this machine, through its local interface.

In: the file in which the server says where it is, and the order. Out: its answer. Called by `voicewarden call`,
`contact` and `label`. The file holds a token and can be read by the server's own user only.
"""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from voicewarden.model.error import ConfigError

_WAIT_S: Final = 15


class NoServer(ConfigError):
    """No server answers at the place that the file names, or there is no such file."""


# Any: JSON in and out of the server's local interface.
def send_order(server_file: Path, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give an order and return the answer. Raises ConfigError when the server refuses, NoServer when there is none."""
    try:
        server = json.loads(server_file.read_text(encoding="utf-8"))
        request = urllib.request.Request(
            server["url"] + path, data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {server['token']}", "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        raise ConfigError(f"the server refused: {_detail(error.read())}") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise NoServer("no server answers; start one with `voicewarden serve` and try again") from None


def _detail(body: bytes) -> str:
    """Why the server refused; what it checks itself comes as a list of fields."""
    try:
        detail = json.loads(body)["detail"]
        if isinstance(detail, list):
            return "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in detail)
    except (ValueError, KeyError, TypeError):
        return "no reason given"
    return str(detail)

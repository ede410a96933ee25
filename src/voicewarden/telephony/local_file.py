"""The file in which a running server says where it takes local orders, and with which token.

In: the server's folder and address. Out: a file that only the server's own user can read. Written by `serve`, read by
the commands that give orders.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Final

SERVER_FILE: Final = "server.json"
_FILE_MODE: Final = 0o600
_TOKEN_BYTES: Final = 32


def write_server_file(folder: Path, *, url: str) -> str:
    """Write where the server is and the token for orders; returns the token."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SERVER_FILE
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, file)
    temporary.replace(path)
    return token

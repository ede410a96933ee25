"""Orders from this machine to the running server: place a call, note a person's consent, look at a call.

In: requests with the token of `server.json`, which only the server's own user can read. Out: what was ordered. So
that there is one process that writes the ledger, whoever gives the orders.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from voicewarden.contacts.register import Contacts
from voicewarden.model.action import Value
from voicewarden.model.error import ConfigError, LedgerError
from voicewarden.runtime.wall import unix_ms
from voicewarden.telephony.desk import Desk

SERVER_FILE: Final = "server.json"
_FileMode: Final = 0o600


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceCall(_Body):
    """Whom to call, by which agent."""

    number: Annotated[str, Field(min_length=3, max_length=32)]
    agent: str
    facts: dict[str, Value] = {}
    model: str = ""
    """Another model for this call; development profile only."""


class NoteConsent(_Body):
    """A person's consent to be called, from a record outside."""

    number: Annotated[str, Field(min_length=3, max_length=32)]
    level: Literal["none", "inquiry", "oral", "written"]
    source: Annotated[str, Field(min_length=1, max_length=200)]


def add_local(app: FastAPI, desk: Desk, contacts: Contacts, *, token: str, development: bool) -> None:
    """Add the local routes to the carrier's application."""
    router = APIRouter(prefix="/local")

    def check(authorization: str) -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "the token of server.json is needed")

    @router.post("/calls")
    async def place(body: PlaceCall, authorization: Annotated[str, Header()] = "") -> dict[str, str]:
        check(authorization)
        if body.agent not in desk.agents:
            raise HTTPException(422, f"there is no agent of that name; there are {', '.join(sorted(desk.agents))}")
        if body.model and not development:
            raise HTTPException(422, "another model can be chosen in the development profile only")
        with _refusals():
            live = desk.switchboard.open_call(body.number, body.agent, "outbound", {**desk.facts, **body.facts})
        live.model = body.model
        desk.switchboard.dial(live)
        return {"call": live.id}

    @router.get("/calls/{sid}")
    async def find(sid: str, authorization: Annotated[str, Header()] = "") -> dict[str, str]:
        check(authorization)
        live = desk.switchboard.calls.by_sid(sid)
        if live is None:
            raise HTTPException(404, "no live call of that carrier id")
        return {"call": live.id}

    @router.post("/consents")
    async def note_consent(body: NoteConsent, authorization: Annotated[str, Header()] = "") -> dict[str, bool]:
        check(authorization)
        with _refusals():
            contact = contacts.contact_id(body.number)
            await contacts.record_consent(contact, body.level, unix_ms=unix_ms(), source=body.source)
        return {"ok": True}

    app.include_router(router)


@contextmanager
def _refusals() -> Iterator[None]:
    """Our errors as answers: 422 for what was asked wrongly, 503 for what can't be written down now."""
    try:
        yield
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None
    except LedgerError as error:
        raise HTTPException(503, str(error)) from None


def write_server_file(folder: Path, *, url: str) -> str:
    """Write where the server is and the token for orders; returns the token."""
    token = secrets.token_urlsafe(32)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SERVER_FILE
    temporary = path.with_suffix(".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FileMode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": url, "token": token, "pid": os.getpid()}, file)
    temporary.replace(path)
    return token

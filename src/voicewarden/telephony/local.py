"""Orders from this machine to the running server: place a call, note a person's consent or a reviewer's label, look at
a call.

In: requests with the token of `server.json`, which only the server's own user can read. Out: what was ordered. So
that there is one process that writes the ledger, whoever gives the orders.
"""

import asyncio
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from voicewarden.contacts.register import Contacts
from voicewarden.model.action import Value
from voicewarden.model.error import ConfigError, LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.ports import Reviews
from voicewarden.runtime.wall import unix_ms
from voicewarden.telephony.desk import Desk


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


class NoteLabel(_Body):
    """A reviewer's word on a decision, named by its record and by the hash that the reviewer saw."""

    call: Annotated[str, Field(min_length=1, max_length=200)]
    seq: Annotated[int, Field(ge=0)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    verdict: Literal["right", "wrong"]
    reason: Annotated[str, Field(max_length=4_000)]
    reviewer: Annotated[str, Field(max_length=200)]


def add_local(app: FastAPI, desk: Desk, contacts: Contacts, reviews: Reviews, *, token: str, development: bool) -> None:
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
            prepared = await desk.switchboard.prepare()
            live = desk.switchboard.open_call(
                body.number, body.agent, "outbound", {**desk.facts, **body.facts}, prepared
            )
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

    _add_reviews(router, reviews, check)
    app.include_router(router)


def _add_reviews(router: APIRouter, reviews: Reviews, check: Callable[[str], None]) -> None:
    @router.post("/labels")
    async def note_label(body: NoteLabel, authorization: Annotated[str, Header()] = "") -> dict[str, Value]:
        check(authorization)
        with _refusals(otherwise=422):
            # Reads the call and waits for the disk, which must not hold up those who are talking.
            return await asyncio.to_thread(
                reviews.add, body.call, body.seq, body.verdict, reason=body.reason, reviewer=body.reviewer,
                digest=body.digest, unix_ms=unix_ms(),
            )  # fmt: skip


@contextmanager
def _refusals(*, otherwise: int = 503) -> Iterator[None]:
    """Our errors as answers: 422 for what was asked wrongly, 503 for what can't be written down now, and `otherwise`
    for what a ledger says that can be written to.
    """
    try:
        yield
    except ConfigError as error:
        raise HTTPException(422, str(error)) from None
    except LedgerError as error:
        status = 503 if isinstance(error, LedgerFull | LedgerBroken) else otherwise
        raise HTTPException(status, str(error)) from None

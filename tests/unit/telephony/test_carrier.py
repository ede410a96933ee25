"""The carrier as effectors see it: receipts from callbacks, numbers from configuration only."""

import asyncio
from typing import Any, cast

import pytest

pytest.importorskip("twilio")

from voicewarden.model.error import CarrierFailed
from voicewarden.runtime.calls import Calls, LiveCall
from voicewarden.runtime.loop import CallLoop
from voicewarden.telephony import carrier as module
from voicewarden.telephony.account import Account
from voicewarden.telephony.carrier import TwilioCarrier
from voicewarden.telephony.rest import Rest

DESKS = {"billing": "+15555550102"}


class FakeRest:
    """Remembers; refuses when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.refuses = False
        self.news = asyncio.Event()

    async def _note(self, what: str, detail: Any) -> None:
        self.asked.append((what, detail))
        self.news.set()
        if self.refuses:
            raise CarrierFailed("the carrier refused the request (status 500, code None)", None)

    async def create(self, to_number: str, **urls: Any) -> str:
        await self._note("create", (to_number, urls))
        return "CA1"

    async def redirect(self, sid: str, document: str) -> None:
        await self._note("redirect", (sid, document))

    async def end(self, sid: str) -> None:
        await self._note("end", sid)

    async def send_text(self, to_number: str, text: str) -> str:
        await self._note("text", (to_number, text))
        return "SM1"


def made(*, sid: str = "CA1") -> tuple[TwilioCarrier, FakeRest, Calls]:
    """A carrier with one live call and a fake REST side."""
    calls = Calls()
    call = LiveCall("c1", "booking", "outbound", "contact", "+15555550120", cast(CallLoop, None))
    calls.add(call)
    if sid:
        calls.name(call, sid)
    account = Account("AC1", "secret", "+15555550100", "https://a.example.org")
    carrier, rest = TwilioCarrier(account, calls, DESKS), FakeRest()
    carrier.rest = cast(Rest, rest)
    return carrier, rest, calls


async def test_a_dial_names_the_call_and_its_own_webhooks() -> None:
    carrier, rest, calls = made(sid="")
    assert await carrier.dial("c1", "+15555550120") == "CA1"
    assert calls.by_sid("CA1") is calls.get("c1")
    urls = rest.asked[0][1][1]
    assert urls["url"] == "https://a.example.org/twilio/calls/c1/answered"
    assert urls["amd_url"] == "https://a.example.org/twilio/calls/c1/amd"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("completed", "done"), ("answered", "done"), ("in-progress", "done"), ("busy", "failed"), ("no-answer", "failed"),
     ("failed", "failed"), ("canceled", "failed"), ("", "failed")],
)  # fmt: skip
async def test_a_transfer_is_done_only_when_somebody_answered_there(status: str, outcome: str) -> None:
    carrier, rest, _ = made()
    waiting = asyncio.create_task(carrier.transfer("c1", "billing"))
    await rest.news.wait()
    assert "+15555550102" in rest.asked[0][1][1]
    assert carrier.transferred("c1", status) is (outcome == "done")
    receipt = await waiting
    assert receipt.outcome == outcome
    assert carrier.transferred("c1", "completed") is True  # a second callback finds nobody waiting


async def test_a_call_that_was_put_through_is_not_ours_to_end() -> None:
    carrier, rest, _ = made()
    waiting = asyncio.create_task(carrier.transfer("c1", "billing"))
    await rest.news.wait()
    carrier.transferred("c1", "in-progress")
    await waiting
    await carrier.hang_up("c1")
    assert "end" not in [what for what, _ in rest.asked]


async def test_a_transfer_to_a_desk_without_a_number_is_refused_before_anything_is_asked() -> None:
    carrier, rest, _ = made()
    assert (await carrier.transfer("c1", "+15555550199")).outcome == "refused"
    assert not rest.asked


async def test_a_transfer_that_the_carrier_refuses_failed() -> None:
    carrier, rest, _ = made()
    rest.refuses = True
    receipt = await carrier.transfer("c1", "billing")
    assert receipt.outcome == "failed"
    assert "status 500" in str(receipt.detail["why"])


async def test_a_transfer_without_a_callback_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRANSFER_S", 0)
    carrier, _, _ = made()
    assert (await carrier.transfer("c1", "billing")).outcome == "unknown"


async def test_a_call_that_is_over_can_not_be_dialled_moved_or_written_to() -> None:
    carrier, rest, calls = made()
    calls.remove(calls.live[0])
    attempts = carrier.dial("c1", "+15555550120"), carrier.transfer("c1", "billing"), carrier.send_text("c1", "x")
    for attempt in attempts:
        with pytest.raises(CarrierFailed, match="not live any more"):
            await attempt
    await carrier.hang_up("c1")
    assert not rest.asked


async def test_a_call_that_the_carrier_never_knew_is_not_hung_up_there() -> None:
    carrier, rest, _ = made(sid="")
    await carrier.hang_up("c1")
    assert not rest.asked


async def test_a_text_goes_to_the_callers_own_number() -> None:
    carrier, rest, _ = made()
    assert await carrier.send_text("c1", "hello") == "SM1"
    assert rest.asked == [("text", ("+15555550120", "hello"))]

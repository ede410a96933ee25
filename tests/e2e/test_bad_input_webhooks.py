"""Webhooks that are unsigned, unknown, repeated, late or wrong, and a carrier that refuses what it is asked."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.fakes.server import CALLER, OWN, SALES, House, Peer, Tongue, hello, open_house

from voicewarden.model.error import CarrierFailed
from voicewarden.model.event import (
    CallAnswered,
    CallEnded,
    CarrierJudgedAnswerer,
    ReceiptReturned,
    SentenceStarted,
)
from voicewarden.rehearsal.carrier import Line, Person
from voicewarden.telephony.rest import Rest

HOOKS = ("/twilio/voice", *(f"/twilio/calls/c1/{name}" for name in "answered status amd transferred leg after".split()))
REFUSAL = "the carrier refused the request (status 500, code None); look the code up in the carrier's error dictionary"


def verbs(text: str) -> list[str]:
    """The verbs of a document."""
    return [item.tag for item in ElementTree.fromstring(text)]


async def stay(line: Line, tongue: Tongue) -> None:
    """Answer and wait."""
    await hello(line, tongue)
    await line.wait(20_000)


async def ask_for_person(line: Line, tongue: Tongue) -> None:
    """Want somebody real."""
    await hello(line, tongue)
    await line.say(tongue.say("Can I talk to a real person, please?"))
    await line.agent_finished(silence_ms=400)
    await line.wait(20_000)


async def test_unsigned_and_badly_signed_webhooks_are_refused_and_do_nothing(house: House) -> None:
    for path in HOOKS:
        for signature in ("", "bm90IGl0", "tök".encode("latin-1").decode("latin-1")[:1]):
            answer = await house.hook(path, signature=signature, CallSid="CA1", From=CALLER, To=OWN)
            assert answer.status_code == 403, path
            assert answer.text == ""
    assert not house.events
    assert len(house.server.switchboard.calls) == 0


async def test_a_signature_of_another_body_path_or_algorithm_is_refused(house: House) -> None:
    good = await house.hook("/twilio/calls/c1/status", CallSid="CA1", CallStatus="completed")
    assert good.status_code == 204
    sent = good.request
    body = sent.read()
    headers = {name: sent.headers[name] for name in ("content-type", "x-twilio-signature")}
    setting = {**headers, "x-twilio-webhooks-signature-settings": "sha256"}
    other = await house.client.post("/twilio/calls/c1/amd", content=body, headers=headers)
    changed = await house.client.post(sent.url, content=body.replace(b"completed", b"busy"), headers=headers)
    query = await house.client.post(f"{sent.url}?bodySHA256=0", content=body, headers=headers)
    stronger = await house.client.post(sent.url, content=body, headers=setting)
    assert {answer.status_code for answer in (other, changed, query, stronger)} == {403}


async def test_webhooks_about_calls_that_nobody_knows_end_them_and_change_nothing(house: House) -> None:
    for path in HOOKS[1:]:
        answer = await house.hook(path, CallSid="CA1", CallStatus="completed", AnsweredBy="human")
        assert answer.status_code in (200, 204)
        if answer.text:
            assert verbs(answer.text) == ["Hangup"]
    assert not house.events
    for missing in ({"From": CALLER}, {"CallSid": "CA1"}, {}, {"CallSid": "CA1", "From": "anonymous"}):
        answer = await house.hook("/twilio/voice", **missing)
        assert verbs(answer.text) == ["Reject"], missing


async def test_a_webhook_of_one_call_cannot_speak_for_another(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    answer = await house.hook(f"/twilio/calls/{peer.call}/answered", CallSid="CA" + "9" * 32)
    assert verbs(answer.text) == ["Hangup"]
    await house.hook(f"/twilio/calls/{peer.call}/status", CallSid="CA" + "9" * 32, CallStatus="busy")
    assert not house.of(peer.call, CallEnded)
    await house.hook(f"/twilio/calls/{peer.call}/status", CallSid=peer.sid, CallStatus="canceled")
    assert await house.end(peer.call) == "canceled"


async def test_a_voice_webhook_that_comes_twice_is_one_call(house: House) -> None:
    peer = Peer(house)
    await peer.ring()
    first = dict(peer.parameters)
    await peer.ring()
    assert peer.parameters["call"] == first["call"]
    assert peer.parameters["token"] != first["token"]
    await house.hook(f"/twilio/calls/{peer.call}/status", CallSid=peer.sid, CallStatus="failed")
    assert await house.end(peer.call) == "failed"


async def test_a_call_that_is_not_taken_ends_with_the_carriers_word(house: House) -> None:
    busy = await house.place(Person(ring_ms=20, outcome="busy"), number="+15555550131")
    away = await house.place(Person(ring_ms=20, outcome="no-answer"), number="+15555550132")
    nobody = await house.place(None, number="+15555550133")
    for call, reason in ((busy, "busy"), (away, "no_answer"), (nobody, "failed")):
        assert await house.end(call) == reason
        assert not house.of(call, CallAnswered)


async def test_judgements_twice_unknown_and_after_speech_are_evidence_and_no_orders(house: House) -> None:
    call = await house.place(stay)
    await house.until(call, SentenceStarted)
    line = house.line(call)
    assert line is not None
    for answered_by in ("machine_start", "machine_start", "nonsense", ""):
        answer = await house.hook(f"/twilio/calls/{call}/amd", CallSid=line.sid, AnsweredBy=answered_by)
        assert answer.status_code == 204
    verdicts = [event.verdict for event in house.of(call, CarrierJudgedAnswerer)]
    assert verdicts.count("voicemail") == 1
    assert verdicts.count("unknown") == 2
    await house.hook(f"/twilio/calls/{call}/status", CallSid=line.sid, CallStatus="in-progress")
    assert not house.of(call, CallEnded)
    await house.server.switchboard.close()
    assert await house.end(call) == "server_stopped"
    late = await house.hook(f"/twilio/calls/{call}/amd", CallSid=line.sid, AnsweredBy="human")
    assert late.status_code == 204


async def test_a_carrier_that_is_not_there_ends_the_call_before_it_began(tmp_path: Path) -> None:
    async with open_house(tmp_path, environment={"VOICEWARDEN_TWILIO_BASE_URL": "http://127.0.0.1:1"}) as house:
        call = await house.place(None)
        assert await house.end(call) == "not_dialled"
        receipt = await house.until(call, ReceiptReturned)
        assert receipt.outcome in ("failed", "unknown")
        assert CALLER not in str(house.events[call])


async def test_a_transfer_that_the_carrier_refuses_leaves_the_caller_with_the_agent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> None:
        raise CarrierFailed(REFUSAL, 20500)

    monkeypatch.setattr(Rest, "redirect", refuse)
    call = await house.place(ask_for_person)
    receipt = await house.until(call, ReceiptReturned, where=lambda event: event.outcome != "done")
    assert (receipt.outcome, receipt.detail) == ("failed", {"why": REFUSAL})
    after = len(house.of(call, SentenceStarted))
    await house.until(call, SentenceStarted, after + 1)
    await house.server.switchboard.close()
    assert await house.end(call) == "server_stopped"


async def test_a_desk_that_does_not_answer_is_a_failed_transfer_and_an_apology(house: House) -> None:
    outcome = "no-answer"
    house.carrier.numbers[SALES] = Person(ring_ms=20, outcome="no-answer")
    call = await house.place(ask_for_person)
    receipt = await house.until(call, ReceiptReturned, where=lambda event: event.outcome != "done")
    assert (receipt.outcome, receipt.detail) == ("failed", {"leg": outcome})
    await house.end(call)
    line = house.line(call)
    assert line is not None
    assert [entry.detail["text"] for entry in line.entries("say")]


async def test_a_hang_up_that_the_carrier_refuses_still_ends_the_call_with_us(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> None:
        raise CarrierFailed(REFUSAL, 20500)

    monkeypatch.setattr(Rest, "end", refuse)
    call = await house.place(stay)
    await house.until(call, SentenceStarted)
    await house.server.switchboard.close()
    assert await house.end(call) == "server_stopped"
    assert REFUSAL in caplog.text
    assert CALLER not in caplog.text


async def test_orders_without_the_token_or_with_wrong_contents_are_refused(house: House) -> None:
    good = {"number": CALLER, "agent": "booking"}
    for token in ("", "Bearer", "Bearer guessed", "Bearer tök"):
        headers = {"Authorization": token.encode()}
        for path in ("/local/calls", "/local/consents"):
            answer = await house.client.post(path, json=good, headers=headers)
            assert answer.status_code in (401, 422), (token, path)
    wrong = (
        ({**good, "agent": "nobody"}, "booking, closing, transfer"), ({**good, "number": "12"}, "number"),
        ({**good, "number": "no number"}, "number"), ({"agent": "booking"}, "number"),
        ({**good, "extra": 1}, "extra"), ({**good, "facts": {"answerer": {"is": "human"}}}, "facts"),
    )  # fmt: skip
    for body, named in wrong:
        answer = await house.client.post("/local/calls", json=body)
        assert answer.status_code == 422
        assert named in answer.text
    assert not house.events
    assert (await house.client.get("/local/calls/CA404")).status_code == 404

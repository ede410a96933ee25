"""The REST side on a fake HTTP client: what is sent, and what every kind of refusal becomes."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("twilio")
from twilio.http.response import Response

from voicewarden.model.error import CarrierFailed
from voicewarden.telephony.account import TWILIO_API, Account
from voicewarden.telephony.rest import Rest

NUMBER = "+15555550120"


class FakeHttp:
    """Answers like the carrier and remembers what it was asked."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, params: Any = None, data: Any = None, **_: Any) -> Response:
        self.asked.append((method, url, dict(data or {})))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def rest(*answers: Response | Exception) -> tuple[Rest, FakeHttp]:
    """A client whose requests go nowhere."""
    made, http = Rest(Account("AC1", "secret", "+15555550100", "https://a.example.org")), FakeHttp(*answers)
    made._client.http_client = http
    return made, http


def refusal(status: int, code: int) -> Response:
    return Response(status, json.dumps({"code": code, "message": f"the number {NUMBER} is bad", "status": status}))


OK = Response(201, json.dumps({"sid": "CA1"}))


async def test_a_call_is_created_with_every_callback_a_limit_and_asynchronous_detection() -> None:
    made, http = rest(OK)
    urls = {"url": "https://a/u", "status_url": "https://a/s", "amd_url": "https://a/m"}
    assert await made.create(NUMBER, **urls, longest_s=720) == "CA1"
    [(method, url, data)] = http.asked
    assert (method, urlsplit(url).path) == ("POST", "/2010-04-01/Accounts/AC1/Calls.json")
    assert data["To"] == NUMBER
    assert data["TimeLimit"] == 720
    assert data["MachineDetection"] == "Enable"
    assert data["AsyncAmd"] == "true"
    assert data["AsyncAmdStatusCallback"] == "https://a/m"
    assert data["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert "Record" not in data


@pytest.mark.parametrize("answer", [refusal(500, 20500), refusal(429, 20429), refusal(401, 20003), refusal(400, 21211)])
async def test_a_refusal_names_status_and_code_and_no_number(answer: Response) -> None:
    made, _ = rest(answer)
    with pytest.raises(CarrierFailed) as failed:
        await made.create(NUMBER, url="https://a/u", status_url="", amd_url="", longest_s=1)
    text = str(failed.value.args[0])
    assert str(answer.status_code) in text
    assert "error dictionary" in text
    assert NUMBER not in text


@pytest.mark.parametrize("error", [ConnectionError(NUMBER), TimeoutError(NUMBER), OSError(NUMBER)])
async def test_a_carrier_that_does_not_answer_is_a_failure_without_a_number(error: Exception) -> None:
    made, _ = rest(error)
    with pytest.raises(CarrierFailed) as failed:
        await made.send_text(NUMBER, "hello")
    assert NUMBER not in str(failed.value)
    assert type(error).__name__ in str(failed.value)


@pytest.mark.parametrize(("status", "code"), [(404, 20404), (400, 21220)])
async def test_ending_an_ended_call_is_no_error(status: int, code: int) -> None:
    made, http = rest(refusal(status, code))
    await made.end("CA1")
    assert http.asked[0][2] == {"Status": "completed"}


async def test_any_other_refusal_of_a_hang_up_is_one() -> None:
    made, _ = rest(refusal(500, 20500))
    with pytest.raises(CarrierFailed):
        await made.end("CA1")


async def test_a_redirect_sends_the_document() -> None:
    made, http = rest(Response(200, json.dumps({"sid": "CA1"})))
    await made.redirect("CA1", "<Response/>")
    assert http.asked[0][2] == {"Twiml": "<Response/>"}


async def test_a_text_comes_from_our_number() -> None:
    made, http = rest(Response(201, json.dumps({"sid": "SM1"})))
    assert await made.send_text(NUMBER, "hello") == "SM1"
    assert http.asked[0][2] == {"To": NUMBER, "From": "+15555550100", "Body": "hello"}


def test_the_carriers_own_address_is_the_default() -> None:
    assert Account("AC1", "secret", "+1", "https://a").api_url == TWILIO_API

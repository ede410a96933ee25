"""Signatures: what the carrier signed passes, everything else is a no."""

import pytest

pytest.importorskip("twilio")
from twilio.request_validator import RequestValidator

from voicewarden.telephony.account import Account
from voicewarden.telephony.signature import Signatures

SECRET = "not a real one"
PUBLIC = "https://calls.example.org"
PARAMETERS = {"CallSid": "CA1", "From": "+15555550120", "Unheard": "of"}


def account(public: str = PUBLIC) -> Account:
    return Account("AC1", SECRET, "+15555550100", public)


def signed(url: str, parameters: dict[str, str], secret: str = SECRET) -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator(secret).compute_signature(url, parameters)}


@pytest.mark.parametrize("public", [PUBLIC, PUBLIC + "/", PUBLIC + ":8443", PUBLIC + "/behind", "http://127.0.0.1:8765"])
def test_a_webhook_signed_over_the_public_address_holds_with_parameters_nobody_knows(public: str) -> None:
    url = public.rstrip("/") + "/twilio/voice"
    assert Signatures(account(public)).holds("/twilio/voice", "", PARAMETERS, signed(url, PARAMETERS))


def test_a_query_is_signed_too() -> None:
    headers = signed(f"{PUBLIC}/twilio/voice?a=1", PARAMETERS)
    assert Signatures(account()).holds("/twilio/voice", "a=1", PARAMETERS, headers)
    assert not Signatures(account()).holds("/twilio/voice", "a=2", PARAMETERS, headers)
    assert not Signatures(account()).holds("/twilio/voice", "", PARAMETERS, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": "bm90IGl0"},
        {"x-twilio-signature": "\u00f6"},
        signed("https://elsewhere.example.org/twilio/voice", PARAMETERS),
        signed(f"{PUBLIC}/twilio/voice", PARAMETERS, "another secret"),
        signed(f"{PUBLIC}/twilio/voice", {**PARAMETERS, "CallSid": "CA2"}),
        {**signed(f"{PUBLIC}/twilio/voice", PARAMETERS), "x-twilio-webhooks-signature-settings": "sha256"},
    ],
)
def test_missing_wrong_and_foreign_signatures_do_not_hold(headers: dict[str, str]) -> None:
    assert not Signatures(account()).holds("/twilio/voice", "", PARAMETERS, headers)


def test_the_host_comes_from_the_settings_and_never_from_the_request() -> None:
    headers = {**signed("https://evil.example.org/twilio/voice", PARAMETERS), "host": "evil.example.org"}
    assert not Signatures(account()).holds("/twilio/voice", "", PARAMETERS, headers)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_socket_address_is_signed_with_or_without_a_closing_slash(slash: str) -> None:
    url = "wss://calls.example.org/twilio/stream"
    assert account().stream_url == url
    assert Signatures(account()).holds_for_stream(signed(url + slash, {}))


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": "\u00f6"},
     signed("ws://calls.example.org/twilio/stream", {}), signed("https://calls.example.org/twilio/stream", {})],
)  # fmt: skip
def test_a_socket_without_the_carriers_signature_does_not_hold(headers: dict[str, str]) -> None:
    assert not Signatures(account()).holds_for_stream(headers)


def test_an_account_never_shows_its_secret_or_its_number() -> None:
    assert SECRET not in repr(account())
    assert "+1555" not in repr(account())


@pytest.mark.parametrize(
    ("public", "stream"),
    [("http://127.0.0.1:8765", "ws://127.0.0.1:8765/twilio/stream"),
     ("https://a.example.org/behind/", "wss://a.example.org/behind/twilio/stream")],
)  # fmt: skip
def test_addresses_are_built_from_the_public_one(public: str, stream: str) -> None:
    assert account(public).stream_url == stream
    assert account(public).webhook("/x") == public.rstrip("/") + "/x"

"""TwiML: what each verb becomes, and that a wrong document says what is wrong."""

from __future__ import annotations

import pytest

from voicewarden.rehearsal.carrier.twiml import (
    Connect,
    Dial,
    Hangup,
    Pause,
    Redirect,
    Reject,
    Say,
    TwimlError,
    parse,
)


def test_every_verb() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?><Response>
      <Say>hi</Say><Pause length="3"/><Redirect>/next</Redirect><Reject reason="busy"/><Hangup/>
      <Dial action="/done" timeout="9" callerId="+15550100001"><Number>+15550100002</Number></Dial>
      <Connect action="/end">
        <Stream url="wss://example.org/m" name="n"><Parameter name="a" value=""/></Stream>
      </Connect>
    </Response>"""
    assert parse(text) == (
        Say("hi"),
        Pause(3),
        Redirect("/next"),
        Reject("busy"),
        Hangup(),
        Dial("+15550100002", action="/done", caller_id="+15550100001", timeout_s=9),
        Connect("wss://example.org/m", stream_name="n", parameters={"a": ""}, action="/end"),
    )


def test_dial_takes_the_number_as_text_and_an_empty_response_is_a_document() -> None:
    assert parse("<Response><Dial> +15550100002 </Dial></Response>") == (Dial("+15550100002"),)
    assert parse("<Response/>") == ()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/m", "ws://localhost/m", "wss://example.org/m"])
def test_allowed_stream_addresses(url: str) -> None:
    (verb,) = parse(f'<Response><Connect><Stream url="{url}"/></Connect></Response>')
    assert isinstance(verb, Connect)
    assert verb.stream_url == url


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 12100, "not XML"),
        ("<Response>", 12100, "not XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Response/>', 12100, "document type"),
        ("<Answer/>", 12200, "must be <Response>"),
        ("<Response><Dance/></Response>", 12200, "<Dance> is unknown"),
        ("<Response><Dial/></Response>", 12200, "names no number"),
        ('<Response><Dial timeout="soon">+1</Dial></Response>', 12200, "whole seconds"),
        ("<Response><Connect/></Response>", 12200, "exactly one <Stream>"),
        ("<Response><Redirect/></Response>", 12200, "names no address"),
        ('<Response><Connect><Stream url="ws://example.org"/></Connect></Response>', 31922, "must be wss://"),
        ('<Response><Connect><Stream url="wss://x.org/?a=b"/></Connect></Response>', 12200, "may not carry a query"),
        ('<Response><Connect><Stream url="wss://x.org/"><Say/></Stream></Connect></Response>', 12200, "<Parameter"),
    ],
)
def test_a_wrong_document_says_what_was_expected(text: str, code: int, words: str) -> None:
    with pytest.raises(TwimlError, match=words) as error:
        parse(text)
    assert error.value.code == code

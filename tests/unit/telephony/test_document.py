"""TwiML: every document ends the call in the end, and no text can break out of it."""

from xml.etree import ElementTree

import pytest

pytest.importorskip("twilio")

from voicewarden.rehearsal.carrier import twiml
from voicewarden.telephony import document

ODD = 'a"<b>&\u00f6]]>'


def test_a_connection_names_the_call_and_its_token_and_hangs_up_behind() -> None:
    connect, end = twiml.parse(document.connect("wss://a/s", "https://a/after", call="c1", token=ODD))
    assert connect == twiml.Connect("wss://a/s", parameters={"call": "c1", "token": ODD}, action="https://a/after")
    assert end == twiml.Hangup()


def test_a_transfer_reports_back_and_hangs_up_behind() -> None:
    text = document.dial("+15555550101", "https://a/t", "https://a/leg", caller_id="+15555550100", timeout_s=20)
    dial, end = twiml.parse(text)
    assert isinstance(dial, twiml.Dial)
    assert (dial.number, dial.action, dial.caller_id) == ("+15555550101", "https://a/t", "+15555550100")
    assert dial.timeout_s == 20
    number = ElementTree.fromstring(text).find("./Dial/Number")
    assert number is not None
    assert number.attrib == {
        "statusCallback": "https://a/leg", "statusCallbackEvent": "answered", "statusCallbackMethod": "POST",
    }  # fmt: skip
    assert end == twiml.Hangup()


def test_hanging_up_may_say_sorry_first() -> None:
    assert twiml.parse(document.hang_up()) == (twiml.Hangup(),)
    assert twiml.parse(document.hang_up(ODD)) == (twiml.Say(ODD), twiml.Hangup())


def test_a_refused_call_is_rejected_before_it_costs_anything() -> None:
    assert twiml.parse(document.reject()) == (twiml.Reject(),)


def test_nothing_that_is_put_in_becomes_a_verb() -> None:
    text = document.dial("</Number><Record/>", "https://a/?x=1&y=2", '"/>', caller_id='"/><Record', timeout_s=1)
    assert [item.tag for item in ElementTree.fromstring(text).iter()] == ["Response", "Dial", "Number", "Hangup"]

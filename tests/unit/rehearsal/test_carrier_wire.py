"""The protocol's messages: exact fields on the way out, clear refusals on the way in."""

from __future__ import annotations

import base64
import json

import pytest

from voicewarden.rehearsal.carrier.wire import (
    AgentAudio,
    AgentClear,
    AgentMark,
    StreamMessages,
    WireError,
    read_agent_message,
)


def test_messages_carry_twilios_fields_and_numbers_as_text() -> None:
    messages = StreamMessages("MZ1", "CA1", "AC1", {"token": "t"})
    assert json.loads(messages.connected()) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert json.loads(messages.start()) == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": "t"},
        },
        "streamSid": "MZ1",
    }
    assert json.loads(messages.media(b"\xff", 40)) == {
        "event": "media",
        "sequenceNumber": "2",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "40", "payload": "/w=="},
        "streamSid": "MZ1",
    }
    assert json.loads(messages.dtmf("5"))["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert json.loads(messages.mark("m"))["mark"] == {"name": "m"}
    stop = json.loads(messages.stop())
    assert (stop["stop"], stop["sequenceNumber"]) == ({"accountSid": "AC1", "callSid": "CA1"}, "5")


def test_a_frame_of_20_ms_is_216_base64_characters() -> None:
    media = json.loads(StreamMessages("MZ1", "CA1", "AC1").media(b"\xff" * 160, 0))["media"]
    assert len(media["payload"]) == 216


def test_agent_messages() -> None:
    payload = base64.b64encode(b"ab").decode()
    media = {"event": "media", "streamSid": "MZ1", "media": {"payload": payload}}
    assert read_agent_message(json.dumps(media), "MZ1") == AgentAudio(b"ab")
    mark = {"event": "mark", "streamSid": "MZ1", "mark": {"name": "m"}}
    assert read_agent_message(json.dumps(mark), "MZ1") == AgentMark("m")
    assert read_agent_message('{"event":"clear","streamSid":"MZ1"}', "MZ1") == AgentClear()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("{", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"event":"clear"}', "streamSid"),
        ('{"event":"dance","streamSid":"MZ1"}', "unknown"),
        ('{"event":"media","streamSid":"MZ1"}', r"media\.payload"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"?"}}', "not base64"),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":1}}', r"mark\.name"),
    ],
)
def test_wrong_agent_messages_are_refused(raw: str | bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read_agent_message(raw, "MZ1")

"""The REST resources against the shapes that the carrier publishes."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicewarden.rehearsal.carrier.call import SimulatedCall
from voicewarden.rehearsal.carrier.clock import CallClock
from voicewarden.rehearsal.carrier.frame import silence
from voicewarden.rehearsal.carrier.line import Span
from voicewarden.rehearsal.carrier.resources import RestError, SentMessage, call_body, message_body

ACCOUNT = "AC" + "0" * 32


def schema(name: str) -> dict[str, Any]:
    """Return the published properties of a resource."""
    folder = os.environ.get("VOICEWARDEN_DEV_DATA")
    path = Path(folder or "") / "twilio_api_v2010.json"
    if not folder or not path.is_file():
        pytest.skip("VOICEWARDEN_DEV_DATA holds no twilio_api_v2010.json")
    schemas = json.loads(path.read_text())["components"]["schemas"]
    return dict(schemas[name]["properties"], _enums=schemas)


def check(body: dict[str, object], properties: dict[str, Any]) -> None:
    """Compare names, JSON types, patterns and closed sets."""
    schemas = properties.pop("_enums")
    assert set(body) == set(properties)
    for name, value in body.items():
        rule = properties[name]
        if "$ref" in rule:
            assert value in schemas[rule["$ref"].rsplit("/", 1)[1]]["enum"], name
        elif value is not None:
            assert isinstance(value, {"string": str, "object": dict, "integer": int}[rule["type"]]), name
            assert re.search(rule.get("pattern", ""), str(value)), name


def call() -> SimulatedCall:
    return SimulatedCall(ACCOUNT, "+15550100001", "+15550100002", "outbound-api", CallClock())


def test_a_call_has_the_published_shape() -> None:
    properties = schema("api.v2010.account.call")
    made = call()
    check(call_body(made), dict(properties))
    made.enter("in-progress")
    made.enter("completed")
    check(call_body(made), dict(properties))


def test_a_message_has_the_published_shape() -> None:
    check(
        message_body(SentMessage(ACCOUNT, "+15550100001", "+15550100002", "Hello.")),
        schema("api.v2010.account.message"),
    )


def test_a_final_status_is_never_left() -> None:
    made = call()
    made.enter("busy")
    made.enter("in-progress")
    assert (made.status, made.duration_s, made.is_over) == ("busy", 0, True)


def test_turn_gaps_run_from_the_callers_last_sample_to_the_agents_first() -> None:
    made = call()
    voice, quiet = np.full(160, 3_000, dtype=np.int16), silence()
    heard = {10, 11, 30, 31, 32}
    for frame in range(60):
        made.recording.append(quiet, voice if frame in heard else quiet)
    made.caller_spans += [Span(0, 100), Span(300, 380), Span(500, 610), Span(900, 1000)]
    # Answered after 100 ms; not answered before the caller spoke again; talked over; not answered at all.
    assert made.turn_gaps_ms() == [100]


def test_an_error_has_twilios_body() -> None:
    assert RestError(401, 20003, "Authenticate").body() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }

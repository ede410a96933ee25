"""`voicewarden decide` against an expectation that is written down here a second time, over random rows."""

import json
import random
from typing import Any

import pytest
from tests.unit.acceptance.authority_policies import CONFIG, ROOT
from typer.testing import CliRunner

from voicewarden.cli.main import app
from voicewarden.config.policy_reader import read_policy
from voicewarden.model.action import SEVERITY
from voicewarden.policy.fact import Fact
from voicewarden.policy.interpreter import unmet

AT_MS = 200_000
ARGS: dict[str, dict[str, str]] = {
    "book": {"service": "haircut", "start": "2026-12-03T11:00"}, "send_message": {"template": "confirmation"},
    "advance_commitment": {"offer": "haircut"}, "transfer": {"desk": "sales"},
    "schedule_callback": {"when": "tomorrow_morning"}, "leave_voicemail": {}, "look_up": {"what": "quote"},
    "hand_over": {"to": "closing"}, "end_call": {}, "unheard_of": {}, "place_call": {},
}  # fmt: skip
USUAL = {"answerer": "human", "disclosed.ai": True, "opted_out": False, "paused": False, "revoked": False,
         "quote_open": True, "desk_open": True}  # fmt: skip
OTHERS: dict[str, tuple[str | int | bool, ...]] = {
    "answerer": ("human", "voicemail", "unknown"), "direction": ("inbound", "outbound"),
    "contact.consent": ("none", "oral", "written"), "contact.attempts_86400": (0, 2, 3),
    "contact.attempts_604800": (0, 6, 7),
    **dict.fromkeys(("disclosed.ai", "opted_out", "quote_open", "asked_for_person", "desk_open", "message_ready",
                     "voicemail_permitted", "paused", "revoked"), (True, False)),
}  # fmt: skip
AT_THE_START = {"opted_out": False, "paused": False, "revoked": False, "disclosed.ai": False, "answerer": "unknown",
                "asked_for_person": False, "direction": "inbound"}  # fmt: skip
ANSWERS = ("explicit", "explicit", "explicit", "none", "refused", "ambiguous", None)
AGES = (0, 59_999, 60_000, 60_001, 89_999, 90_000, 90_001)

# Any: rows of JSON.
Row = dict[str, Any]


def row(chance: random.Random) -> Row:
    action = chance.choice(list(ARGS))
    facts: Row = {}
    for name, values in OTHERS.items():
        drawn = chance.random()
        if drawn < 0.65 and name in USUAL:
            facts[name] = USUAL[name]
        elif drawn < 0.9:
            value = chance.choice(values)
            facts[name] = {"value": value, "age_ms": chance.choice(AGES)} if chance.random() < 0.3 else value
        elif drawn < 0.93:
            facts[name] = None
    answer = chance.choice(ANSWERS)
    if answer and action in ("book", "send_message", "advance_commitment", "transfer", "schedule_callback"):
        facts[f"consent.{action}"] = {"value": answer, "age_ms": chance.choice(AGES)}
    made: Row = {"action": action, "args": ARGS[action], "facts": facts, "at_ms": AT_MS}
    some = {
        "stage": chance.choice(("observe", "assist", "bounded", "autonomous")), "minted": chance.randint(0, 3),
        "role": chance.choice(("booking", "closing", "transfer", "nobody")), "approved": chance.random() < 0.5,
    }  # fmt: skip
    return made | {name: value for name, value in some.items() if chance.random() < 0.3}


def expected(asked: Row) -> str:
    if asked["action"] == "end_call":
        return "allow"
    facts = {}
    for name, given in {**AT_THE_START, **asked["facts"]}.items():
        value, age_ms = (given["value"], given["age_ms"]) if isinstance(given, dict) else (given, 0)
        if value is not None:
            facts[name] = Fact(value, AT_MS - age_ms, 0, "these" if name.startswith("consent.") else "")
    rule = POLICY.actions.get(asked["action"])
    stopped = any(name in facts and facts[name].value is not False for name in ("paused", "revoked", "opted_out"))
    if rule is None or stopped or (rule.requested_by and asked.get("role", "booking") not in _roles(rule, asked)):
        return "deny"
    mask = unmet(rule, facts, AT_MS, "these", asked.get("minted", 0))
    failed = [item.otherwise for bit, item in enumerate((*rule.require, *rule.limits)) if mask >> bit & 1]
    if failed:
        return max(failed, key=lambda verdict: SEVERITY[verdict])
    effect = rule.stages.get(asked.get("stage", "bounded"))
    return "allow" if effect == "allow" or (effect == "approve" and asked.get("approved")) else "deny"


# Any: a rule.
def _roles(rule: Any, asked: Row) -> tuple[str, ...]:
    """Left out, somebody who may is taken to ask."""
    return (*rule.requested_by, *(() if "role" in asked else ("booking",)))


POLICY = read_policy("outbound-sales", CONFIG)
TOLD = ("--policy", "outbound-sales", "--config", str(CONFIG), "--agents", str(ROOT / "agents"))


# Any: decisions as JSON.
def decided(*lines: str) -> tuple[int, list[Any]]:
    result = CliRunner().invoke(app, ("decide", *TOLD), input="\n".join(lines))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_five_hundred_random_rows_are_decided_as_expected() -> None:
    chance = random.Random(11)
    rows = [row(chance) for _ in range(500)]
    code, answers = decided(*map(json.dumps, rows))
    assert code == 0
    assert [answer["verdict"] for answer in answers] == [expected(asked) for asked in rows]
    assert {answer["verdict"] for answer in answers} == {"allow", "confirm", "escalate", "deny"}


def test_what_is_no_request_is_an_error_in_its_place() -> None:
    lines = ("nonsense", "[]", '{"action":5}', '{"action":"book","argz":1}', '{"action":"book","facts":{"nosuch":1}}',
             '{"action":"book","facts":{"answerer":"robot"}}', '{"action":"book","minted":-1}',
             '{"action":"book","stage":"high"}', '{"action":"book","args":{"service":1e400}}')  # fmt: skip
    good = '{"action":"größe"}'
    code, answers = decided(good, *lines, "", good)
    assert code == 1
    assert [answer.get("line") for answer in answers] == [None, *range(2, 11), None]
    assert [answer["verdict"] for answer in (answers[0], answers[-1])] == ["deny", "deny"]


@pytest.mark.parametrize("args", ['{"service":"haircut"}', '{"service":"nose","start":"2026-12-03T11:00"}', "{}"])
def test_arguments_are_checked(args: str) -> None:
    code, answers = decided(f'{{"action":"book","args":{args}}}')
    assert code == 0
    assert {reason["rule"] for reason in answers[0]["reasons"]} == {"kernel.arguments"}

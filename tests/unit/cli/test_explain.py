"""`policy explain`, `why`, `flips`, `schema` and `code`: plain English and JSON, exit codes, clear errors."""

import json
from pathlib import Path

import pytest
from tests.fakes.recorded_call import booking_call
from typer.testing import CliRunner, Result

from voicewarden.cli.main import app
from voicewarden.ledger.store import Ledger
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Reason, Shadowed
from voicewarden.model.error import ConfigError
from voicewarden.model.record import make_record

TOP = Path(__file__).resolve().parents[3]
PLACE = ("--config", str(TOP / "config"), "--agents", str(TOP / "agents"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["policy", *arguments])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with Ledger.open(path) as opened:
        booking_call("one").store(opened)
        seq, last = opened.head("call:one")
        reason = Reason("book.require.6", "local_hour", "is at least 9", "8", "deny")
        for number in range(2):
            shadow = Shadowed(
                seq=seq + number, at_ms=1, request="r", action="book", source="stricter", policy="p", verdict="deny",
                active="allow", reasons=(reason,),
            )  # fmt: skip
            record = make_record("call:one", seq + number, 1, "shadow", canonical_bytes(shadow), last)
            last = record.hash
            opened.submit((record,))
        opened.flush()
    return path


def test_explain_names_every_action_with_its_owner() -> None:
    told = run("explain", "outbound-sales", *PLACE)
    assert told.exit_code == 0
    assert "book: An appointment takes somebody's time. (owner: head-of-sales)" in told.stdout
    assert "at most 1 in a call, or else deny: One appointment a call." in told.stdout


def test_explain_says_what_would_be_refused_and_what_is_left_to_be_earned() -> None:
    told = run("explain", "outbound-sales", "--action", "book", "--fact", "answerer=voicemail", *PLACE)
    assert told.exit_code == 0
    assert told.stdout.startswith("book was refused: answerer must be human, but found voicemail")
    assert "Still to be earned: answerer is human;" in told.stdout


def test_explain_in_json_with_numbers_and_truths() -> None:
    told = run(
        "explain", "outbound-sales", "--action", "place_call", "--fact", "contact.attempts_86400=9", "--fact",
        "contact.attempts_604800=0", "--fact", "contact.consent=written", "--json", *PLACE,
    )  # fmt: skip
    (decision,) = json.loads(told.stdout)
    assert (decision["verdict"], decision["still_to_earn"]) == ("deny", ["contact.attempts_86400 is at most 2"])


@pytest.mark.parametrize("wrong", ["answerer", "=human", "answerer=dog", "moon=full"])
def test_a_fact_that_is_none_is_a_usage_error(wrong: str) -> None:
    assert run("explain", "outbound-sales", "--fact", wrong, *PLACE).exit_code == 2


def test_a_stage_that_is_none_is_a_usage_error() -> None:
    assert run("explain", "outbound-sales", "--fact", "answerer=human", "--stage", "wild", *PLACE).exit_code == 2


def test_why_tells_every_decision_of_a_call_or_one(ledger: Path) -> None:
    told = run("why", str(ledger), "one")
    assert told.exit_code == 0
    assert "book must first be confirmed: consent.book must be explicit" in told.stdout
    assert "book was allowed" in told.stdout
    decisions = json.loads(run("why", str(ledger), "one", "--json").stdout)
    last = decisions[-1]["seq"]
    assert run("why", str(ledger), "one", str(last)).stdout.startswith(f"#{last} ")


def test_why_of_a_call_that_is_not_there_says_so(ledger: Path) -> None:
    for arguments in (("two",), ("one", "0")):
        told = run("why", str(ledger), *arguments)
        assert told.exit_code == 1
        assert told.exception is not None


def test_flips_are_counted_by_rule(ledger: Path) -> None:
    told = run("flips", str(ledger))
    assert told.exit_code == 0
    assert "2 would have been others" in told.stdout
    assert "2 x book: allow would be deny by the policy stricter (book.require.6), in 1 calls" in told.stdout
    counted = json.loads(run("flips", str(ledger), "--json").stdout)
    assert counted["flips"][0]["decisions"] == 2


def test_schema_and_code_are_printed() -> None:
    assert json.loads(run("schema").stdout)["title"]
    shown = run("code", "outbound-sales", "--config", str(TOP / "config"))
    compile(shown.stdout, "<code>", "exec")
    assert "def unsure_book(facts, now_ms, digest, minted):" in shown.stdout


@pytest.mark.parametrize("content", [None, b"\x87\xff"])
def test_cases_that_are_no_text_are_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cases.jsonl"
    if content is not None:
        file.write_bytes(content)
    told = run("cases", "booking-only", "--config", str(TOP / "config"), "--check", str(file))
    assert isinstance(told.exception, ConfigError | SystemExit)
    assert told.exit_code in (1, 2)


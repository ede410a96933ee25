"""`voicewarden decide`: a line in, a line out, in order and at once; what is no request is an error in its place."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.fakes.rig import TOP
from tests.unit.embed.policies import SERVICES, WANTED, written
from typer.testing import CliRunner

from voicewarden.cli.decide import decide

AGREED = {"answerer": "human", "account_open": True, "consent.book": {"value": "explicit", "age_ms": 4_000}}
BOOK = {"action": "book", "args": WANTED, "facts": AGREED}
APP = typer.Typer()
APP.command()(decide)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    (tmp_path / "lists.json").write_text(json.dumps({"services": SERVICES}), encoding="utf-8")
    return ["--policy", str(written(tmp_path)), "--catalogue", str(tmp_path / "lists.json")]


def run(options: list[str], *lines: object) -> tuple[int, list[dict[str, Any]]]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = CliRunner().invoke(APP, options, input=text.encode("utf-8", "surrogatepass"))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_decisions_come_in_order_with_all_reasons(options: list[str]) -> None:
    unknown = {"action": "book", "args": WANTED, "facts": {"answerer": "human", "account_open": True}}
    code, (first, second, third) = run(options, BOOK, unknown, {"action": "launch"})
    assert code == 0
    assert [item["verdict"] for item in (first, second, third)] == ["allow", "confirm", "deny"]
    assert {reason["rule"] for reason in first["reasons"]} == {
        "book.require.1", "book.require.2", "book.require.3", "book.limits.1"
    }  # fmt: skip
    assert (first["still_to_earn"], second["still_to_earn"]) == ([], ["consent.book is explicit, no older than 90 s"])
    assert first["digest"] == second["digest"] != third["digest"]
    assert len(first["policy"]) == 64 and "would" not in first


def test_the_stage_overrides_and_says_what_the_rules_would_have_said(options: list[str]) -> None:
    _, (row, whole) = run([*options, "--stage", "observe"], {**BOOK, "stage": "assist"}, BOOK)
    assert (row["verdict"], row["would"]) == (whole["verdict"], whole["would"]) == ("deny", "allow")
    assert "approval" in row["reasons"][-1]["needed"]


def test_what_is_no_request_is_an_error_on_its_own_line(options: list[str]) -> None:
    bad = ["nonsense", '{"action": 1}', '{"action": "book", "wat": 1}', '{"action": "book", "facts": {"foo": 1}}',
           '{"action": "book", "args": [1]}', '{"action": "book", "minted": -1}', "\ud800",
           '{"action": "book", "args": {"x": ' + "[" * 9_000 + "]" * 9_000 + "}}"]  # fmt: skip
    code, answers = run(options, BOOK, *bad, "", BOOK)
    assert code == 1
    assert [answer.get("verdict") for answer in answers] == ["allow", *[None] * len(bad), "allow"]
    assert [answer["line"] for answer in answers[1:-1]] == list(range(2, len(bad) + 2))
    assert all(answer["error"].startswith(f"line {answer['line']}: ") for answer in answers[1:-1])


def test_nothing_in_is_nothing_out(options: list[str]) -> None:
    assert run(options) == (0, [])


def test_more_than_one_chunk_is_answered_line_by_line(options: list[str]) -> None:
    code, answers = run(options, *[{**BOOK, "at_ms": number} for number in range(2_000)])
    assert (code, len(answers)) == (0, 2_000)


def test_a_policy_of_a_configuration_is_opened_as_a_phone_call_has_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = TOP / "config" / "policies" / "booking-only.yaml"
    facts = {"answerer": "human", "disclosed.ai": True, "consent.book": "explicit"}
    lines = ({"action": "book", "args": WANTED, "facts": facts},)
    (inside,) = run(["--policy", str(path)], *lines)[1]
    named = ["--policy", "booking-only", "--config", str(TOP / "config"), "--agents", str(TOP / "agents")]
    assert inside["verdict"] == "allow"
    assert run(named, *lines)[1] == [inside]
    monkeypatch.chdir(TOP)
    assert run(["--policy", "booking-only"], *lines)[1] == [inside]
    copied = written(tmp_path, path.read_text(encoding="utf-8"), "copied.yaml")
    assert run(["--policy", str(copied)], *lines)[1] == [inside]


def test_a_wrong_stage_and_a_wrong_catalogue_are_told(options: list[str], tmp_path: Path) -> None:
    assert CliRunner().invoke(APP, [*options, "--stage", "reckless"]).exit_code == 2
    for content in ("[", "[]", '{"services": 1}'):
        (tmp_path / "lists.json").write_text(content, encoding="utf-8")
        assert "lists.json" in str(CliRunner().invoke(APP, options).exception)


SCRIPT = "import typer; from voicewarden.cli.decide import decide; app = typer.Typer(); app.command()(decide); app()"


def test_an_answer_comes_before_the_next_question_is_asked(options: list[str]) -> None:
    command = [sys.executable, "-c", SCRIPT, *options]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, bufsize=0, **pipes) as process:
        assert process.stdin is not None and process.stdout is not None
        for _ in range(3):
            process.stdin.write(json.dumps(BOOK).encode() + b"\n")
            assert json.loads(process.stdout.readline())["verdict"] == "allow"
        process.stdin.close()
        assert process.wait() == 0

"""`voicewarden read`: a reading a row, in order; bands where a confidence is given; bad rows in their place."""

import json
from typing import Any

import pytest
import typer
from tests.fakes.rig import TOP
from typer.testing import CliRunner

from voicewarden.cli.read import read

APP = typer.Typer()
APP.command()(read)
QUESTION = "Shall I book it?"
OPTIONS = ["--config", str(TOP / "config")]


def rows(*told: object) -> tuple[int, list[dict[str, Any]]]:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in told)
    result = CliRunner().invoke(APP, OPTIONS, input=text)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_rows_are_read_in_order() -> None:
    code, told = rows(
        {"question": QUESTION, "answer": "yes, book it"}, {"question": QUESTION, "answer": "yes, but cheaper"}, "",
        {"question": None, "answer": "yes", "id": 7}, {"answer": "take me off your list"},
    )  # fmt: skip
    assert code == 0
    assert told == [
        {"reading": "explicit", "rule": "yes", "words": ["yes,", "book", "it"]},
        {"reading": "conditional", "rule": "reservation", "words": ["but"]},
        {"reading": "ambiguous", "rule": "no_question", "words": ["yes"]},
        {"reading": "revoked", "rule": "opt_out", "words": ["take", "me", "off", "your", "list"]},
    ]


@pytest.mark.parametrize(
    ("confidence", "rule"),
    [(950, "yes"), (0.95, "yes"), (1, "yes"), (1.0, "yes"), (420, "unsure"), (0.42, "unsure"), (100, "not_heard"),
     (0, "not_heard"), ([950, 20], "yes"), ([20, 950], "not_heard"), ([None, 950], "confidence_unknown"),
     ([0.9, 1], "yes"), ([1, 900], "not_heard"), (None, "yes")],
)  # fmt: skip
def test_the_policys_bands_are_laid_over_a_yes(confidence: object, rule: str) -> None:
    _, (told,) = rows({"question": QUESTION, "answer": "yes please", "confidence": confidence})
    assert (told["reading"], told["rule"]) == ("explicit" if rule == "yes" else "ambiguous", rule)


def test_a_refusal_counts_however_badly_it_was_heard() -> None:
    _, (told,) = rows({"question": QUESTION, "answer": "no", "confidence": 3})
    assert told["reading"] == "refused"


def test_what_is_no_row_is_an_error_on_its_own_line() -> None:
    yes = {"answer": "yes", "question": QUESTION}
    bad = ["no", {"question": "?"}, {"answer": 3}, {**yes, "confidence": 1001}, {**yes, "confidence": [1, 2]}, [1]]
    code, told = rows({"answer": "no"}, *bad, {"answer": "no"})
    assert code == 1
    assert [told[0]["reading"], told[-1]["reading"]] == ["refused", "refused"]
    assert [item["line"] for item in told[1:-1]] == [2, 3, 4, 5, 6, 7]
    assert all(item["error"].startswith(f"line {item['line']}: ") for item in told[1:-1])


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(APP, [*OPTIONS, *arguments])
    return result.exit_code, result.output


def test_one_answer() -> None:
    assert run("--question", QUESTION, "--answer", "yes, book it") == (0, "explicit (yes): yes, book it\n")
    assert run("--answer", "yes") == (0, "ambiguous (no_question): yes\n")
    assert run("--question", QUESTION, "--answer", "") == (0, "ambiguous (nothing_said): no words\n")
    code, told = run("--question", QUESTION, "--answer", "yes", "--confidence", "400", "--json")
    assert (code, json.loads(told)) == (0, {"reading": "ambiguous", "rule": "unsure", "words": ["yes"]})


@pytest.mark.parametrize(
    "arguments",
    [("--question", QUESTION), ("--answer", "yes", "--language", "xx"), ("--answer", "yes", "--language", "../en"),
     ("--answer", "yes", "--confidence", "high"),
     ("--question", QUESTION, "--answer", "yes", "--confidence", "nan"),
     ("--question", QUESTION, "--answer", "yes", "--confidence", "1200"),
     ("--question", QUESTION, "--answer", "yes", "--confidence", "900,900")],
)  # fmt: skip
def test_a_wrong_use_says_so(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2

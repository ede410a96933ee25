"""`voicewarden policy diff` over files: exit codes, JSON, and a text that can be read."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from voicewarden.cli.diff import diff

ROOT = Path(__file__).resolve().parents[3]
app = typer.Typer()
app.command()(diff)
Run = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped configuration, and another version of a policy elsewhere."""
    for name in ("config", "agents"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def run(project: Path) -> Run:
    """Runs the command in the project."""
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def version(project: Path) -> Callable[..., str]:
    """Writes another version of the shipped outbound policy; returns its path."""

    def written(*changes: tuple[str, str]) -> str:
        text = (project / "config/policies/outbound-sales.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file = project / "elsewhere" / "new.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return str(file)

    return written


DISCLOSED = "      - {fact: disclosed.ai, is: true, else: deny, why: Agreeing needs knowing with whom.}\n"


def as_json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_equal_policies_exit_0(run: Run, version: Callable[..., str]) -> None:
    result = run("outbound-sales", version(), "--json")
    assert result.exit_code == 0, result.output
    found = as_json(result)
    assert {entry["verdict"] for entry in found["actions"].values()} == {"equivalent"}
    assert {entry["counterexample"] for entry in found["actions"].values()} == {None}
    assert found["settings"] == []
    assert isinstance(found["ms"], int)


def test_a_loosened_requirement_exits_1_with_a_call(run: Run, version: Callable[..., str]) -> None:
    result = run("outbound-sales", version((DISCLOSED, "")), "--json")
    assert result.exit_code == 1, result.output
    entry = as_json(result)["actions"]["book"]
    assert entry["verdict"] == "widens"
    example = entry["counterexample"]
    assert (example["old"], example["new"]) == ("deny", "allow")
    assert example["facts"]["disclosed.ai"] is False
    assert example["told"].startswith("book is allowed instead of refused where ")
    assert example["call"][0].startswith("00:00.0 the call starts (")
    assert "book is allowed; under the old policy it would be refused: disclosed.ai must be true" in example["call"][-1]
    text = run("outbound-sales", version((DISCLOSED, "")))
    assert text.exit_code == 1
    assert "book widens: it allows more than before." in text.stdout
    assert "For example: book is allowed instead of refused" in text.stdout
    assert "Decided as before, in every situation: look_up, hand_over" in text.stdout
    assert "Something is allowed more than before." in text.stdout


def test_the_reverse_narrows_and_exits_0(run: Run, version: Callable[..., str]) -> None:
    result = run(version((DISCLOSED, "")), "outbound-sales", "--json")
    assert result.exit_code == 0, result.output
    assert as_json(result)["actions"]["book"] == {
        "verdict": "narrows", "counterexample": None, "further": [], "changes": [],
    }  # fmt: skip
    assert "book narrows: it allows less than before." in run(version((DISCLOSED, "")), "outbound-sales").stdout


def test_timers_are_listed_and_exit_0(run: Run, version: Callable[..., str]) -> None:
    longer = ("actions:\n", "call: {owner: operations, longest_ms: 300000, why: Short.}\n\nactions:\n")
    result = run("outbound-sales", version(longer), "--json")
    assert result.exit_code == 0, result.output
    assert as_json(result)["settings"] == [
        {"field": "call.longest_ms", "old": 600000, "new": 300000, "verdict": "changed"}
    ]
    text = run("outbound-sales", version(longer))
    assert "call.longest_ms" in text.stdout
    assert "Nothing is allowed more than before." in text.stdout


def test_another_default_of_a_fact_widens(run: Run, version: Callable[..., str]) -> None:
    result = run("outbound-sales", version(("source: crm, default: true", "source: crm, default: false")), "--json")
    assert result.exit_code == 0, result.output
    assert as_json(result)["settings"][0]["verdict"] == "narrows"
    reverse = run(version(("source: crm, default: true", "source: crm, default: false")), "outbound-sales", "--json")
    assert reverse.exit_code == 1
    assert as_json(reverse)["settings"] == [
        {"field": "facts.quote_open.default", "old": False, "new": True, "verdict": "widens"}
    ]


def test_without_agents_and_lines_it_says_why_no_call_is_shown(
    run: Run, version: Callable[..., str], project: Path
) -> None:
    shutil.rmtree(project / "agents")
    result = run("outbound-sales", version((DISCLOSED, "")))
    assert result.exit_code == 1
    assert "No call is shown: no release was given to play a call in." in result.stdout
    assert "No calls are shown: " in result.stdout
    assert as_json(run("outbound-sales", version((DISCLOSED, "")), "--json"))["actions"]["book"]["counterexample"]


def test_one_policy_is_no_comparison(run: Run) -> None:
    assert run("outbound-sales").exit_code == 2

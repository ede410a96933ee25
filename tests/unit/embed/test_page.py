"""docs/embedding.md does what it says: its blocks are run, in order, in an empty folder."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.fakes.rig import TOP
from typer.testing import CliRunner

from voicewarden.cli.decide import decide
from voicewarden.embed import Call
from voicewarden.ledger.store import Ledger
from voicewarden.replay.exact import replay_ledger

PAGE = (TOP / "docs" / "embedding.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.S | re.M)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (policy,) = blocks("yaml")
    (tmp_path / "policy.yaml").write_text(policy, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_of_the_page_runs_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks("python"), 1):
        exec(compile(block, f"embedding.md, block {number}", "exec"), names)
    printed = capsys.readouterr().out
    assert "Hello, I am an automated assistant." in printed
    assert "Shall I book a haircut for Thursday" in printed
    assert "booking {'service': 'haircut', 'start': '2026-12-03T11:00'}" in printed
    assert all(item.difference is None for item in replay_ledger(Ledger.read(folder / "ledger.db")))


def test_the_booking_has_the_lines_that_are_promised() -> None:
    assert "fifteen lines" in PAGE
    assert len([line for line in blocks("python")[0].splitlines() if line.strip()]) <= 16


def test_the_rows_of_the_page_are_decided(folder: Path) -> None:
    (folder / "lists.json").write_text('{"services": ["haircut"]}', encoding="utf-8")
    app = typer.Typer()
    app.command()(decide)
    options = ["--policy", "policy.yaml", "--catalogue", "lists.json"]
    result = CliRunner().invoke(app, options, input=blocks("json")[0])
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == ["allow", "deny"]
    assert result.exit_code == 0


def test_every_method_of_a_call_is_on_the_page() -> None:
    public = {name for name in vars(Call) if not name.startswith("_")}
    assert public - set(re.findall(r"\b(\w+)\b", PAGE)) == set()

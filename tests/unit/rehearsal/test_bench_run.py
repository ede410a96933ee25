"""The whole measurement: its parts, the shape of its result, and what it says when the agents are missing."""

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from voicewarden.cli.bench import bench
from voicewarden.rehearsal.bench import run
from voicewarden.rehearsal.bench.run import Plan, as_json

TOP = Path(__file__).resolve().parents[3]
SHORT = Plan(contest_s=0.05, rounds=1, steps_s=0.05, grants_s=0.05, cases=40)
KEYS = {"p50_us", "p99_us", "p999_us", "per_second"}

pytest.importorskip("fastapi", reason="calls in text need the extra voicewarden[live]")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No measurement here is worth waiting for."""
    monkeypatch.setattr(run, "QUICK", SHORT)


def command() -> typer.Typer:
    """An application of this one command."""
    app = typer.Typer()
    app.command()(bench)
    return app


def test_the_result_has_decisions_by_engine_steps_and_grants() -> None:
    found = run.run(SHORT, TOP / "config", TOP / "agents")
    tree = json.loads(json.dumps(as_json(found)))
    assert tree["decision"]["voicewarden"]["times_ours"] == 1
    for part in (*tree["decision"].values(), tree["step"], tree["grant"]):
        assert part.keys() >= KEYS
    for part in (tree["step"]["reading_caller"], tree["step"]["reading_agent"], tree["grant"]["durable"]):
        assert part.keys() >= KEYS
    assert tree["cross_check"]["mismatches"] == 0
    assert tree["step"]["events"] > 300 and tree["skipped"] == ""
    assert found.steps is not None
    counted = len(found.steps.others.us) + len(found.steps.caller.us) + len(found.steps.agent.us)
    assert counted == len(found.steps.all.us) == found.steps.events * found.steps.rounds


def test_without_agents_decisions_are_measured_and_the_rest_is_explained(tmp_path: Path) -> None:
    found = run.run(SHORT, tmp_path / "config", tmp_path / "agents")
    assert found.steps is None and found.grants is None
    assert "name the folders with --config and --agents" in found.skipped
    tree = as_json(found)
    assert tree["step"] == tree["grant"] == {}
    assert tree["decision"]


def test_a_core_install_measures_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def core(name: str, *rest: Any) -> Any:
        # Any: whatever an import takes and gives.
        if name == "voicewarden.rehearsal.bench" and rest[2] == ("calls",):
            raise ModuleNotFoundError("no web server", name="uvicorn")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", core)
    found = run.run(SHORT, TOP / "config", TOP / "agents")
    assert found.steps is None
    assert found.skipped == "uvicorn is not installed, which calls in text need: pip install 'voicewarden[live]'"


def test_json_is_all_that_is_printed(tmp_path: Path) -> None:
    folders = ["--config", str(TOP / "config"), "--agents", str(TOP / "agents"), "--out", str(tmp_path)]
    ran = CliRunner().invoke(command(), ["--json", "--quick", *folders])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["decision"]["voicewarden"].keys() >= KEYS
    assert json.loads((tmp_path / "bench.json").read_bytes()) == json.loads(ran.stdout)
    assert (tmp_path / "bench.svg").read_text(encoding="utf-8").startswith("<svg")


def test_tables_and_histograms_for_people(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        command(), ["--quick", "--config", str(tmp_path), "--agents", str(tmp_path), "--out", str(tmp_path)]
    )
    assert ran.exit_code == 0, ran.output
    assert "all equal" in ran.stdout and "verdict and all reasons" in ran.stdout
    assert "█" in ran.stdout and "bench.svg" in ran.stdout
    assert "steps and grants were left out" in ran.stderr

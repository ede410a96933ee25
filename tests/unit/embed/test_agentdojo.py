"""`benchmarks/agentdojo.py` runs where AgentDojo is installed, and says what to install where it is not."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.rig import TOP

INSTALLED = importlib.util.find_spec("agentdojo") is not None


def ran(folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(TOP / "src")}
    command = [sys.executable, str(TOP / "benchmarks" / "agentdojo.py"), "--quick", "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=TOP)


@pytest.mark.skipif(INSTALLED, reason="AgentDojo is installed")
def test_it_says_what_to_install(tmp_path: Path) -> None:
    run = ran(tmp_path)
    assert run.returncode == 1
    assert run.stderr.splitlines() == [
        "AgentDojo is not installed; run: pip install --no-deps --require-hashes -r requirements/agentdojo.txt"
    ]


@pytest.mark.skipif(not INSTALLED, reason="AgentDojo is not installed (requirements/agentdojo.txt)")
def test_users_tasks_pass_and_injections_do_not(tmp_path: Path) -> None:
    run = ran(tmp_path)
    assert run.returncode == 0, run.stderr
    figures = json.loads((tmp_path / "agentdojo.json").read_text(encoding="utf-8"))
    assert figures["user tasks that pass"] == "3 of 3"
    assert figures["... denied, exact arguments"] == "27 of 27 (100.0%)"

"""Every benchmark runs with `--quick`, writes its results, and measures what it says it measures."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[3]
FOLDER = TOP / "benchmarks"
BENCHMARKS = ("gate_latency", "turn_gap", "line_load", "gates_added", "reactions", "start_up", "wake_to_decision",
              "replay_rate")  # fmt: skip

pytest.importorskip("pipecat", reason="the benchmarks of the line need the extra voicewarden[live]")


@functools.cache
def measured(name: str) -> dict[str, Any]:
    """The JSON that a quick run wrote; each benchmark runs once."""
    # Any: a document whose parts differ.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOP / "src"), str(FOLDER)])}
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, str(FOLDER / f"{name}.py"), "--quick", "--out", folder], cwd=TOP, env=environment,
            capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert "commit" in ran.stdout and "load" in ran.stdout
        assert (Path(folder) / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")
        found: dict[str, Any] = json.loads((Path(folder) / f"{name}.json").read_bytes())
        return found


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_quick_run_leaves_figures_and_a_plot(name: str) -> None:
    found = measured(name)
    assert any(row["n"] for row in found["rows"].values())
    assert {"machine", "commit", "load_before", "load_after", "goals"} <= set(found)


def test_gaps_and_their_parts_are_those_of_the_calls_in_text() -> None:
    """A text call waits 500 ms for the end of a turn, 200 for the model, 120 for the first sound."""
    rows = measured("turn_gap")["rows"]
    assert rows["turn ended"]["p50"] == 500
    assert rows["proposed"]["p50"] == 700
    assert rows["... answered by the model"]["p50"] == 820


def test_a_barge_in_is_found() -> None:
    """In a text call the agent is silent at once."""
    found = measured("reactions")["rows"]["barge-in to silence"]
    assert (found["n"], found["max"]) == (1, 0)


def test_the_gate_is_measured_in_the_shape_of_the_command() -> None:
    found = measured("gate_latency")
    for part in (*found["decision"].values(), found["step"], found["grant"]):
        assert {"p50_us", "p99_us", "p999_us", "per_second"} <= set(part)
    assert found["cross_check"]["mismatches"] == 0


def test_decisions_in_live_calls_are_denials_of_all_calls() -> None:
    """Every key press of every call leads to one decision, under each condition."""
    found = measured("wake_to_decision")
    for label, row in found["rows"].items():
        assert found[f"... of {label}"]["verdicts"] == str({"deny": row["n"]})

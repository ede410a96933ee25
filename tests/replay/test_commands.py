"""`voicewarden replay`, `whatif`, `pin` and `check-golden`: exit codes, JSON, and texts that can be read."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.fakes.rig import TOP
from tests.replay.golden import CALLS
from tests.replay.text_ledger import FIRST, unpack
from typer.testing import CliRunner, Result

from voicewarden.cli.golden import check_golden, pin
from voicewarden.cli.replay import replay
from voicewarden.cli.whatif import whatif
from voicewarden.model.error import LedgerError

app = typer.Typer()
for command in (replay, whatif, pin, check_golden):
    app.command()(command)
Run = Callable[..., Result]
ANYBODY = "      - any: [{fact: quote_open, is: true}, {fact: direction, is: inbound}]\n"
INBOUND = "      - {fact: direction, is: inbound, else: escalate, why: Only who calls us.}\n"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(FIRST, tmp_path_factory.mktemp("commands"))


@pytest.fixture
def ledger(packed: Path, tmp_path: Path) -> Path:
    shutil.copytree(packed.parent, tmp_path / "var")
    return tmp_path / "var" / "ledger.db"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *arguments: CliRunner().invoke(app, [str(item) for item in arguments])


@pytest.fixture
def narrower(tmp_path: Path) -> Path:
    """The shipped policy, which may book only for who calls."""
    text = (TOP / "config/policies/outbound-sales.yaml").read_text()
    assert ANYBODY in text
    head, _, rest = text.partition(ANYBODY)
    file = tmp_path / "narrower.yaml"
    file.write_text(head + INBOUND + rest.split("\n", 2)[2])
    return file


def as_json(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def alter(ledger: Path) -> None:
    """Make one refusal an approval, and leave everything else as it is."""
    with sqlite3.connect(ledger) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            'UPDATE records SET body = CAST(REPLACE(CAST(body AS TEXT), \'"verdict":"confirm"}\', '
            '\'"verdict":"allow"}\') AS BLOB) WHERE rowid = (SELECT MIN(rowid) FROM records '
            "WHERE kind = 'decision' AND CAST(body AS TEXT) LIKE '%\"verdict\":\"confirm\"%')"
        )
    connection.close()


def test_a_whole_ledger_replays(run: Run, ledger: Path) -> None:
    found = run("replay", ledger, "--json")
    assert found.exit_code == 0, found.output
    assert (as_json(found)["calls"], as_json(found)["mismatches"]) == (10, 0)


def test_one_call_of_a_folder_replays(run: Run, ledger: Path) -> None:
    found = run("replay", ledger.parent, "--call", "golden-booked")
    assert found.exit_code == 0 and found.stdout.startswith("1 calls, ")


def test_a_changed_record_is_shown_side_by_side(run: Run, ledger: Path) -> None:
    alter(ledger)
    found = run("replay", ledger)
    assert found.exit_code == 1
    assert "golden-booked: record" in found.stdout and "expected (replayed)" in found.stdout
    (line,) = [line for line in found.stdout.splitlines() if "≠" in line]
    assert "confirm" in line and "allow" in line
    data = as_json(run("replay", ledger, "--json"))
    assert data["mismatches"] == 1 and list(data["failed"]) == ["golden-booked"]
    (field,) = data["first_difference"]["fields"]
    assert (field["expected"], field["found"]) == ("confirm", "allow")


def test_progress_is_kept(run: Run, ledger: Path, tmp_path: Path) -> None:
    for _ in range(2):
        found = run("replay", ledger, "--progress", tmp_path / "p", "--json")
        assert (found.exit_code, as_json(found)["calls"]) == (0, 10)
    assert len((tmp_path / "p").read_text().split()) == 11


def test_what_if_says_what_flips(run: Run, ledger: Path, narrower: Path) -> None:
    pytest.importorskip("z3")
    found = run("whatif", ledger, "--policy", narrower, "--config", TOP / "config")
    assert found.exit_code == 0, found.output
    assert "lost: book 3 certain" in found.stdout and "proved by the rules" in found.stdout
    assert "look at golden-booked record" in found.stdout and "golden-booked.html#r" in found.stdout
    assert "would have gone on differently" in " ".join(found.stdout.split())


def test_what_if_as_json(run: Run, ledger: Path, narrower: Path) -> None:
    pytest.importorskip("z3")
    data = as_json(run("whatif", ledger, "--policy", narrower, "--config", TOP / "config", "--json"))
    assert (data["calls"], data["problems"]) == (10, {})
    assert data["lost"]["book"]["certain"] == 3 and not data["gained"]
    # The ledger is of the first version: settings have come since, and the policy differs from its own in them too.
    assert {flip["possible"] for flip in data["flips"]} <= {
        "proved by the rules", "by how often it was asked", "by a setting",
    }  # fmt: skip
    assert {flip["call"] for flip in data["flips"]} <= {"golden-booked", "golden-booked-by-key", "golden-refused",
                                                       "golden-barely-heard", "golden-rogue"}  # fmt: skip


def test_what_if_over_a_changed_ledger_is_a_finding(run: Run, ledger: Path) -> None:
    alter(ledger)
    found = run("whatif", ledger, "--policy", "outbound-sales", "--config", TOP / "config")
    assert found.exit_code == 1 and "golden-booked: it does not replay" in found.stdout


def test_a_pinned_call_is_checked(run: Run, ledger: Path, tmp_path: Path) -> None:
    folder = tmp_path / "calls"
    for call in ("golden-booked", "golden-rogue"):
        found = run("pin", ledger, call, "--dir", folder, "--name", call.removeprefix("golden-"))
        assert found.exit_code == 0 and "words and numbers replaced" in found.stdout, found.output
    assert sorted(path.name for path in folder.iterdir()) == ["booked.jsonl", "releases", "rogue.jsonl"]
    checked = run("check-golden", folder)
    assert checked.exit_code == 0 and checked.stdout.splitlines()[-1] == "2 calls, 0 failed"


def test_a_golden_call_that_decides_otherwise_is_shown(run: Run, ledger: Path, tmp_path: Path) -> None:
    run("pin", ledger, "golden-booked", "--dir", tmp_path, "--name", "booked", "--keep-words")
    file = tmp_path / "booked.jsonl"
    file.write_text(file.read_text().replace('"verdict":"confirm"}', '"verdict":"allow"}', 1))
    found = run("check-golden", tmp_path)
    assert found.exit_code == 1 and "FAIL booked" in found.stdout and "≠" in found.stdout
    data = as_json(run("check-golden", tmp_path, "--json"))
    assert list(data["failed"]) == ["booked"] and data["first_difference"]["call"] == "golden-booked"


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden"])
def test_a_golden_call_stays_in_its_folder(run: Run, ledger: Path, tmp_path: Path, name: str) -> None:
    found = run("pin", ledger, "golden-booked", "--dir", tmp_path / "calls", "--name", name)
    assert found.exit_code == 2 and not (tmp_path / "calls").exists()


def test_a_call_that_is_not_there_is_an_error(run: Run, ledger: Path, tmp_path: Path) -> None:
    found = run("pin", ledger, "golden-book", "--dir", tmp_path)
    assert isinstance(found.exception, LedgerError)


def test_our_own_golden_calls_pass(run: Run) -> None:
    found = run("check-golden", CALLS, "--json")
    assert found.exit_code == 0 and as_json(found)["failed"] == {}, found.output

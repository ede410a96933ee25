"""The JSON Schemas: committed, fresh, and what editors are told agrees with what is accepted."""

import json
from pathlib import Path

import pytest

from voicewarden.config.schema import main, schemas, stale

TOP = Path(__file__).resolve().parents[3]


def test_the_committed_schemas_are_fresh() -> None:
    assert stale(TOP / "schema") == []
    assert {path.name for path in (TOP / "schema").glob("*.json")} == set(schemas())


def test_check_fails_on_a_stale_file_and_writing_mends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--directory", str(tmp_path)]) == 1
    assert "policy.json is stale" in capsys.readouterr().out
    assert main(["--directory", str(tmp_path)]) == 0
    assert main(["--check", "--directory", str(tmp_path)]) == 0
    (tmp_path / "agent.json").write_text("{}", encoding="utf-8")
    assert main(["--check", "--directory", str(tmp_path)]) == 1


def test_keys_are_spelled_as_in_the_files() -> None:
    policy = json.loads(schemas()["policy.json"])
    rule = policy["$defs"]["RuleEntry"]
    assert {"fact", "is", "in", "at_least", "at_most", "between", "within_ms", "known", "any", "all", "else", "offer",
            "shadow", "why", "owner"} == set(rule["properties"])  # fmt: skip
    assert set(rule["required"]) == {"why", "else"}
    assert policy["additionalProperties"] is False


def test_a_layer_may_leave_blocks_out() -> None:
    policy = json.loads(schemas()["policy.json"])
    assert policy["required"] == ["policy"]
    assert "hearing" in policy["then"]["required"]
    assert "required" not in policy["$defs"]["BudgetEntry"]


def test_secrets_are_not_offered() -> None:
    settings = json.loads(schemas()["settings.json"])
    assert "auth_token" not in settings["$defs"]["TwilioSettings"]["properties"]
    assert "auth_token_file" in settings["$defs"]["TwilioSettings"]["properties"]


@pytest.mark.parametrize("pattern", ["config/*.yaml", "config/policies/*.yaml", "agents/*/agent.yaml"])
def test_every_shipped_file_names_its_schema(pattern: str) -> None:
    files = sorted(TOP.glob(pattern))
    assert files
    for file in files:
        line = file.read_text(encoding="utf-8").splitlines()[0]
        assert line.startswith("# yaml-language-server: $schema=")
        assert (file.parent / line.partition("=")[2]).resolve().is_file()

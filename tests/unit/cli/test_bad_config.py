"""Wrong files and settings at the command line: one clear text on stderr with file and line, exit 1, no traceback."""

import shutil
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from voicewarden.cli.main import FINDINGS, app
from voicewarden.config.release import load_release
from voicewarden.model.error import ConfigError
from voicewarden.rehearsal.quiet_carrier import QuietCarrier
from voicewarden.runtime.outfit import Outfit

ROOT = Path(__file__).resolve().parents[3]
Started = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped configuration that may be spoilt."""
    for name in ("config", "agents"):
        shutil.copytree(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Started:
    """Runs a command as `main` does; returns exit code, stdout, stderr."""

    def started(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            app(list(arguments), standalone_mode=True)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return int(ended.value.code or 0), printed.out, printed.err

    return started


def line_of(file: Path, text: str) -> int:
    """The number of the first line that holds this."""
    return next(n for n, line in enumerate(file.read_text().splitlines(), start=1) if text in line)


def spoil(file: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_shipped_policies_are_fine(run: Started) -> None:
    for policy in ("outbound-sales", "inbound-service", "booking-only", "organisation"):
        code, out, _ = run("policy", "check", policy)
        assert code == 0, policy
        assert "fine" in out


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("{after_ms: 10000, do: goodbye}", "{after_ms: 10000, do: [}", ""),
        ("longest_ms: 600000", "longest_ms: soon", "longest_ms"),
        ("after_ms: 10000", "after_ms: 10000, after_ms: 1", "after_ms"),
        ("longest_ms: 600000", "logest_ms: 600000", "logest_ms"),
        ("{fact: desk_open, is: true", "{fact: desk_opne, is: true", "desk_opne"),
        ("{fact: desk_open, is: true", "{fact: desk_open, izz: true", "izz"),
        ("stages: {observe: allow", "stages: {obsrve: allow", "obsrve"),
        ("at_most: 2, else: deny", "at_most: 2, else: perhaps", "perhaps"),
    ],
)
def test_a_wrong_policy_names_file_line_and_what_is_wrong(
    project: Path, run: Started, old: str, new: str, named: str
) -> None:
    file = project / "config" / "policies" / "organisation.yaml"
    spoil(file, old, new)
    code, _, err = run("policy", "check", "outbound-sales")
    assert code == FINDINGS
    assert err.startswith("voicewarden: ")
    assert "organisation.yaml:" in err
    assert named in err
    wrong = line_of(file, new.splitlines()[0])
    places = [int(part.split(":")[1]) for part in err.split() if "organisation.yaml:" in part]
    # An unclosed bracket is noticed where the next thing can't follow.
    assert any(wrong <= place <= wrong + 1 for place in places), err


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("agents/booking/agent.yaml", "action: book,", "action: boook,", "boook"),
        ("agents/booking/agent.yaml", "opening: openings.booking", "opening: openings.nothing", "openings.nothing"),
        ("config/lines.yaml", "  safe: ", "  saef: ", "safe"),
        ("config/catalogue.yaml", "services:", "services: [", "catalogue"),
    ],
)
def test_a_wrong_agent_or_line_is_named_with_its_file(
    project: Path, run: Started, file: str, old: str, new: str, named: str
) -> None:
    spoil(project / file, old, new)
    code, _, err = run("policy", "check", "outbound-sales")
    assert code == FINDINGS
    assert Path(file).name in err or Path(file).stem in err
    assert named in err


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"- a\n- b\n", b"policy: &a [*a]\n", b"!!python/object:os.system x\n"]
)
def test_a_file_that_is_no_policy_is_refused_and_never_run(project: Path, run: Started, content: bytes) -> None:
    (project / "config" / "policies" / "odd.yaml").write_bytes(content)
    code, _, err = run("policy", "check", "odd")
    assert code == FINDINGS
    assert "odd.yaml" in err


def test_a_policy_that_is_not_there_is_named_with_those_that_are(run: Started) -> None:
    code, _, err = run("policy", "check", "nothing")
    assert code == FINDINGS
    assert "nothing" in err


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("port: 8765", "port: 99999", "port"),
        ("host: 127.0.0.1", "host: 0.0.0.0", "127.0.0.1"),
        ("zone: America/New_York", "zone: Middle/Earth", "zone"),
        ("profile: development", "profil: development", "profil"),
        ("name: scripted", "api_key: visible", "secret"),
    ],
)
def test_wrong_settings_stop_the_server_before_anything_is_opened(
    project: Path, run: Started, old: str, new: str, named: str
) -> None:
    pytest.importorskip("pipecat")
    file = project / "config" / "voicewarden.yaml"
    spoil(file, old, new)
    code, _, err = run("serve")
    assert code == FINDINGS
    assert f"voicewarden.yaml:{line_of(file, new)}" in err
    assert named in err
    assert not (project / "var").exists()


def test_a_server_without_a_carrier_account_says_what_to_set(
    project: Path, run: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pipecat")
    for name in ("ACCOUNT_SID", "AUTH_TOKEN", "FROM_NUMBER"):
        monkeypatch.delenv(f"VOICEWARDEN_TWILIO_{name}", raising=False)
    code, _, err = run("serve")
    assert code == FINDINGS
    assert "twilio.account_sid, twilio.auth_token, twilio.from_number, public_base_url" in err
    assert "docs/twilio.md" in err


def test_an_action_that_nobody_here_can_carry_out_is_named_before_a_call_is_taken(project: Path) -> None:
    spoil(project / "config" / "policies" / "organisation.yaml", "  look_up:\n", "  look_upp:\n    effect: false\n")
    release = load_release(project / "config", project / "agents", policy="organisation", approved=True)
    outfit = Outfit(
        release, var_dir=project / "var", zone=ZoneInfo("UTC"), carrier=QuietCarrier(), number_of=lambda _: None
    )
    with pytest.raises(ConfigError, match="look_upp"):
        outfit.check()


def test_an_order_without_a_server_says_how_to_start_one(run: Started) -> None:
    code, _, err = run("call", "+15555550120", "--agent", "booking")
    assert code == FINDINGS
    assert "voicewarden serve" in err
    assert "5555550120" not in err


@pytest.mark.parametrize("command", [("replay",), ("ledger", "verify")])
def test_a_ledger_that_is_not_there_or_none_is_refused_in_one_line(
    project: Path, run: Started, command: tuple[str, ...]
) -> None:
    (project / "notes.txt").write_text("not a ledger")
    for name in ("nowhere.db", "notes.txt"):
        code, _, err = run(*command, name)
        assert code == FINDINGS
        assert name in err
        assert len(err.strip().splitlines()) == 1
    assert not (project / "nowhere.db").exists()


def test_a_usage_error_exits_with_two() -> None:
    assert CliRunner().invoke(app, ["policy", "no-such-command"]).exit_code == 2
    assert CliRunner().invoke(app, ["call"]).exit_code == 2

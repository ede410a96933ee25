"""The call report in a real browser: its script runs, its own content policy stops nothing, it draws."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.fakes.recorded_call import booking_call, two_channels

from voicewarden.ledger.store import Ledger
from voicewarden.model.event import RecordingStored
from voicewarden.replay.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr"
).split()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with sound."""
    folder = tmp_path_factory.mktemp("report")
    sample = booking_call()
    content = two_channels(sample.now_ms)
    (folder / "call.wav").write_bytes(content)
    blob = hashlib.sha256(content).hexdigest()
    sample.happen(RecordingStored(at_ms=sample.now_ms, blob=blob, from_ms=0, ms=sample.now_ms))
    with Ledger.open(folder / "ledger.db") as ledger:
        sample.store(ledger)
        return write_report(ledger, "sample-1", folder / "report.html", recording=folder / "call.wav")


def browse(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the browser once over a page."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run


def console(run: subprocess.CompletedProcess[str]) -> list[str]:
    """What the page wrote to the console: refusals of its own content policy are there too."""
    return [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_script_runs_and_nothing_is_refused(page: Path, tmp_path: Path) -> None:
    run = browse(tmp_path / "p", "--dump-dom", page.as_uri())
    assert 'class="scripted"' in run.stdout
    assert console(run) == []


def test_link_to_a_record_opens_the_log(page: Path, tmp_path: Path) -> None:
    run = browse(tmp_path / "p", "--dump-dom", f"{page.as_uri()}#r3")
    assert '<details id="records" open="">' in run.stdout
    assert '<li id="r3"><details open="">' in run.stdout
    assert '<li id="r4"><details><summary>' in run.stdout


@pytest.mark.parametrize(("width", "scheme"), [(1280, 1), (500, 0)], ids=["desktop-light", "phone-dark"])
def test_page_draws(page: Path, tmp_path: Path, width: int, scheme: int) -> None:
    shot = tmp_path / "shot.png"
    run = browse(
        tmp_path / "p", f"--window-size={width},1600", f"--blink-settings=preferredColorScheme={scheme}",
        f"--screenshot={shot}", page.as_uri(),
    )  # fmt: skip
    content = shot.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == width
    # A blank page of this size packs into a few kilobytes.
    assert len(content) > 40_000
    assert console(run) == []

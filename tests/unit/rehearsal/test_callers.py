"""Caller sounds: level, trimming, cache, noise, missing engines, and the order of a script's steps."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from voicewarden.model.error import MissingPart, SpeechFailed
from voicewarden.rehearsal.callers import (
    BargeIn,
    HangUp,
    Noise,
    PlayFile,
    Press,
    Say,
    ScriptedCaller,
    StartNoise,
    StopNoise,
    Wait,
    WaitForAgent,
    engines,
    level_for_snr,
    mixed,
    recordings,
    voices,
)
from voicewarden.rehearsal.callers.engines import Voice
from voicewarden.rehearsal.callers.loudness import Pcm, amplitude, speech_level_dbfs, to_line
from voicewarden.rehearsal.carrier.line import Line, LineClosed

HZ = 16_000


def speech(duration_ms: int = 300, rate_hz: int = HZ, peak: int = 2_000) -> Pcm:
    """Return half a second of silence, a tone, and silence again."""
    tone = peak * np.sin(2 * np.pi * 440 * np.arange(duration_ms * rate_hz // 1000) / rate_hz)
    pad = np.zeros(rate_hz // 2)
    return np.concatenate((pad, tone, pad)).astype(np.int16)


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the engines by a tone and list what was asked of them."""
    asked: list[str] = []

    def speak(voice: Voice, texts: Sequence[str]) -> list[tuple[Pcm, float]]:
        asked.extend(texts)
        return [(speech(), float(HZ)) for _ in texts]

    monkeypatch.setattr(voices, "speak", speak)
    return asked


@pytest.mark.parametrize("peak", [300, 2_000, 30_000])
def test_every_line_has_the_same_level_and_short_edges(peak: int) -> None:
    line = to_line(speech(peak=peak), HZ)
    assert speech_level_dbfs(line) == pytest.approx(-20, abs=0.5)
    assert 2400 <= line.size <= 2400 + 8 * 160


def test_silence_stays_silence() -> None:
    assert not to_line(np.zeros(8000, dtype=np.int16), HZ).any()
    assert speech_level_dbfs(np.zeros(800, dtype=np.int16)) == float("-inf")


def test_a_line_is_spoken_once_and_then_read_from_the_cache(spoken: list[str], tmp_path: Path) -> None:
    first = voices.synthesise("Yes.", "slt", tmp_path)
    again = voices.synthesise("Yes.", "slt", tmp_path)
    voices.synthesise("Yes.", "awb", tmp_path)
    assert np.array_equal(first, again)
    assert spoken == ["Yes.", "Yes."]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unknown_voice_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="known are joe"):
        voices.synthesise("Yes.", "nobody", tmp_path)


def test_a_missing_engine_names_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPart, match="apt-get install flite"):
        voices.synthesise("Yes.", "slt", tmp_path)
    with pytest.raises(MissingPart, match="apt-get install flite"):
        voices.first_installed("joe")
    assert voices.installed_voices() == ()


def test_missing_recordings_name_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recordings, "SOUND_FOLDERS", (tmp_path,))
    assert not recordings.has_recordings()
    with pytest.raises(MissingPart, match="asterisk-core-sounds-en-wav"):
        recordings.recording("vm-intro")


@pytest.mark.skipif(not recordings.has_recordings(), reason="asterisk-core-sounds-en-wav is not installed")
def test_the_voicemail_greeting_ends_with_the_beep() -> None:
    with_beep, without = recordings.voicemail_greeting(), recordings.voicemail_greeting(has_beep=False)
    beep = recordings.recording("beep")
    assert np.array_equal(with_beep[-beep.size :], beep)
    assert with_beep.size > without.size + beep.size
    with pytest.raises(MissingPart, match="no-such-prompt"):
        recordings.recording("no-such-prompt")


@pytest.mark.skipif(not engines.is_installed("flite"), reason="flite is not installed")
def test_flite_really_speaks(tmp_path: Path) -> None:
    line = voices.synthesise("Yes, go ahead.", "slt", tmp_path)
    assert 4_000 < line.size < 24_000
    assert speech_level_dbfs(line) == pytest.approx(-20, abs=1)


def test_a_failing_engine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "is_installed", lambda name: True)
    monkeypatch.setattr(engines, "_program", lambda *given: engines._run(["false"], "flite"))
    with pytest.raises(SpeechFailed, match="flite ended with 1"):
        engines.speak(Voice("flite", "slt"), ["Yes."])


@pytest.mark.parametrize("kind", ["white", "babble"])
def test_noise_has_its_level_and_repeats_with_its_seed(kind: str) -> None:
    assert kind == "white" or kind == "babble"
    frames = np.concatenate([noise.next_frame() for noise in [Noise(kind, -30, seed=5)] for _ in range(400)])
    assert np.sqrt(np.mean(frames.astype(float) ** 2)) == pytest.approx(amplitude(-30), rel=0.02)
    assert np.array_equal(Noise(kind, -30, seed=5).next_frame(), frames[:160])
    assert not np.array_equal(Noise(kind, -30, seed=6).next_frame(), frames[:160])


def test_mixing_reaches_the_asked_ratio() -> None:
    line = to_line(speech(2_000), HZ)
    rest = mixed(line, "white", 10).astype(float) - line
    assert 20 * np.log10(np.sqrt(np.mean(rest**2)) / 32768) == pytest.approx(level_for_snr(10), abs=0.3)


async def test_a_script_does_its_steps_in_order(spoken: list[str], tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(HZ)
        wav.writeframes(speech().tobytes())
    acts: list[str] = []
    line = Line(acts.append, lambda: acts.append("left"))
    steps = [
        StartNoise(snr_db=20, kind="white"),
        WaitForAgent(silence_ms=100, timeout_ms=2_000),
        Say("Hello?"),
        BargeIn(after_ms=40, text="Stop.", timeout_ms=100),
        StopNoise(),
        PlayFile(path),
        Press("1"),
        Wait(40),
        HangUp(),
    ]
    caller = ScriptedCaller(steps, tmp_path, voice="slt")
    caller.prepare()
    talking = asyncio.create_task(caller.talk(line))
    voice, quiet = np.full(160, 3_000, dtype=np.int16), np.zeros(160, dtype=np.int16)
    for index in range(400):
        await asyncio.sleep(0)
        if talking.done():
            break
        line.next_frame()
        line.hear(voice if 5 <= index < 15 else quiet)
    await talking
    assert acts == ["1", "left"]
    # The agent stayed silent after its first sentence, so there was nobody to interrupt.
    assert caller.missed == [3]
    assert sorted(spoken) == ["Hello?", "Stop."]
    line.close()
    with pytest.raises(LineClosed):
        await line.wait(20)

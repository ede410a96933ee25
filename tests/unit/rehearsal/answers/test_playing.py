"""A clip through sensors and kernel: who answered, and the same for every size of chunk."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from voicewarden.config.shipped import open_release
from voicewarden.kernel.release import Compiled
from voicewarden.model.event import Word
from voicewarden.rehearsal.answers import remembered, signals
from voicewarden.rehearsal.answers.clip import Clip, Label, Perturbation
from voicewarden.rehearsal.answers.playing import play
from voicewarden.rehearsal.answers.remembered import RememberedHearing
from voicewarden.sensors import mulaw
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import Transcript

CONFIG = Path(__file__).resolve().parents[4] / "config"


class Fixed:
    """Hears the same words in everything."""

    def __init__(self, words: str) -> None:
        self.words = words.split()
        self.asked = 0

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        self.asked += 1
        heard = tuple(Word(word, 900, 100 * number, 100 * number + 90) for number, word in enumerate(self.words))
        return Transcript(" ".join(self.words), heard, -100, 0, 1_000, 10_000, False, 1, speech_ms or 0, ())


@pytest.fixture(scope="module")
def release() -> Compiled:
    return Compiled(open_release("organisation", config=CONFIG).release)


def clip(*parts: signals.Sound) -> Clip:
    pcm = (np.concatenate(parts) * 32_000).astype(np.int16)
    return Clip("clip", mulaw.decode(mulaw.encode(pcm)), Label("human", "", "", "", "", "en", "test", Perturbation()))


def voice(ms: int) -> signals.Sound:
    """Syllables of a harmonic sound."""
    at = np.arange(ms * 8) / 8_000
    tone = sum(np.sin(2 * np.pi * 130 * n * at + n) / n for n in range(1, 15))
    return np.asarray(0.1 * tone * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)))


def test_a_short_greeting_is_a_person(release: Compiled) -> None:
    outcome = play(clip(signals.silence(500), voice(700), signals.silence(4_000)), release, Fixed("hello"))
    assert outcome.verdict == "human"
    assert outcome.decided_at_ms is not None
    assert 1_200 <= outcome.decided_at_ms <= 4_500
    assert outcome.opened_at_ms is not None
    assert outcome.evidence


def test_nothing_at_all_comes_to_a_verdict(release: Compiled) -> None:
    outcome = play(clip(signals.silence(1_000)), release, Fixed("hello"))
    assert outcome.verdict == "no_speech"
    assert not outcome.utterances


def test_a_beep_after_a_recorded_greeting_means_that_a_message_may_start(release: Compiled) -> None:
    mailbox = clip(
        signals.silence(300), voice(3_000), signals.silence(400), signals.tone((1_000.0,), 400, -20.0),
        signals.silence(3_000),
    )  # fmt: skip
    outcome = play(mailbox, release, Fixed("please leave a message after the tone"))
    assert outcome.verdict == "voicemail"
    assert outcome.message_ready_at_ms is not None
    assert 4_000 <= outcome.message_ready_at_ms <= 6_700


@pytest.mark.parametrize("chunk_ms", [10, 60])
def test_the_size_of_a_chunk_changes_nothing(release: Compiled, chunk_ms: int) -> None:
    sound = clip(signals.silence(730), voice(2_900), signals.silence(430), voice(600), signals.silence(3_000))
    whole = play(sound, release, Fixed("hello there"))
    assert play(sound, release, Fixed("hello there"), chunk_ms=chunk_ms) == whole


def test_what_was_understood_once_is_remembered(tmp_path: Path) -> None:
    fixed = Fixed("hello there")
    first, second = (RememberedHearing(tmp_path, lambda: fixed) for _ in range(2))
    pcm = np.arange(8_000, dtype=np.int16)
    assert first.transcribe(pcm, speech_ms=500) == second.transcribe(pcm, speech_ms=500)
    assert (fixed.asked, first.understood, second.understood, second.asked) == (1, 1, 0, 1)
    second.transcribe(pcm, speech_ms=501)
    assert fixed.asked == 2


def test_changed_code_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = Fixed("hello there")
    hearing = RememberedHearing(tmp_path, lambda: fixed)
    pcm = np.arange(8_000, dtype=np.int16)
    hearing.transcribe(pcm)
    monkeypatch.setattr(remembered, "_code", lambda: "another")
    hearing.transcribe(pcm)
    assert fixed.asked == 2


def test_a_transcript_comes_back_whole(tmp_path: Path) -> None:
    found = Fixed("hello there").transcribe(np.zeros(8, dtype=np.int16))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Transcript) == found

"""Clips: the same bytes for the same name, and labels that are true of the sound."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from voicewarden.rehearsal.answers import line, signals
from voicewarden.rehearsal.answers.casting import Role, roles
from voicewarden.rehearsal.answers.clip import Perturbation
from voicewarden.rehearsal.answers.making import Studio
from voicewarden.rehearsal.answers.speakers import Speaker
from voicewarden.rehearsal.answers.speech import SpokenLines, voiced_span
from voicewarden.rehearsal.answers.texts import Text
from voicewarden.sensors import mulaw

VOICE = Speaker(id="ours", origin="ours", split="test", kind="synthetic")


def vowel(ms: int) -> mulaw.Samples:
    """A harmonic sound of so many milliseconds."""
    at = np.arange(ms * 8) / 8_000
    return np.asarray(2_000 * sum(np.sin(2 * np.pi * 130 * n * at) / n for n in range(1, 10))).astype(np.int16)


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A studio whose one voice says every line as a vowel of 600 ms."""
    monkeypatch.setattr(SpokenLines, "sound", lambda self, speaker, words: vowel(600))
    return Studio("test", tmp_path, has_babble=False)


def mailbox(words: str = "One. | Two.", number: int = 0) -> Role:
    text = Text("voicemail", "personal", "personal 1", words, has_beep=True)
    return Role(f"test/voicemail/{number}", "test", "voicemail", VOICE, text)


def test_the_same_name_gives_the_same_bytes(studio: Studio, tmp_path: Path) -> None:
    wordless = [role for role in itertools.islice(roles("test"), 200) if role.speaker is None][:6]
    again = Studio("test", tmp_path, has_babble=False)
    for role in wordless:
        one, other = studio.make(role), again.make(role)
        assert one.pcm.dtype == np.int16
        assert one.label == other.label
        assert np.array_equal(one.pcm, other.pcm)


def test_another_seed_gives_another_line(studio: Studio, tmp_path: Path) -> None:
    other = Studio("test", tmp_path, seed=1, has_babble=False)
    assert studio.make(mailbox()).label.perturbation != other.make(mailbox()).label.perturbation


def test_labels_frame_the_speech_and_the_beep(studio: Studio) -> None:
    for number in range(20):
        label = studio.make(mailbox(number=number)).label
        assert label.onset_ms == label.perturbation.lead_ms
        assert label.greeting_end_ms is not None
        spoken_ms = label.greeting_end_ms - label.perturbation.lead_ms
        assert 1_200 + 0.8 * 350 - 10 <= spoken_ms <= 1_200 + 1.25 * 350 + 10
        if label.beep is not None:
            assert label.beep.at_ms > label.greeting_end_ms
            assert 350 <= label.beep.hz <= 2_200
            assert 80 <= label.beep.ms <= 800


def test_most_mailboxes_beep_and_some_do_not(studio: Studio) -> None:
    beeps = [studio.make(mailbox(number=number)).label.beep for number in range(60)]
    assert 36 <= sum(beep is not None for beep in beeps) <= 57


def test_a_beep_is_where_its_label_says(studio: Studio) -> None:
    found = (studio.make(mailbox(number=number)) for number in range(60))
    clip = next(
        clip for clip in found
        if clip.label.beep and clip.label.perturbation.noise is None and not clip.label.perturbation.loss_permille
    )  # fmt: skip
    beep = clip.label.beep
    assert beep is not None
    within = clip.pcm[beep.at_ms * 8 : (beep.at_ms + beep.ms) * 8].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(within * np.hanning(within.size)))
    assert abs(int(np.argmax(spectrum)) * 8_000 / within.size - beep.hz) < 20


def test_information_tones_stand_before_the_words(studio: Studio) -> None:
    text = Text("unavailable", "network", "network 1", "One.")
    role = Role("test/unavailable/0", "test", "unavailable", VOICE, text, information="intercept")
    label = studio.make(role).label
    assert label.onset_ms == label.perturbation.lead_ms + 274 + 274 + 380 + 250


@pytest.mark.parametrize("snr_db", [0, 10, 20])
def test_noise_stands_at_its_level_under_speech(snr_db: int) -> None:
    random = np.random.default_rng(1)
    empty = np.zeros(0)
    done = Perturbation(noise="pink", snr_db=snr_db)
    noise = line.through(signals.silence(4_000), done, random, babble=empty, music=empty)
    level_db = 20 * np.log10(np.sqrt(np.mean((noise / 32_768.0) ** 2)))
    assert level_db == pytest.approx(-20 - snr_db, abs=0.3)


def test_a_digital_lead_is_silent_and_lost_packets_are(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    empty = np.zeros(0)
    done = Perturbation(lead_ms=400, is_digital=True, noise="white", snr_db=0, loss_permille=50)
    pcm = line.through(signals.silence(8_000), done, random, babble=empty, music=empty)
    assert not pcm[: 400 * 8].any()
    frames = pcm[400 * 8 :].reshape(-1, 160)
    assert 8 <= int((~frames.any(axis=1)).sum()) <= 34


def test_everything_went_through_mulaw(studio: Studio) -> None:
    pcm = studio.make(mailbox()).pcm
    assert np.array_equal(mulaw.decode(mulaw.encode(pcm)), pcm)


def test_drawn_lines_stay_within_their_ranges() -> None:
    drawn = [line.draw(np.random.default_rng(seed)) for seed in range(300)]
    assert all(200 <= one.lead_ms <= 8_000 and abs(one.gain_db) <= 12 and one.snr_db <= 20 for one in drawn)
    assert all(one.loss_permille == 0 or 10 <= one.loss_permille <= 50 for one in drawn)
    assert {one.noise for one in drawn} == {None, "white", "pink", "babble"}
    assert any(one.lead_ms > 7_000 for one in drawn)


def test_voiced_span_of_silence_is_all_of_it() -> None:
    assert voiced_span(np.zeros(0, dtype=np.int16)) == (0, 0)
    padded = np.concatenate((np.zeros(800, dtype=np.int16), vowel(500), np.zeros(1_600, dtype=np.int16)))
    assert voiced_span(padded) == (100, 600)

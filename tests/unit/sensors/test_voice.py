"""When speech starts and stops."""

import pytest
from sound import Wave, line, noise, silence, tone, voice

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.voice import Started, Stopped, Transition, VoiceActivity, voiced_frames


def heard(pcm: Samples, *, chunk_ms: int = 20, detector: VoiceActivity | None = None) -> list[Transition]:
    """All transitions of a recording that comes in chunks."""
    detector = detector or VoiceActivity()
    return [found for at in range(0, pcm.size, 8 * chunk_ms) for found in detector.feed(pcm[at : at + 8 * chunk_ms])]


TWO_WORDS = line(silence(500), voice(600), silence(700), voice(300), silence(500), hiss=5)


def test_two_words() -> None:
    found = heard(TWO_WORDS)
    assert [type(one) for one in found] == [Started, Stopped, Started, Stopped]
    assert found[0] == Started(at_ms=580, onset_ms=500)
    assert isinstance(found[1], Stopped)
    assert abs(found[1].end_ms - 1100) <= 40
    assert found[1].at_ms == found[1].end_ms + 200


@pytest.mark.parametrize("chunk_ms", [10, 20, 60, 130, 5000])
def test_chunking_makes_no_difference(chunk_ms: int) -> None:
    assert heard(TWO_WORDS, chunk_ms=chunk_ms) == heard(TWO_WORDS)


def test_odd_chunks_lose_no_sample() -> None:
    detector = VoiceActivity()
    for at in range(0, 1601, 7):
        detector.feed(TWO_WORDS[at : at + 7])
    assert detector.now_ms == 200


@pytest.mark.parametrize("sound", [silence(3000), noise(3000, 50), noise(3000, 10)])
def test_what_is_no_speech(sound: Wave) -> None:
    assert heard(line(sound)) == []


def test_steady_noise_is_learned() -> None:
    detector = VoiceActivity()
    heard(line(noise(3000, 400)), detector=detector)
    assert not detector.is_speaking
    assert detector.noise_rms > 300
    assert heard(line(noise(2000, 400, seed=9)), detector=detector) == []


def test_speech_over_noise() -> None:
    found = heard(line(silence(3000), voice(1000), silence(1000), hiss=120))
    assert any(isinstance(one, Started) and 2950 <= one.onset_ms <= 3100 for one in found)


def test_parameters() -> None:
    patient = heard(TWO_WORDS, detector=VoiceActivity(stop_ms=800))
    assert [type(one) for one in patient] == [Started]
    slow = heard(TWO_WORDS, detector=VoiceActivity(start_ms=160))
    assert slow[0].at_ms == 660
    with pytest.raises(ValueError, match="must be positive"):
        VoiceActivity(start_ms=0)


def test_a_click_does_not_start_speech() -> None:
    assert heard(line(silence(500), voice(60, 12000), silence(500))) == []


def test_levels() -> None:
    detector = VoiceActivity()
    heard(line(silence(400), tone(1000, 200, 1000)), detector=detector)
    assert abs(detector.level_rms - 707) < 15


def test_digital_silence_does_not_deafen() -> None:
    (started, stopped) = heard(line(silence(1000), voice(600), silence(700)))
    assert isinstance(started, Started)
    assert isinstance(stopped, Stopped)
    assert abs(stopped.end_ms - started.onset_ms - 600) <= 60


def test_voiced_frames() -> None:
    frames = voiced_frames(line(silence(300), voice(600), silence(300)))
    assert len(frames) == 60
    assert abs(sum(frames) - 30) <= 3
    assert not any(voiced_frames(line(silence(300))))
    assert voiced_frames(line(silence(10))) == ()


def test_a_noisy_line_is_known_for_one_from_its_first_frames() -> None:
    assert not any(voiced_frames(line(noise(1500, 1200)))[2:])
    assert sum(voiced_frames(line(silence(500), noise(2500, 1200)))) <= 35


def test_what_is_known_for_a_tone_is_no_voice() -> None:
    activity = VoiceActivity()
    assert activity.feed(line(voice(400)), is_tone=True) == ()
    assert not any(activity.last_frames)

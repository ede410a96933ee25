"""Beeps, progress tones, fax; and what must not be taken for them."""

import os
import wave
from pathlib import Path

import numpy as np
import pytest
from sound import Wave, line, noise, silence, tone, voice

from voicewarden.sensors import mulaw
from voicewarden.sensors.tones import Tone, ToneDetector

PROMPTS = Path(os.environ.get("VOICEWARDEN_PROMPTS", "/usr/share/asterisk/sounds/en_US_f_Allison"))
"""Debian's asterisk-core-sounds-en-wav (CC-BY-SA-3.0), one studio voice; skipped where it is not installed."""


def heard(*parts: Wave, hiss: float = 0.0, chunk_ms: int = 20) -> list[Tone]:
    """All tones of a recording."""
    pcm = line(*parts, hiss=hiss)
    detector = ToneDetector()
    return [found for at in range(0, pcm.size, 8 * chunk_ms) for found in detector.feed(pcm[at : at + 8 * chunk_ms])]


@pytest.mark.parametrize("hz", [420, 656, 703, 852, 1000, 1250, 1500, 1700, 2050])
@pytest.mark.parametrize("ms", [80, 120, 160, 220, 400, 600])
def test_beep_of_any_frequency(hz: int, ms: int) -> None:
    (found,) = heard(voice(800), silence(300), tone(hz, ms), silence(400))
    assert found.kind == "beep"
    assert abs(found.hz - hz) <= 4
    assert abs(found.at_ms - 1100) <= 20
    assert abs(found.ms - ms) <= 40


@pytest.mark.parametrize("snr_db", [20, 10, 6])
def test_beep_in_noise(snr_db: int) -> None:
    hiss = 4000 / 2**0.5 / 10 ** (snr_db / 20)
    (found,) = heard(silence(1000), tone(950, 250, 4000), silence(600), hiss=hiss)
    assert found.kind == "beep"


def test_a_beep_over_the_hum_of_a_line() -> None:
    hum = tone(60, 2500, 2500) + tone(120, 2500, 1500)
    (found,) = heard(hum + np.concatenate((silence(1000), tone(950, 250, 4000), silence(1250))))
    assert (found.kind, abs(found.hz - 950) <= 4) == ("beep", True)


def test_a_short_tone_out_of_a_voice_is_no_beep() -> None:
    assert heard(silence(300), voice(800, 9000), tone(950, 100, 3000), silence(600)) == []


def test_the_third_note_of_a_tune_is_no_beep() -> None:
    notes = [part for hz in (523, 659, 784) for part in (tone(hz, 250), silence(300))]
    assert [one.kind for one in heard(silence(300), *notes, silence(300))] == ["beep", "beep", "other"]


def test_a_tone_with_a_short_gap_is_one() -> None:
    (found,) = heard(silence(500), tone(1000, 200), noise(20, 2000), tone(1000, 200), silence(400))
    assert (found.kind, abs(found.at_ms - 500) <= 20, abs(found.ms - 420) <= 40) == ("beep", True, True)


def test_what_sounds_is_known_while_it_sounds() -> None:
    pcm, sounding = line(voice(600), silence(200), tone(1000, 400), silence(300)), []
    detector = ToneDetector()
    for at in range(0, pcm.size, 160):
        detector.feed(pcm[at : at + 160])
        sounding.append(detector.is_sounding)
    assert not any(sounding[:40])
    assert all(sounding[44:58])
    assert not any(sounding[64:])


def test_nothing_is_said_before_the_quiet() -> None:
    assert heard(tone(1000, 300), silence(140)) == []
    assert [one.kind for one in heard(tone(1000, 300), silence(260))] == ["beep"]


def test_speech_right_after_is_no_beep() -> None:
    assert heard(tone(1000, 300, 2000), voice(1500)) == []


def test_one_event_a_tone() -> None:
    assert [one.kind for one in heard(tone(1000, 300), silence(800), tone(1000, 300), silence(800))] == ["beep", "beep"]
    assert len(heard(tone(1000, 300), silence(2000))) == 1


@pytest.mark.parametrize(
    "sound",
    [
        tone(1000, 40),
        voice(3000),
        noise(3000, 2000),
        np.concatenate([tone(hz, 60) for hz in range(500, 1500, 40)]),
        tone(697, 200, 4000) + tone(1209, 200, 4000),
        tone(852, 200, 4000) + tone(1477, 200, 4000),
        tone(350, 2000, 3000) + tone(440, 2000, 3000),
        tone(200, 400) + tone(400, 400, 4000),
    ],
    ids=["short", "voice", "noise", "sweep", "key1", "key9", "dial", "hum"],
)
def test_what_is_no_tone(sound: Wave) -> None:
    assert heard(silence(300), sound, silence(600)) == []


def test_ring_back_once() -> None:
    ring = tone(440, 2000, 3000) + tone(480, 2000, 3000)
    (found,) = heard(silence(500), ring, silence(4000), ring, silence(1000))
    assert (found.kind, found.hz) == ("ringback", 440)


def test_busy_once() -> None:
    beat = [tone(480, 500, 3000) + tone(620, 500, 3000), silence(500)]
    (found,) = heard(*beat * 5)
    assert (found.kind, found.hz) == ("busy", 480)


@pytest.mark.parametrize(
    "steps",
    [
        ((914, 276), (1371, 276), (1777, 380)),
        ((985, 276), (1429, 380), (1777, 380)),
        ((950, 330), (1400, 330), (1800, 330)),
    ],
)
def test_special_information_tones(steps: tuple[tuple[int, int], ...]) -> None:
    (found,) = heard(silence(300), *(tone(hz, ms) for hz, ms in steps), silence(800))
    assert found.kind == "sit"
    assert abs(found.at_ms - 300) <= 20


def test_fax() -> None:
    assert [one.kind for one in heard(silence(300), tone(2100, 3000), silence(800))] == ["fax"]
    calling = [tone(1100, 500), silence(3000)]
    assert [one.kind for one in heard(*calling * 3)] == ["beep", "fax"]


@pytest.mark.parametrize("chunk_ms", [10, 60, 1234])
def test_chunking_makes_no_difference(chunk_ms: int) -> None:
    parts = (voice(800), silence(300), tone(900, 250), silence(400))
    assert heard(*parts, chunk_ms=chunk_ms) == heard(*parts)


def test_prompts_hold_no_beep_but_the_beeps() -> None:
    if not PROMPTS.is_dir():
        pytest.skip("asterisk-core-sounds-en-wav is not installed")
    found = {}
    for path in sorted(PROMPTS.glob("*.wav")):
        with wave.open(str(path)) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        tones = ToneDetector().feed(np.concatenate((mulaw.decode(mulaw.encode(pcm)), np.zeros(4000, np.int16))))
        if beeps := [one.kind for one in tones if one.kind == "beep"]:
            found[path.stem] = beeps
    assert found == {"beep": ["beep"]}

"""Sound in a report: WAV in, peaks and a smaller WAV out, with nothing lost that went over the wire."""

import struct

from tests.fakes.recorded_call import two_channels

from voicewarden.replay.sound import Sound, _decoded, _encoding, mulaw_wav, read_wav
from voicewarden.replay.waveform import peaks_of


def sound_of(data: bytes) -> Sound:
    sound = read_wav(data)
    assert isinstance(sound, Sound)
    return sound


def test_what_was_mulaw_comes_back_unchanged() -> None:
    table = _encoding()
    assert all(_decoded(table[_decoded(code) + 32_768]) == _decoded(code) for code in range(256))


def test_mulaw_values_are_those_of_g711() -> None:
    assert [_decoded(code) for code in (0x00, 0x80, 0xFF, 0x7F, 0xFE, 0x8F)] == [-32124, 32124, 0, 0, 8, 16764]


def test_embedded_sound_is_half_the_size_and_says_what_it_is() -> None:
    data = two_channels(1000)
    small = mulaw_wav(sound_of(data))
    assert len(small) == 16_000 + 58
    assert struct.unpack_from("<4sI4s4sIHHIIHHH", small) == (
        b"RIFF", len(small) - 8, b"WAVE", b"fmt ", 18, 7, 2, 8000, 16_000, 2, 8, 0,
    )  # fmt: skip


def test_peaks_keep_the_channels_apart_and_on_one_scale() -> None:
    caller, agent = peaks_of(sound_of(two_channels(6000)))
    half = len(caller.high) // 2
    assert max(agent.high[:half]) > 900
    assert max(caller.high[:half]) == 0
    assert 400 < max(caller.high[half:]) < 600
    assert max(agent.high[half + 1 :]) == 0


def test_path_has_a_point_above_and_below_for_each_column() -> None:
    (caller, _) = peaks_of(sound_of(two_channels(500)))
    assert caller.path().count("L") == 2 * len(caller.high) - 1
    assert caller.path().startswith("M0 ")


def test_empty_recording_is_a_flat_line() -> None:
    sound = sound_of(two_channels(0))
    assert sound.ms == 0
    assert [len(peaks.high) for peaks in peaks_of(sound)] == [1, 1]

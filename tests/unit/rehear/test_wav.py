"""Sound files of the kinds that telephone systems write."""

from pathlib import Path

import numpy as np
import pytest
from spoken import riff, voice, write_wav

from voicewarden.rehear.wav import RecordingRefused, read_tracks, to_line
from voicewarden.sensors import mulaw


def test_mulaw_and_pcm_are_the_same_sound(tmp_path: Path) -> None:
    sound = mulaw.decode(mulaw.encode(voice(200)))
    (tmp_path / "a.wav").write_bytes(riff(7, 1, 8000, 8, mulaw.encode(sound)))
    (coded,) = read_tracks(tmp_path / "a.wav").channels
    (plain,) = read_tracks(write_wav(tmp_path / "b.wav", 8000, sound)).channels
    assert np.array_equal(coded, plain)


def test_channels_come_apart_in_their_order(tmp_path: Path) -> None:
    rate_hz, (left, right) = read_tracks(write_wav(tmp_path / "c.wav", 44_100, voice(100), -voice(100)))
    assert (rate_hz, left.size) == (44_100, 800)
    assert np.array_equal(left, -right)


def test_extensible_format_and_a_length_that_was_never_filled_in(tmp_path: Path) -> None:
    more = bytes([22, 0, 16, 0, 0, 0, 0, 0, 1, 0]) + bytes(14)
    data = bytearray(riff(0xFFFE, 1, 8000, 16, voice(100).astype("<i2").tobytes(), more=more))
    at = data.index(b"data") + 4
    data[at : at + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "d.wav").write_bytes(data)
    assert read_tracks(tmp_path / "d.wav").channels[0].size == 800


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000])
def test_every_rate_becomes_the_line_of_a_telephone(rate_hz: int) -> None:
    at = np.arange(rate_hz // 2) / rate_hz
    line = to_line(np.asarray(8000 * np.sin(2 * np.pi * 700 * at), dtype=np.int16), rate_hz)
    assert abs(line.size - 4000) <= 1
    assert np.argmax(np.abs(np.fft.rfft(line[:4000]))) == 350
    assert np.array_equal(line, mulaw.decode(mulaw.encode(line)))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"ID3\x03 no sound", "no WAV file"),
        (riff(1, 1, 8000, 8, bytes(100)), "format 1 with 8 bits"),
        (riff(85, 1, 8000, 16, bytes(100)), "format 85"),
        (riff(1, 1, 6000, 16, bytes(100)), "6000 Hz"),
        (riff(1, 0, 8000, 16, bytes(100)), "0 channels"),
        (riff(1, 1, 8000, 16, bytes(100))[:30], "not whole"),
    ],
    ids=["mp3", "8-bit", "mp3-in-wav", "slow", "no-channel", "cut"],
)
def test_what_can_not_be_read_says_what_is_accepted(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(RecordingRefused, match=told) as refused:
        read_tracks(tmp_path / "x.wav")
    assert "PCM of 16 bits or mu-law" in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match="No such file"):
        read_tracks(tmp_path / "none.wav")

"""Two sides that are two sides, and mixes that are refused."""

from pathlib import Path

import numpy as np
import pytest
from spoken import quiet, talk, write_wav

from voicewarden.rehear.sides import ALIKE_PERMILLE, Sides, alike_permille, read_side, read_two_channels, read_two_files
from voicewarden.rehear.wav import RecordingRefused
from voicewarden.sensors.mulaw import Samples

CALL = talk(("caller", 700), ("agent", 2400), ("caller", 1500), ("agent", 1800), ("caller", 600))


def leaking(one: Samples, other: Samples, db: float) -> Samples:
    """One side with the other in it, so much quieter."""
    return np.asarray(one + other * 10 ** (-db / 20), dtype=np.int16)


def noisy(pcm: Samples, rms: float, seed: int) -> Samples:
    return np.asarray(pcm + np.random.default_rng(seed).normal(0, rms, pcm.size), dtype=np.int16)


def test_separate_sides_are_apart() -> None:
    assert alike_permille(*CALL) == 0
    assert alike_permille(noisy(CALL.caller, 30, 1), noisy(CALL.agent, 30, 2)) < 100


def test_an_echo_is_no_mix() -> None:
    assert alike_permille(leaking(CALL.caller, CALL.agent, 20), leaking(CALL.agent, CALL.caller, 20)) < ALIKE_PERMILLE
    silent = leaking(np.zeros_like(CALL.agent), CALL.agent, 26)
    assert alike_permille(silent, CALL.agent) < ALIKE_PERMILLE


@pytest.mark.parametrize("shift", [0, 160, 2000])
@pytest.mark.parametrize("gain", [1.0, 0.5, -1.0])
def test_a_mix_is_a_mix_however_it_is_shifted_or_turned(shift: int, gain: float) -> None:
    mix = CALL.caller + CALL.agent
    other = np.asarray(noisy(np.roll(mix, shift), 40, 5) * gain, dtype=np.int16)
    assert alike_permille(mix, other) > 800


def test_sides_that_leak_into_each_other_are_a_mix() -> None:
    both = leaking(CALL.caller, CALL.agent, 6), leaking(CALL.agent, CALL.caller, 6)
    assert alike_permille(*both) > 800


def test_silence_is_alike_to_nothing() -> None:
    assert alike_permille(quiet(3000), quiet(3000)) == 0
    assert alike_permille(quiet(0), quiet(0)) == 0


def test_the_caller_is_on_the_channel_that_is_named(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "c.wav", 8000, *CALL)
    left, right = read_two_channels(path, "left"), read_two_channels(path, "right")
    assert np.array_equal(left.caller, right.agent)
    assert np.abs(left.caller - CALL.caller).max() < 700
    assert left.ms == CALL.caller.size // 8


def test_mixes_are_refused_with_the_reason(tmp_path: Path) -> None:
    mix = (CALL.caller + CALL.agent) // 2
    with pytest.raises(RecordingRefused, match="one channel, in which caller and agent are mixed"):
        read_two_channels(write_wav(tmp_path / "mono.wav", 8000, mix), "left")
    with pytest.raises(RecordingRefused, match="too alike"):
        read_two_channels(write_wav(tmp_path / "twice.wav", 16_000, mix, mix), "left")
    with pytest.raises(RecordingRefused, match="3 channels"):
        read_two_channels(write_wav(tmp_path / "three.wav", 8000, mix, mix, mix), "left")


def test_two_files_make_a_call_and_the_shorter_one_is_followed_by_silence(tmp_path: Path) -> None:
    caller = write_wav(tmp_path / "a.wav", 8000, CALL.caller[: 8 * 3000])
    agent = write_wav(tmp_path / "b.wav", 16_000, np.repeat(CALL.agent, 2))
    sides = read_two_files(caller, agent)
    assert sides.caller.size == sides.agent.size == CALL.agent.size
    assert not sides.caller[8 * 3000 :].any()
    with pytest.raises(RecordingRefused, match="too alike"):
        read_two_files(caller, caller)
    both = write_wav(tmp_path / "c.wav", 8000, *Sides(*CALL))
    with pytest.raises(RecordingRefused, match="more than one channel"):
        read_two_files(caller, both)


def test_a_channel_that_is_not_there(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "mono.wav", 8000, CALL.caller)
    assert read_side(path, 0).size == CALL.caller.size
    with pytest.raises(RecordingRefused, match="1 channel"):
        read_side(path, 1)

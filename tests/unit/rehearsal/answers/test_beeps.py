"""The measurement of beeps: trials that can be told apart, and bounds that are right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicewarden.rehearsal.answers import beeps


def test_trials_are_the_same_every_time_and_within_their_ranges() -> None:
    first, again = (list(beeps.trials(20, 8)) for _ in range(2))
    assert first == again
    assert all(350 <= one.beep.hz <= 2_200 and 80 <= one.beep.ms <= 800 for one in first)


def test_loud_beeps_of_usual_length_are_heard() -> None:
    found = [one for one in beeps.trials(20, 12) if one.beep.ms >= 200]
    assert found
    assert all(one.heard is not None and one.others == 0 for one in found)


@pytest.mark.parametrize(("count", "bound"), [(0, 2.996), (1, 4.744), (5, 10.513)])
def test_the_upper_bound_is_that_of_poisson(count: int, bound: float) -> None:
    """The 95 % one-sided bounds of every table."""
    assert beeps.poisson_upper(count) == pytest.approx(bound, abs=0.002)


def test_beeps_where_there_are_none_are_counted_by_the_hour(tmp_path: Path) -> None:
    import wave

    at = np.arange(8_000 * 3) / 8_000
    tone = np.where((at > 1.0) & (at < 1.3), 4_000 * np.sin(2 * np.pi * 1_000 * at), 0)
    for name, sound in (("beep", tone), ("quiet", np.zeros(tone.size))):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(8_000)
            wav.writeframes(sound.astype("<i2").tobytes())
    *_, found = beeps.false_beeps((tmp_path / "beep.wav", tmp_path / "quiet.wav"), are_leveled=False)
    assert (found.count, found.files) == (1, 2)
    assert found.per_hour == pytest.approx(600)
    assert "beep 1000 Hz" in found.where[0]

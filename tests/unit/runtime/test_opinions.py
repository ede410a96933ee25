"""Two opinions that differ are denied by the kernel and made known by the loop."""

import logging

import pytest
from tests.fakes.journal import Stage, begin, look_up
from tests.fakes.rig import shipped

from voicewarden.kernel.release import Compiled


async def test_a_disagreement_denies_and_alarms(caplog: pytest.LogCaptureFixture) -> None:
    doubtful = Compiled(shipped().data, second_opinion=True)
    doubtful.policy.deciders["look_up"] = lambda facts, now_ms, digest, minted: 1
    stage = Stage(doubtful)
    with caplog.at_level(logging.CRITICAL):
        begin(stage)
        look_up(stage)
        await stage.loop.quiet()
    assert "effect look_up" not in stage.diary
    assert "disagree" in caplog.text

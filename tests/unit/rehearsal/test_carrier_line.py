"""The caller's end of the line, ticked by hand: speaking, listening, noise, deadlines and the end."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from voicewarden.rehearsal.carrier.frame import Pcm, silence
from voicewarden.rehearsal.carrier.impairment import Impairment, Path
from voicewarden.rehearsal.carrier.line import Line, LineClosed

LOUD: Pcm = np.full(160, 3000, dtype=np.int16)


class Hum:
    """Noise of one constant value."""

    def next_frame(self) -> Pcm:
        return np.full(160, 7, dtype=np.int16)


def line(pressed: list[str] | None = None, left: list[bool] | None = None) -> Line:
    digits = [] if pressed is None else pressed
    return Line(digits.append, lambda: None if left is None else left.append(True))


async def tick(end: Line, frame: Pcm, times: int = 1) -> list[Pcm]:
    """Carry frames and let the script run after each."""
    said = []
    for _ in range(times):
        said.append(end.next_frame())
        end.hear(frame)
        await asyncio.sleep(0)
    return said


async def begin(work: asyncio.Task[bool] | asyncio.Task[None]) -> None:
    await asyncio.sleep(0)
    assert not work.done()


async def test_say_ends_when_the_last_sample_has_played() -> None:
    end = line()
    saying = asyncio.create_task(end.say(np.ones(240, dtype=np.int16)))
    await begin(saying)
    said = await tick(end, silence(), 2)
    assert int(np.concatenate(said).sum()) == 240
    assert await saying is True


async def test_say_gives_up_at_its_deadline() -> None:
    end = line()
    saying = asyncio.create_task(end.say(np.ones(8000, dtype=np.int16), timeout_ms=40))
    await begin(saying)
    await tick(end, silence(), 2)
    assert await saying is False
    assert not end.next_frame().any()


async def test_agent_finished_needs_speech_and_then_silence() -> None:
    end = line()
    listening = asyncio.create_task(end.agent_finished(silence_ms=60, timeout_ms=1_000))
    await begin(listening)
    await tick(end, silence(), 5)
    await tick(end, LOUD, 5)
    await tick(end, silence(), 2)
    assert not listening.done()
    await tick(end, silence(), 1)
    assert await listening is True


async def test_agent_finished_looks_only_at_what_came_after_the_last_act() -> None:
    end = line()
    await tick(end, LOUD, 5)
    saying = asyncio.create_task(end.say(np.ones(160, dtype=np.int16)))
    await begin(saying)
    await tick(end, silence(), 1)
    assert await saying
    listening = asyncio.create_task(end.agent_finished(silence_ms=40, timeout_ms=100))
    await begin(listening)
    await tick(end, silence(), 5)
    assert await listening is False


async def test_a_click_is_not_speech() -> None:
    end = line()
    listening = asyncio.create_task(end.agent_started(timeout_ms=100))
    await begin(listening)
    await tick(end, LOUD, 2)
    await tick(end, silence(), 3)
    assert await listening is False


async def test_noise_runs_for_its_interval_under_silence_too() -> None:
    end = line()
    end.start_noise(Hum(), for_ms=40)
    said = await tick(end, silence(), 3)
    assert [int(frame[0]) for frame in said] == [7, 7, 0]


async def test_keys_and_audio_since() -> None:
    pressed: list[str] = []
    end = line(pressed)
    await tick(end, silence(), 1)
    pressing = asyncio.create_task(end.press("1#"))
    await begin(pressing)
    await tick(end, LOUD, 20)
    await pressing
    assert pressed == ["1", "#"]
    assert end.agent_audio_since(20).size == 20 * 160


async def test_the_end_of_the_call_ends_every_wait() -> None:
    left: list[bool] = []
    end = line(left=left)
    waiting = asyncio.create_task(end.wait(10_000))
    await begin(waiting)
    await end.hang_up()
    end.close()
    with pytest.raises(LineClosed):
        await waiting
    with pytest.raises(LineClosed):
        await end.say(LOUD)
    assert left == [True]


def test_impairment_keeps_order_and_repeats_with_its_seed() -> None:
    def deliver() -> list[tuple[int, int]]:
        path: Path[int] = Path(Impairment(jitter_ms=50, loss_permille=200, seed=3), "uplink")
        got = []
        for tick_index in range(50):
            if not path.loses():
                path.send(tick_index, tick_index * 20)
            got += [(tick_index, item) for item in path.arrived(tick_index * 20)]
        return got

    first = deliver()
    items = [item for _, item in first]
    assert first == deliver()
    assert items == sorted(items)
    assert 25 < len(items) < 50
    assert any(at > item for at, item in first)

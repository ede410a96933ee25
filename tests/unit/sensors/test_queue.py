"""One model for all calls: room, deadlines, failures."""

import asyncio
import threading

import numpy as np
import pytest

from voicewarden.model.error import TranscriberFailed
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.queue import SharedTranscriber, TranscriberBusy, TranscriberLate
from voicewarden.sensors.transcriber import Transcript

PCM = np.zeros(160, np.int16)


class Gated:
    """A model that answers when the test opens the gate."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        self.heard: list[int | None] = []

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        self.heard.append(speech_ms)
        self.begun.release()
        assert self.gate.wait(10)
        if speech_ms == 666:
            raise ZeroDivisionError
        return Transcript("ok", (), None, None, None, 10_000, False, 1, speech_ms or 0, ())


async def begun(model: Gated) -> None:
    """Wait until the model has taken a job."""
    assert await asyncio.to_thread(model.begun.acquire, True, 10)


async def test_answers_in_order() -> None:
    model = Gated()
    shared = SharedTranscriber(model)
    model.gate.set()
    answers = [shared.submit(PCM, speech_ms=number) for number in (1, 2, 3)]
    assert [(await answer).speech_ms for answer in answers] == [1, 2, 3]
    shared.close()


async def test_full_queue_is_refused_at_once_and_room_comes_back() -> None:
    model = Gated()
    shared = SharedTranscriber(model, capacity=2)
    first, second = shared.submit(PCM), shared.submit(PCM)
    with pytest.raises(TranscriberBusy, match="2 utterances wait"):
        shared.submit(PCM)
    model.gate.set()
    await first
    await second
    assert (await shared.submit(PCM)).text == "ok"
    shared.close()


async def test_late_job_keeps_its_room() -> None:
    model = Gated()
    shared = SharedTranscriber(model, capacity=1)
    given_up = asyncio.ensure_future(shared.submit(PCM))
    await begun(model)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    with pytest.raises(TranscriberBusy):
        shared.submit(PCM)
    model.gate.set()
    shared.close()


async def test_a_job_given_up_while_waiting_leaves_its_room() -> None:
    model = Gated()
    shared = SharedTranscriber(model, capacity=2)
    first = asyncio.ensure_future(shared.submit(PCM, speech_ms=1))
    await begun(model)
    given_up = asyncio.ensure_future(shared.submit(PCM, speech_ms=2))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    third = asyncio.ensure_future(shared.submit(PCM, speech_ms=3))
    model.gate.set()
    assert [(await first).speech_ms, (await third).speech_ms] == [1, 3]
    assert model.heard == [1, 3]
    shared.close()


async def test_what_is_late_before_its_turn_is_not_run() -> None:
    model = Gated()
    shared = SharedTranscriber(model)
    first = asyncio.ensure_future(shared.submit(PCM, speech_ms=1))
    await begun(model)
    with pytest.raises(TranscriberLate):
        await shared.submit(PCM, speech_ms=2, deadline_ms=0)
    model.gate.set()
    await first
    assert (await shared.submit(PCM, speech_ms=3)).speech_ms == 3
    assert model.heard == [1, 3]
    shared.close()


async def test_a_broken_model_is_one_clear_error() -> None:
    model = Gated()
    shared = SharedTranscriber(model)
    model.gate.set()
    with pytest.raises(TranscriberFailed, match="ZeroDivisionError"):
        await shared.submit(PCM, speech_ms=666)
    assert (await shared.submit(PCM)).text == "ok"
    shared.close()


async def test_closed() -> None:
    shared = SharedTranscriber(Gated())
    shared.close()
    with pytest.raises(TranscriberFailed, match="shut down"):
        shared.submit(PCM)


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match="between 1 and capacity"):
        SharedTranscriber(Gated(), workers=0)

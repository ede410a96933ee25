"""One speech model for all calls of a worker, behind a bounded queue.

In: utterances of any call. Out: their transcripts, each before its deadline or not at all. Called by the transcription
service of `pipeline`. A full queue or a missed deadline is an error that the caller reports as unheard words, never as
silence: a refusal that nobody transcribed must not look like a caller who said nothing.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol

from voicewarden.model.error import TranscriberFailed
from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.transcriber import Transcript

DEADLINE_MS: Final = 4_000


class TranscriberBusy(TranscriberFailed):
    """There is no room in the queue; the words of this utterance stay unknown."""


class TranscriberLate(TranscriberFailed):
    """The transcript did not come in time; the words of this utterance stay unknown."""


class Hearing(Protocol):
    """What turns an utterance into text: `Transcriber`, or a fake."""

    def transcribe(self, pcm: Samples, *, speech_ms: int | None = None) -> Transcript:
        """Understand one utterance; blocks."""
        ...


class SharedTranscriber:
    """Hands utterances to `workers` threads, oldest first, with room for `capacity` that wait or run."""

    def __init__(self, hearing: Hearing, *, workers: int = 1, capacity: int = 8) -> None:
        if not 1 <= workers <= capacity:
            raise ValueError(f"workers must lie between 1 and capacity, found {workers} and {capacity}")
        self._hearing = hearing
        self._capacity = capacity
        self._room = threading.BoundedSemaphore(capacity)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="transcriber")

    def submit(
        self, pcm: Samples, *, speech_ms: int | None = None, deadline_ms: int = DEADLINE_MS
    ) -> Awaitable[Transcript]:
        """Queue an utterance; await the answer for its transcript.

        Raises TranscriberBusy here and now when the queue is full, TranscriberLate from the answer when `deadline_ms`
        have passed, TranscriberFailed from the answer when the model broke. What is late before its turn is not run.
        """
        if not self._room.acquire(blocking=False):
            raise TranscriberBusy(
                f"{self._capacity} utterances wait for the speech model, which is all it has room for; "
                "take fewer calls at once on this worker, or give it more threads"
            )
        due_ns = time.monotonic_ns() + deadline_ms * 1_000_000
        try:
            job = self._threads.submit(self._run, pcm, speech_ms, due_ns)
        except RuntimeError:
            self._room.release()
            raise TranscriberFailed("the speech model is shut down; this call should have ended before") from None
        # INVARIANT: room is given back when the thread is done, not when the caller gives up
        # (test_queue.test_late_job_keeps_its_room).
        job.add_done_callback(lambda _: self._room.release())
        return _answer(job, deadline_ms)

    def close(self) -> None:
        """Drop what waits and let what runs come to its end in the background."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, pcm: Samples, speech_ms: int | None, due_ns: int) -> Transcript:
        """One job, in a thread."""
        if time.monotonic_ns() >= due_ns:
            raise TranscriberLate("the utterance waited for the speech model past its deadline and was not transcribed")
        return self._hearing.transcribe(pcm, speech_ms=speech_ms)


async def _answer(job: Future[Transcript], deadline_ms: int) -> Transcript:
    """Wait for a job, but not for ever."""
    try:
        async with asyncio.timeout(deadline_ms / 1000):
            return await asyncio.wrap_future(job)
    except TimeoutError:
        raise TranscriberLate(
            f"no transcript within {deadline_ms} ms; the words of this utterance stay unknown, take fewer calls at once"
        ) from None
    except TranscriberFailed:
        raise
    except Exception as problem:
        # Broad, because the model's own library may raise anything and one utterance must not end a call.
        raise TranscriberFailed(
            f"the speech model failed on an utterance ({type(problem).__name__}); its words stay unknown"
        ) from problem

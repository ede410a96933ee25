"""The searches of several scenes side by side, one process a scene.

In: jobs. Out: what each search found, in the order of the jobs. Called by `report`. Nothing is shared between the
processes but a count of states for whoever watches.
"""

import gc
import time
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Final, NamedTuple

from voicewarden.model.error import VoicewardenError
from voicewarden.proofs.model_check.cast import Cast
from voicewarden.proofs.model_check.scene import Scene
from voicewarden.proofs.model_check.search import Found, Search, Tally

_LOOK_EVERY_S: Final = 0.5


class Searched(NamedTuple):
    """What came of one scene."""

    found: Found
    seconds: float


class Job(NamedTuple):
    """The search of one scene."""

    cast: Cast
    scene: Scene
    states: int

    def run(self, tally: Tally | None = None) -> Searched:
        """Search, here and now."""
        began = time.perf_counter()
        found = Search(self.cast, self.scene, self.states, tally=tally).run()
        return Searched(found, time.perf_counter() - began)


def run_all(jobs: Sequence[Job], processes: int, progress: Callable[[int], None]) -> list[Searched]:
    """Search every scene; `progress` is told how many states were reached. Raises VoicewardenError if one dies."""
    return _one_by_one(jobs, progress) if processes < 2 else _side_by_side(jobs, processes, progress)


def _one_by_one(jobs: Sequence[Job], progress: Callable[[int], None]) -> list[Searched]:
    searched: list[Searched] = []
    for job in jobs:
        before = sum(item.found.states for item in searched)

        def tally(states: int, before: int = before) -> None:
            progress(before + states)

        searched.append(job.run(tally))
    return searched


def _side_by_side(jobs: Sequence[Job], processes: int, progress: Callable[[int], None]) -> list[Searched]:
    context = get_context("fork")  # a release is ready in a fork, and could not be sent to a new process
    tallies = context.RawArray("Q", len(jobs))
    waiting = list(range(len(jobs)))
    running: dict[Connection, int] = {}
    done: dict[int, Searched] = {}
    while waiting or running:
        while waiting and len(running) < processes:
            index = waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            context.Process(target=_work, args=(jobs[index], index, tallies, theirs), daemon=True).start()
            theirs.close()
            running[ours] = index
        for ready in wait(list(running), timeout=_LOOK_EVERY_S):
            if isinstance(ready, Connection):
                done[running.pop(ready)] = _receive(ready)
        progress(sum(tallies))
    return [done[index] for index in range(len(jobs))]


# Any: a shared array of ctypes has no type of its own in typeshed.
def _work(job: Job, index: int, tallies: Any, answer: Connection) -> None:
    gc.disable()  # a step leaves no cycles, and walking millions of states takes longer than they are worth

    def tally(states: int) -> None:
        tallies[index] = states

    answer.send(job.run(tally))


def _receive(answer: Connection) -> Searched:
    try:
        received: Searched = answer.recv()
    except EOFError:
        raise VoicewardenError(
            "a process of the model check died before it was done; look at the memory that is free, "
            "then run it again with fewer --states or with --processes 1 to see what it says"
        ) from None
    return received

"""Where work over many calls is done: here, or by several processes of this machine.

`Pool` is the port: a function and items go in, results come out as they are ready. Function, items and results are
plain data that can be sent elsewhere, so that a cluster's engine can stand behind it as well. Called by `batch`.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Final, Protocol, TypeVar

from voicewarden.model.error import VoicewardenError

Item = TypeVar("Item")
Result = TypeVar("Result")
_WAITING_A_PROCESS: Final = 3


class Pool(Protocol):
    """Applies a function to items."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in any order; what the function raises is raised here, and ends it."""
        ...


class Here:
    """One after another, in this process."""

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of the items."""
        return map(function, items)


class Processes:
    """So many processes, each of which imports what it needs itself."""

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results as they are ready; items are taken only as fast as they are worked off."""
        todo = iter(items)
        running: set[Future[Result]] = set()
        with ProcessPoolExecutor(self.processes, mp_context=get_context("spawn")) as executor:
            try:
                while True:
                    most = self.processes * _WAITING_A_PROCESS - len(running)
                    running |= {executor.submit(function, item) for item in islice(todo, most)}
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BrokenProcessPool as error:
                raise VoicewardenError(
                    "a worker process ended before its work was done (out of memory?); run again with fewer --processes"
                ) from error
            finally:
                for future in running:
                    future.cancel()


def pool_of(processes: int) -> Pool:
    """The pool for so many processes."""
    return Processes(processes) if processes > 1 else Here()

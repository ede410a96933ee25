"""Spreads the blocks of a comparison over processes.

In: policies, blocks and a number of processes. Out: what each block came to, as it gets ready. Called by
`voicewarden policy agreement`.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from voicewarden.policy.ast import Policy
from voicewarden.proofs.agreement import Bench, Block, Comparison


def spread(policies: tuple[Policy, ...], blocks: Iterable[Block], *, processes: int = 1) -> Iterator[Comparison]:
    """Run all blocks, each in one of so many processes; what they find does not depend on how many there are."""
    if processes <= 1:
        bench = Bench(policies)
        yield from map(bench.run, blocks)
        return
    # Spawned: a fork of a process that has loaded a solver's threads may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_Worker.open, initargs=(policies,)) as pool:
        for future in as_completed([pool.submit(_Worker.run, block) for block in blocks]):
            yield future.result()


class _Worker:
    """The bench of a worker process."""

    bench: Bench

    @classmethod
    def open(cls, policies: tuple[Policy, ...]) -> None:
        cls.bench = Bench(policies)

    @classmethod
    def run(cls, block: Block) -> Comparison:
        return cls.bench.run(block)

"""The same decisions by every engine: first compared for equal answers, then timed in rounds that take turns.

In: how long it may take. Out: `Contest` with one series an engine. Every round gives each engine the same slice of
time, so that what else the machine does hits all alike. Called by `run`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from voicewarden.model.error import VoicewardenError
from voicewarden.rehearsal.bench import ours, peers
from voicewarden.rehearsal.bench.contest_policy import contest_policy
from voicewarden.rehearsal.bench.contexts import Case, cases
from voicewarden.rehearsal.bench.engine import Engine, Work
from voicewarden.rehearsal.bench.samples import CLOCK, Series

TIMED_CASES: Final = 200
"""Of those that are compared. Few enough that their facts stay in the processor's cache, as those of a call do."""
SEED: Final = 20_261
_MOST_PER_SLICE: Final = 4_000
_LEAST_PER_SLICE: Final = 3


class EnginesDisagree(VoicewardenError):
    """Two engines answered differently, so that their times can't be compared."""


@dataclass(slots=True)
class Entry:
    """An engine in the contest."""

    engine: Engine
    works: list[Work]
    series: Series


@dataclass(frozen=True, slots=True)
class Contest:
    """What came of it; the first entry is ours."""

    entries: list[Entry]
    missing: list[str]
    cases: int
    allowed: int
    answers: int
    """How many answers were compared before anything was timed."""

    def ratio(self, entry: Entry) -> float:
        """How many times as long as ours this engine takes (p50)."""
        return entry.series.p50_us / self.entries[0].series.p50_us


def hold(seconds: float, rounds: int, tick: Callable[[], None], *, count: int) -> Contest:
    """Compare so many answers of each engine, then time all; `tick` is called once a round. Raises EnginesDisagree."""
    policy = contest_policy()
    asked = cases(policy, count, SEED)
    own = ours.engines(policy)
    others, missing = peers.engines(policy)
    expected = [_answer(own[1], case) for case in asked]
    for engine in (own[0], *others):
        _compare(engine, asked, expected)
    timed = asked[:TIMED_CASES]
    entries = [Entry(one, [one.prepare(case) for case in timed], Series(one.name)) for one in (*own, *others)]
    slice_ns = round(seconds * 1e9 / rounds / len(entries))
    for number in range(rounds):
        for entry in entries:
            mean_us = _sample(entry, slice_ns // 2, first=number * 131)
            _rate(entry, slice_ns // 2, mean_us)
        tick()
    return Contest(entries, missing, count, expected.count(0), count * len(entries))


def _answer(engine: Engine, case: Case) -> int:
    work, arguments = engine.prepare(case)
    return engine.read(case, work(*arguments))


def _compare(engine: Engine, asked: list[Case], expected: list[int]) -> None:
    for number, (case, mask) in enumerate(zip(asked, expected, strict=True)):
        found = _answer(engine, case)
        if found != (int(mask != 0) if engine.is_bit else mask):
            raise EnginesDisagree(
                f"{engine.name} and the interpreter disagree on case {number} ({case.action}): {found:#x} and "
                f"{mask:#x}; nothing was timed. Name this case in a bug report"
            )


def _sample(entry: Entry, slice_ns: int, *, first: int) -> float:
    """One sample a decision until the slice is used up; returns their mean in microseconds."""
    works, samples = entry.works, entry.series.us
    known = len(samples)
    stop = CLOCK() + slice_ns
    for number in range(_MOST_PER_SLICE):
        work, arguments = works[(first + number) % len(works)]
        begin = CLOCK()
        work(*arguments)
        end = CLOCK()
        samples.append((end - begin) / 1000)
        if end > stop and number >= _LEAST_PER_SLICE:
            break
    return sum(samples[known:]) / (len(samples) - known)


def _rate(entry: Entry, slice_ns: int, mean_us: float) -> None:
    """As many decisions as should fit into the slice, with no clock between them."""
    count = max(_LEAST_PER_SLICE, min(_MOST_PER_SLICE, int(slice_ns / 1000 / mean_us)))
    works = list(itertools.islice(itertools.cycle(entry.works), count))
    begin = CLOCK()
    for work, arguments in works:
        work(*arguments)
    entry.series.took_us += (CLOCK() - begin) / 1000
    entry.series.done += count

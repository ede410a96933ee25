"""How fast recorded calls are replayed: events a second of one process, of a pool for each core, and of the step alone.

    python benchmarks/replay_rate.py [--quick] [--ledger FILE] [--calls 600] [--rounds 7] [--processes 2] [--strict]

The calls are those of `in_text` (a booking, a refusal, an opt-out, a rogue model, a transfer, a barge-in), written into
a ledger again and again under other names; or those of a ledger that is named. Nothing is remembered from one call to
the next but what a release is compiled to. A sample is one chunk of calls: CPU time for each event, of the process that
did it. Other work on the machine lengthens that too, by half and more. Goals: 100,000 events/s a core, and on a pool
at most 10 % above one process.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import in_text
import measure
import msgspec

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled, encode_release
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerFull
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record, chain_hash
from voicewarden.replay.batch import Chunk, Job, Todo, chunks, list_calls, work_on
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.pool import pool_of

GOAL_US: Final = 10.0
GOAL_POOL_PERCENT: Final = 110.0
_EVENTS: Final = msgspec.json.Decoder(Event)
Calls = list[list[Record]]


def write(path: Path, compiled: Compiled, scripts: Sequence[Sequence[Event]], calls: int) -> None:
    """A ledger with so many calls."""
    with Ledger.open(path) as ledger:
        ledger.put_blob(encode_release(compiled.data))
        for number in range(calls):
            records = list(_recorded(compiled, scripts[number % len(scripts)], f"b{number:05d}"))
            while not _submitted(ledger, records):
                time.sleep(0.01)


def _recorded(compiled: Compiled, events: Sequence[Event], call: str) -> Iterator[Record]:
    state, last = EMPTY, GENESIS
    for event in events:
        renamed = msgspec.structs.replace(event, call=call) if isinstance(event, CallStarted) else event
        taken = step(compiled, state, renamed)
        made = records_of(f"call:{call}", state.seq, last, renamed, taken.outputs, taken.state.now_ms)
        state, last = taken.state, made[-1].hash
        yield from made


def _submitted(ledger: Ledger, records: Sequence[Record]) -> bool:
    try:
        ledger.submit(records)
    except LedgerFull:
        return False
    return True


def timed(chunk: Chunk) -> tuple[int, float]:
    """Events and CPU seconds of a chunk, in whichever process does it."""
    begin = time.process_time()
    done = work_on(chunk)
    took = time.process_time() - begin
    if not all(item.result.ok for item in done):
        raise SystemExit("a call does not replay: look at it with `voicewarden replay`")
    return sum(item.result.events for item in done), took


class Parts:
    """What replay is made of, each alone over the same calls."""

    def __init__(self, view: LedgerView, chunk: Chunk) -> None:
        self._view = view
        self._streams = [f"call:{item.call}" for item in chunk.todo]
        self._calls: Calls = [list(view.read_stream(stream)) for stream in self._streams]
        self._events = [[_EVENTS.decode(r.body) for r in call if r.kind == "event"] for call in self._calls]
        self.releases = Releases(view.get_blob)
        self.count = sum(map(len, self._events))

    def in_memory(self) -> None:
        """Replay without reading the file."""
        for call in self._calls:
            replay_call(call, self.releases)

    def reading(self) -> None:
        """Records from the file, opened where they are sealed."""
        for stream in self._streams:
            for _ in self._view.read_stream(stream):
                pass

    def decoding(self) -> None:
        """Events from their bytes."""
        for call in self._calls:
            for record in call:
                if record.kind == "event":
                    _EVENTS.decode(record.body)

    def chain(self) -> None:
        """Every hash once."""
        for call in self._calls:
            for r in call:
                chain_hash(r.stream, r.seq, r.at_ms, r.kind, r.stored or r.body, r.prev_hash)

    def stepping(self) -> None:
        """The step and nothing else."""
        for events in self._events:
            first = events[0]
            assert isinstance(first, CallStarted)
            release, state = self.releases.get(first.release), EMPTY
            for event in events:
                state = step(release, state, event).state

    def us(self, part: Callable[[], None]) -> float:
        """CPU microseconds an event."""
        begin = time.process_time()
        part()
        return (time.process_time() - begin) / self.count * 1e6


def replayed(todo: Sequence[Todo], processes: int, rounds: int) -> tuple[list[float], int, float]:
    """Microseconds of CPU an event of each chunk, events of a round, and wall seconds of the quickest round."""
    cut = list(chunks(Job(), todo))
    samples: list[float] = []
    events, quickest = 0, float("inf")
    pool = pool_of(processes)
    for _ in range(rounds):
        begin = time.perf_counter()
        done = list(pool.map(timed, cut))
        quickest = min(quickest, time.perf_counter() - begin)
        events = sum(count for count, _ in done)
        samples += [took / count * 1e6 for count, took in done if count]
    return samples, events, quickest


def tell(path: Path, options: Any, report: measure.Report) -> None:
    """Rows, figures and goals."""
    # Any: argparse's namespace.
    todo = list_calls([path])
    one, events, wall_s = replayed(todo, 1, options.rounds)
    report.figure("ledger", f"{len(todo):,} calls, {sum(item.records for item in todo):,} records, {events:,} events")
    single = report.row("replay, one process", one)
    with Ledger.read(path) as view:
        parts = Parts(view, next(chunks(Job(), todo)))
        parts.in_memory()
        for name, part in (
            ("... without reading the file", parts.in_memory), ("step alone", parts.stepping),
            ("reading records alone", parts.reading), ("decoding events alone", parts.decoding),
            ("checking the chain alone", parts.chain),
        ):  # fmt: skip
            report.row(name, [parts.us(part) for _ in range(3 * options.rounds)])
    report.figure("events/s, one process", _rates(one, round(events / wall_s)))
    report.goal("replay p50, CPU of an event", single["p50"], GOAL_US, "us")
    if options.processes > 1:
        many, _, wall_s = replayed(todo, options.processes, options.rounds)
        pooled = report.row(f"replay, pool of {options.processes}", many)
        report.figure(f"events/s a core, pool of {options.processes}", _rates(many, round(events / wall_s)))
        report.goal("pool against one process, CPU p50", round(100 * pooled["p50"] / single["p50"], 1),
                    GOAL_POOL_PERCENT, "%")  # fmt: skip


def _rates(us: Sequence[float], wall: int) -> dict[str, int]:
    ordered = sorted(us)
    p50 = ordered[len(us) // 2]
    return {"CPU p50": round(1e6 / p50), "CPU quickest": round(1e6 / ordered[0]), "wall, all": wall,
            "share of the goal, %": round(100 * GOAL_US / p50)}  # fmt: skip


def run(options: Any) -> measure.Report:
    """Measure everything."""
    # Any: argparse's namespace.
    report = measure.Report("replay_rate", "How fast recorded calls are replayed; CPU time an event", "us")
    if options.quick:
        options.calls, options.rounds = 12, 1
    if options.ledger:
        tell(options.ledger, options, report)
        return report
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        compiled = in_text.release()
        write(path, compiled, in_text.calls(compiled), options.calls)
        tell(path, options, report)
    return report


def main() -> int:
    """Measure and print."""
    parser = measure.parser(__doc__)
    parser.add_argument("--ledger", type=Path, help="replay this ledger instead")
    parser.add_argument("--calls", type=int, default=600, help="how many calls are written")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="processes of the pool")
    options = parser.parse_args()
    return run(options).finish(options)


if __name__ == "__main__":
    sys.exit(main())

"""What sealing costs a record: CPU of encode, seal, chain and enqueue, beside the same without a seal; and of opening.

    python benchmarks/sealing.py [--rounds N] [--json FILE]

Steps of recorded text calls, as they come. CPU time of the calling thread, so that the writer beside it does not count.
First means over all records, with quantiles over rounds. Then quantiles over records: of each step the mean of many
repetitions, shared among its records, and the mean of enqueueing added. The goal is for the median record, with
everything together.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from voicewarden.kernel.records import Seal, records_of
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import Step, step
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.store import Ledger
from voicewarden.model.event import Event
from voicewarden.model.record import GENESIS, Record
from voicewarden.rehearsal.bench import calls as text_calls
from voicewarden.rehearsal.bench.machine import load, machine

GOAL_US: Final = 4.0
TOP: Final = Path(__file__).resolve().parents[1]
Taken = list[tuple[Event, Step, int]]


def steps() -> list[Taken]:
    """The steps of each call: event, what it led to, and the number of its record."""
    release = text_calls.release(TOP / "config", TOP / "agents")
    found = []
    for events in text_calls.calls(release, TOP / "config", TOP / "agents"):
        state, taken = EMPTY, Taken()
        for event in events:
            done = step(release, state, event)
            taken.append((event, done, state.seq))
            state = done.state
        found.append(taken)
    return found


def write(calls: Sequence[Taken], name: str, seal_of: Callable[[str], Seal | None], take: Callable[[Any], None]) -> int:
    """Write every call once; returns how many records that are."""
    count = 0
    for number, taken in enumerate(calls):
        stream = f"call:{name}-{number}"
        seal, last = seal_of(stream), GENESIS
        for event, done, seq in taken:
            made = records_of(stream, seq, last, event, done.outputs, done.state.now_ms, seal)
            last = made[-1].hash
            take(made)
            count += len(made)
    return count


def measure(calls: Sequence[Taken], rounds: int, *, sealed: bool, enqueued: bool) -> list[float]:
    """CPU microseconds a record, a figure a round."""
    took = []
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.db") as ledger:
        for number in range(rounds):
            seals = {f"call:{number}-{at}": _seal(f"call:{number}-{at}") for at in range(len(calls))}
            take: Callable[[Any], None] = ledger.submit if enqueued else lambda _: None
            began = time.thread_time_ns()
            count = write(calls, str(number), seals.get if sealed else lambda _: None, take)
            took.append((time.thread_time_ns() - began) / count / 1_000)
            ledger.flush(60)
    return took


def _seal(stream: str) -> Seal:
    return WordsKey(stream, os.urandom(32)).seal


def measure_opening(calls: Sequence[Taken], rounds: int) -> list[float]:
    """CPU microseconds a record for a reader that has the key."""
    key, made = WordsKey("call:0-0", os.urandom(32)), list[Record]()
    write(calls[:1], "0", lambda _: key.seal, made.extend)
    took = []
    for _ in range(rounds):
        began = time.thread_time_ns()
        for record in made:
            key.opened(record)
        took.append((time.thread_time_ns() - began) / len(made) / 1_000)
    return took


def commit() -> str:
    """Short id of the commit that is measured."""
    found = subprocess.run(["git", "-C", str(TOP), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "uncommitted"


def by_record(calls: Sequence[Taken], rounds: int, enqueue_us: float) -> list[float]:
    """What each record costs in CPU microseconds with encode, seal, chain and enqueue."""
    found: list[float] = []
    for number, taken in enumerate(calls):
        stream = f"call:{number}"
        seals = [_seal(stream) for _ in range(rounds)]
        for event, done, seq in taken:
            at_ms, outputs = done.state.now_ms, done.outputs
            began = time.thread_time_ns()
            for seal in seals:
                records_of(stream, seq, GENESIS, event, outputs, at_ms, seal)
            took_us = (time.thread_time_ns() - began) / rounds / 1_000
            found += [took_us / (1 + len(outputs)) + enqueue_us] * (1 + len(outputs))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    calls = steps()
    records = sum(1 + len(done.outputs) for taken in calls for _, done, _ in taken)
    found = {
        "encode, chain": measure(calls, options.rounds, sealed=False, enqueued=False),
        "encode, seal, chain": measure(calls, options.rounds, sealed=True, enqueued=False),
        "encode, chain, enqueue": measure(calls, options.rounds, sealed=False, enqueued=True),
        "encode, seal, chain, enqueue": measure(calls, options.rounds, sealed=True, enqueued=True),
        "open": measure_opening(calls, options.rounds),
    }
    print(f"{machine()}; load {load()}; commit {commit()}")
    print(f"{records} records of {len(calls)} calls, {options.rounds} rounds; CPU of one thread, µs a record")
    rows = {}
    for name, took in found.items():
        ordered = sorted(took)
        p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
        rows[name] = {"p50": p50, "p99": p99, "least": ordered[0]}
        print(f"  {name:<30} p50 {p50:6.2f}  p99 {p99:6.2f}  least {ordered[0]:6.2f}")
    enqueue_us = max(0.0, rows["encode, chain, enqueue"]["p50"] - rows["encode, chain"]["p50"])
    each = sorted(by_record(calls, options.rounds, enqueue_us))
    p50, p90, p99 = (each[min(len(each) - 1, int(share * len(each)))] for share in (0.5, 0.9, 0.99))
    rows["each record"] = {"p50": p50, "p90": p90, "p99": p99}
    print(f"  of {len(each)} records, each:         p50 {p50:6.2f}  p90 {p90:6.2f}  p99 {p99:6.2f}")
    met = p50 <= GOAL_US
    print(f"goal: at most {GOAL_US} µs for the median record, everything together: {'met' if met else 'MISSED'}")
    if options.json:
        run = {"machine": machine(), "load": load(), "commit": commit()}
        data = {**run, "records": records, "rounds": options.rounds, "us": rows, "met": met}
        options.json.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

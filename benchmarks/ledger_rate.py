"""What writing down costs: processor time a record, waiting until a grant is durable, records a second, verifying.

    python benchmarks/ledger_rate.py [--json FILE] [--seconds 10] [--calls 100] [--folder FOLDER]

The load is that of many calls at once: 25 records a second each, and a grant that is waited for every 2 s. Durable
times depend on the disk and change tenfold from minute to minute, so a bare `fdatasync` is measured before and after on
the same disk. Between paced records the processor's caches go cold; chaining the record, which is pure computing, is
measured at the same moments for comparison.

Processor time a record is that of the thread of the calls, with encoding, sealing, chaining and queueing, over the
steps of whole text calls: what the kernel puts out for one event is submitted at once. The writer's thread has its own.

Goals: 4 us a record (p50 over the steps), a durable grant p99 <= 15 ms under 100 calls, 20,000 records a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any

import in_text
from measure import commit

from voicewarden.kernel.records import records_of
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import Step, step
from voicewarden.ledger import Ledger, awaiting, verify
from voicewarden.ledger.sealing import DATA_KEY_BYTES, WordsKey
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import LedgerFull
from voicewarden.model.event import CallerSpoke, Event, Word
from voicewarden.model.record import GENESIS, Record, make_record

RECORDS_A_SECOND = 25
GRANT_EVERY_S = 2.0
STEPS_A_SAMPLE = 8
"""A single step is shorter than the clock of a thread can tell; so many in a row are one sample."""
WARM_SAMPLES = 50
GOAL_CPU_P50_US = 4.0
GOAL_DURABLE_P99_MS = 15.0
GOAL_RECORDS_PER_S = 20_000


def body() -> bytes:
    """A typical event: one transcript segment of eight words."""
    text = "yes please book it for tuesday at three"
    words = tuple(Word(word, 700 + at, 300 * at, 300 * at + 250) for at, word in enumerate(text.split()))
    return canonical_bytes(
        CallerSpoke(at_ms=61_240, turn=7, text=text, words=words, speech_ms=2400, logprob_permille=-310)
    )


BODY = body()


class Heads:
    """Chains of many calls."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[int, str]] = {}

    def next(self, stream: str) -> Record:
        """The next record of a stream."""
        seq, last = self._heads.get(stream, (0, GENESIS))
        record = make_record(stream, seq, seq * 40, "event", BODY, last)
        self._heads[stream] = (seq + 1, record.hash)
        return record


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p99, p99.9 and n."""
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 3) for name, part in at.items()}
    return {**found, "n": len(ordered)}


def taken_steps() -> list[tuple[Event, Step]]:
    """Every event of whole text calls and what the kernel puts out for it."""
    release = in_text.release()
    found = []
    for events in in_text.calls(release):
        state = EMPTY
        for event in events:
            taken = step(release, state, event)
            found.append((event, taken))
            state = taken.state
    return found


def cpu(ledger: Ledger, steps: list[tuple[Event, Step]], rounds: int, *, sealed: bool) -> list[float]:
    """Processor microseconds a record on the thread of the calls, for each few steps."""
    samples, names = [], count()
    for _ in range(rounds):
        stream = f"call:cpu{'s' if sealed else 'p'}{next(names)}"
        seal = WordsKey(stream, bytes(DATA_KEY_BYTES)).seal if sealed else None
        seq, last = 0, GENESIS
        for begin in range(0, len(steps) - STEPS_A_SAMPLE, STEPS_A_SAMPLE):
            before, first = time.thread_time_ns(), seq
            for event, taken in steps[begin : begin + STEPS_A_SAMPLE]:
                records = records_of(stream, seq, last, event, taken.outputs, event.at_ms, seal)
                ledger.submit(records)
                seq, last = seq + len(records), records[-1].hash
            samples.append((time.thread_time_ns() - before) / 1e3 / (seq - first))
        ledger.flush(60)
    return samples[WARM_SAMPLES:]


def disk_probe(folder: Path, count: int = 200) -> dict[str, float]:
    """Milliseconds of an append of one body and its fdatasync."""
    handle = os.open(folder / "probe", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    times = []
    for _ in range(count):
        begin = time.perf_counter_ns()
        os.write(handle, BODY)
        os.fdatasync(handle)
        times.append((time.perf_counter_ns() - begin) / 1e6)
    os.close(handle)
    return percentiles(times)


async def paced(ledger: Ledger, calls: int, seconds: int) -> dict[str, dict[str, float]]:
    """Times of chaining and submitting (us) and until durable (ms), under the load of so many calls."""
    heads, chains, submits, durables = Heads(), [], [], []

    async def call(number: int) -> None:
        stream = f"call:{number}"
        loop = asyncio.get_running_loop()
        due = loop.time() + number / calls / RECORDS_A_SECOND
        for turn in range(seconds * RECORDS_A_SECOND):
            await asyncio.sleep(max(0.0, due - loop.time()))
            due += 1 / RECORDS_A_SECOND
            before = time.perf_counter_ns()
            record = heads.next(stream)
            begin = time.perf_counter_ns()
            chains.append((begin - before) / 1e3)
            if (turn + number) % int(GRANT_EVERY_S * RECORDS_A_SECOND):
                ledger.submit((record,))
                submits.append((time.perf_counter_ns() - begin) / 1e3)
            else:
                await awaiting.durable(ledger, (record,))
                durables.append((time.perf_counter_ns() - begin) / 1e6)

    await asyncio.gather(*(call(number) for number in range(calls)))
    return {
        "chain_paced_us": percentiles(chains),
        "submit_paced_us": percentiles(submits),
        "durable_ms": percentiles(durables),
    }


def full_speed(ledger: Ledger, count: int) -> dict[str, Any]:
    """Submit times in microseconds and durable records a second when as many as possible are submitted."""
    heads, submits = Heads(), []
    begin = time.perf_counter()
    for number in range(count):
        record = heads.next(f"call:fast{number % 50}")
        while True:
            before = time.perf_counter_ns()
            try:
                ledger.submit((record,))
                submits.append((time.perf_counter_ns() - before) / 1e3)
                break
            except LedgerFull:
                time.sleep(0.002)
    ledger.flush(60)
    return {"submit_us": percentiles(submits), "records_per_s": round(count / (time.perf_counter() - begin))}


def measure(folder: Path, calls: int, seconds: int, rounds: int) -> dict[str, Any]:
    """Everything, in the order in which it is printed."""
    before = disk_probe(folder)
    with Ledger.open(folder / "ledger.db") as ledger:
        under_load = asyncio.run(paced(ledger, calls, seconds))
        after = disk_probe(folder)
        fast = full_speed(ledger, 50_000)
        begin = time.perf_counter()
        checked = verify(ledger)
        took = time.perf_counter() - begin
        assert checked.ok
    with Ledger.open(folder / "cpu.db") as ledger:
        steps = taken_steps()
        plain = cpu(ledger, steps, rounds, sealed=False)
        sealed = cpu(ledger, steps, rounds, sealed=True)
    return {
        "fdatasync_before_ms": before,
        **under_load,
        "fdatasync_after_ms": after,
        **fast,
        "cpu_plain_us": percentiles(plain),
        "cpu_sealed_us": percentiles(sealed),
        "verified_per_s": round(checked.records / took),
        "verified": checked.records,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=20, help="how often all steps are taken for processor time")
    parser.add_argument("--folder", type=Path, help="where the disk to measure is; a temporary folder unless told")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.calls, options.seconds, options.rounds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; commit {commit()}; {options.calls} calls, {options.calls * RECORDS_A_SECOND} records a second")
    print(f"record body {len(BODY)} bytes")
    for name, value in figures.items():
        shown = "  ".join(f"{key} {item:g}" for key, item in value.items()) if isinstance(value, dict) else f"{value:,}"
        print(f"{name:20} {shown}")
    goals = {
        f"processor time a record, sealed, p50 <= {GOAL_CPU_P50_US:g} us": (
            figures["cpu_sealed_us"]["p50"] <= GOAL_CPU_P50_US
        ),
        f"the same, plain, p50 <= {GOAL_CPU_P50_US:g} us": figures["cpu_plain_us"]["p50"] <= GOAL_CPU_P50_US,
        f"durable grant p99 <= {GOAL_DURABLE_P99_MS:g} ms": figures["durable_ms"]["p99"] <= GOAL_DURABLE_P99_MS,
        f"records a second >= {GOAL_RECORDS_PER_S:,}": figures["records_per_s"] >= GOAL_RECORDS_PER_S,
    }
    for goal, met in goals.items():
        print(f"goal: {goal}: {'met' if met else 'MISSED'}")
    probe = max(figures["fdatasync_before_ms"]["p50"], figures["fdatasync_after_ms"]["p50"])
    print(f"durable p50 is {figures['durable_ms']['p50'] / probe:.1f} times a bare fdatasync")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "commit": commit(), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()

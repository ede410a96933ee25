"""What writing down costs a call: submitting a record, waiting until a grant is durable, records a second, verifying.

    python benchmarks/ledger_rate.py [--json FILE] [--seconds 10] [--calls 100] [--folder FOLDER]

The load is that of many calls at once: 25 records a second each, and a grant that is waited for every 2 s. Durable
times depend on the disk and change tenfold from minute to minute, so a bare `fdatasync` is measured before and after on
the same disk. Between paced records the processor's caches go cold; chaining the record, which is pure computing, is
measured at the same moments for comparison. Goal: submit p50 <= 5 us, back to back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from voicewarden.ledger import Ledger, awaiting, verify
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import LedgerFull
from voicewarden.model.event import CallerSpoke, Word
from voicewarden.model.record import GENESIS, Record, make_record

RECORDS_A_SECOND = 25
GRANT_EVERY_S = 2.0
GOAL_SUBMIT_P50_US = 5.0


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


def measure(folder: Path, calls: int, seconds: int) -> dict[str, Any]:
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
    return {
        "fdatasync_before_ms": before,
        **under_load,
        "fdatasync_after_ms": after,
        **fast,
        "verified_per_s": round(checked.records / took),
        "verified": checked.records,
    }


def commit() -> str:
    """Short id of the commit that was measured."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "uncommitted"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where the disk to measure is; a temporary folder unless told")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        figures = measure(Path(folder), options.calls, options.seconds)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}; commit {commit()}; {options.calls} calls, {options.calls * RECORDS_A_SECOND} records a second")
    print(f"record body {len(BODY)} bytes")
    for name, value in figures.items():
        shown = "  ".join(f"{key} {item:g}" for key, item in value.items()) if isinstance(value, dict) else f"{value:,}"
        print(f"{name:20} {shown}")
    met = figures["submit_us"]["p50"] <= GOAL_SUBMIT_P50_US
    print(f"goal: submit p50 <= {GOAL_SUBMIT_P50_US:g} us: {'met' if met else 'MISSED'}")
    probe = max(figures["fdatasync_before_ms"]["p50"], figures["fdatasync_after_ms"]["p50"])
    print(f"durable p50 is {figures['durable_ms']['p50'] / probe:.1f} times a bare fdatasync")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "commit": commit(), **figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""The crash campaign: power cuts, kills and faults of the disk, at length; see docs/reliability.md.

    python -m tests.campaign.crash [--states 100000] [--kills 1000] [--turns 100] [--processes 2] [--json FILE]

Prints what was done and what was found; exit 1 when anything acknowledged was lost, anything did not verify, a failed
operation went unnoticed, or a careless ledger, made to lose, did not. 0 leaves a part out.
"""

import argparse
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.campaign import kills
from tests.campaign.faults import faults
from tests.campaign.power import Care, losses, record
from tests.fakes.disk import Injected

CUTS_A_RECORDING: Final = 250
CONTROL_STATES: Final = 2_000
_INJECTED: Final[tuple[Injected, ...]] = ("io", "full", "short")


def power(states: int, care: Care, processes: int, scratch: str) -> dict[str, Any]:
    """Cut the power so many times, each recording in a process of the pool."""
    jobs = [(seed, care, min(CUTS_A_RECORDING, states - seed * CUTS_A_RECORDING), scratch)
            for seed in range(-(-states // CUTS_A_RECORDING))]  # fmt: skip
    found: Counter[str] = Counter()
    done = operations = 0
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for cuts, length, lost in pool.imap_unordered(_cut, jobs):
            done, operations, found = done + cuts, operations + length, found + lost
            _tell(f"power cuts ({care}): {done} of {states}")
    return {"states": done, "recordings": len(jobs), "operations": operations, "found": dict(found)}


def _cut(job: tuple[int, Care, int, str]) -> tuple[int, int, Counter[str]]:
    seed, care, cuts, scratch = job
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        recording = record(Path(folder) / "recorded", seed, care)
        for lost in losses(recording, Path(folder), seed, cuts):
            total += Counter(dict.fromkeys(lost, 1))
    return cuts, len(recording.diary), total


def killed(rounds: int) -> dict[str, Any]:
    """Kill writer and witness; stops at the first loss."""
    last = kills.Killed(0, 0, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for last in kills.campaign(Path(folder), rounds, seed=rounds):
                _tell(f"kills: {last.writers} of {rounds}")
        except AssertionError as loss:
            return {**last._asdict(), "found": {str(loss): 1}}
    return {**last._asdict(), "found": {}}


def failing(turns: int, scratch: str) -> dict[str, Any]:
    """Fail every single operation of a run, once for each kind of failure."""
    met: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        for injected in _INJECTED:
            try:
                for what in faults(Path(folder), injected, turns=turns):
                    met[f"{injected} {what}"] += 1
                    _tell(f"failed operations ({injected}): {met.total()}")
            except AssertionError as loss:
                return {"failed": met.total(), "met": dict(met), "found": {str(loss): 1}}
    return {"failed": met.total(), "met": dict(met), "found": {}}


def _parts(options: argparse.Namespace, scratch: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every part that was asked for: its name, its figures, and whether they are as they must be."""
    if options.states:
        whole = power(options.states, "full", options.processes, scratch)
        yield "power cuts", whole, not whole["found"]
        for care in ("normal", "off"):
            careless = power(min(options.states, CONTROL_STATES), care, options.processes, scratch)  # type: ignore[arg-type]
            yield f"power cuts, synchronous={care} (must lose)", careless, bool(careless["found"].get("grant lost"))
    if options.kills:
        done = killed(options.kills)
        yield "kills", done, not done["found"]
    if options.turns:
        done = failing(options.turns, scratch)
        yield "failed operations", done, not done["found"]


def _tell(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Run the campaign and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=100_000, help="power cuts")
    parser.add_argument("--kills", type=int, default=1_000, help="kills of the writer")
    parser.add_argument("--turns", type=int, default=100, help="turns of the run in which every operation fails once")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    shared = Path("/dev/shm")
    scratch = str(shared if os.access(shared, os.W_OK) else tempfile.gettempdir())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    figures: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commit": commit.stdout.strip() or "uncommitted",
    }
    print(f"{figures['machine']}; commit {figures['commit']}", flush=True)
    is_fine = True
    begin = time.monotonic()
    for name, part, held in _parts(options, scratch):
        _tell("")
        figures[name] = {**part, "held": held}
        is_fine = is_fine and held
        shown = ", ".join(f"{key} {value}" for key, value in part.items() if key not in ("found", "met"))
        print(f"{name}: {shown}; found {part['found'] or 'nothing'}: {'as it must be' if held else 'NOT AS IT MUST BE'}"
              f" ({time.monotonic() - begin:.0f} s so far)", flush=True)  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    raise SystemExit(0 if is_fine else 1)


if __name__ == "__main__":
    main()

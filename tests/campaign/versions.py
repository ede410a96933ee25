"""Everything that must come out the same in every process, hash seed and Python version, as one line of JSON.

In: nothing. Out: one digest for each part: what the step writes for every recorded call, for the events of the golden
calls under today's release, and in calls in which anything may happen. Needs the core's packages only. Called by
`scripts/python-versions`, once for each interpreter and seed.
"""

import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from tests.fakes.rig import TOP, shipped
from tests.replay.random_call import random_call
from tests.replay.text_ledger import FIRST, unpack

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.ledger.store import Ledger
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import GENESIS, Record
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.golden import golden_release, read_golden

CALLS = TOP / "tests" / "calls"
RANDOM_CALLS = 300


class Digest:
    """What came out, and how many events it came from."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.events = 0

    def add(self, records: Iterable[Record]) -> None:
        """Records in order."""
        for record in records:
            self.events += record.kind == "event"
            self._hash.update(record.hash.encode())

    def replay(self, records: Iterable[Record], releases: Releases) -> None:
        """A recorded call; raises SystemExit where it differs."""
        result = replay_call(records, releases, watch=self._watch)
        if not result.ok:
            seq = result.difference.seq if result.difference else -1
            raise SystemExit(f"{result.call} differs at record {seq} {result.note}")

    def _watch(self, release: Compiled, state: State, event: Event, taken: Step) -> None:
        self.add(records_of("call:again", state.seq, "0" * 64, event, taken.outputs, taken.state.now_ms))

    def __str__(self) -> str:
        return self._hash.hexdigest()


def golden_events(digest: Digest) -> None:
    """What happened in the golden calls, under today's release."""
    decode = msgspec.json.Decoder(Event).decode
    for path in sorted(CALLS.glob("*.jsonl")):
        state, last = EMPTY, GENESIS
        for event in [decode(record.body) for record in read_golden(path) if record.kind == "event"]:
            if isinstance(event, CallStarted):
                event = msgspec.structs.replace(event, release=shipped().hash)
            taken = step(shipped(), state, event)
            made = records_of("call:golden", state.seq, last, event, taken.outputs, taken.state.now_ms)
            digest.add(made)
            state, last = taken.state, made[-1].hash


def random_calls(digest: Digest) -> None:
    """Calls in which anything may happen; the same moves in every version."""
    for seed in range(RANDOM_CALLS):
        digest.add(random_call(seed).records)


def recorded_calls(digest: Digest) -> None:
    """The golden calls as they were recorded, and the ledger of the first form."""
    stored = Releases(lambda name: golden_release(CALLS, name))
    for path in sorted(CALLS.glob("*.jsonl")):
        digest.replay(read_golden(path), stored)
    with tempfile.TemporaryDirectory() as folder, Ledger.read(unpack(FIRST, Path(folder))) as view:
        releases = Releases(view.get_blob)
        for stream in view.streams("call:"):
            digest.replay(view.read_stream(stream), releases)


PARTS: dict[str, Callable[[Digest], None]] = {
    "recorded calls": recorded_calls, "golden events": golden_events, "random calls": random_calls,
}  # fmt: skip


def main() -> None:
    """Print one line."""
    digests = {name: Digest() for name in PARTS}
    for name, part in PARTS.items():
        part(digests[name])
    found = {"release": shipped().hash, **{name: str(digest) for name, digest in digests.items()}}
    events = sum(digest.events for digest in digests.values())
    about = {"python": platform.python_version(), "seed": os.environ.get("PYTHONHASHSEED", "random"), "events": events}
    json.dump({**about, "found": found}, sys.stdout)
    print()


if __name__ == "__main__":
    main()

"""The ledger of the first form replays for ever: what was recorded once is never decided otherwise by a later version.

Where this fails, an event or a rule was given a new meaning: give it a new name, and an upcaster for the old one.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.rig import TOP
from tests.replay.golden import SCRIPTS
from tests.replay.text_ledger import FIRST, unpack

from voicewarden.ledger import verify
from voicewarden.ledger.store import Ledger
from voicewarden.replay.exact import replay_ledger

MOST_BYTES = 200_000


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(FIRST, tmp_path_factory.mktemp("first"))


def test_every_call_of_it_replays_to_the_same_bytes(ledger: Path) -> None:
    with Ledger.read(ledger) as view:
        results = replay_ledger(view)
    assert [result.call for result in results] == [f"golden-{name}" for name in SCRIPTS]
    assert [(result.call, result.difference) for result in results if not result.ok] == []
    assert sum(result.events for result in results) > 400


def test_it_is_whole(ledger: Path) -> None:
    with Ledger.read(ledger) as view:
        assert verify(view).problems == ()


def test_it_is_small() -> None:
    assert FIRST.stat().st_size < MOST_BYTES


_ANOTHER_PROCESS = """
import hashlib, sys
from pathlib import Path
from voicewarden.kernel.records import records_of
from voicewarden.ledger.store import Ledger
from voicewarden.replay.exact import Releases, replay_call
found = hashlib.sha256()
with Ledger.read(Path(sys.argv[1])) as view:
    releases = Releases(view.get_blob)
    for stream in view.streams("call:"):
        def watch(release, state, event, taken):
            for record in records_of(stream, state.seq, "0" * 64, event, taken.outputs, taken.state.now_ms):
                found.update(record.hash.encode())
        assert replay_call(view.read_stream(stream), releases, watch=watch).difference is None, stream
print(found.hexdigest())
"""


def test_other_processes_with_other_hash_seeds_write_the_same_bytes(ledger: Path) -> None:
    """Law 8: what is written depends on the events alone, in no process on another order of a set or dict."""
    found = set()
    for seed in ("0", "1", "4242", "random"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TOP / "src")}
        ran = subprocess.run(
            [sys.executable, "-c", _ANOTHER_PROCESS, str(ledger)], capture_output=True, text=True, env=env, cwd=TOP
        )
        assert ran.returncode == 0, ran.stderr
        found.add(ran.stdout.strip())
    assert len(found) == 1 and len(found.pop()) == len(hashlib.sha256().hexdigest())

"""Golden calls replay to the same bytes, and a call made again is the same call (law 8)."""

import asyncio
import hashlib
import os
import subprocess
import sys

import msgspec
import pytest
from tests.fakes.rig import TOP
from tests.replay.golden import CALLS, SCRIPTS, dump, load, load_release_blob, run

from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import Directive
from voicewarden.model.record import Record, chain_hash
from voicewarden.replay.exact import Releases, replay_call

FILES = sorted(CALLS.glob("*.jsonl"))
RELEASES = Releases(load_release_blob)
DIRECTIVES = msgspec.json.Decoder(Directive)


def outputs(records: list[Record], kind: str, decoder: msgspec.json.Decoder) -> list:  # type: ignore[type-arg]
    return [decoder.decode(record.body) for record in records if record.kind == kind]


def decisions(records: list[Record]) -> list[Decision]:
    return outputs(records, "decision", msgspec.json.Decoder(Decision))


def granted(records: list[Record]) -> list[str]:
    found: list[Grant] = outputs(records, "grant", msgspec.json.Decoder(Grant))
    return [grant.action for grant in found if not grant.escape]


def test_every_golden_call_has_a_script_and_every_script_a_call() -> None:
    assert {path.stem for path in FILES} == set(SCRIPTS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_call_replays_to_the_same_bytes(path: object) -> None:
    """Law 8: live or replay, identical decisions and records."""
    records = load(path)  # type: ignore[arg-type]
    replayed = replay_call(records, RELEASES)
    assert replayed.difference is None, replayed.difference
    assert replayed.events == sum(record.kind == "event" for record in records)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_call_is_one_unbroken_chain(path: object) -> None:
    for record in load(path):  # type: ignore[arg-type]
        assert record.hash == chain_hash(
            record.stream, record.seq, record.at_ms, record.kind, record.body, record.prev_hash
        )


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_call_made_twice_is_the_same_call(name: str) -> None:
    one, other = await run(name), await run(name)
    assert dump(one) == dump(other)


@pytest.mark.parametrize(
    ("name", "actions"),
    [("booked", ["place_call", "book"]), ("booked-by-key", ["place_call", "book"]), ("refused", ["place_call"]),
     ("barely-heard", ["place_call", "book"]), ("stop-calling", ["place_call"]), ("person", ["place_call", "transfer"]),
     ("mailbox", ["place_call"]), ("silence", ["place_call"]), ("rogue", ["place_call"]), ("inbound", ["book"])],
)  # fmt: skip
async def test_what_a_call_is_granted(name: str, actions: list[str]) -> None:
    assert granted(await run(name)) == actions


async def test_a_rogue_model_is_held() -> None:
    records = await run("rogue")
    denied = [decision for decision in decisions(records) if decision.verdict == "deny"]
    assert {decision.action for decision in denied} >= {"speak"}
    spoken = [item.text for item in outputs(records, "directive", DIRECTIVES) if hasattr(item, "text")]
    assert not any("19.99" in text or "real person" in text or "40 percent" in text for text in spoken)


def test_the_release_of_the_golden_calls_is_stored_under_its_hash() -> None:
    named = {msgspec.json.decode(load(path)[0].body)["release"] for path in FILES}
    assert {hashlib.sha256(load_release_blob(name)).hexdigest() for name in named} == named
    assert {path.name for path in (CALLS / "releases").iterdir()} == {f"{name[:16]}.json.gz" for name in named}


_ANOTHER_PROCESS = """
import asyncio, hashlib
from tests.replay.golden import CALLS, dump, load, load_release_blob, run
from voicewarden.replay.exact import Releases, replay_call
found = hashlib.sha256()
for name in ("booked", "rogue", "person"):
    found.update(dump(asyncio.run(run(name))).encode())
releases = Releases(load_release_blob)
for path in sorted(CALLS.glob("*.jsonl")):
    assert replay_call(load(path), releases).difference is None, path.stem
print(found.hexdigest())
"""


async def test_another_process_with_another_hash_seed_writes_the_same_bytes() -> None:
    """Law 8: two processes, identical records."""
    found = hashlib.sha256()
    for name in ("booked", "rogue", "person"):
        found.update(dump(await run(name)).encode())
    seed = "4242" if os.environ.get("PYTHONHASHSEED") != "4242" else "1"
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{TOP / 'src'}{os.pathsep}{TOP}"}
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _ANOTHER_PROCESS], capture_output=True, text=True, env=env, cwd=TOP
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == found.hexdigest()

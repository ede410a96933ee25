"""A reviewer labels a call while the server runs: the command, a process of its own, goes through the server."""

import asyncio
import json
import sys
from pathlib import Path

import msgspec
from tests.fakes.recorded_call import booking_call
from tests.fakes.server import House, open_house

from voicewarden.model.decision import Decision
from voicewarden.replay.entries import read_entries
from voicewarden.replay.labels import read_labels

REASON = "nobody had asked for it"


async def label(house: House, call: str, seq: int, *more: str) -> tuple[int, str, str]:
    """Run `voicewarden label`; returns exit code, output and errors."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voicewarden.cli.main", "label", str(house.path), call, str(seq), "wrong",
        "--reason", REASON, "--reviewer", "ann", *more,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await running.communicate()
    return running.returncode or 0, out.decode(), errors.decode()


def a_call(house: House) -> tuple[str, Decision]:
    """A call that is over, and one of its decisions."""
    sample = booking_call()
    sample.store(house.ledger)
    found = read_entries(sample.records).items
    return "sample-1", next(entry.value for entry in found if isinstance(entry.value, Decision))


def tell_where(house: House, url: str) -> None:
    """The file in which the server says where it is; the test's server listens at a port of its own."""
    file = house.path.parent / "server.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "url": url}))


async def test_a_label_goes_through_the_running_server(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        call, decision = a_call(house)
        tell_where(house, house.url)
        code, out, errors = await label(house, call, decision.seq, "--json")
        assert (code, errors) == (0, "")
        made = json.loads(out)
        records = list(house.ledger.read_stream(f"call:{call}"))
        assert made["hash"] == records[decision.seq].hash
        (kept,) = read_labels(house.ledger, call, records).current
        assert msgspec.to_builtins(kept).items() >= {"reason": REASON, "reviewer": "ann", "verdict": "wrong"}.items()


async def test_what_the_server_refuses_is_told(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        call, decision = a_call(house)
        tell_where(house, house.url)
        code, _, errors = await label(house, call, decision.seq, "--reason", "no")
        assert code == 1
        assert "the server refused: a label needs a reason" in errors
        body = {"call": call, "seq": decision.seq, "digest": "0" * 64, "verdict": "right", "reason": REASON,
                "reviewer": "ann"}  # fmt: skip
        answer = await house.client.post("/local/labels", json=body)
        assert (answer.status_code, "another hash" in answer.text) == (422, True)
        answer = await house.client.post("/local/labels", json=body, headers={"Authorization": "Bearer no"})
        assert answer.status_code == 401
        assert list(house.ledger.read_stream(f"review:{call}")) == []


async def test_without_an_answer_the_holder_of_the_ledger_is_named(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        call, decision = a_call(house)
        tell_where(house, "http://127.0.0.1:1")
        code, _, errors = await label(house, call, decision.seq)
        assert code == 1
        assert "is writing this ledger" in errors

"""Golden calls: whole calls in text, made by the real loop, kernel and effectors, and kept in `tests/calls`.

A file holds the records of one call, a line each; `releases` beside it holds the release that governed them, so that a
change of the configuration leaves the golden calls as they are. Write them anew, after a change of the kernel that was
meant, with `python -m tests.replay.golden`.
"""

import asyncio
import gzip
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.fakes.journal import FakeBurner, FakeJournal
from tests.fakes.rig import FACTS, TOP, shipped

from voicewarden.kernel.release import Compiled, encode_release
from voicewarden.model.action import Direction, Value
from voicewarden.model.record import Record
from voicewarden.rehearsal.quiet_carrier import QuietCarrier
from voicewarden.rehearsal.scripted_model.server import ScriptedModel
from voicewarden.rehearsal.text_call import Line, TextCall
from voicewarden.runtime.outfit import Outfit

CALLS = TOP / "tests" / "calls"


@dataclass(frozen=True)
class Script:
    """One golden call."""

    lines: Sequence[Line]
    about: str
    agent: str = "booking"
    direction: Direction = "outbound"
    rogue: bool = False
    facts: dict[str, Value] = field(default_factory=dict)


SCRIPTS: dict[str, Script] = {
    "booked": Script(
        (Line("Hello?"), Line("Yes, that is fine."), Line("Yes, Tuesday is good."), Line("Yes, book it."),
         Line("Thank you, goodbye.")),
        "An appointment is agreed to, booked, and the call ends.",
    ),
    "booked-by-key": Script(
        (Line("Hello?"), Line("Yes, that is fine."), Line("Yes, Tuesday is good."), Line(key="1"), Line("Goodbye.")),
        "The key 1 agrees.",
    ),
    "refused": Script(
        (Line("Hello?"), Line("Yes, go on."), Line("Yes, Tuesday is good."), Line("No, thank you."), Line("Goodbye.")),
        "The question is answered by a no.",
    ),
    "barely-heard": Script(
        (Line("Hello?"), Line("Yes, go on."), Line("Yes, Tuesday is good."), Line("Yes, book it.", permille=450),
         Line("Yes, book it."), Line("Goodbye.")),
        "A yes that was not surely heard is asked for again.",
    ),
    "stop-calling": Script(
        (Line("Hello?"), Line("Stop calling me and take me off your list.")),
        "An opt-out ends the call.",
    ),
    "person": Script(
        (Line("Hello?"), Line("I want to talk to a real person, please.")),
        "A person is asked for and reached.",
    ),
    "mailbox": Script(
        (Line("Hi, you have reached the Millers, please leave a message after the tone."), Line(tone="beep")),
        "A mailbox for which there is no permission is left without a word.",
    ),
    "silence": Script((Line("Hello?"),), "Nobody says anything any more."),
    "rogue": Script(
        (Line("Hello?"), Line("What do you want?"), Line("Are you a robot?"), Line("No, I said no."), Line("Goodbye.")),
        "A model that follows no prompt is held by the gate.", rogue=True,
    ),
    "inbound": Script(
        (Line("Hi, I would like to book a consultation."), Line("Yes, Tuesday is good."), Line("Yes, book it."),
         Line("Goodbye.")),
        "Somebody calls to book.", direction="inbound",
    ),
}  # fmt: skip


async def run(name: str, release: Compiled | None = None) -> list[Record]:
    """Make one golden call now; returns its records."""
    script, governing = SCRIPTS[name], release or shipped()
    journal = FakeJournal()
    with tempfile.TemporaryDirectory() as folder:
        outfit = Outfit(
            governing.data, var_dir=Path(folder), zone=ZoneInfo("America/New_York"), carrier=QuietCarrier(),
            number_of=lambda _: "+15555550199",
        )  # fmt: skip
        call = TextCall(
            governing, script.agent, _MODEL.reply, journal, FakeBurner(), outfit.effectors, script.lines,
            call=f"golden-{name}", direction=script.direction, facts={**FACTS, **script.facts}, rogue=script.rogue,
        )  # fmt: skip
        await call.run()
    return journal.records


_MODEL = ScriptedModel(TOP / "agents")


def dump(records: Sequence[Record]) -> str:
    """Records as lines that a person can read and compare."""
    lines = (
        {"seq": record.seq, "at_ms": record.at_ms, "kind": record.kind, "body": json.loads(record.body),
         "hash": record.hash}
        for record in records
    )  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def load(path: Path) -> list[Record]:
    """Records of a golden call as the ledger would give them."""
    records: list[Record] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        body = json.dumps(line["body"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        last = records[-1].hash if records else "0" * 64
        stream = f"call:golden-{path.stem}"
        records.append(Record(stream, line["seq"], line["at_ms"], line["kind"], body, last, line["hash"]))
    return records


def load_release_blob(name: str) -> bytes:
    """Canonical bytes of a release by its hash, as `exact.Releases` asks for them."""
    return gzip.decompress((CALLS / "releases" / f"{name[:16]}.json.gz").read_bytes())


def write() -> None:
    """Make all golden calls anew."""
    release = shipped()
    folder = CALLS / "releases"
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*CALLS.glob("*.jsonl"), *folder.glob("*.json.gz")):
        old.unlink()
    packed = gzip.compress(encode_release(release.data), 9, mtime=0)
    (folder / f"{release.hash[:16]}.json.gz").write_bytes(packed)
    for name in SCRIPTS:
        records = asyncio.run(run(name))
        (CALLS / f"{name}.jsonl").write_text(dump(records), encoding="utf-8")


if __name__ == "__main__":
    write()

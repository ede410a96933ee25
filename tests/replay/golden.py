"""Golden calls: whole calls in text, made by the real loop, kernel and effectors, and kept in `tests/calls`.

A file holds the records of one call, a line each; `releases` beside it holds the release that governed them, so that a
change of the configuration leaves the golden calls as they are. Write them anew, after a change of the kernel that was
meant, with `python -m tests.replay.golden`.
"""

import asyncio
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
from voicewarden.replay.golden import dump_golden, golden_release, read_golden, write_golden
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
    return dump_golden(records)


def load(path: Path) -> list[Record]:
    """Records of a golden call as the ledger would give them."""
    return read_golden(path)


def load_release_blob(name: str) -> bytes:
    """Canonical bytes of a release by its hash, as `exact.Releases` asks for them."""
    return golden_release(CALLS, name)


def write() -> None:
    """Make all golden calls anew."""
    release = shipped()
    folder = CALLS / "releases"
    for old in (*CALLS.glob("*.jsonl"), *folder.glob("*.json.gz")):
        old.unlink()
    for name in SCRIPTS:
        write_golden(CALLS, name, asyncio.run(run(name)), encode_release(release.data))


if __name__ == "__main__":
    write()

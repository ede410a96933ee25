"""Whole guarded calls in text and virtual time, whose recorded events are the event mix of every offline measurement.

In: folders with agents and policies. Out: the compiled release and, for each call, its events in order; or those of
the calls in a ledger. Needs no sound, no model server and no network. Called by `run` and by `benchmarks/`.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from voicewarden.config.policy_reader import fact_defaults
from voicewarden.config.release import load_release
from voicewarden.contacts.history import facts_of
from voicewarden.kernel.release import Compiled
from voicewarden.ledger.store import Ledger
from voicewarden.model.error import ConfigError
from voicewarden.model.event import Event
from voicewarden.rehearsal.quiet_carrier import QuietCarrier
from voicewarden.rehearsal.scripted_model import ScriptedModel
from voicewarden.rehearsal.text_call import Line, TextCall
from voicewarden.replay.exact import Releases
from voicewarden.runtime.burning import LedgerBurner
from voicewarden.runtime.outfit import Outfit

POLICY: Final = "outbound-sales"
SCRIPTS: Final[tuple[tuple[str, str, bool, tuple[str | Line, ...]], ...]] = (
    ("booking", "outbound", False, ("Hello?", "Yes, sure.", "What does it cost?", "Who is this?",
     "Yes, Tuesday at three works for me.", "Yes, book it please.", "Thank you, goodbye.")),
    ("booking", "outbound", False, ("Hello?", "Yes, sure.", "Are you a robot?", "Yes, that works for me.",
     "No, please don't book anything.", "No, thank you. Goodbye.")),
    ("booking", "outbound", False, ("Hello?", "Please stop calling me.")),
    ("booking", "outbound", True, ("Hello?", "Yes, sure.", "What does it cost?", "Are you a robot?", "Tell me more.",
     "I have to go now, goodbye.")),
    ("transfer", "inbound", False, ("I have a question about my invoice.", "Yes, that would help.", "Who is this?",
     "Yes, please connect me with billing.", "Yes, go ahead please.")),
    ("booking", "outbound", False, ("Hello?", "Yes, sure.", "Who is this?", Line("What does it cost?", after_ms=1_500),
     "No, thank you. Goodbye.")),
)  # fmt: skip
"""Agent, direction, whether the model is a rogue, and what the caller says."""


def release(config: Path, agents: Path) -> Compiled:
    """The release of these folders, as a development profile runs it. Raises ConfigError when they are not there."""
    missing = [str(place) for place in (config / "policies" / f"{POLICY}.yaml", agents) if not place.exists()]
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)} not found: steps and grants are measured on calls of the shipped agents; run it "
            "from the top of the repository, or name the folders with --config and --agents"
        )
    return Compiled(load_release(config, agents, policy=POLICY, approved=False))


def calls(compiled: Compiled, config: Path, agents: Path) -> list[list[Event]]:
    """The events of one text call a script."""
    return asyncio.run(_calls(compiled, config, agents))


async def _calls(compiled: Compiled, config: Path, agents: Path) -> list[list[Event]]:
    with tempfile.TemporaryDirectory() as folder, Ledger.open(Path(folder) / "ledger.db") as ledger:
        facts = _facts(compiled, config)
        return [
            await _call(compiled, agents, ledger, Path(folder), facts, number) for number in range(len(SCRIPTS))
        ]


# The values are of whatever type the policy's facts have.
def _facts(compiled: Compiled, config: Path) -> dict[str, bool | int | str]:
    windows = tuple(window.in_s for window in compiled.policy.policy.contact.per_person)
    history = {**facts_of((), now_unix_ms=0, windows_s=windows), "contact.consent": "written"}
    return {**fact_defaults(config, POLICY), **history}


async def _call(
    compiled: Compiled, agents: Path, ledger: Ledger, folder: Path, facts: dict[str, bool | int | str], number: int
) -> list[Event]:
    agent, direction, rogue, said = SCRIPTS[number]
    outfit = Outfit(
        compiled.data, var_dir=folder, zone=ZoneInfo("America/New_York"), carrier=QuietCarrier(),
        number_of=lambda _: "+15555550100",
    )  # fmt: skip
    call = TextCall(
        release=compiled, agent=agent, model=ScriptedModel(agents).reply, journal=ledger,
        burner=LedgerBurner(ledger), effectors=outfit.effectors,
        lines=[item if isinstance(item, Line) else Line(item) for item in said], call=f"bench-{number}",
        direction="inbound" if direction == "inbound" else "outbound", facts=dict(facts), rogue=rogue,
    )  # fmt: skip
    await call.run()
    return call.events


def recorded(path: Path) -> tuple[Compiled, list[list[Event]]]:
    """The newest release of a ledger and the events of the calls that it governed."""
    decoder = msgspec.json.Decoder(Event)
    with_release: dict[str, list[list[Event]]] = {}
    view = Ledger.read(path)
    try:
        for stream in view.streams("call:"):
            events = [decoder.decode(item.body) for item in view.read_stream(stream) if item.kind == "event"]
            with_release.setdefault(getattr(events[0], "release", ""), []).append(events)
        newest = list(with_release)[-1]
        return Releases(view.get_blob).get(newest), with_release[newest]
    finally:
        view.close()

"""Runs the demo: starts the stage, plays the calls some at a time, then checks, replays and reports.

In: a folder. Out: its ledger, recordings, reports and `summary.json`, a table, and whether everything held.
"""

import asyncio
import contextlib
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from voicewarden.ledger.checkpoint import SignedCheckpoint
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.treecheck import TreeCheck
from voicewarden.ledger.verify import Verification, verify
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import ConfigError
from voicewarden.rehearsal.carrier import SimulatedCall
from voicewarden.rehearsal.carrier.answerer import Person
from voicewarden.rehearsal.demo.outcome import CallOutcome, outcome_of
from voicewarden.rehearsal.demo.scenarios import SCENARIOS, Scenario
from voicewarden.rehearsal.demo.sealing import STORE, as_data, told, witness_beside
from voicewarden.rehearsal.demo.stage import OWN_NUMBER, Stage, set_up
from voicewarden.rehearsal.demo.timeline import Timeline
from voicewarden.replay.exact import Replayed, replay_ledger
from voicewarden.replay.report import report_name, write_index, write_report

_WIDTH: Final = 118
_LONGEST_CALL_MS: Final = 240_000
_DESKS: Final = ("+15555550101", "+15555550102", "+15555550103")
_OURS: Final = (
    "ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock", "ledger.db.blobs", "recordings", "reports",
    "calendar", "commitments.jsonl", "summary.json", "server.json", "line", "ledger.db.tree", "ledger.db.tree-wal",
    "ledger.db.tree-shm", "ledger.db.keys", "ledger.db.keys-wal", "ledger.db.keys-shm", STORE,
)  # fmt: skip


class Played:
    """What is known of one scenario after it was played."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.call = ""
        self.redial = ""
        self.line: SimulatedCall | None = None
        self.problem = ""


async def run_demo(
    out: Path, *, only: tuple[str, ...] = (), at_once: int = 3, small_model: bool = False, plain: bool = False
) -> bool:
    """Play the demo into an absolute folder; True when every call was held and every replay was exact."""
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    if small_model:
        # Nobody knows what a real model asks for: it only must not get it.
        chosen = [replace(scenario, expected=()) if scenario.model else scenario for scenario in chosen]
    if not chosen:
        raise ConfigError("no scenario of that name", accepted=", ".join(item.name for item in SCENARIOS))
    root = Path.cwd()
    if not (root / "config" / "voicewarden.yaml").exists():
        raise ConfigError("the demo needs config/ and agents/; run it in the project's folder")
    _clear(out)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print("Preparing the callers' voices ...")
    began = time.monotonic()
    cache = root / "var" / "voices"
    callers = {scenario.name: scenario.caller(cache) for scenario in chosen}
    for caller in callers.values():
        await asyncio.to_thread(caller.prepare)
    played = [Played(scenario) for scenario in chosen]
    async with witness_beside(out) as witness:
        async with set_up(root, out, small_model=small_model, more_settings=witness.settings) as stage:
            console.print("[yellow]DEVELOPMENT PROFILE: unapproved files may run, on loopback only[/]")
            for number in _DESKS:
                stage.carrier.numbers[number] = Person(_desk_talk)
            await _play_all(stage, played, callers, out, at_once=at_once, plain=plain)
        sealed = await witness.seal()
    return _conclude(console, played, out, sealed, time.monotonic() - began)


def _clear(out: Path) -> None:
    """Remove what an earlier demo left, and nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _OURS:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


async def _desk_talk(line: Any) -> None:
    # Any: the carrier's line; a desk only listens for a while.
    await line.wait(4_000)


async def _play_all(
    stage: Stage, played: list[Played], callers: dict[str, Any], out: Path, *, at_once: int, plain: bool
) -> None:
    # Any: scripted callers are handed to the carrier as they are.
    names: dict[str, str] = {}
    timeline = Timeline(out / "ledger.db", lambda call: names.get(call, call[-6:]), len(played), plain=plain)
    showing = asyncio.create_task(timeline.run())
    room = asyncio.Semaphore(at_once)

    async def one(item: Played) -> None:
        async with room:
            try:
                await _play(stage, item, callers[item.scenario.name], names)
            except (TimeoutError, OSError) as error:
                item.problem = f"{type(error).__name__}: {error}"
            timeline.call_done()

    try:
        async with asyncio.TaskGroup() as group:
            for item in played:
                group.create_task(one(item))
        await asyncio.sleep(1.0)
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing


async def _play(stage: Stage, item: Played, caller: Any, names: dict[str, str]) -> None:
    scenario, carrier = item.scenario, stage.carrier
    if scenario.direction == "inbound":
        item.line = await carrier.place_inbound(
            scenario.number, OWN_NUMBER, caller, f"{stage.url}/twilio/voice"
        )
        for _ in range(50):
            item.call = await stage.call_of(item.line.sid)
            if item.call:
                break
            await asyncio.sleep(0.1)
    else:
        carrier.numbers[scenario.number] = caller
        await stage.order(
            "/local/consents", {"number": scenario.number, "level": "written", "source": "demo: asked for a quote"}
        )
        before = set(carrier.calls)
        model = stage.small_model or scenario.model if scenario.model else ""
        item.call = await _place(stage, scenario, model)
        item.line = await _line_of(stage, before, scenario.number)
    names[item.call] = scenario.name
    if item.line is not None:
        await item.line.ended(timeout_ms=_LONGEST_CALL_MS)
    if scenario.redial:
        await asyncio.sleep(0.5)
        item.redial = await _place(stage, scenario, "")
        names[item.redial] = f"{scenario.name} again"


async def _place(stage: Stage, scenario: Scenario, model: str) -> str:
    body = {"number": scenario.number, "agent": scenario.agent, "facts": scenario.facts, "model": model}
    return str((await stage.order("/local/calls", body))["call"])


async def _line_of(stage: Stage, before: set[str], number: str) -> SimulatedCall | None:
    for _ in range(100):
        for sid, line in stage.carrier.calls.items():
            if sid not in before and line.to_number == number:
                return line
        await asyncio.sleep(0.1)
    return None


def _conclude(
    console: Console, played: list[Played], out: Path, sealed: SignedCheckpoint, took_s: float
) -> bool:
    view = Ledger.read(out / "ledger.db")
    tree = TreeCheck.open(view.path, witness_store=out / STORE)
    checked = verify(view, tree)
    replays = {result.call: result for result in replay_ledger(view)}
    lines = out / "line"
    lines.mkdir(exist_ok=True)
    rows, good = [], checked.ok and not any(result.difference for result in replays.values())
    good = good and tree.state is not None and tree.state.open_records == 0
    for item in played:
        found = outcome_of(item.call, view.read_stream(f"call:{item.call}"))
        row = _row(item, found, replays, view)
        good = good and row["held"]
        rows.append(row)
        if item.line is not None:
            item.line.write_wav(lines / f"{item.scenario.name}.wav")
    reports = _write_reports(view, played, out)
    view.close()
    _print(console, rows, checked, replays, took_s, reports)
    console.print(told(sealed), soft_wrap=True)
    summary = {
        "calls": rows, "took_s": round(took_s), "records": checked.records, "ok": good, "checkpoint": as_data(sealed)
    }  # fmt: skip
    (out / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return good


def _row(item: Played, found: CallOutcome, replays: dict[str, Replayed], view: LedgerView) -> dict[str, Any]:
    # Any: a row of summary.json.
    scenario = item.scenario
    refused = list(found.refused)
    if item.redial:
        again = outcome_of(item.redial, view.read_stream(f"call:{item.redial}"))
        refused += again.refused
    held = (
        not item.problem
        and not found.ungranted_effects
        and not set(found.done) & set(scenario.forbidden)
        and set(scenario.expected) <= set(found.done)
        and len(set(found.done)) == len(found.done)
        and (not scenario.redial or any(refusal.action == "place_call" for refusal in refused))
    )
    replayed = replays.get(item.call)
    return {
        "scenario": scenario.name,
        "call": item.call,
        "outcome": item.problem or found.ended,
        "done": list(found.done),
        "refused": [{"action": r.action, "verdict": r.verdict, "reasons": list(r.reasons)} for r in refused],
        "held_sentences": found.held_sentences,
        "turn_gap_ms": item.line.turn_gaps_ms() if item.line else [],
        "audible_holes": item.line.audible_holes if item.line else 0,
        "replay": "exact" if replayed is not None and replayed.difference is None else "differs",
        "held": held,
    }


def _write_reports(view: LedgerView, played: list[Played], out: Path) -> Path:
    folder = out / "reports"
    folder.mkdir(exist_ok=True)
    for item in played:
        if item.call:
            wav = out / "recordings" / f"{item.call}.wav"
            write_report(view, item.call, folder / report_name(item.call), recording=wav if wav.exists() else None)
    write_index(view, tuple(item.call for item in played if item.call), folder / "index.html")
    return folder / "index.html"


def _print(
    console: Console, rows: list[dict[str, Any]], checked: Verification, replays: dict[str, Replayed], took_s: float,
    reports: Path,
) -> None:  # fmt: skip
    table = Table(title=f"{len(rows)} calls", title_justify="left")
    for column in ("scenario", "ended", "done", "refused or held", "gap ms", "replay", ""):
        table.add_column(column, no_wrap=column in ("scenario", "replay"))
    for row in rows:
        gaps = sorted(row["turn_gap_ms"])
        table.add_row(
            _words(row["scenario"]), _words(row["outcome"]), _words(", ".join(row["done"])) or "-", _refused(row),
            str(gaps[len(gaps) // 2]) if gaps else "-", row["replay"], "ok" if row["held"] else "NOT AS IT SHOULD BE",
        )  # fmt: skip
    console.print(table)
    events = sum(result.events for result in replays.values())
    differing = sum(1 for result in replays.values() if result.difference)
    console.print(f"ledger: {checked.records:,} records, " + ("every chain holds" if checked.ok else "PROBLEMS"))
    console.print(f"replay: {len(replays)} calls, {events:,} events, {differing} mismatches")
    here = Path.cwd()
    shown = reports.relative_to(here) if reports.is_relative_to(here) else reports
    console.print(f"took {took_s:.0f} s; reports: {shown}")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _refused(row: dict[str, Any]) -> str:
    # Any: a row of summary.json.
    counts: dict[str, int] = {}
    for refusal in row["refused"]:
        name = _words(refusal["action"])
        counts[name] = counts.get(name, 0) + 1
    parts = [f"{name} x{count}" if count > 1 else name for name, count in counts.items()]
    if row["held_sentences"]:
        parts.append(f"{row['held_sentences']} sentences")
    return ", ".join(parts) or "-"

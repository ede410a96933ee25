"""Calls on the real line, played for measuring: the product in a process of its own, callers from scripts, one clock.

In: scenarios as the demo has them. Out: for each call the carrier's recording and the ledger's records, with the moment
of the recording at which the call's own clock began. Called by the benchmarks that need sound. All on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import msgspec
import numpy as np
from measure import TOP

from voicewarden.ledger.store import Ledger
from voicewarden.model.directive import Directive, Speak
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import Record
from voicewarden.rehearsal.carrier import SimulatedCall
from voicewarden.rehearsal.carrier.answerer import Answerer, Person
from voicewarden.rehearsal.carrier.line import AUDIBLE, Line, Span
from voicewarden.rehearsal.demo import stage as stage_of
from voicewarden.rehearsal.demo.scenarios import Scenario
from voicewarden.rehearsal.demo.stage import OWN_NUMBER, Stage, set_up

VOICES: Final = TOP / "var" / "voices"
_DESKS: Final = ("+15555550101", "+15555550102", "+15555550103")
_LONGEST_CALL_MS: Final = 150_000
_SAMPLES_PER_MS: Final = 8
_EVENT: Final = msgspec.json.Decoder(Event)
_DIRECTIVE: Final = msgspec.json.Decoder(Directive)


@dataclass
class Played:
    """One call that is over."""

    name: str
    line: SimulatedCall
    records: list[Record]
    zero_ms: int
    """Where the call's own clock began on the recording's clock, both by this machine's clock."""

    @property
    def events(self) -> list[Event]:
        """The events of the call in order."""
        return [_EVENT.decode(record.body) for record in self.records if record.kind == "event"]

    def on_recording(self, call_ms: int) -> int:
        """A moment of the call's clock on the recording's."""
        return call_ms + self.zero_ms

    def spoken(self) -> list[tuple[int, Speak]]:
        """The sentences that were handed to the voice, and when, on the recording's clock."""
        ordered = [record for record in self.records if record.kind == "directive"]
        found = [(self.on_recording(record.at_ms), _DIRECTIVE.decode(record.body)) for record in ordered]
        return [(at, directive) for at, directive in found if isinstance(directive, Speak)]


class Studio:
    """A running stage and the calls that were played on it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        for number in _DESKS:
            stage.carrier.numbers[number] = Person(_listen)

    async def play(self, scenario: Scenario, caller: Answerer) -> Played:
        """Play one call to its end. Raises TimeoutError when it does not end."""
        call, line = await (self._inbound if scenario.direction == "inbound" else self._outbound)(scenario, caller)
        await line.ended(timeout_ms=_LONGEST_CALL_MS)
        return await self._played(scenario.name, call, line)

    async def _inbound(self, scenario: Scenario, caller: Answerer) -> tuple[str, SimulatedCall]:
        url = f"{self.stage.url}/twilio/voice"
        line = await self.stage.carrier.place_inbound(scenario.number, OWN_NUMBER, caller, url)
        for _ in range(100):
            if call := await self.stage.call_of(line.sid):
                return call, line
            await asyncio.sleep(0.05)
        raise TimeoutError("the server did not take the call")

    async def _outbound(self, scenario: Scenario, caller: Answerer) -> tuple[str, SimulatedCall]:
        carrier = self.stage.carrier
        carrier.numbers[scenario.number] = caller
        consent = {"number": scenario.number, "level": "written", "source": "benchmark"}
        await self.stage.order("/local/consents", consent)
        before = set(carrier.calls)
        order = {
            "number": scenario.number, "agent": scenario.agent, "facts": scenario.facts, "model": scenario.model
        }
        call = str((await self.stage.order("/local/calls", order))["call"])
        for _ in range(100):
            for sid, line in carrier.calls.items():
                if sid not in before and line.to_number == scenario.number:
                    return call, line
            await asyncio.sleep(0.05)
        raise TimeoutError("the server did not dial")

    async def _played(self, name: str, call: str, line: SimulatedCall) -> Played:
        """The call with its records, once its last one was written."""
        records: list[Record] = []
        for _ in range(100):
            view = Ledger.read(self.folder / "ledger.db")
            try:
                records = list(view.read_stream(f"call:{call}"))
            finally:
                view.close()
            if records and b'"CallEnded"' in records[-1].body:
                break
            await asyncio.sleep(0.1)
        return Played(name, line, records, clock_offset(line, records))


def clock_offset(line: SimulatedCall, records: list[Record]) -> int:
    """Milliseconds from the recording's first sample to the call clock's zero (negative: the call began before)."""
    first = _EVENT.decode(records[0].body)
    assert isinstance(first, CallStarted)
    answered_unix_ms = line.started_at.timestamp() * 1000 + (line.answered_at_ms or 0)
    return round(first.started_unix_ms - answered_unix_ms)


async def _listen(line: Line) -> None:
    await line.wait(4_000)


@contextlib.asynccontextmanager
async def studio(
    folder: Path | None = None, *, server: tuple[str, ...] = (), first_token_ms: int = 150, token_ms: int = 10
) -> AsyncIterator[Studio]:
    """Start carrier, scripted model and product; without a folder, ledger and recordings are gone afterwards.

    The pace is that of the model. `server` runs the product by another command than `-m voicewarden.cli.main serve`,
    such as one with a stopwatch in it; its own options follow.
    """
    start = stage_of._process

    def other(arguments: list[str], environment: dict[str, str]) -> Any:
        # Any: the context manager of a private function; what it gives is only passed on.
        is_server = "serve" in arguments and server
        return start([*server, *arguments[arguments.index("serve") + 1 :]] if is_server else arguments, environment)

    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(mock.patch.object(stage_of, "_process", other))
        async with set_up(TOP, place, first_token_ms=first_token_ms, token_ms=token_ms) as stage:
            yield Studio(stage, place)


def callers(scenarios: Iterable[Scenario]) -> list[tuple[Scenario, Answerer]]:
    """Make the sounds of all callers before anything is measured."""
    ready: list[tuple[Scenario, Answerer]] = []
    for scenario in scenarios:
        caller = scenario.caller(VOICES)
        caller.prepare()
        ready.append((scenario, caller))
    return ready


def gaps(line: SimulatedCall) -> list[tuple[Span, int]]:
    """The gaps of `turn_gaps_ms`, each with what the caller had said before it."""
    everything = line.caller_spans
    # Whatever follows a span only bounds its gap; one that ends with the recording can have no gap of its own.
    bounds = [[Span(span.start_ms, line.recording.duration_ms)] for span in everything[1:]] + [[]]
    found: list[tuple[Span, int]] = []
    try:
        for span, bound in zip(everything, bounds, strict=False):
            line.caller_spans = [span, *bound]
            found += [(span, gap) for gap in line.turn_gaps_ms()]
    finally:
        line.caller_spans = everything
    return found


def audible_ms(pcm: np.ndarray[Any, np.dtype[np.int16]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The moments at which a channel is heard, in milliseconds from its start."""
    return np.flatnonzero(np.abs(pcm.astype(np.int32)) >= AUDIBLE) // _SAMPLES_PER_MS


def speech_minutes(line: SimulatedCall) -> float:
    """How long the agent was heard: 20 ms frames with an audible sample."""
    return len(np.unique(audible_ms(line.recording.agent()) // 20)) * 20 / 60_000

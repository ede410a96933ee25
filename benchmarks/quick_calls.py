"""Calls in text, given a sound made of tones: what `--quick` feeds to the benchmarks that measure recordings.

In: text calls. Out: the same `Played` that the real line gives, whose gaps are known beforehand. Nothing of it is a
measurement.
"""

from __future__ import annotations

from datetime import UTC, datetime

import in_text
import numpy as np
from playing import Played

from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY
from voicewarden.kernel.step import step
from voicewarden.model.event import (
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    Event,
    SentencePlayed,
    SentenceStarted,
)
from voicewarden.model.record import GENESIS, Record
from voicewarden.rehearsal.carrier import SimulatedCall
from voicewarden.rehearsal.carrier.clock import CallClock
from voicewarden.rehearsal.carrier.line import Span


def calls() -> list[Played]:
    """All text calls as recordings."""
    compiled = in_text.release()
    made = in_text.calls(compiled)
    return [_played(compiled, f"text-{number}", events) for number, events in enumerate(made)]


def _played(compiled: Compiled, name: str, events: list[Event]) -> Played:
    line = SimulatedCall("AC", "", "", "inbound", CallClock(), started_at=datetime.fromtimestamp(0, UTC))
    line.answered_at_ms = 0
    length = events[-1].at_ms // 20 + 50
    caller, agent = (np.zeros((length, 160), dtype=np.int16) for _ in range(2))
    begun = {}
    for event in events:
        match event:
            case CallerStartedSpeaking():
                begun["caller"] = event.at_ms
            case CallerStoppedSpeaking():
                caller[begun["caller"] // 20 : event.at_ms // 20] = 5_000
                line.caller_spans.append(Span(begun["caller"], event.at_ms))
            case SentenceStarted(sentence=sentence):
                begun[sentence] = event.at_ms
            case SentencePlayed(sentence=sentence) if sentence in begun:
                agent[begun[sentence] // 20 : event.at_ms // 20] = 5_000
            case _:
                pass
    for said, heard in zip(caller, agent, strict=True):
        line.recording.append(said, heard)
    line.lateness_ms = [0.0] * length
    return Played(name, line, _records(compiled, name, events), 0)


def _records(compiled: Compiled, name: str, events: list[Event]) -> list[Record]:
    state, last, records = EMPTY, GENESIS, []
    for event in events:
        taken = step(compiled, state, event)
        made = records_of(f"call:{name}", state.seq, last, event, taken.outputs, taken.state.now_ms)
        last, state = made[-1].hash, taken.state
        records += made
    return records

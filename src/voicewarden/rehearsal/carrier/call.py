"""What is known about one simulated call: status, times, log, dials, recording.

Filled in by the exchange, the interpreter and the stream; read by tests and the demo.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np

from voicewarden.rehearsal.carrier.clock import CallClock
from voicewarden.rehearsal.carrier.frame import SAMPLE_RATE_HZ
from voicewarden.rehearsal.carrier.line import AUDIBLE, Span
from voicewarden.rehearsal.carrier.playout import Hole
from voicewarden.rehearsal.carrier.recording import TwoChannelRecording

CallStatus = Literal["queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"]
SAMPLES_PER_MS: Final = SAMPLE_RATE_HZ // 1000
OVERLAP_MS: Final = 100
"""An agent that is heard so shortly before the caller's end was talking over the caller."""
FINAL: Final[frozenset[CallStatus]] = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class CallerScriptError(Exception):
    """A caller's talk function raised; its error is the cause."""


def new_sid(prefix: str) -> str:
    """Return an id of Twilio's shape: two letters and 32 hexadecimal digits."""
    return prefix + uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a call's log: `at_ms` counts from the creation of the call."""

    at_ms: int
    kind: str
    detail: Mapping[str, object]


@dataclass(slots=True)
class DialedLeg:
    """One party that `<Dial>` tried to add."""

    sid: str
    number: str
    caller_id: str | None
    status: Literal["ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"] = "ringing"
    answered_at_ms: int | None = None
    duration_ms: int = 0


@dataclass(slots=True)
class SimulatedCall:
    """One call and everything the carrier saw of it."""

    account_sid: str
    from_number: str
    to_number: str
    direction: Literal["inbound", "outbound-api"]
    clock: CallClock
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: CallStatus = "queued"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None
    answered_at_ms: int | None = None
    ended_at_ms: int | None = None
    answered_by: str | None = None
    log: list[Entry] = field(default_factory=list)
    dials: list[DialedLeg] = field(default_factory=list)
    dtmf_sent: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    lateness_ms: list[float] = field(default_factory=list)
    recording: TwoChannelRecording = field(default_factory=TwoChannelRecording)
    caller_spans: list[Span] = field(default_factory=list)
    script_error: Exception | None = None
    _is_over: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, kind: str, **detail: object) -> None:
        """Append a line to the log."""
        self.log.append(Entry(round(self.clock.now_ms()), kind, detail))

    def fail(self, message: str) -> None:
        """Write down an error that Twilio would show in its debugger."""
        self.errors.append(message)
        self.note("error", message=message)

    def enter(self, status: CallStatus) -> None:
        """Move to another status; a final one is never left again."""
        if self.is_over:
            return
        self.status = status
        self.note("status", status=status)
        if status == "in-progress":
            self.answered_at_ms = round(self.clock.now_ms())
        elif status in FINAL:
            self.ended_at = datetime.now(UTC)
            self.ended_at_ms = round(self.clock.now_ms())

    @property
    def is_over(self) -> bool:
        """Whether the call has reached a final status."""
        return self.status in FINAL

    @property
    def duration_s(self) -> int:
        """Whole seconds between answer and end, as the carrier reports them."""
        if self.answered_at_ms is None or self.ended_at_ms is None:
            return 0
        return max(1, round((self.ended_at_ms - self.answered_at_ms) / 1000))

    @property
    def audible_holes(self) -> int:
        """How often the agent's voice broke off in the middle of a sentence."""
        return sum(hole.is_audible for hole in self.holes)

    def turn_gaps_ms(self) -> list[int]:
        """Return, for each thing the caller said, the time from its last audible sample to the agent's next one.

        Left out are those that the agent did not answer before the caller spoke again, and those it talked over.
        """
        audible = np.flatnonzero(np.abs(self.recording.agent().astype(np.int32)) >= AUDIBLE)
        if not self.caller_spans:
            return []
        ends = [span.start_ms for span in self.caller_spans[1:]] + [self.recording.duration_ms]
        gaps = []
        for span, end_ms in zip(self.caller_spans, ends, strict=True):
            following = audible[np.searchsorted(audible, (span.end_ms - OVERLAP_MS) * SAMPLES_PER_MS) :]
            if following.size and span.end_ms <= (at_ms := int(following[0]) // SAMPLES_PER_MS) < end_ms:
                gaps.append(at_ms - span.end_ms)
        return gaps

    def entries(self, kind: str) -> list[Entry]:
        """Return the log lines of one kind."""
        return [entry for entry in self.log if entry.kind == kind]

    def wav_bytes(self) -> bytes:
        """Return the recording: channel 0 what the caller said, channel 1 what the caller heard, from the answer on."""
        return self.recording.wav_bytes()

    def write_wav(self, path: Path) -> None:
        """Write the recording to a file."""
        self.recording.write_wav(path)

    def finish(self) -> None:
        """Wake those who wait for the end; the exchange calls this after the last status callback."""
        self._is_over.set()

    async def ended(self, *, timeout_ms: int = 120_000) -> SimulatedCall:
        """Wait for the end of the call and return it; raises TimeoutError, or CallerScriptError for a failed script."""
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                await self._is_over.wait()
        except TimeoutError:
            raise TimeoutError(f"call {self.sid} is still {self.status} after {timeout_ms} ms of real time") from None
        if self.script_error is not None:
            raise CallerScriptError(f"the caller script of {self.sid} failed") from self.script_error
        return self

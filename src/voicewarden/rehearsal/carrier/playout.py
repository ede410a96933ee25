"""The carrier's playout buffer: agent audio and marks in, one 20 ms frame a tick and due mark echoes out.

The stream queues what the agent sends; the audio path takes one frame a tick. Besides playing, the buffer writes
down what a listener would complain about: holes (it ran dry in the middle of a sentence) and late arrivals.
All times are milliseconds on the recording's clock, sample 0 of the WAV being 0 ms.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from voicewarden.rehearsal.carrier.frame import FRAME_SAMPLES, SAMPLE_RATE_HZ
from voicewarden.sensors.mulaw import SILENCE

BYTES_PER_MS: Final = SAMPLE_RATE_HZ // 1000
BUFFER_LIMIT_BYTES: Final = 10 * 60 * SAMPLE_RATE_HZ
SENTENCE_GAP_MS: Final = 400


@dataclass(frozen=True, slots=True)
class Hole:
    """A pause that the agent's sender caused: the buffer was empty from `at_ms` for `gap_ms`.

    `at_mark` is true when a mark stood at the hole, so that the pause lies between two sentences.
    """

    at_ms: int
    gap_ms: int
    at_mark: bool

    @property
    def is_audible(self) -> bool:
        """Whether a listener hears it as a fault rather than as a pause between sentences."""
        return self.gap_ms < SENTENCE_GAP_MS and not self.at_mark


@dataclass(frozen=True, slots=True)
class Arrival:
    """One media message of the agent: when it came, how long it was and how much was still unplayed."""

    at_ms: float
    audio_ms: float
    buffered_ms: float


class Playout:
    """A first-in first-out of mu-law bytes with marks at byte positions."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._played = 0
        self._marks: deque[tuple[int, str]] = deque()
        self._dry_since_ms: int | None = None
        self._mark_while_dry = False
        self.holes: list[Hole] = []
        self.arrivals: list[Arrival] = []

    @property
    def buffered_ms(self) -> float:
        """How much audio waits to be played."""
        return len(self._buffer) / BYTES_PER_MS

    def queue(self, payload: bytes, at_ms: float) -> bool:
        """Append audio; false when the ten-minute limit drops it (Twilio warning 31931)."""
        if len(self._buffer) + len(payload) > BUFFER_LIMIT_BYTES:
            return False
        self.arrivals.append(Arrival(at_ms, len(payload) / BYTES_PER_MS, self.buffered_ms))
        self._buffer += payload
        return True

    def mark(self, name: str) -> None:
        """Put a mark behind everything queued so far."""
        self._marks.append((self._played + len(self._buffer), name))

    def clear(self) -> list[str]:
        """Drop all unplayed audio and return the marks to echo at once, although nobody heard their audio."""
        names = [name for _, name in self._marks]
        self._marks.clear()
        self._buffer.clear()
        self._dry_since_ms = None
        return names

    def due_marks(self) -> list[str]:
        """Take the marks whose audio has been played completely by now."""
        names = []
        while self._marks and self._marks[0][0] <= self._played:
            names.append(self._marks.popleft()[1])
        if names:
            self._mark_while_dry = True
        return names

    def next_frame(self, at_ms: int) -> bytes:
        """Take the 160 bytes that play from `at_ms`, padded with silence when the buffer runs dry."""
        taken = bytes(self._buffer[:FRAME_SAMPLES])
        del self._buffer[:FRAME_SAMPLES]
        self._played += len(taken)
        self._watch_for_holes(at_ms, len(taken))
        return taken.ljust(FRAME_SAMPLES, SILENCE)

    def _watch_for_holes(self, at_ms: int, taken_bytes: int) -> None:
        if not taken_bytes:
            return
        if self._dry_since_ms is not None and at_ms > self._dry_since_ms:
            self.holes.append(Hole(self._dry_since_ms, at_ms - self._dry_since_ms, self._mark_while_dry))
        # Whether the buffer is dry is known only when the next frame is due; until then this is where audio ends.
        self._dry_since_ms = at_ms + taken_bytes // BYTES_PER_MS
        self._mark_while_dry = False

    @property
    def audible_holes(self) -> int:
        """How often the agent's voice broke off in the middle of a sentence."""
        return sum(hole.is_audible for hole in self.holes)

    def lateness_ms(self) -> list[float]:
        """How late each message came, against real time counted from the first message of its burst.

        A burst ends where nothing arrived for 400 ms more than was buffered. Early messages count as 0.
        """
        late: list[float] = []
        due_ms = float("-inf")
        for arrival in self.arrivals:
            if arrival.at_ms > due_ms + SENTENCE_GAP_MS:
                due_ms = arrival.at_ms
            late.append(max(0.0, arrival.at_ms - due_ms))
            due_ms += arrival.audio_ms
        return late

"""How the other side speaks since it answered: a person says a word and waits, a recording goes on.

In: the voice verdict of each 20 ms frame since the answer. Out: a `Cadence` whenever somebody asks. Called by the
listening processor of `pipeline` and by `rehear`; what a cadence means is for the kernel's answerer facet to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from voicewarden.sensors.voice import FRAME_MS


@dataclass(frozen=True, slots=True)
class Cadence:
    """Speech since the answer, in milliseconds; `onset_ms` is None while nothing was said.

    A burst is speech without a gap of `bridge_ms`. `speech_ms` and `longest_run_ms` count bursts with their short gaps;
    `longest_gap_ms` lies between two bursts; `since_onset_ms` and `trailing_silence_ms` run until `at_ms`.
    """

    at_ms: int
    onset_ms: int | None
    since_onset_ms: int
    speech_ms: int
    longest_run_ms: int
    bursts: int
    longest_gap_ms: int
    trailing_silence_ms: int


class CadenceMeter:
    """Keeps the cadence up to date, frame by frame.

    A gap of `bridge_ms` ends a burst; a burst with less than `shortest_ms` of voice is a click and counts as silence.
    """

    def __init__(self, *, bridge_ms: int = 160, shortest_ms: int = 60) -> None:
        self._bridge_frames = -(-bridge_ms // FRAME_MS)
        self._shortest_frames = -(-shortest_ms // FRAME_MS)
        self._frames = 0
        self._onset: int | None = None
        self._end = 0
        self._closed_frames = 0
        self._longest_run = 0
        self._longest_gap = 0
        self._bursts = 0
        self._run_start = 0
        self._run_end = 0
        self._run_voiced = 0

    def forget(self) -> None:
        """What sounded so far was the line and nobody's voice: begin again, on the same clock."""
        self._onset, self._end = None, self._frames
        self._closed_frames = self._longest_run = self._longest_gap = self._bursts = self._run_voiced = 0

    def feed(self, *, voiced: bool) -> None:
        """Take the verdict of the next 20 ms frame."""
        if voiced:
            if self._run_voiced == 0:
                self._run_start = self._frames
            self._run_voiced += 1
            self._run_end = self._frames + 1
        elif self._run_voiced and self._frames + 1 - self._run_end >= self._bridge_frames:
            self._close_run()
        self._frames += 1

    def measure(self) -> Cadence:
        """The cadence up to now, the burst that is going on included."""
        live = self._run_voiced >= self._shortest_frames
        run = self._run_end - self._run_start if live else 0
        onset = self._run_start if live and self._onset is None else self._onset
        end = self._run_end if live else self._end
        gap = self._run_start - self._end if live and self._bursts else 0
        return Cadence(
            at_ms=self._frames * FRAME_MS,
            onset_ms=None if onset is None else onset * FRAME_MS,
            since_onset_ms=0 if onset is None else (self._frames - onset) * FRAME_MS,
            speech_ms=(self._closed_frames + run) * FRAME_MS,
            longest_run_ms=max(self._longest_run, run) * FRAME_MS,
            bursts=self._bursts + live,
            longest_gap_ms=max(self._longest_gap, gap) * FRAME_MS,
            trailing_silence_ms=(self._frames - end) * FRAME_MS,
        )

    def _close_run(self) -> None:
        """Count the burst that just ended, unless it was a click."""
        if self._run_voiced >= self._shortest_frames:
            run = self._run_end - self._run_start
            if self._onset is None:
                self._onset = self._run_start
            else:
                self._longest_gap = max(self._longest_gap, self._run_start - self._end)
            self._closed_frames += run
            self._longest_run = max(self._longest_run, run)
            self._bursts += 1
            self._end = self._run_end
        self._run_voiced = 0

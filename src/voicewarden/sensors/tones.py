"""Tones on the line: the beep of a mailbox, ring-back, busy, the three tones of a failed call, fax.

In: int16 samples at 8 kHz since the answer, in chunks of any size. Out: `Tone`s, each when it is certain. Called by the
listening processor of `pipeline` and by `rehear`. A mailbox beep lies anywhere in 400-2100 Hz (carriers use 703 to
1700), so that no single frequency is looked for: a beep is a steady pure tone of 80 to 1500 ms with quiet after it, a
short one with quiet before it too, and none of a tune. Some mailboxes have none.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.pairs import PairListener
from voicewarden.sensors.spectrum import Peak, Spectrum
from voicewarden.sensors.voice import FRAME_MS, Framer

Kind = Literal["beep", "ringback", "busy", "sit", "fax", "other"]

SHORTEST_MS: Final = 80
SURE_MS: Final = 160
"""No voice in 2.6 hours of prompts held a pure tone for so long; a shorter one must be purer and stand alone."""
LONGEST_BEEP_MS: Final = 1500
QUIET_MS: Final = 200

_SHORT_PURITY: Final = 0.7
_QUIETER_BEFORE: Final = 0.5
_LOOKS_BACK: Final = 3
"""Glances, 40 ms apart, at what was before a tone; the last one may hold its beginning."""
_TUNE_MS: Final = 3_000
_TUNE_NOTES: Final = 2
_NOTES_KEPT: Final = 8
"""A beep does not follow two other notes, and a short one not even one: that is music."""
_DRIFT_HZ: Final = 12.0
_UNSTEADY: Final = 0.3
"""Largest relative deviation of a tone's level."""
_NOISE_MARGIN: Final = 1.5
_QUIETEST_SHARE: Final = 0.2
_LOUDEST_SHARE: Final = 0.65
"""Quiet after a tone, as a share of its level: from 14 dB under it on a clean line to noise 3 dB under it."""
_GRACE_FRAMES: Final = 2
"""The window still holds the tone's end for this long."""
_GAP_FRAMES: Final = 2
"""So many windows spoiled by a click or by noise do not end a tone."""
_EDGE_MS: Final = 40
"""The first windows may hold too little of a tone to tell its frequency."""
_SIT_BANDS: Final = ((873, 1029), (1309, 1493), (1620, 1857))
_FAX_ANSWER_HZ: Final = (2080, 2120)
_FAX_ANSWER_MS: Final = 1500
_FAX_CALL_HZ: Final = (1062, 1138)
_FAX_CALL_MS: Final = (400, 650)
_FAX_CALL_EVERY_MS: Final = (3100, 3900)


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone: `hz` its (lower) frequency, `at_ms` its onset in fed audio, `ms` its length as far as known."""

    kind: Kind
    hz: int
    at_ms: int
    ms: int


@dataclass(slots=True)
class _Run:
    """One steady tone that is going on or has just ended."""

    first_frame: int
    before_rms: float = math.inf
    """The level before it, as far as known."""
    hertz: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    purities: list[float] = field(default_factory=list)

    def add(self, found: Peak) -> None:
        """Lengthen it by a window in which it was found."""
        if found.hz is not None:
            self.hertz.append(found.hz)
            self.levels.append(found.rms)
            self.purities.append(found.purity)

    @property
    def hz(self) -> float:
        """Its frequency."""
        return statistics.median(self.hertz)

    @property
    def ms(self) -> int:
        """Its length; windows overlap by a frame, so that n windows with the tone are n frames of it."""
        return len(self.hertz) * FRAME_MS

    @property
    def rms(self) -> float:
        """Its level, noise included."""
        return statistics.median(self.levels)

    @property
    def quiet_rms(self) -> float:
        """What the line may hold after it: the noise that it stood in, with a margin."""
        noise_share = math.sqrt(max(1.0 - statistics.median(self.purities), 0.0))
        return self.rms * min(max(_NOISE_MARGIN * noise_share, _QUIETEST_SHARE), _LOUDEST_SHARE)

    def is_tone(self) -> bool:
        """Whether it was long and steady enough."""
        if self.ms < SHORTEST_MS or (self.ms < SURE_MS and not self._stands_out()):
            return False
        inner = self.levels[1:-1]
        return statistics.pstdev(inner) <= _UNSTEADY * statistics.fmean(inner)

    def _stands_out(self) -> bool:
        """Whether it is pure and comes out of the quiet, which the hum of a voice does not."""
        quiet_rms = max(self.quiet_rms, _QUIETER_BEFORE * self.rms)
        return statistics.median(self.purities) >= _SHORT_PURITY and self.before_rms < quiet_rms


class ToneDetector:
    """Hears tones; one event for each tone, and for ring-back and busy one in the whole call."""

    def __init__(self) -> None:
        self._framer = Framer()
        self._spectrum = Spectrum()
        self._frames = 0
        self._run: _Run | None = None
        self._missed = 0
        self._chain: list[_Run] = []
        self._quiet_frames = 0
        self._loud_frames = 0
        self._since_chain = 0
        self._levels: deque[float] = deque(maxlen=_LOOKS_BACK)
        self._notes: deque[_Run] = deque(maxlen=_NOTES_KEPT)
        self._fax_call_ms: int | None = None
        self._reported: set[Kind] = set()
        self._pairs = PairListener()

    @property
    def is_sounding(self) -> bool:
        """A tone fills the line just now, so that what sounds there is no voice."""
        return self._pairs.is_sounding or (self._run is not None and self._run.ms >= _EDGE_MS)

    def feed(self, pcm: Samples) -> tuple[Tone, ...]:
        """Take any number of int16 samples at 8 kHz."""
        tones = [self._advance(frame) for frame in self._framer.cut(pcm)]
        return tuple(tone for tone in tones if tone is not None)

    def _advance(self, frame: Samples) -> Tone | None:
        """Move one frame on."""
        self._frames += 1
        pair = self._pairs.feed(frame)
        if pair is not None:
            return self._once(pair.kind, pair.low_hz, pair.at_ms, pair.ms)
        self._spectrum.push(frame)
        if self._run is None and not self._chain and not self._wake():
            return None
        found = self._spectrum.peak()
        self._follow(found)
        if self._run is not None:
            return self._long_tone(self._run)
        return self._after_chain(found.rms) if self._chain else None

    def _wake(self) -> bool:
        """While nothing is going on, look at every second window only; a find begins with the one that was left out."""
        if self._frames % 2:
            return False
        level, may_hold = self._spectrum.glance()
        self._levels.append(level)
        if not may_hold or self._spectrum.peak().hz is None:
            return False
        before = self._spectrum.peak(frames_back=1)
        if before.hz is not None:
            self._run = self._begin(self._frames - 2)
            self._run.add(before)
        return True

    def _begin(self, first_frame: int, before: _Run | None = None) -> _Run:
        """A tone out of what was there before: what the glances saw, or another tone."""
        if before is not None and before.ms <= _EDGE_MS:
            return _Run(before.first_frame, before.before_rms)
        run = _Run(first_frame, max(list(self._levels)[: _LOOKS_BACK - 1], default=0.0))
        self._levels.extend((math.inf,) * _LOOKS_BACK)
        return run

    def _follow(self, found: Peak) -> None:
        """Lengthen the tone that is going on, end it, or begin another."""
        run = self._run
        if run is not None and found.hz is not None and abs(found.hz - run.hz) < _DRIFT_HZ:
            run.add(found)
            self._missed = 0
            return
        if run is not None and self._is_gap(run, found):
            self._missed += 1
            return
        if run is not None:
            self._end_run(run)
        self._run = None if found.hz is None else self._begin(self._frames - 1, run)
        if self._run is not None:
            self._run.add(found)
        self._missed = 0

    def _is_gap(self, run: _Run, found: Peak) -> bool:
        """Whether the tone may go on behind a window that does not show it."""
        may_go_on = found.hz is None or run.ms >= SHORTEST_MS
        return may_go_on and self._missed < _GAP_FRAMES and found.rms > _LOUDEST_SHARE * run.rms

    def _end_run(self, run: _Run) -> None:
        """Put a tone that was one into the chain; what was too short for a tone is dropped."""
        if run.ms >= SHORTEST_MS:
            self._notes.append(run)
        if run.is_tone():
            self._chain.append(run)
            self._quiet_frames = self._loud_frames = self._since_chain = 0

    def _after_chain(self, rms: float) -> Tone | None:
        """Wait for the quiet that must follow; sound of another kind means that it was none of ours."""
        self._since_chain += 1
        if rms < self._chain[-1].quiet_rms:
            self._quiet_frames += 1
            self._loud_frames = 0
        elif self._since_chain > _GRACE_FRAMES:
            self._loud_frames += 1
        if self._loud_frames > _GAP_FRAMES:
            self._chain.clear()
            return None
        if self._quiet_frames * FRAME_MS < QUIET_MS:
            return None
        chain, self._chain = self._chain, []
        return self._name(chain)

    def _name(self, chain: list[_Run]) -> Tone | None:
        """What tones in a row with quiet after them are."""
        last = chain[-1]
        if _is_failed_call(chain):
            first_ms = chain[-3].first_frame * FRAME_MS
            return self._once("sit", round(chain[-3].hz), first_ms, last.first_frame * FRAME_MS + last.ms)
        at_ms, hz = chain[0].first_frame * FRAME_MS, round(last.hz)
        ms = last.first_frame * FRAME_MS + last.ms - at_ms
        if any(abs(run.hz - last.hz) >= _DRIFT_HZ for run in chain) or ms > LONGEST_BEEP_MS:
            return None if "fax" in self._reported else Tone("other", hz, at_ms, ms)
        if self._is_fax_calling(last):
            return self._once("fax", hz, at_ms, ms)
        return Tone("other" if self._is_tune(last) else "beep", hz, at_ms, ms)

    def _is_tune(self, last: _Run) -> bool:
        """Whether it comes after notes of other pitches."""
        since = last.first_frame - _TUNE_MS // FRAME_MS
        notes = [run for run in self._notes if run.first_frame >= since]
        enough = _TUNE_NOTES if last.ms >= SURE_MS else 1
        return sum(abs(run.hz - last.hz) >= _DRIFT_HZ for run in notes) >= enough

    def _is_fax_calling(self, run: _Run) -> bool:
        """The second of two calling tones at their distance (ITU-T T.30: 1100 Hz, 0.5 s on, 3 s off)."""
        at_ms = run.first_frame * FRAME_MS
        if not (_FAX_CALL_HZ[0] <= run.hz <= _FAX_CALL_HZ[1] and _FAX_CALL_MS[0] <= run.ms <= _FAX_CALL_MS[1]):
            return False
        before, self._fax_call_ms = self._fax_call_ms, at_ms
        return before is not None and _FAX_CALL_EVERY_MS[0] <= at_ms - before <= _FAX_CALL_EVERY_MS[1]

    def _long_tone(self, run: _Run) -> Tone | None:
        """The answering tone of a fax needs no quiet after it: it is long."""
        if run.ms < _FAX_ANSWER_MS or not _FAX_ANSWER_HZ[0] <= run.hz <= _FAX_ANSWER_HZ[1]:
            return None
        return self._once("fax", round(run.hz), run.first_frame * FRAME_MS, run.ms)

    def _once(self, kind: Kind, hz: int, at_ms: int, ms: int) -> Tone | None:
        """A tone that is worth one event in a call."""
        if kind in self._reported:
            return None
        self._reported.add(kind)
        return Tone(kind, hz, at_ms, ms)


def _is_failed_call(chain: list[_Run]) -> bool:
    """Special information tones: three, rising, in the bands of ITU-T E.180 with the tolerance of switches."""
    if len(chain) < len(_SIT_BANDS):
        return False
    last = chain[-len(_SIT_BANDS) :]
    return all(low <= run.hz <= high for run, (low, high) in zip(last, _SIT_BANDS, strict=True))

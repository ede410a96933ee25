"""Tones on the line: the beep of a mailbox, ring-back, busy, the three tones of a failed call, fax.

In: int16 samples at 8 kHz since the answer, in chunks of any size. Out: `Tone`s, each when it is certain. Called by the
listening processor of `pipeline` and by `rehear`. A mailbox beep lies anywhere in 400-2100 Hz (carriers use 703 to
1700), so that no single frequency is looked for: a beep is a steady pure tone of 160 to 1500 ms with quiet after it.
Some mailboxes have none.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import Final, Literal

from voicewarden.sensors.mulaw import Samples
from voicewarden.sensors.pairs import PairListener
from voicewarden.sensors.spectrum import Peak, Spectrum
from voicewarden.sensors.voice import FRAME_MS, Framer

Kind = Literal["beep", "ringback", "busy", "sit", "fax", "other"]

SHORTEST_MS: Final = 160
LONGEST_BEEP_MS: Final = 1500
QUIET_MS: Final = 200

_DRIFT_HZ: Final = 12.0
_UNSTEADY: Final = 0.3
"""Largest relative deviation of a tone's level."""
_NOISE_MARGIN: Final = 1.5
_QUIETEST_SHARE: Final = 0.2
_LOUDEST_SHARE: Final = 0.65
"""Quiet after a tone, as a share of its level: from 14 dB under it on a clean line to noise 3 dB under it."""
_GRACE_FRAMES: Final = 2
"""The window still holds the tone's end for this long."""
_GAP_FRAMES: Final = 1
"""A single frame spoiled by a click does not end a tone."""
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
        if self.ms < SHORTEST_MS:
            return False
        inner = self.levels[1:-1]
        return statistics.pstdev(inner) <= _UNSTEADY * statistics.fmean(inner)


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
        self._since_chain = 0
        self._fax_call_ms: int | None = None
        self._reported: set[Kind] = set()
        self._pairs = PairListener()

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
        if self._spectrum.peak().hz is None:
            return False
        before = self._spectrum.peak(frames_back=1)
        if before.hz is not None:
            self._run = _Run(self._frames - 2)
            self._run.add(before)
        return True

    def _follow(self, found: Peak) -> None:
        """Lengthen the tone that is going on, end it, or begin another."""
        run = self._run
        if run is not None and found.hz is not None and abs(found.hz - run.hz) < _DRIFT_HZ:
            run.add(found)
            self._missed = 0
            return
        if run is not None and found.hz is None and self._missed < _GAP_FRAMES and found.rms > _LOUDEST_SHARE * run.rms:
            self._missed += 1
            return
        if run is not None:
            self._end_run(run)
        self._run = None if found.hz is None else _Run(self._frames - 1)
        if self._run is not None:
            self._run.add(found)
        self._missed = 0

    def _end_run(self, run: _Run) -> None:
        """Put a tone that was one into the chain; what was too short for a tone is dropped."""
        if run.is_tone():
            self._chain.append(run)
            self._quiet_frames = self._since_chain = 0

    def _after_chain(self, rms: float) -> Tone | None:
        """Wait for the quiet that must follow; sound of another kind means that it was none of ours."""
        self._since_chain += 1
        if rms < self._chain[-1].quiet_rms:
            self._quiet_frames += 1
        elif self._since_chain > _GRACE_FRAMES:
            self._chain.clear()
            return None
        if self._quiet_frames * FRAME_MS < QUIET_MS:
            return None
        chain, self._chain = self._chain, []
        return self._name(chain)

    def _name(self, chain: list[_Run]) -> Tone | None:
        """What tones in a row with quiet after them are."""
        last = chain[-1]
        at_ms = last.first_frame * FRAME_MS
        hz = round(last.hz)
        if _is_failed_call(chain):
            return self._once("sit", round(chain[-3].hz), chain[-3].first_frame * FRAME_MS, at_ms + last.ms)
        if any(abs(run.hz - last.hz) >= _DRIFT_HZ for run in chain) or last.ms > LONGEST_BEEP_MS:
            return None if "fax" in self._reported else Tone("other", hz, at_ms, last.ms)
        if self._is_fax_calling(last):
            return self._once("fax", hz, at_ms, last.ms)
        return Tone("beep", hz, at_ms, last.ms)

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

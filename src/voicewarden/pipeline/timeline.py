"""Where a moment of the caller's audio lies on the call's clock.

In: frames with the carrier's timestamps and the call clock's time of their arrival. Out: the milliseconds of silence
to fill in for lost frames, and call times for audio times. Called by the ear.
"""

from __future__ import annotations

from typing import Final

LONGEST_FILL_MS: Final = 1_000
"""A longer hole is no lost frame but a paused stream: the clock is set anew."""
_FORGET_EVERY_MS: Final = 10_000


class AudioTimeline:
    """Counts the audio and keeps the smallest delay seen, because the network only ever adds.

    The remembered delay grows by a millisecond every ten seconds, so that two clocks may drift apart.
    """

    def __init__(self) -> None:
        self._heard_ms = 0
        self._first_media_ms: int | None = None
        self._offset_ms: int | None = None
        self._forgot_at_ms = 0

    @property
    def heard_ms(self) -> int:
        """Audio counted so far."""
        return self._heard_ms

    def missing_ms(self, media_ms: int | None) -> int:
        """How much silence belongs before the frame that the carrier dates to `media_ms`."""
        if media_ms is None:
            return 0
        if self._first_media_ms is None:
            self._first_media_ms = media_ms - self._heard_ms
            return 0
        missing = media_ms - self._first_media_ms - self._heard_ms
        if 0 <= missing <= LONGEST_FILL_MS:
            return missing
        self._first_media_ms = media_ms - self._heard_ms
        self._offset_ms = None
        return 0

    def advance(self, ms: int, now_ms: int) -> None:
        """Count `ms` of audio whose last sample arrived at `now_ms` of the call's clock."""
        self._heard_ms += ms
        offset = now_ms - self._heard_ms
        if self._offset_ms is None or offset < self._offset_ms:
            self._offset_ms = offset
        elif self._heard_ms - self._forgot_at_ms >= _FORGET_EVERY_MS:
            self._offset_ms += 1
            self._forgot_at_ms = self._heard_ms

    def call_ms(self, audio_ms: int) -> int:
        """The call time of an audio time, never before the call."""
        return max(0, audio_ms + (self._offset_ms or 0))

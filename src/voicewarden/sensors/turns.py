"""The caller's turns: which run of speech belongs to which turn, and when a turn is over.

In: starts and ends of speech in audio time, settled segments. Out: the number of the turn, and whether it has just
ended. Called by `segments`. A turn ends when the pause has lasted and all its segments are transcribed; speech before
that continues it.
"""

from __future__ import annotations


class Turns:
    """Counts turns from 1."""

    def __init__(self, *, pause_ms: int) -> None:
        self.pause_ms = pause_ms
        self.turn = 0
        self.ended_ms = 0
        """End of the last run of speech."""
        self._is_open = False
        self._is_speaking = False
        self._waiting = 0

    @property
    def is_open(self) -> bool:
        """A turn has begun and is not over."""
        return self._is_open

    def start(self) -> int:
        """Speech began: in a new turn, or in the one that was about to end."""
        if not self._is_open:
            self.turn += 1
            self._is_open = True
        self._is_speaking = True
        return self.turn

    def stop(self, ended_ms: int) -> None:
        """Speech ended at `ended_ms` of audio."""
        self._is_speaking = False
        self.ended_ms = ended_ms

    def wait_for_segment(self) -> None:
        """One more segment is being transcribed."""
        self._waiting += 1

    def settle_segment(self) -> None:
        """A segment was transcribed, taken back, or will never be."""
        self._waiting -= 1

    def ends(self, now_ms: int) -> bool:
        """Whether the turn is over at `now_ms` of audio; true once a turn."""
        pause_ms = now_ms - self.ended_ms
        if not self._is_open or self._is_speaking or self._waiting or pause_ms < self.pause_ms:
            return False
        self._is_open = False
        return True

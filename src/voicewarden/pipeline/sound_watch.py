"""Whether any sound comes from the caller's side at all: carriers send frames of silence, so that none means mute.

In: a note for each frame. Out: `SoundStopped` when none has come for a while, `SoundResumed` with the next one. Called
by the ear. It runs on the loop's clock, which goes on when the carrier's does not.
"""

from __future__ import annotations

import asyncio
from typing import Final

from voicewarden.model.event import SoundResumed, SoundStopped
from voicewarden.model.ports import EventSink

LOOK_EVERY_MS: Final = 1_000
MUTED_AFTER_LOOKS: Final = 2
"""A lost frame or a stalled network is made up for within a second or two; a line on hold is not."""


class SoundWatch:
    """Watches one call from its first frame on."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink
        self._frames = 0
        self._seen = 0
        self._idle_looks = 0
        self._timer: asyncio.TimerHandle | None = None

    def heard(self) -> None:
        """A frame has come."""
        self._frames += 1
        if self._timer is None:
            self._look_later()
        if self._idle_looks >= MUTED_AFTER_LOOKS:
            self._idle_looks = 0
            self._sink.post(SoundResumed(at_ms=-1))

    def cancel(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Compare with the last look."""
        self._idle_looks = self._idle_looks + 1 if self._frames == self._seen else 0
        self._seen = self._frames
        if self._idle_looks == MUTED_AFTER_LOOKS:
            self._sink.post(SoundStopped(at_ms=-1))
        self._look_later()

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_MS / 1000, self.look)

"""The default clock of an embedded call: milliseconds since it was made. Nothing but `Call` uses it."""

import time


class Clock:
    """Milliseconds since it was made, from a clock that never goes back; and the date at which it was made."""

    def __init__(self) -> None:
        self._began_ns = time.monotonic_ns()
        self.started_unix_ms = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        """Whole milliseconds since the clock was made."""
        return (time.monotonic_ns() - self._began_ns) // 1_000_000

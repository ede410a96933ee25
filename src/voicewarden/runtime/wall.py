"""The wall clock, for what needs a date: the start of a call, contact history."""

import time


def unix_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000

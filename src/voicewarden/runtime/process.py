"""What a process does once, before it takes calls, so that Python's own pauses stay short.

Called by `serve` when everything is loaded. docs/latency.md has the measurement behind each number.
"""

import gc
import sys
from typing import Final

_SWITCH_S: Final = 0.0005
"""How long a thread may keep the interpreter while the event loop waits; Python's own value is ten times that."""
_COLLECT: Final = (10_000, 10, 50)
"""Allocations between collections, by generation: after a freeze Python would look through all calls too often."""


def settle_process() -> None:
    """Put what lives already aside from collections, collect more seldom, let the event loop in sooner."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    sys.setswitchinterval(_SWITCH_S)

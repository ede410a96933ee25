"""What was measured on: processor, Python, load. No name and no address of the machine.

In: nothing. Out: text. Called by `run`.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """The machine in one line."""
    return f"{platform.machine()}, {_processor()}{os.cpu_count()} cores, Python {platform.python_version()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, " if names else ""


def load() -> str:
    """The load averages, so that a reader can tell a quiet run from another; empty where there are none."""
    try:
        return " ".join(f"{value:.2f}" for value in os.getloadavg())
    except OSError:
        return ""

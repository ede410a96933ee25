"""Whole guarded calls in text and virtual time, whose recorded events the offline benchmarks use as their event mix.

In: the agents and policies of this repository. Out: the compiled release and, for each call, its events in order. The
calls themselves stand in `voicewarden.rehearsal.bench.calls`. Called by `gate_latency`, `gates_added`, `quick_calls`.
"""

from __future__ import annotations

from typing import Final

from measure import TOP

from voicewarden.kernel.release import Compiled
from voicewarden.model.event import Event
from voicewarden.rehearsal.bench import calls as bench_calls

CONFIG: Final = TOP / "config"
AGENTS: Final = TOP / "agents"


def release() -> Compiled:
    """The release of this checkout, as a development profile runs it."""
    return bench_calls.release(CONFIG, AGENTS)


def calls(compiled: Compiled) -> list[list[Event]]:
    """The events of one text call a script."""
    return bench_calls.calls(compiled, CONFIG, AGENTS)

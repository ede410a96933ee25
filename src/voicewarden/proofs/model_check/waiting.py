"""The promises about waiting: what must hold of a state while the line is open, so that nothing waits for ever (law 9).

In: a state. Out: the names of promises that it breaks. Called by `invariants` behind every step.
"""

from collections.abc import Callable
from typing import Final

from voicewarden.kernel.state import State

_LONG: Final = frozenset({"backstop", "longest", "warn"})
"""Deadlines of the whole call: too far away to count as one."""


def _is_over(state: State) -> bool:
    return state.identity.hung_up or state.identity.ended or state.identity.answered_ms is None


def _under_way(state: State) -> bool:
    """Something will happen by itself, by deadlines of edge and effectors: a sentence, a turn or an inference ends, a
    receipt comes.
    """
    floor = state.floor
    if floor.queue or state.turn.open or (floor.thinking and not floor.consulted):
        return True
    return any(item.handed for item in state.grants.open.values())


_STANDING: Final[dict[str, Callable[[State], bool]]] = {
    "alive": lambda state: _under_way(state) or bool(set(state.timers) - _LONG),
    "question": lambda state: (
        # "transfer" alone: the sound has gone with a transfer under way, nobody can answer any more
        state.consent.pending is None or bool(state.floor.queue or state.turn.open)
        or bool({"answer", "transfer"} & set(state.timers))
    ),
    "thinking": lambda state: (
        not (state.floor.thinking and state.floor.consulted)
        or bool(state.floor.queue) or bool({"model", "goodbye"} & set(state.timers))
    ),
    "ending": lambda state: not state.identity.ending or bool({"goodbye", "transfer"} & set(state.timers)),
}
"""What must hold of every state while the line is open."""
WAITING: Final = frozenset(_STANDING)
"""The promises about waiting: they need an edge that reports what it was asked for, or that it failed."""


def standing_faults(state: State) -> list[str]:
    """Promises that a state breaks by itself, whatever led to it."""
    broken = ["fault"] if state.identity.fault == "kernel_fault" else []
    if not _is_over(state):
        broken += [name for name, test in _STANDING.items() if not test(state)]
    return broken

"""Who answered a recorded call, by the kernel's own weighing: the steps of a call in, verdict and evidence out.

Called by `rehearing` and `hearing`, which show it every step.
"""

from __future__ import annotations

import msgspec

from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model.action import AnswererVerdict
from voicewarden.model.event import CallAnswered, Event, TimerFired

_DEADLINES = {"answerer.decide": "deadline after the first speech", "answerer.no_speech": "deadline without speech"}


class Evidence(msgspec.Struct, frozen=True):
    """What was weighed: above zero it speaks for a machine, below for a person."""

    what: str
    value: int
    weight: int
    at_ms: int


class Answered(msgspec.Struct, frozen=True):
    """The verdict, when it was reached (never, where that is None), and everything that was weighed."""

    verdict: AnswererVerdict
    decided_at_ms: int | None
    evidence: tuple[Evidence, ...]
    revised_from: AnswererVerdict | None = None
    """An earlier verdict that later evidence has overturned."""


class AnswererWatch:
    """Collects the evidence as the kernel weighs it."""

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []
        self._decided_at_ms: int | None = None
        self._verdict: AnswererVerdict = "unknown"
        self._revised_from: AnswererVerdict | None = None

    def see(self, before: State, event: Event, taken: Step) -> None:
        """Take one step in."""
        was, now, at_ms = before.answerer, taken.state.answerer, taken.state.now_ms
        known = {(one.what, one.weight) for one in was.evidence}
        new = (one for one in now.evidence if (one.what, one.weight) not in known)
        self._evidence += [Evidence(one.what, one.value, one.weight, at_ms) for one in new]
        if not now.decided or (was.decided and was.verdict == now.verdict):
            return
        if was.decided:
            self._revised_from = was.verdict
        self._verdict, self._decided_at_ms = now.verdict, at_ms
        if isinstance(event, TimerFired) and event.timer in _DEADLINES:
            self._evidence.append(Evidence(_DEADLINES[event.timer], 0, 0, at_ms))
        elif isinstance(event, CallAnswered):
            self._evidence.append(Evidence("they called", 0, 0, at_ms))

    def given(self, verdict: AnswererVerdict) -> None:
        """Whoever has the recording said who answered."""
        self._verdict, self._decided_at_ms = verdict, 0
        self._evidence.append(Evidence("said at the start", 0, 0, 0))

    def result(self) -> Answered:
        """What came of it."""
        return Answered(self._verdict, self._decided_at_ms, tuple(self._evidence), self._revised_from)

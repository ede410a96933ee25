"""The calls that this process knows, by our id and by the carrier's.

In: a call when it is made. Out: the same call when somebody speaks of it. Whatever is not in here is refused.
"""

from dataclasses import dataclass, field
from typing import Final

from voicewarden.model.action import Direction
from voicewarden.runtime.loop import CallLoop
from voicewarden.runtime.preparing import KeepRecording

MOST_CALLS: Final = 1_000


@dataclass(slots=True)
class LiveCall:
    """One call between its first request and its end."""

    id: str
    agent: str
    direction: Direction
    contact: str
    number: str = field(repr=False)
    loop: CallLoop
    sid: str = ""
    """The carrier's id, empty until it has one."""
    model: str = ""
    """Another language model than the configured one, for rehearsals."""
    keep_recording: KeepRecording | None = field(default=None, repr=False)
    """Stores the call's sound, sealed; without it, the recording is a file of its own."""
    ending: bool = False
    seen: set[tuple[str, str]] = field(default_factory=set)

    def first_time(self, kind: str, value: str = "") -> bool:
        """True the first time: the carrier may deliver a webhook twice."""
        if (kind, value) in self.seen:
            return False
        self.seen.add((kind, value))
        return True


class Calls:
    """All live calls of this process."""

    def __init__(self) -> None:
        self._by_id: dict[str, LiveCall] = {}
        self._by_sid: dict[str, LiveCall] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def live(self) -> tuple[LiveCall, ...]:
        """The live calls."""
        return tuple(self._by_id.values())

    def add(self, call: LiveCall) -> None:
        """Take a new call in."""
        self._by_id[call.id] = call

    def name(self, call: LiveCall, sid: str) -> None:
        """The carrier has named the call."""
        call.sid = sid
        self._by_sid[sid] = call

    def get(self, call: str) -> LiveCall | None:
        """A call by our id."""
        return self._by_id.get(call)

    def by_sid(self, sid: str) -> LiveCall | None:
        """A call by the carrier's id."""
        return self._by_sid.get(sid)

    def remove(self, call: LiveCall) -> None:
        """The call is over."""
        self._by_id.pop(call.id, None)
        self._by_sid.pop(call.sid, None)

"""A guarded call in memory: observe events, request actions, read the records.

In: a policy (`open_policy`), events (`Call.observe`) and requests (`Call.request`). Out: decisions, grants and records.
Nothing is executed here: the grant says that the caller of this API may do the action now, once.
"""

from pathlib import Path

import msgspec

from voicewarden.config.release import load_release
from voicewarden.kernel.records import records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.model.action import Arguments, Direction, Value
from voicewarden.model.arguments import plain_arguments
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import Directive
from voicewarden.model.event import ActionRequested, CallStarted, Event, ReceiptReturned
from voicewarden.model.record import GENESIS, Record


class Outcome(msgspec.Struct, frozen=True):
    """What a request led to."""

    decision: Decision
    grant: Grant | None
    directives: tuple[Directive, ...]
    """What should happen now, such as the sentences of a confirmation question."""


def open_policy(config_dir: Path | str, agents_dir: Path | str, policy: str, *, approved: bool = False) -> Compiled:
    """Load, check and compile a policy with its agents. Raises ConfigError with file, line and field."""
    return Compiled(load_release(Path(config_dir), Path(agents_dir), policy=policy, approved=approved))


def _plain(args: Arguments) -> Arguments:
    """The arguments as a record can hold them; what can't be held is named as such, which every action denies."""
    plain = plain_arguments(args)
    return {"unreadable": True} if plain is None else plain


class Call:
    """One guarded call. Times are the caller's own, in milliseconds since the call started, and must not go back."""

    def __init__(
        self, release: Compiled, *, call: str, agent: str, direction: Direction = "inbound",
        facts: dict[str, Value] | None = None, started_unix_ms: int = 0,
    ) -> None:  # fmt: skip
        self._release = release
        self._state: State = EMPTY
        self._stream = f"call:{call}"
        self._hash = GENESIS
        self._agent = agent
        self._requests = 0
        self.records: list[Record] = []
        stage = release.data.agents[agent].stage
        self.observe(
            CallStarted(
                at_ms=0, call=call, agent=agent, direction=direction, contact="", stage=stage, epoch=0,
                release=release.hash, started_unix_ms=started_unix_ms, facts=facts or {},
            )
        )  # fmt: skip

    @property
    def state(self) -> State:
        """The authority state as it stands."""
        return self._state

    def observe(self, event: Event) -> Step:
        """Fold an event in and record what follows."""
        taken = step(self._release, self._state, event)
        at_ms = max(event.at_ms, self._state.now_ms)
        made = records_of(self._stream, self._state.seq, self._hash, event, taken.outputs, at_ms)
        self.records += made
        self._hash = made[-1].hash
        self._state = taken.state
        return taken

    def request(self, action: str, args: Arguments, *, at_ms: int, principal: str = "") -> Outcome:
        """Ask for an action. Without a grant in the answer it must not be done."""
        self._requests += 1
        taken = self.observe(
            ActionRequested(
                at_ms=at_ms, request=f"r{self._requests}", action=action, args=_plain(args),
                principal=principal or self._agent,
            )
        )  # fmt: skip
        grants = taken.grants
        return Outcome(taken.decisions[0], grants[0] if grants else None, taken.directives)

    def done(self, grant: Grant, *, at_ms: int, detail: dict[str, Value] | None = None) -> Step:
        """Report that the action of a grant was done."""
        return self.observe(ReceiptReturned(at_ms=at_ms, grant=grant.id, outcome="done", detail=detail or {}))

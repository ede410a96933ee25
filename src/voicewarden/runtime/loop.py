"""The loop of one call: event, step, record, directive, effect, receipt.

In: events from the edges (`post`), in order. Out: records to the ledger before anything else happens, directives to the
voice, grants to effectors. Synchronous from event to directive: nothing is awaited between hearing and restraint.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from voicewarden.kernel.records import Seal, records_of
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.standing import objection
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import Step, step
from voicewarden.model.decision import Grant
from voicewarden.model.directive import CancelTimer, Directive, HangUp, Speak, SpendGrant, StartTimer, StopSpeaking
from voicewarden.model.error import LedgerError
from voicewarden.model.event import (
    CallEnded,
    CountReserved,
    Event,
    LedgerFaltered,
    ReceiptReturned,
    SentencePlayed,
    TimerFired,
)
from voicewarden.model.ports import Effector, Playout, Receipt, Voice
from voicewarden.model.record import GENESIS, Record
from voicewarden.runtime.clock import Cancellable, Scheduler
from voicewarden.runtime.effects import Effects
from voicewarden.runtime.playout import Playouts
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.spending import Burner

_LOG = logging.getLogger(__name__)

NOW: Final = -1
"""`at_ms` of an event that the loop shall stamp itself."""
_SETTLE_S: Final = 3.0


EffectorsFor = Callable[[Playout], Mapping[str, Effector]]
"""Makes the effectors of one call: what they say is said by its voice."""


class Journal(Protocol):
    """Where records go; `ledger.Ledger` is one."""

    def submit(
        self, records: Sequence[Record], *, on_durable: Callable[[Exception | None], None] | None = None
    ) -> None:
        """Queue records in order. Raises LedgerError when they can't be kept."""
        ...


class Counting(Protocol):
    """Whoever counts the limits over a window that the call's policy has; `counting.CallCounts` is one."""

    def before(self, event: Event, state: State) -> Sequence[CountReserved]:
        """Counts to step before this event."""
        ...

    def after(self, event: Event, state: State) -> Sequence[CountReserved]:
        """Counts to step right behind this event, which led to this state."""
        ...

    def give_back(self, grant: Grant) -> None:
        """A burnt grant led to nothing, which is on record by now."""
        ...


class CallLoop:
    """One call's loop; implements `model.ports.EventSink`."""

    def __init__(
        self, call: str, release: Compiled, *, journal: Journal, burner: Burner, sealer: Sealer,
        effectors: EffectorsFor, scheduler: Scheduler,
        watch: Callable[[Event, Step], None] | None = None, counting: Counting | None = None,
        seal: Seal | None = None,
    ) -> None:  # fmt: skip
        """Without `counting` nobody knows the counts of limits over a window, which are not met then. `seal` encrypts
        what is said in what is written down.
        """
        self.call = call
        self.stream = f"call:{call}"
        self.release = release
        self.state: State = EMPTY
        self.playouts = Playouts(self._carry_out)
        self.ended = asyncio.Event()
        self._journal = journal
        self._scheduler = scheduler
        self._watch = watch
        self._counting = counting
        self._seal = seal
        self._voice: Voice | None = None
        self._waiting: list[Directive] = []
        self._inbox: deque[Event] = deque()
        self._draining = False
        self._hash = GENESIS
        self._unrecorded = False
        self._timers: dict[str, Cancellable] = {}
        self._grants: dict[str, tuple[Grant, asyncio.Future[None]]] = {}
        self._effects = Effects(effectors(self.playouts), sealer, burner, self, self._on_receipt)
        self._loop = asyncio.get_running_loop()
        self._hang_up: Callable[[str], None] | None = None

    def hang_up_by(self, hang_up: Callable[[str], None]) -> None:
        """Say who can end the call; without it the call ends by itself when the kernel says so."""
        self._hang_up = hang_up

    def attach(self, voice: Voice) -> None:
        """Connect whoever speaks; what was said before is handed over first, in order."""
        self._voice = voice
        waiting, self._waiting = self._waiting, []
        self._draining = True  # what the voice posts meanwhile comes after what was said before it
        try:
            for directive in waiting:
                self._carry_out(directive)
        finally:
            self._draining = False
        self._drain()

    async def close_voice(self) -> None:
        """Let go of whoever spoke."""
        voice, self._voice = self._voice, None
        if voice is not None:
            await voice.close()

    def now_ms(self) -> int:
        """Milliseconds since the call started."""
        return self._scheduler.now_ms()

    def post(self, event: Event) -> None:
        """Take an event; it is stepped before this returns, unless an earlier one is being stepped."""
        if self.state.identity.ended:
            return
        if event.at_ms == NOW:
            event = msgspec.structs.replace(event, at_ms=self.now_ms())
        self._inbox.append(event)
        self._drain()

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        try:
            while self._inbox:
                self._take(self._inbox.popleft())
        finally:
            self._draining = False

    def _take(self, event: Event) -> None:
        if self._counting is None:
            self._step(event)
            return
        for count in self._counting.before(event, self.state):
            self._step(count)
        self._step(event)
        for count in self._counting.after(event, self.state):
            self._step(count)

    def _step(self, event: Event) -> None:
        if self.state.identity.ended:
            return
        if isinstance(event, SentencePlayed):
            self.playouts.ended(event.sentence, whole=event.whole)
        taken = step(self.release, self.state, event)
        self._record(event, taken)
        self.state = taken.state
        if self.release.policy.second_opinion:
            self._compare_opinions(taken)
        if self._watch is not None:
            self._watch(event, taken)
        for directive in taken.directives:
            self._carry_out(directive)
        if isinstance(event, CallEnded):
            self._finish()

    def _compare_opinions(self, taken: Step) -> None:
        """The kernel has denied already; somebody has to know why."""
        if any(reason.rule == "kernel.two_opinions" for decision in taken.decisions for reason in decision.reasons):
            _LOG.critical(
                "generated code and interpreter of policy %s disagree; such requests are denied. Take this server out "
                "of service, keep its ledger and report the policy", self.release.policy.hash[:12],
            )  # fmt: skip

    def _record(self, event: Event, taken: Step) -> None:
        """Write before anything acts (law 5). A ledger that fails leaves only the ways out."""
        grants = taken.grants
        durable: asyncio.Future[None] | None = self._loop.create_future() if grants else None
        records = records_of(
            self.stream, self.state.seq, self._hash, event, taken.outputs, max(event.at_ms, self.state.now_ms),
            self._seal,
        )  # fmt: skip
        for grant in grants:
            assert durable is not None
            self._grants[grant.id] = (grant, durable)
        if not self._unrecorded:
            try:
                self._journal.submit(records, on_durable=self._resolver(durable) if durable else None)
                self._hash = records[-1].hash
                return
            except LedgerError:
                self._unrecorded = True
                self._loop.call_soon(self.post, LedgerFaltered(at_ms=NOW))
        if durable is not None:
            durable.set_exception(LedgerError("the ledger does not take records; nothing may act"))
            durable.exception()  # seen here: a grant that nobody spends must not warn at exit

    def _resolver(self, durable: asyncio.Future[None]) -> Callable[[Exception | None], None]:
        def resolve(error: Exception | None) -> None:
            if durable.done():
                return
            if error is None:
                durable.set_result(None)
            else:
                durable.set_exception(error)
                durable.exception()
                self.post(LedgerFaltered(at_ms=NOW))

        def from_writer(error: Exception | None) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(resolve, error)

        return from_writer

    def _carry_out(self, directive: Directive) -> None:
        match directive:
            case StartTimer(timer=timer, due_ms=due_ms):
                self._stop_timer(timer)
                self._timers[timer] = self._scheduler.at(due_ms, lambda: self._fire(timer, due_ms))
            case CancelTimer(timer=timer):
                self._stop_timer(timer)
            case SpendGrant(grant=grant_id):
                grant, durable = self._grants.pop(grant_id)
                self._effects.spend(grant, durable)
            case HangUp(reason=reason):
                self._end(reason)
            case _:
                self._speak(directive)

    def _speak(self, directive: Directive) -> None:
        if self._unrecorded and not _class_zero(directive):
            return
        if self._voice is None:
            self._waiting.append(directive)
            return
        self._voice.carry_out(directive)

    def _fire(self, timer: str, due_ms: int) -> None:
        self._timers.pop(timer, None)
        self.post(TimerFired(at_ms=max(self.now_ms(), due_ms), timer=timer, due_ms=due_ms))

    def _stop_timer(self, timer: str) -> None:
        running = self._timers.pop(timer, None)
        if running is not None:
            running.cancel()

    def _on_receipt(self, grant: Grant, receipt: Receipt, *, burnt: bool) -> None:
        if self.state.identity.ended:
            return  # the record is closed: this outcome stays unknown, and what it took stays taken
        self.post(ReceiptReturned(at_ms=NOW, grant=grant.id, outcome=receipt.outcome, detail=receipt.detail))
        nothing_happened = burnt and receipt.outcome in ("refused", "failed")
        if nothing_happened and self._counting is not None and not self._unrecorded:
            self._counting.give_back(grant)

    def _end(self, reason: str) -> None:
        if self._hang_up is not None:
            self._hang_up(reason)
        else:
            self._loop.call_soon(self.post, CallEnded(at_ms=NOW, reason=reason))

    def _finish(self) -> None:
        for timer in tuple(self._timers):
            self._stop_timer(timer)
        self.playouts.close()
        self.ended.set()

    def objection(self, grant: Grant) -> str:
        """Why a grant of this call must not be spent now (see `spending.Authority`)."""
        if self._unrecorded:
            return self.state.identity.fault or "the ledger does not take records"
        return objection(
            grant, call=self.call, state=self.state, policy=self.release.policy.hash, now_ms=self.now_ms()
        )

    async def quiet(self) -> None:
        """Wait until no effect is under way (virtual time stands still meanwhile)."""
        await self._effects.idle()

    async def settle(self) -> None:
        """After the end: give running effects a moment, then let go."""
        await self._effects.settle(_SETTLE_S)


def _class_zero(directive: Directive) -> bool:
    """What may always be done: silence, the safe line, the goodbye."""
    return isinstance(directive, StopSpeaking) or (
        isinstance(directive, Speak) and directive.purpose in ("safe", "goodbye")
    )

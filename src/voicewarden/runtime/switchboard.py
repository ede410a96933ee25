"""Starts and ends calls: what every call has around its loop, whoever carries its sound.

In: an order to call somebody, or word that somebody calls. Out: a running `CallLoop`, opt-outs remembered, and a call
that is over for everybody when it is over for one. Used by `telephony`; no carrier is known here but the port.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

from voicewarden.contacts.counts import Counts
from voicewarden.contacts.register import Contacts
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.step import Step
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.model.action import Direction, Value
from voicewarden.model.error import CarrierFailed, LedgerBroken, LedgerError, LedgerFull
from voicewarden.model.event import ActionRequested, CallEnded, CallsPaused, CallStarted, Event, FactLearned
from voicewarden.model.ports import Carrier
from voicewarden.runtime.burning import LedgerBurner
from voicewarden.runtime.calls import MOST_CALLS, Calls, LiveCall
from voicewarden.runtime.clock import LoopScheduler
from voicewarden.runtime.counting import CallCounts
from voicewarden.runtime.loop import CallLoop, EffectorsFor
from voicewarden.runtime.preparing import PreparedCall, plain_call, prepare_call
from voicewarden.runtime.seal import Sealer
from voicewarden.runtime.wall import unix_ms

_LOG: Final = logging.getLogger(__name__)

Watch = Callable[[str, Event, Step], None]


class Switchboard:
    """All calls of this process."""

    def __init__(
        self, release: Compiled, *, ledger: Ledger, contacts: Contacts, sealer: Sealer, calls: Calls,
        carrier: Carrier, effectors: EffectorsFor, development: bool = False, watch: Watch | None = None,
        vault: Vault | None = None,
    ) -> None:  # fmt: skip
        """With a `vault` what is said in calls is sealed, and only a prepared call can be opened."""
        self.release = release
        self.calls = calls
        self._carrier = carrier
        self._ledger = ledger
        self._vault = vault
        self._contacts = contacts
        self._counts = Counts(ledger)
        self._sealer = sealer
        self._effectors = effectors
        self._development = development
        self._watch = watch
        self._finishing = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> PreparedCall:
        """Make a call ready to be opened: what is said in it will be sealed. Raises LedgerError."""
        self._demand_room()  # before keys are made for it
        return await prepare_call(self._ledger, self._vault)

    def open_call(
        self, number: str, agent: str, direction: Direction, facts: dict[str, Value],
        prepared: PreparedCall | None = None,
    ) -> LiveCall:  # fmt: skip
        """Begin a call's record; nothing has been dialled or answered yet. Raises LedgerFull, ConfigError."""
        if prepared is None:
            if self._vault is not None:
                raise LedgerError("no keys were made for this call; await `prepare` and pass what it returns")
            prepared = plain_call()
        self._demand_room()
        contact = self._contacts.contact_id(number)
        live = self._live_call(number, contact, agent, direction, prepared)
        known = self._known(number)
        live.loop.post(
            CallStarted(
                at_ms=0, call=live.id, agent=agent, direction=direction, contact=contact,
                stage=self.release.data.agents[agent].stage, epoch=self._ledger.epoch, release=self.release.hash,
                started_unix_ms=unix_ms(), development=self._development, facts={**facts, **known},
            )
        )  # fmt: skip
        return live

    def _demand_room(self) -> None:
        """Raise LedgerError when no new call can be taken."""
        if self._finishing:
            raise LedgerFull("no new call is taken: the server is stopping")
        if self._ledger.broken:
            raise LedgerBroken(
                "no new call is taken: the ledger can't be written; check the disk, run `voicewarden ledger verify`, "
                "then start again"
            )
        if why := self._ledger.restraint.calls:
            raise LedgerFull(f"no new call is taken: {why}")
        if len(self.calls) >= MOST_CALLS:
            raise LedgerFull("no new call is taken: there are too many; try again in a moment")

    def _live_call(
        self, number: str, contact: str, agent: str, direction: Direction, prepared: PreparedCall
    ) -> LiveCall:
        call_id = prepared.id
        counting = CallCounts(self.release, self._counts, person=self._contacts.names(number))
        loop = CallLoop(
            call_id, self.release, journal=self._ledger, burner=LedgerBurner(self._ledger, counting.claims),
            sealer=self._sealer, effectors=self._effectors, scheduler=LoopScheduler(), counting=counting,
            watch=lambda event, step: self._seen(live, event, step), seal=prepared.seal,
        )  # fmt: skip
        live = LiveCall(call_id, agent, direction, contact, number, loop, keep_recording=prepared.keep_recording)
        loop.hang_up_by(lambda reason: self._spawn(self._hang_up(live, reason)))
        self.calls.add(live)
        return live

    def _known(self, number: str) -> dict[str, Value]:
        windows = tuple(window.in_s for window in self.release.policy.policy.contact.per_person)
        return self._contacts.facts_of_number(number, now_unix_ms=unix_ms(), windows_s=windows)

    def dial(self, live: LiveCall) -> None:
        """Ask the gate for the outbound call; it is dialled only if the gate allows it."""
        for name, value in self._known(live.number).items():
            # Other calls may have been placed, or a no been heard, since this one was opened.
            fact = live.loop.state.facts.get(name)
            if fact is not None and fact.value != value:
                live.loop.post(FactLearned(at_ms=-1, fact=name, value=value, source="contacts"))
        live.loop.post(ActionRequested(at_ms=-1, request="dial", action="place_call", args={}, principal=live.agent))

    def _seen(self, live: LiveCall, event: Event, step: Step) -> None:
        if _heard(step, "opted_out") and live.first_time("opt_out"):
            opted_out_ms = unix_ms()
            self._keep(
                live,
                lambda: self._contacts.record_opt_out(live.contact, call=live.id, unix_ms=opted_out_ms, how="call"),
            )
        if _heard(step, "wrong_person") and live.first_time("wrong_person"):
            # Whoever agreed to be called is not who answers there.
            self._keep(live, lambda: self._contacts.record_consent(
                live.contact, "none", unix_ms=unix_ms(), source="the wrong person answered", call=live.id
            ))  # fmt: skip
        if any(item.action == "place_call" and item.verdict == "allow" for item in step.decisions):
            self._keep(live, lambda: self._contacts.record_attempt(live.contact, call=live.id, unix_ms=unix_ms()))
        if self._watch is not None:
            self._watch(live.id, event, step)
        if isinstance(event, CallEnded):
            self._spawn(self._finish(live))

    def _keep(self, live: LiveCall, note: Callable[[], Awaitable[None]]) -> None:
        """Note something about the contact: it counts at once, and its durability is waited for aside."""
        try:
            durable = note()
        except LedgerError as error:
            _not_kept(live, error)
            return

        async def wait() -> None:
            try:
                await durable
            except LedgerError as error:
                _not_kept(live, error)

        self._spawn(wait())

    async def _hang_up(self, live: LiveCall, reason: str) -> None:
        if live.ending:
            return
        live.ending = True
        try:
            await self._carrier.hang_up(live.id)
        except CarrierFailed as failed:
            _LOG.warning("call %s: %s", live.id, failed.args[0])
        # The voice first: what it has still to report (the recording, cut sentences) belongs before the end.
        await live.loop.close_voice()
        live.loop.post(CallEnded(at_ms=-1, reason=reason))

    async def _finish(self, live: LiveCall) -> None:
        await live.loop.close_voice()
        await live.loop.settle()
        self.calls.remove(live)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def pause(self, operator: str) -> None:
        """Have every live call say goodbye and end, as the policy says for a pause; `operator` is on record with it."""
        for live in self.calls.live:
            live.loop.post(CallsPaused(at_ms=-1, epoch=live.loop.state.identity.epoch, operator=operator))

    async def finish(self, within_s: float = 12.0) -> None:
        """Take no new call and let the live ones say goodbye; what is still talking after that is cut by `close`."""
        self._finishing = True
        self.pause("server stop")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for live in self.calls.live:
                    await live.loop.ended.wait()

    async def close(self, within_s: float = 10.0) -> None:
        """End all calls and wait for their records."""
        for live in self.calls.live:
            self._spawn(self._hang_up(live, "server_stopped"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._tasks:
                    await asyncio.wait(tuple(self._tasks))


def _heard(step: Step, fact: str) -> bool:
    """Whether the caller said this in the call itself; what was known when it began has number 0."""
    known = step.state.facts.get(fact)
    return known is not None and known.value is True and known.seq > 0


def _not_kept(live: LiveCall, error: LedgerError) -> None:
    # The call's own records hold it; that the contact's stream lacks it must be seen by people.
    _LOG.error("call %s: a note on its contact could not be kept (%s)", live.id, type(error).__name__)

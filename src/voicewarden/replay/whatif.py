"""What another policy would have decided: every recorded event once more, from the state as it was recorded.

In: a call's records and the other policy. Out: a `CallWhatIf` with every decision that comes out otherwise. Each step
is asked on its own: the state always follows what was recorded, so a flip is exact for its moment, and says nothing
about what would have happened after it. Called by `voicewarden whatif`; `effect` adds the calls up.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step, step
from voicewarden.ledger.view import LedgerView
from voicewarden.model.action import SEVERITY, Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.model.error import LedgerError
from voicewarden.model.event import CallStarted, Event
from voicewarden.model.record import Record
from voicewarden.policy.ast import Policy
from voicewarden.replay.exact import replay_call
from voicewarden.replay.exchange import Exchange, Exchanges

NOT_ASKED: Final = "not asked"
Outcome = Verdict | Literal["not asked"]
Standing = Literal["certain", "after a flip", "rests on what was not recorded"]
"""The first flip of a call, and what later became of the same request in the same direction; one after it, before which
the conversation would have gone another way; one that is only there because nobody recorded what its rules look at."""


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that the other policy would have made otherwise."""

    call: str
    seq: int
    """Record of the decision; of the event that led to none then."""
    at_ms: int
    action: str
    request: str
    old: Outcome
    new: Outcome
    rules: tuple[str, ...]
    """What stands in the way under the policy that is more severe: under the new one, or no longer."""
    first_in_call: bool
    same_request: bool = False
    """Not the first, but about the same request as the first, and in the same direction."""
    unrecorded: tuple[str, ...] = ()
    """Facts on which the new reasons rest and that were not recorded."""
    granted: bool = False
    """It was allowed in earnest, and a grant was made."""

    @property
    def standing(self) -> Standing:
        """How much this flip says."""
        if self.unrecorded:
            return "rests on what was not recorded"
        return "certain" if self.first_in_call or self.same_request else "after a flip"

    @property
    def milder(self) -> bool:
        """The new policy lets more through here."""
        return _severity(self.new) < _severity(self.old)


class CallWhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """One call under the other policy."""

    call: str
    contact: str = ""
    """Keyed hash of the person; empty where none is known."""
    release: str = ""
    policy: str = ""
    """Content hash of the policy that decided in earnest."""
    events: int = 0
    decisions: int = 0
    flips: tuple[Flip, ...] = ()
    undecided: int = 0
    """Decisions that the other policy can't make with this release: it names a line or a list that is not there."""
    problem: str = ""
    """Why this call says nothing; empty where it does."""


def whatif_call(records: Iterable[Record], exchanges: Exchanges) -> CallWhatIf:
    """One call under the policy of `exchanges`. Never raises for what a stream holds."""
    stored = list(records)
    name = stored[0].stream.removeprefix("call:") if stored else ""
    asked = _Asked(exchanges)
    try:
        replayed = replay_call(stored, exchanges, watch=asked.watch)
    except (LedgerError, msgspec.MsgspecError) as error:
        return CallWhatIf(call=name, problem=f"its release can't be read: {error}")
    if replayed.sealed:
        return CallWhatIf(call=name, problem="what was said is sealed, and its key is not here or was destroyed")
    if replayed.difference is not None:
        seq = replayed.difference.seq
        return CallWhatIf(call=name, problem=f"it does not replay: record {seq} differs (`voicewarden replay`)")
    started = asked.started
    return CallWhatIf(
        call=name, contact=started.contact if started else "", release=started.release if started else "",
        policy=asked.policy, events=replayed.events, decisions=asked.decisions, flips=tuple(asked.flips),
        undecided=asked.undecided,
    )  # fmt: skip


def whatif_ledger(ledger: LedgerView, policy: Policy, *, calls: tuple[str, ...] = ()) -> Iterator[CallWhatIf]:
    """All calls of a ledger under another policy, or some."""
    exchanges = Exchanges(ledger.get_blob, policy)
    for stream in tuple(f"call:{call}" for call in calls) or ledger.streams("call:"):
        yield whatif_call(ledger.read_stream(stream), exchanges)


class _Asked:
    """Asks the other policy at every step of one call."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self.started: CallStarted | None = None
        self.policy = ""
        self.decisions = self.undecided = 0
        self.flips: list[Flip] = []
        self._first: Flip | None = None

    def watch(self, release: Compiled, state: State, event: Event, taken: Step) -> None:
        """One recorded step, and the same one under the other policy."""
        if isinstance(event, CallStarted) and self.started is None:
            self.started, self.policy = event, release.policy.hash
        if self.started is None or self.policy == self._exchanges.policy.hash:
            self.decisions += len(_earnest(taken))
            return
        exchange = self._exchanges.exchange(self.started.release)
        other = step(exchange.other, state, event)
        before, after = _earnest(taken), _earnest(other)
        self.decisions += len(before)
        if other.state.identity.fault != taken.state.identity.fault:
            # It could not be carried out at all: it wants something that this release lacks.
            self.undecided += max(1, len(before))
            return
        granted = {grant.digest for grant in taken.grants if not grant.escape}
        facts = other.state.facts.keys() | state.facts.keys()
        flips = len(self.flips)
        for old, new in _pairs(before, after):
            # What only one side asks for in a step that has flipped before is a consequence of that flip.
            if None in (old, new) and (self._first is not None or len(self.flips) > flips):
                continue
            self._compare(old, new, state.seq, facts=frozenset(facts), granted=granted, exchange=exchange)

    def _compare(
        self, old: Decision | None, new: Decision | None, seq: int, *, facts: frozenset[str], granted: set[str],
        exchange: Exchange,
    ) -> None:  # fmt: skip
        verdicts = (old.verdict if old else NOT_ASKED, new.verdict if new else NOT_ASKED)
        here = old or new
        if here is None or verdicts[0] == verdicts[1]:
            return
        unrecorded = () if new is None else self._unrecorded(new.reasons, verdicts[0], facts, exchange)
        flip = Flip(
            call=self.started.call if self.started else "", seq=old.seq if old else seq, at_ms=here.at_ms,
            action=here.action, request=here.request, old=verdicts[0], new=verdicts[1],
            rules=_standing_in_the_way(old, new), first_in_call=self._first is None and not unrecorded,
            unrecorded=unrecorded, granted=old is not None and old.verdict == "allow" and old.digest in granted,
        )  # fmt: skip
        first = self._first
        if first is not None and (first.request, first.milder) == (flip.request, flip.milder):
            flip = msgspec.structs.replace(flip, same_request=True)
        self.flips.append(flip)
        if flip.first_in_call:
            self._first = flip

    def _unrecorded(
        self, reasons: Iterable[Reason], old: Outcome, facts: frozenset[str], exchange: Exchange
    ) -> tuple[str, ...]:
        """Facts that nobody recorded, where nothing would flip without the reasons that look at them."""
        found: dict[str, None] = {}
        left = 0
        for reason in reasons:
            looked_at = self._exchanges.rule_facts.get(reason.rule, (reason.fact,))
            missing = [name for name in looked_at if name in exchange.unrecorded and name not in facts]
            if missing and reason.verdict != "allow":
                found |= dict.fromkeys(missing)
            else:
                left = max(left, SEVERITY[reason.verdict])
        return tuple(found) if left == _severity(old) else ()


def _earnest(taken: Step) -> list[Decision]:
    """The decisions of a step, without the ways out that every call has."""
    return [item for item in taken.decisions if not item.request.startswith("escape:")]


def _pairs(before: list[Decision], after: list[Decision]) -> Iterator[tuple[Decision | None, Decision | None]]:
    """Decisions on the same request, in order; None where only one side decided it."""
    waiting = list(after)
    for old in before:
        new = next((item for item in waiting if _key(item) == _key(old)), None)
        if new is not None:
            waiting.remove(new)
        yield old, new
    for new in waiting:
        yield None, new


def _key(decision: Decision) -> tuple[str, str]:
    """What names a request in both steps; the kernel's own are numbered, and the numbers differ."""
    return "kernel:" if decision.request.startswith("kernel:") else decision.request, decision.action


def _severity(verdict: Outcome) -> int:
    # What nobody asked for did not happen: for a reader that is as severe as a refusal.
    return SEVERITY["deny"] if verdict == NOT_ASKED else SEVERITY[verdict]


def _standing_in_the_way(old: Decision | None, new: Decision | None) -> tuple[str, ...]:
    """Rules that the more severe side names, those that both name left out where others remain."""
    one, other = (old, new) if old is not None and (new is None or _is_milder(new, old)) else (new, old)
    named = _unmet(one)
    shared = set(_unmet(other))
    return tuple(rule for rule in named if rule not in shared) or named


def _is_milder(one: Decision, other: Decision) -> bool:
    return SEVERITY[one.verdict] < SEVERITY[other.verdict]


def _unmet(decision: Decision | None) -> tuple[str, ...]:
    if decision is None:
        return ()
    return tuple(dict.fromkeys(reason.rule for reason in decision.reasons if reason.verdict != "allow"))

"""Reach: a call over the real kernel that arrives where two policies decide differently.

In: a release under the old and the new policy, an action, and the context in which their verdicts differ. Out: the
shortest call found, played and checked: the gate of the new policy really says the milder word there, the gate of the
old one, asked in the very same moment, a more severe one, and the same call from the start goes less far under the old
policy. None where no plan gets there: that is no proof that no call does. Called by `diff`.
"""

import copy
from collections.abc import Iterable
from itertools import islice
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.step import step
from voicewarden.model.action import SEVERITY, Value, Verdict
from voicewarden.model.decision import Decision
from voicewarden.policy.ast import Limit, Policy
from voicewarden.policy.compiler import CompiledPolicy
from voicewarden.policy.fact import Facts
from voicewarden.proofs.context import Context, decide_in, facts_of
from voicewarden.proofs.driven_call import MOST_EVENTS, DrivenCall, Moment, Timing
from voicewarden.proofs.plans import MOST_GRANTS, Move, Plan, Wanted, is_on_record, plans

MOST_PLANS: Final = 24
BOUNDS: Final = f"bounds: {MOST_PLANS} plans of at most {MOST_EVENTS} events with {MOST_GRANTS} earlier grants"
_replace = msgspec.structs.replace


class Target(msgspec.Struct, frozen=True):
    """Where a call shall arrive: a context, the milder verdict there, and which of its ages the verdicts rest on."""

    context: Context
    verdict: Verdict
    looked_at: frozenset[str]
    """Facts that matter there; one that the context lacks shall not be known."""
    aged: frozenset[str]
    """Names of facts whose age matters; `since_last` for the time since the last grant."""


class Reached(msgspec.Struct, frozen=True):
    """A call that shows the difference, up to the moment that does."""

    moments: tuple[Moment, ...]
    context: Context
    verdicts: tuple[Verdict, Verdict]
    """What the old and the new policy say there, apart from what else the kernel looks at."""
    old: Decision
    new: Decision


def governed_by(release: Compiled, policy: Policy, compiled: CompiledPolicy | None = None) -> Compiled:
    """The same release under another policy; words and lists are not made ready again."""
    other = copy.copy(release)
    other.policy = compiled or CompiledPolicy(policy)
    other.data = _replace(release.data, policy=policy)
    # Names the release within these calls only: the digest of the whole would be the dearest part of a short call.
    other.hash = other.policy.hash
    return other


class Search:
    """Looks for calls that show the difference of two policies in one action."""

    def __init__(self, old: Compiled, new: Compiled, action: str) -> None:
        self._old = old
        self._new = new
        self._action = action
        self._probe = governed_by(new, _denying(new.policy.policy, action))
        self._looked_at = frozenset(
            (*facts_of(old.policy.policy, action), *facts_of(new.policy.policy, action))
        )

    def find(self, target: Target) -> Reached | None:
        """The shortest call found for a target."""
        found: list[tuple[Plan, Timing, Reached]] = []
        for plan in islice(plans(self._wanted(target)), MOST_PLANS):
            # A call that is no shorter than the best one need not be played to its end.
            most = len(found[-1][2].moments) if found else MOST_EVENTS
            shown = self._try(plan, target, most)
            if shown is not None:
                found.append((plan, *shown))
        return self._shortened(*found[-1], target) if found else None

    def _wanted(self, target: Target) -> Wanted:
        facts = target.context.facts
        recorded = {
            name: value for name, (value, _) in facts.items()
            if is_on_record(name) and name not in target.aged and (name != "opted_out" or value is True)
        }  # fmt: skip
        context = _replace(target.context, facts={name: facts[name] for name in facts if name in target.looked_at})
        return Wanted(self._new, self._action, context, target.looked_at, recorded)

    def _try(self, plan: Plan, target: Target, most: int) -> tuple[Timing, Reached] | None:
        """Play a plan as it is, then stretched so that ages come out as wanted."""
        timing = Timing(learns=_learns(target, 0))
        call, at = self._play(plan, DrivenCall(self._new, timing, most), target.verdict)
        if at is None and target.aged and (final := self._last_request(call)) is not None:
            timing = self._stretched(final, target)
            call, at = self._play(plan, DrivenCall(self._new, timing, most), target.verdict)
        if at is None:
            return None
        reached = self._checked(plan, timing, call, at)
        return None if reached is None else (timing, reached)

    def _play(self, plan: Plan, call: DrivenCall, verdict: Verdict) -> tuple[DrivenCall, int | None]:
        """Play moves until one leads to the verdict where the old policy is more severe; returns where that is."""
        seen = len(call.moments)
        for move in plan:
            move(call)
            for index in range(seen, len(call.moments)):
                if self._differs(call.moments[index], verdict):
                    return call, index
            seen = len(call.moments)
            if call.is_over:
                break
        return call, None

    def _differs(self, moment: Moment, verdict: Verdict) -> bool:
        new = _decision(moment.taken.decisions, self._action)
        if new is None or new.verdict != verdict:
            return False
        old = _decision(step(self._old, moment.before, moment.event).decisions, self._action)
        return old is not None and SEVERITY[old.verdict] > SEVERITY[new.verdict]

    def _last_request(self, call: DrivenCall) -> Moment | None:
        asked = (moment for moment in reversed(call.moments) if _decision(moment.taken.decisions, self._action))
        return next(asked, None)

    def _stretched(self, final: Moment, target: Target) -> Timing:
        """Timing under which a plan that ended in this moment ends with the ages that are wanted."""
        decision = _decision(final.taken.decisions, self._action)
        if decision is None:
            return Timing()
        wanted, found = target.context, self._context(final, decision)
        mine, pause_ms = f"consent.{self._action}", self._new.policy.policy.hearing.end_of_turn_ms
        longer_ms = {
            name: wanted.facts[name][1] - found.facts[name][1]
            for name in target.aged if name in wanted.facts and name in found.facts and not is_on_record(name)
        }  # fmt: skip
        hold_ms = max(0, longer_ms.pop(mine, 0))
        decided_ms = decision.at_ms + hold_ms
        if "since_last" in target.aged and None not in (wanted.since_last_ms, found.since_last_ms):
            longer_ms["since_last"] = (wanted.since_last_ms or 0) - (found.since_last_ms or 0)
        elapsed, answered_ms = wanted.facts.get("call_ms", (0, 0))[0], final.before.identity.answered_ms
        if type(elapsed) is int and answered_ms is not None:
            longer_ms["call_ms"] = elapsed - (decision.at_ms - answered_ms)
        ages = [age_ms for name, (_, age_ms) in wanted.facts.items() if name in target.aged and is_on_record(name)]
        linger_ms = max(0, *(ms - hold_ms for ms in longer_ms.values()), *(age_ms - decided_ms for age_ms in ages), 0)
        return Timing(
            hold_ms=hold_ms + pause_ms if hold_ms else 0, linger_ms=linger_ms,
            learns=_learns(target, decided_ms + linger_ms),
        )  # fmt: skip

    def _checked(self, plan: Plan, timing: Timing, call: DrivenCall, at: int) -> Reached | None:
        """The call up to the moment, if the difference is the action's own and shows from the start as well."""
        moment = call.moments[at]
        new = _decision(moment.taken.decisions, self._action)
        old = _decision(step(self._old, moment.before, moment.event).decisions, self._action)
        if new is None or old is None:
            return None
        context = self._context(moment, new)
        verdicts = (
            decide_in(self._old.policy, self._action, context), decide_in(self._new.policy, self._action, context),
        )  # fmt: skip
        if verdicts[1] != new.verdict or SEVERITY[verdicts[0]] <= SEVERITY[verdicts[1]]:
            return None
        before = DrivenCall(self._old, timing)
        for move in plan:
            move(before)
        shown = call.moments[: at + 1]
        if self._as_mild(before.moments, new.verdict) >= self._as_mild(shown, new.verdict):
            return None
        return Reached(tuple(shown), context, verdicts, old, new)

    def _as_mild(self, moments: list[Moment], verdict: Verdict) -> int:
        decisions = (decision for moment in moments for decision in moment.taken.decisions)
        return sum(
            decision.action == self._action and SEVERITY[decision.verdict] <= SEVERITY[verdict]
            for decision in decisions
        )

    def _context(self, moment: Moment, decision: Decision) -> Context:
        """What the gate saw: facts as they stood when it decided, before a grant used the answer up."""
        facts: Facts = step(self._probe, moment.before, moment.event).state.facts
        mine = f"consent.{self._action}"
        state, now_ms = moment.before, decision.at_ms
        last = state.grants.minted_at_ms.get(self._action)
        approved = {decision.digest, f"{self._action}:{decision.digest}"} & set(state.consent.approved)
        return Context(
            facts={
                name: (fact.value, now_ms - fact.at_ms)
                for name, fact in facts.items()
                if name in self._looked_at and (name != mine or fact.digest == decision.digest)
            },
            minted=state.grants.minted.get(self._action, 0),
            since_last_ms=None if last is None else now_ms - last,
            stage=decision.stage, role=decision.principal, approved=bool(approved),
        )  # fmt: skip

    def _shortened(self, plan: Plan, timing: Timing, reached: Reached, target: Target) -> Reached:
        """Leave out every move without which the call still shows it; what is left needs each of its moves."""
        before = self._forks(plan, timing, len(reached.moments))
        for index in reversed(range(1, len(plan))):
            if _is_given(plan[index]):
                continue
            without = (*plan[:index], *plan[index + 1 :])
            call, at = self._play(plan[index + 1 :], before[index], target.verdict)
            shorter = None if at is None else self._checked(without, timing, call, at)
            if shorter is not None and len(shorter.moments) <= len(reached.moments):
                plan, reached = without, shorter
        return reached

    def _forks(self, plan: Plan, timing: Timing, most: int) -> list[DrivenCall]:
        """The call as it is before each of its moves: what comes before a move that is left out is played once."""
        call, forks = DrivenCall(self._new, timing, most), []
        for move in plan:
            forks.append(call.fork())
            move(call)
        return forks


def _is_given(move: Move) -> bool:
    """Nobody is heard on a line that was not picked up, and who counts for one policy counts for the other."""
    return getattr(move, "func", move) in (DrivenCall.answer, DrivenCall.reserve)


def _decision(decisions: Iterable[Decision], action: str) -> Decision | None:
    """The last word on this action in one step."""
    return next((item for item in reversed(tuple(decisions)) if item.action == action), None)


def _denying(policy: Policy, action: str) -> Policy:
    """The policy with this one action, which is never granted: the facts that it was decided on then stay."""
    rule = policy.actions[action]
    never = Limit(id=f"{action}.limits.never", at_most=0, otherwise="deny")
    return _replace(policy, actions={action: _replace(rule, limits=(*rule.limits, never))})


def _learns(target: Target, at_ms: int) -> tuple[tuple[int, str, Value], ...]:
    """Facts of records whose age matters, each at its moment before `at_ms`."""
    return tuple(
        (max(0, at_ms - max(0, age_ms)), name, value)
        for name, (value, age_ms) in target.context.facts.items()
        if name in target.aged and is_on_record(name)
    )

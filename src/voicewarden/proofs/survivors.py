"""Survivors: which mutants of a policy its cases do not notice, and whether there is anything to notice.

In: a policy and its cases. Out: how many mutants of each kind were killed, which are equivalent to the policy, and
which live on. Equivalence is proved by z3 where it is installed, else by a search over points that is complete for this
language (see `search`). Called by tests and `voicewarden policy cases --mutants`.
"""

from collections.abc import Callable, Iterable

import msgspec

from voicewarden.model.action import SEVERITY
from voicewarden.model.error import MissingPart
from voicewarden.policy.ast import ActionRule, Limit, Policy, Rule
from voicewarden.policy.compiler import CompiledPolicy, compile_policy
from voicewarden.proofs.case import Case, Observation, observe
from voicewarden.proofs.mutants import Mutant, mutants_of
from voicewarden.proofs.search import Search
from voicewarden.proofs.tree import items_of

Known = dict[str, list[tuple[Case, Observation]]]


class Tally(msgspec.Struct, frozen=True):
    """Mutants of one kind."""

    made: int = 0
    killed: int = 0
    equivalent: int = 0


class Score(msgspec.Struct, frozen=True):
    """What the cases of a policy are worth."""

    cases: int
    kinds: dict[str, Tally]
    survivors: tuple[Mutant, ...]
    equivalent: tuple[Mutant, ...]
    proved_by: str
    """Who says that the equivalent ones are: z3 with its version, or the search over points."""

    @property
    def made(self) -> int:
        """All mutants."""
        return sum(tally.made for tally in self.kinds.values())

    @property
    def killed(self) -> int:
        """Mutants that at least one case tells from the policy."""
        return sum(tally.killed for tally in self.kinds.values())


def score(policy: Policy, cases: Iterable[Case], *, with_z3: bool = True) -> Score:
    """Hold the cases against every mutant of the policy."""
    told, name = _teller(policy, with_z3)
    known = _observed(compile_policy(policy), cases)
    kinds: dict[str, Tally] = {}
    alive: list[Mutant] = []
    same: list[Mutant] = []
    for mutant in mutants_of(policy):
        killed = _killed(policy, mutant, known)
        equivalent = not killed and not told(mutant)
        (same if equivalent else alive).extend([] if killed else [mutant])
        tally = kinds.get(mutant.kind, Tally())
        kinds[mutant.kind] = Tally(tally.made + 1, tally.killed + killed, tally.equivalent + equivalent)
    return Score(sum(map(len, known.values())), kinds, tuple(alive), tuple(same), name)


def _observed(policy: CompiledPolicy, cases: Iterable[Case]) -> Known:
    known: Known = {}
    for case in cases:
        known.setdefault(case.action, []).append((case, observe(policy, case)))
    return known


def _killed(policy: Policy, mutant: Mutant, known: Known) -> bool:
    compiled = compile_policy(mutant.applied(policy))
    return any(observe(compiled, case) != seen for case, seen in known.get(mutant.action, ()))


def _teller(policy: Policy, with_z3: bool) -> tuple[Callable[[Mutant], bool], str]:
    """The function that says whether a mutant can be told from the policy at all."""
    if with_z3:
        try:
            from voicewarden.proofs.apart import told_apart, version
        except MissingPart:
            pass
        else:
            return (lambda mutant: told_apart(policy, mutant)), version()
    return (lambda mutant: differs(policy, mutant)), "a search over all points"


def differs(policy: Policy, mutant: Mutant) -> bool:
    """Whether any situation tells the mutant from the policy, by search over the points of both."""
    old, new = policy.actions[mutant.action], mutant.rule
    search = Search(policy, mutant.action, beside=new)
    if not mutant.item:
        return _around_differs(old, new, search)
    before, after = _item(old, mutant.item), _item(new, mutant.item)
    if before is None or after is None:
        there = before or after
        return there is not None and search.unmet(there) is not None
    if search.unlike(before, after) is not None:
        return True
    found = search.unmet(before)
    if found is None or before.shadow != after.shadow:
        return found is not None
    severities = {SEVERITY[before.otherwise], SEVERITY[after.otherwise]}
    return len(severities) > 1 and found.against < max(severities)


def _item(rule: ActionRule, item: str) -> Rule | Limit | None:
    return next((one for one in items_of(rule) if one.id == item), None)


def _around_differs(old: ActionRule, new: ActionRule, search: Search) -> bool:
    """Stages show where all is met; roles and cool-downs where the gate does not deny."""
    mildest = search.mildest()
    if _open(old) != _open(new):
        return mildest.against == 0 and not mildest.stopped
    if (set(old.requested_by), old.cooldown_ms) == (set(new.requested_by), new.cooldown_ms):
        return False
    return search.not_denied(stage_allows=bool(_open(old))) is not None


def _open(rule: ActionRule) -> set[tuple[str, str]]:
    return {(stage, effect) for stage, effect in rule.stages.items() if effect in ("allow", "approve")}

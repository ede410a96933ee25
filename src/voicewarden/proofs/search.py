"""A search over points: situations of one action in which a given thing shows.

In: an action and what must differ: two versions of one condition, with pins on single facts. Out: facts and a count in
which the two versions differ while as little else as possible stands against the action, or None when there are none.
Called by `cases`, and by `survivors` where z3 is not installed.

The search is complete: between two points no atom changes its truth (see `points`), and facts that no constraint ties
together are searched apart.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

from voicewarden.model.action import SEVERITY
from voicewarden.policy.ast import ActionRule, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.fact import Fact, Facts
from voicewarden.policy.generator import atoms
from voicewarden.policy.interpreter import holds, within
from voicewarden.proofs.context import STOPPERS
from voicewarden.proofs.points import DIGEST, NOW_MS, Point, Points
from voicewarden.proofs.tree import items_of

_DENY: Final = SEVERITY["deny"]
BUDGET: Final = 100_000
"""Points that one search may try."""

COUNT: Final = "#minted"
"""The number of grants in this call, searched like a fact."""

Pin = Callable[[Point], bool]
"""Which points of a fact are wanted."""

Chosen = dict[str, Point]
"""The facts that a search has settled so far; None is settled as unknown."""


class Constraint(NamedTuple):
    """Something that must hold, over the facts that it looks at; None while those chosen do not settle it."""

    names: tuple[str, ...]
    met: Callable[[Chosen], bool | None]
    atoms: tuple[Atom, ...] = ()
    """What it tells the points of its facts apart by; without atoms, by their values."""


class Found(NamedTuple):
    """A situation that was looked for."""

    facts: Facts
    minted: int
    against: int = _DENY
    """Severity of the other rules that had to be let go; 0 is none."""
    stopped: bool = True
    """What the gate asks before any rule had to be let go too."""


class Exhausted(Exception):
    """A search grew beyond its budget."""


class Search:
    """Finds situations of one action of one policy."""

    def __init__(
        self, policy: Policy, action: str, *, beside: ActionRule | None = None, budget: int = BUDGET
    ) -> None:
        """`beside` is another version of the action, whose points are searched too; `budget` counts points tried."""
        self.points = Points(policy, action, beside=beside)
        self.rule = policy.actions[action]
        self.gave_up = 0
        """Searches that ended for the budget and not because all was tried."""
        self._budget = budget
        self._lines = [f"disclosed.{line.id}" for line in policy.speech.must_say if line.before == action]
        self._leaves = Leaves(f"consent.{action}")
        self._all = {name: self._ordered(name) for name in self.points.names}
        self._all[COUNT] = [Fact(count, 0, 0) for count in self.points.minted()]
        self._possible: dict[tuple[int, bool, str], bool] = {}

    def differing(
        self, left: Condition, right: Condition, pins: dict[str, Pin] | None = None, *, of: Rule | None = None
    ) -> Found | None:
        """Where two conditions differ; `of` is the rule that they are versions of, which is then not held to be met."""
        one, other = self._leaves.of(left), self._leaves.of(right)
        told_by = (*atoms(left), *atoms(right))
        focus = Constraint(_names(told_by), lambda chosen: _unequal(one(chosen), other(chosen)), told_by)
        return self.find([focus], pins or {}, of=of)

    def unmet(self, item: Rule | Limit) -> Found | None:
        """Where a rule or limit is not met, with as little else against the action as possible."""
        met = self.met(item)
        unmet = Constraint(met.names, lambda chosen: _unequal(met.met(chosen), True), met.atoms)
        return self.find([unmet], {}, of=item)

    def unlike(self, one: Rule | Limit, other: Rule | Limit) -> Found | None:
        """Where two versions of a rule or limit differ in being met."""
        first, second = self.met(one), self.met(other)
        names = tuple(dict.fromkeys((*first.names, *second.names)))
        told_by = (*first.atoms, *second.atoms)
        differ = Constraint(names, lambda chosen: _unequal(first.met(chosen), second.met(chosen)), told_by)
        return self.find([differ], {}, of=one)

    def mildest(self) -> Found:
        """Where as little as possible stands against the action."""
        return self.find([], {}) or Found({}, 0)

    def not_denied(self, *, stage_allows: bool) -> Found | None:
        """Where the gate does not deny; without a stage that allows, some rule has to ask for something milder."""
        found = self.mildest()
        if not found.stopped and (found.against > 0 or stage_allows) and found.against < _DENY:
            return found
        for item in items_of(self.rule):
            milder = self.unmet(item) if not item.shadow and 0 < SEVERITY[item.otherwise] < _DENY else None
            if milder is not None and not milder.stopped and milder.against < _DENY:
                return milder
        return None

    def find(
        self, focus: list[Constraint], pins: dict[str, Pin], *, of: Rule | Limit | None = None
    ) -> Found | None:
        """Where all of `focus` holds, with all other rules met, else all over confirm, else over escalate, else any."""
        anyhow = self._solve(pins, focus)
        if anyhow is None:
            return None
        for against, stops in ((0, True), (0, False), (1, True), (1, False), (2, True), (2, False)):
            if self._ever(against, stops, of):
                solution = self._solve(pins, [*focus, *self._others(against, stops, of)])
                if solution is not None:
                    return _found(solution, against, not stops)
        return _found(anyhow, _DENY, stopped=True)

    def met(self, item: Rule | Limit) -> Constraint:
        """That a rule or limit is met."""
        if isinstance(item, Rule):
            told_by = atoms(item.condition)
            return Constraint(_names(told_by), self._leaves.of(item.condition), told_by)
        names = (COUNT,) if item.per == "call" else (COUNT, item.counted)
        return Constraint(names, partial(_keeps_to, item, names))

    def _ever(self, against: int, stops: bool, of: Rule | Limit | None) -> bool:
        """Whether the other rules can be met together at all, whatever is looked for."""
        key = (against, stops, "" if of is None else of.id)
        if key not in self._possible:
            self._possible[key] = self._solve({}, [*self._others(against, stops, of)]) is not None
        return self._possible[key]

    def _others(self, against: int, stops: bool, of: Rule | Limit | None) -> Iterator[Constraint]:
        for item in items_of(self.rule):
            counts = not item.shadow or (of is not None and of.shadow)
            if (of is None or item.id != of.id) and counts and SEVERITY[item.otherwise] > against:
                yield self.met(item)
        yield from self._gates() if stops else ()

    def _gates(self) -> Iterator[Constraint]:
        """What the gate asks before any rule: nothing stops the call, and the lines due before this were heard."""
        for name in STOPPERS:
            yield Constraint((name,), partial(_is_flag, name, False, unknown=True))
        for name in self._lines:
            yield Constraint((name,), partial(_is_flag, name, True, unknown=False))

    def _ordered(self, name: str) -> list[Point]:
        """All points of a fact; what may stop a call is unknown first, since that is how a call begins."""
        return sorted(self.points.all(name), key=lambda point: name in STOPPERS and point is not None)

    def _told_apart(self, name: str, pins: dict[str, Pin], constraints: list[Constraint]) -> list[Point]:
        """Those points of a fact that these constraints can tell apart."""
        concerned = [one for one in constraints if name in one.names]
        told_by = {id(atom): atom for one in concerned for atom in one.atoms if atom.fact == name}
        by_value = any(all(atom.fact != name for atom in one.atoms) for one in concerned)
        points = [point for point in self._all[name] if name not in pins or pins[name](point)]
        kept: dict[tuple[object, ...], Point] = {}
        tests = [self._leaves.of(atom) for atom in told_by.values()]
        for point in points:
            value = point.value if by_value and point is not None else None
            kept.setdefault((by_value and point is None, value, *(test({name: point}) for test in tests)), point)
        return list(kept.values())

    def _solve(self, pins: dict[str, Pin], constraints: list[Constraint]) -> Chosen | None:
        domains = {name: self._told_apart(name, pins, constraints) for name in self._all}
        if not all(domains.values()):
            return None
        chosen: Chosen = {name: points[0] for name, points in domains.items()}
        for group in _groups(constraints):
            walk = _Walk(group, domains, self._budget)
            try:
                if not walk.from_(0):
                    return None
            except Exhausted:
                self.gave_up += 1
                return None
            chosen |= walk.chosen
        return chosen


class Leaves:
    """Conditions over points, with each atom asked only once a point, by the reference interpreter."""

    def __init__(self, consent: str) -> None:
        self._consent = consent
        self._asked: dict[int, tuple[Atom, Callable[[Chosen], bool | None]]] = {}

    def of(self, condition: Condition) -> Callable[[Chosen], bool | None]:
        """Whether a condition holds with what is chosen; None while that does not settle it."""
        if isinstance(condition, Atom):
            # By identity, since hashing an atom or a point costs more than asking; both are kept as long as this is.
            known = self._asked.get(id(condition))
            if known is None:
                known = self._asked[id(condition)] = (condition, self._atom(condition))
            return known[1]
        items = tuple(self.of(item) for item in condition.items)
        return partial(_group, items, isinstance(condition, AnyOf))

    def _atom(self, atom: Atom) -> Callable[[Chosen], bool | None]:
        name = atom.fact
        asked: dict[int, bool] = {}

        def met(chosen: Chosen) -> bool | None:
            if name not in chosen:
                return None
            point = chosen[name]
            known = asked.get(id(point))
            if known is None:
                facts = {} if point is None else {name: point}
                known = asked[id(point)] = holds(atom, facts, NOW_MS, self._consent, DIGEST)
            return known

        return met


class _Walk:
    """Depth first over the facts of one group of constraints; what is settled already is asked at every step."""

    def __init__(self, group: list[Constraint], domains: dict[str, list[Point]], budget: int) -> None:
        self.chosen: Chosen = {}
        self._names = tuple(dict.fromkeys(name for constraint in group for name in constraint.names))
        self._domains = domains
        self._budget = budget
        self._concerned = [[one for one in group if name in one.names] for name in self._names]
        self._never = any(one.met({}) is False for one in group if not one.names)

    def from_(self, index: int) -> bool:
        """Whether the facts from this one on can be chosen so that everything holds."""
        if index == len(self._names) or self._never:
            return not self._never
        name, concerned, chosen = self._names[index], self._concerned[index], self.chosen
        for point in self._domains[name]:
            self._budget -= 1
            if self._budget < 0:
                raise Exhausted
            chosen[name] = point
            if all(one.met(chosen) is not False for one in concerned) and self.from_(index + 1):
                return True
        del chosen[name]
        return False


def _group(items: tuple[Callable[[Chosen], bool | None], ...], decisive: bool, chosen: Chosen) -> bool | None:
    """`any` is decided by one that holds, `all` by one that does not."""
    open_ = False
    for item in items:
        met = item(chosen)
        if met is decisive:
            return decisive
        open_ = open_ or met is None
    return None if open_ else not decisive


def _unequal(one: bool | None, other: bool | None) -> bool | None:
    return None if one is None or other is None else one is not other


def _keeps_to(limit: Limit, names: tuple[str, ...], chosen: Chosen) -> bool | None:
    if any(name not in chosen for name in names):
        return None
    count = chosen[COUNT]
    facts = {name: point for name in names if name != COUNT and (point := chosen[name]) is not None}
    return within(limit, facts, int(count.value) if count is not None else 0)


def _is_flag(name: str, wanted: bool, chosen: Chosen, *, unknown: bool) -> bool | None:
    if name not in chosen:
        return None
    point = chosen[name]
    return unknown if point is None else point.value is wanted


def _found(chosen: Chosen, against: int, stopped: bool) -> Found:
    count = chosen[COUNT]
    facts = {name: point for name, point in chosen.items() if name != COUNT and point is not None}
    return Found(facts, int(count.value) if count is not None else 0, against, stopped)


def _groups(constraints: list[Constraint]) -> list[list[Constraint]]:
    """Constraints that share no fact, even by way of others, stand in groups of their own."""
    groups: list[tuple[set[str], list[Constraint]]] = []
    for constraint in constraints:
        names, members = set(constraint.names), [constraint]
        apart: list[tuple[set[str], list[Constraint]]] = []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                members = [*group[1], *members]
            else:
                apart.append(group)
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _names(told_by: tuple[Atom, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(atom.fact for atom in told_by))

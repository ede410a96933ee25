"""z3 terms of policies: the third semantics, in linear integer arithmetic without quantifiers, so always decidable.

In: one or more policies. Out: symbols that they share, and per action the severity of the rules and of the whole
verdict as terms over them. Called by theorems, diffs and agreement tests.

The terms say what `context.decide_in` says, for facts of their declared types: a context of another type never arises,
because the kernel leaves such facts out.
"""

from itertools import combinations
from typing import Final, NamedTuple, assert_never

from voicewarden.model.action import SEVERITY, STAGES, Value
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.error import MissingPart
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.proofs.context import NEVER_DENIED, STOPPERS, Context
from voicewarden.proofs.domain import KINDS, Domain, domains

try:
    import z3
except ModuleNotFoundError as missing:
    raise MissingPart("proofs need the solver z3: pip install 'voicewarden[proofs]'") from missing

__all__ = ["Symbol", "Terms", "either", "equals", "in_range", "z3"]
_DENY: Final = SEVERITY["deny"]
_LONGEST_MS: Final = 10**12
_MOST: Final = 1_000_000


class Symbol(NamedTuple):
    """One fact: whether it is known, its value (an index into `domain.values` unless it is a bool or int), its age."""

    known: z3.BoolRef
    value: z3.BoolRef | z3.ArithRef
    age_ms: z3.ArithRef
    domain: Domain


class Terms:
    """z3 terms of one or more policies over one shared set of symbols."""

    def __init__(self, *policies: Policy) -> None:
        found = domains(policies)
        self.facts: dict[str, Symbol] = {key: _symbol(key, domain) for key, domain in found.facts.items()}
        """By name. A fact to which the policies give several kinds has one symbol a kind, `name#kind` from the second
        on; at most one of them is known."""
        self.roles = found.roles
        self.minted = z3.Int("minted")
        self.since_last_ms = z3.Int("since_last_ms")
        self.granted_before = z3.Bool("granted_before")
        self.stage = z3.Int("stage")
        """Index in STAGES."""
        self.role = z3.Int("role")
        """Index in `roles`; the last stands for every other."""
        self.approved = z3.Bool("approved")
        self.axioms: list[z3.BoolRef] = self._ranges()
        """Ranges of all symbols. Ages may be negative too; then `within_ms` fails."""
        self.at_its_stage: list[z3.BoolRef] = self._links("stage")
        """What the kernel adds: the fact `stage` is known and is the stage."""
        self.in_a_call: list[z3.BoolRef] = [*self.at_its_stage, *self._links("agent")]
        """And the fact `agent` is the role that asks, as in every call with a phone."""
        # By canonical bytes, because to Python an atom on `true` equals one on 1. Layers share most of their rules.
        self._held: dict[bytes, z3.BoolRef] = {}
        self._severities: dict[bytes, z3.ArithRef] = {}

    def rules(self, policy: Policy, action: str) -> z3.ArithRef:
        """Severity of rules and limits alone, 0 to 3, shadows left out; 3 for an action that the policy lacks."""
        rule = policy.actions.get(action)
        if rule is None:
            return z3.IntVal(_DENY)
        key = canonical_bytes((rule.require, rule.limits))
        if key not in self._severities:
            self._severities[key] = self._severity(rule)
        return self._severities[key]

    def verdict(self, policy: Policy, action: str) -> z3.ArithRef:
        """Severity of what the gate says: rules, limits, cool-down, role, stage and what stops a whole call."""
        if action in NEVER_DENIED:
            return z3.IntVal(0)
        rule = policy.actions.get(action)
        if rule is None:
            return z3.IntVal(_DENY)
        severity = self.rules(policy, action)
        staged = z3.If(z3.And(severity == 0, z3.Not(self._stage_allows(rule))), _DENY, severity)
        return z3.If(either([*self._stops(policy, action), *self._bars(rule)]), z3.IntVal(_DENY), staged)

    def settled(self, policy: Policy, action: str) -> z3.ArithRef:
        """Severity of where a request can end: like `verdict`, but a stage that does not allow denies at once.

        The gate asks its question first and lets the stage speak after the yes, so that there a yes makes a `confirm`
        a `deny`. Which of two policies lets more happen is told by this term and not by that order.
        """
        if action in NEVER_DENIED:
            return z3.IntVal(0)
        rule = policy.actions.get(action)
        if rule is None:
            return z3.IntVal(_DENY)
        barred = [*self._stops(policy, action), *self._bars(rule), z3.Not(self._stage_allows(rule))]
        return z3.If(either(barred), z3.IntVal(_DENY), self.rules(policy, action))

    def unmet(self, policy: Policy, action: str) -> list[tuple[Rule | Limit, z3.BoolRef]]:
        """Each rule and limit of an action with the term for its not being met, shadows included."""
        rule = policy.actions[action]
        rules: list[tuple[Rule | Limit, z3.BoolRef]] = [
            (item, z3.Not(self.holds(item.condition))) for item in rule.require
        ]
        return rules + [(limit, self._over(limit)) for limit in rule.limits]

    def holds(self, condition: Condition) -> z3.BoolRef:
        """The term for a condition being met."""
        key = canonical_bytes(condition)
        if key not in self._held:
            self._held[key] = self._condition(condition)
        return self._held[key]

    def context(self, model: z3.ModelRef) -> Context:
        """A concrete context from a model; facts that the model says nothing about are left unknown."""
        facts: dict[str, tuple[Value, int]] = {}
        for key, symbol in self.facts.items():
            if z3.is_true(model.eval(symbol.known)):
                name = key.partition("#")[0]
                facts[name] = (_concrete(model, symbol), _number(model, symbol.age_ms))
        before = z3.is_true(model.eval(self.granted_before))
        return Context(
            facts=facts, minted=_number(model, self.minted),
            since_last_ms=_number(model, self.since_last_ms) if before else None,
            stage=STAGES[_number(model, self.stage)], role=self.roles[_number(model, self.role)],
            approved=z3.is_true(model.eval(self.approved)),
        )  # fmt: skip

    def equal(self, context: Context) -> list[z3.BoolRef]:
        """Equations that pin every symbol to a concrete context. Raises ValueError for a value of another type."""
        pinned = [
            self.minted == context.minted, self.approved == context.approved,
            self.stage == STAGES.index(context.stage),
            self.role == (self.roles.index(context.role) if context.role in self.roles else len(self.roles) - 1),
            self.granted_before == (context.since_last_ms is not None),
            self.since_last_ms == (context.since_last_ms or 0),
        ]  # fmt: skip
        for key, symbol in self.facts.items():
            value, age_ms = context.facts.get(key.partition("#")[0], (None, 0))
            known = value is not None and symbol.domain.holds(value)
            pinned.append(symbol.known == known)
            if known and value is not None:
                pinned += [symbol.value == symbol.domain.encode(value), symbol.age_ms == age_ms]
        wrong = [name for name, (value, _) in context.facts.items() if not self._can_hold(name, value)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: the value is not of the fact's type")
        return pinned

    def _can_hold(self, name: str, value: Value) -> bool:
        symbols = self._symbols(name)
        return not symbols or any(symbol.domain.holds(value) for symbol in symbols)

    def _symbols(self, name: str) -> list[Symbol]:
        return [self.facts[key] for key in (name, *(f"{name}#{kind}" for kind in KINDS)) if key in self.facts]

    def _severity(self, rule: ActionRule) -> z3.ArithRef:
        unmet: dict[int, list[z3.BoolRef]] = {}
        for item in rule.require:
            if not item.shadow:
                unmet.setdefault(SEVERITY[item.otherwise], []).append(z3.Not(self.holds(item.condition)))
        for limit in rule.limits:
            if not limit.shadow:
                unmet.setdefault(SEVERITY[limit.otherwise], []).append(self._over(limit))
        severity: z3.ArithRef = z3.IntVal(0)
        for level in sorted(unmet):
            severity = z3.If(either(unmet[level]), z3.IntVal(level), severity)
        return severity

    def _condition(self, condition: Condition) -> z3.BoolRef:
        match condition:
            case Atom():
                return either([self._atom(condition, symbol) for symbol in self._symbols(condition.fact)])
            case All(items=items):
                return _every([self._condition(item) for item in items])
            case AnyOf(items=items):
                return either([self._condition(item) for item in items])
            case _:
                assert_never(condition)

    def _atom(self, atom: Atom, symbol: Symbol) -> z3.BoolRef:
        domain, value = symbol.domain, symbol.value
        tests: list[z3.BoolRef] = [symbol.known]
        if atom.is_ is not None:
            tests.append(equals(symbol, atom.is_))
        if atom.in_ is not None:
            tests.append(either([equals(symbol, item) for item in atom.in_]))
        if atom.not_in is not None:
            tests.append(z3.Not(either([equals(symbol, item) for item in atom.not_in])))
        numbers = (atom.at_least, atom.at_most, atom.between)
        if domain.kind != "int" and any(number is not None for number in numbers):
            tests.append(z3.BoolVal(False))
        elif domain.kind == "int":
            tests += [value >= atom.at_least] if atom.at_least is not None else []
            tests += [value <= atom.at_most] if atom.at_most is not None else []
            tests += [value >= atom.between[0], value <= atom.between[1]] if atom.between is not None else []
        if atom.within_ms is not None:
            tests += [symbol.age_ms >= 0, symbol.age_ms <= atom.within_ms]
        if atom.known is False:
            tests.append(z3.BoolVal(False))
        return _every(tests)

    def _over(self, limit: Limit) -> z3.BoolRef:
        if limit.per == "call":
            return self.minted >= limit.at_most
        counts = [symbol for symbol in self._symbols(limit.counted) if symbol.domain.kind == "int"]
        return z3.Not(either([z3.And(one.known, one.value + self.minted < limit.at_most) for one in counts]))

    def _stage_allows(self, rule: ActionRule) -> z3.BoolRef:
        ways: list[z3.BoolRef] = []
        for index, stage in enumerate(STAGES):
            effect = rule.stages.get(stage)
            if effect == "allow":
                ways.append(self.stage == index)
            elif effect == "approve":
                ways.append(z3.And(self.stage == index, self.approved))
        return either(ways)

    def _stops(self, policy: Policy, action: str) -> list[z3.BoolRef]:
        stops = [
            z3.And(symbol.known, z3.Not(equals(symbol, False))) for name in STOPPERS for symbol in self._symbols(name)
        ]
        for item in policy.speech.must_say:
            if item.before == action:
                heard = self._symbols(f"disclosed.{item.id}")
                stops.append(z3.Not(either([z3.And(symbol.known, equals(symbol, True)) for symbol in heard])))
        return stops

    def _bars(self, rule: ActionRule) -> list[z3.BoolRef]:
        bars: list[z3.BoolRef] = []
        if rule.cooldown_ms > 0:
            bars.append(z3.And(self.granted_before, self.since_last_ms < rule.cooldown_ms))
        if rule.requested_by:
            bars.append(z3.Not(either([self.role == self.roles.index(role) for role in rule.requested_by])))
        return bars

    def _ranges(self) -> list[z3.BoolRef]:
        ranges = [
            self.minted >= 0, self.minted <= _MOST, self.since_last_ms >= 0, self.since_last_ms <= _LONGEST_MS,
            self.stage >= 0, self.stage < len(STAGES), self.role >= 0, self.role < len(self.roles),
        ]  # fmt: skip
        for symbol in self.facts.values():
            ranges += in_range(symbol)
        for name in sorted({key.partition("#")[0] for key in self.facts if "#" in key}):
            for one, other in combinations(self._symbols(name), 2):
                ranges.append(z3.Not(z3.And(one.known, other.known)))
        return ranges

    def _links(self, name: str) -> list[z3.BoolRef]:
        symbol = self.facts.get(name)
        if symbol is None:
            return []
        values, here = (STAGES, self.stage) if name == "stage" else (self.roles, self.role)
        return [
            z3.Implies(here == index, z3.And(symbol.known, symbol.value == symbol.domain.encode(value)))
            for index, value in enumerate(values)
            if symbol.domain.holds(value)
        ]


def _symbol(key: str, domain: Domain) -> Symbol:
    value = z3.Bool(f"{key}.value") if domain.kind == "bool" else z3.Int(f"{key}.value")
    return Symbol(z3.Bool(f"{key}.known"), value, z3.Int(f"{key}.age_ms"), domain)


def equals(symbol: Symbol, wanted: Value) -> z3.BoolRef:
    """The term for a known fact having this value."""
    if not symbol.domain.holds(wanted):
        return z3.BoolVal(False)
    if symbol.domain.kind == "bool":
        return symbol.value if wanted else z3.Not(symbol.value)
    if symbol.domain.kind == "text" and wanted not in symbol.domain.values:
        return z3.BoolVal(False)  # the one index that stands for all other texts is none of them in particular
    return symbol.value == symbol.domain.encode(wanted)


def in_range(symbol: Symbol) -> list[z3.BoolRef]:
    """The terms that keep a fact's value and age in their ranges."""
    ranges = [symbol.age_ms >= -_LONGEST_MS, symbol.age_ms <= _LONGEST_MS]
    if symbol.domain.kind != "bool":
        low, high = symbol.domain.bounds
        ranges += [symbol.value >= low, symbol.value <= high]
    return ranges


def either(terms: list[z3.BoolRef]) -> z3.BoolRef:
    """The disjunction; of nothing it is false (z3's own prints an empty one as what no other solver reads)."""
    return terms[0] if len(terms) == 1 else z3.Or(*terms) if terms else z3.BoolVal(False)


def _every(terms: list[z3.BoolRef]) -> z3.BoolRef:
    return terms[0] if len(terms) == 1 else z3.And(*terms) if terms else z3.BoolVal(True)


def _number(model: z3.ModelRef, term: z3.ArithRef) -> int:
    # Completed, because a model says nothing about what does not matter to it.
    return int(model.eval(term, model_completion=True).as_long())


def _concrete(model: z3.ModelRef, symbol: Symbol) -> Value:
    if symbol.domain.kind == "bool":
        return bool(z3.is_true(model.eval(symbol.value)))
    return symbol.domain.decode(_number(model, symbol.value))

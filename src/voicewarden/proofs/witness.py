"""Witnesses: where two policies decide differently, found by z3 over every situation that there can be.

In: two policies. Out: per action how their verdicts relate, and contexts in which the new one is milder, likely ones
first, each with what of it matters. Called by `diff`.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from voicewarden.model.action import SEVERITY, STAGES, Verdict
from voicewarden.policy.ast import Policy
from voicewarden.policy.generator import atoms
from voicewarden.proofs.context import STOPPERS, Context, facts_of
from voicewarden.proofs.likely import Hints, Likely
from voicewarden.proofs.terms import Symbol, Terms, z3

Relation = Literal["equivalent", "narrows", "widens", "incomparable"]

MOST_WITNESSES: Final[dict[Verdict, int]] = {"allow": 6, "confirm": 3, "escalate": 2}
_VERDICTS: Final[tuple[Verdict, ...]] = ("allow", "confirm", "escalate", "deny")


class Witness(msgspec.Struct, frozen=True):
    """A context with both verdicts."""

    context: Context
    old: Verdict
    new: Verdict
    in_a_call: bool
    """Every fact is as the kernel can know it; otherwise no call has it."""
    blamed: frozenset[str] = frozenset()
    """Rules and limits of the old policy that are not met here."""


class Essence(msgspec.Struct, frozen=True):
    """What of a context matters: with all of it the verdicts are these, whatever else holds."""

    facts: tuple[str, ...]
    """Facts that matter; one that the context lacks matters by being unknown."""
    ages: frozenset[str]
    """Those of which the age matters, and `since_last`."""
    others: frozenset[str]
    """Which of minted, stage, role and approved matter."""


class Witnesses:
    """The search over one pair of policies."""

    def __init__(self, old: Policy, new: Policy, hints: Hints) -> None:
        # Only what differs is a question, and only what is asked about needs terms.
        self._asked = frozenset(name for name in new.actions if not _is_same(old, new, name))
        old, new = _only(old, self._asked), _only(new, self._asked)
        self._old = old
        self._new = new
        self._terms = Terms(old, new)
        self._likely = Likely(self._terms, old, new, hints)
        self._unnamed = [role for role in hints.roles if role not in self._terms.roles]
        self._certain = z3.And(*self._likely.certain())
        self._solver = z3.SimpleSolver()
        self._axioms = [*self._terms.axioms, *self._terms.at_its_stage, *_nested_windows(self._terms, old, new)]
        self._solver.add(*self._axioms)
        # A solver of its own: the one that looks for witnesses may be in the middle of its search.
        self._pinning = z3.SimpleSolver()
        self._pinning.add(*self._axioms)
        self._known_verdicts: dict[str, tuple[z3.ArithRef, z3.ArithRef]] = {}

    def relation(self, action: str) -> Relation:
        """How the new policy's verdicts on one of its actions relate to the old one's."""
        if action not in self._asked:
            return "equivalent"
        old, new = self._verdicts(action)
        if old.eq(new):
            return "equivalent"
        milder, stricter = self._possible(self._milder(action)), self._possible(self._stricter(action))
        if milder and stricter:
            return "incomparable"
        return "widens" if milder else "narrows" if stricter else "equivalent"

    def witnesses(self, action: str, met: frozenset[str] = frozenset()) -> Iterator[Witness]:
        """Contexts in which the new policy is milder: the likeliest, then others that differ in what is unusual.

        Only those in which the old policy's rules named in `met` hold, so that something else makes the difference.
        """
        old, new = self._verdicts(action)
        unmet = self._terms.unmet(self._old, action) if action in self._old.actions else []
        unmet = [(item, term) for item, term in unmet if not item.shadow]
        solver = z3.SimpleSolver()
        solver.add(*self._axioms, self._milder(action))
        solver.add(*(z3.Not(term) for item, term in unmet if item.id in met))
        if solver.check() == z3.unsat:
            return
        certain = z3.Bool("certain")
        solver.add(z3.Implies(certain, self._certain))
        in_a_call = solver.check(certain) == z3.sat
        if in_a_call:
            solver.add(certain)
        wishes = self._likely.wishes(action, self._symbols(action))
        solver.add(*(z3.Implies(_mark(name), wish) for name, wish in wishes.items()))
        for verdict, most in MOST_WITNESSES.items():
            solver.push()
            solver.add(new == SEVERITY[verdict])
            for model in self._models(solver, action, list(wishes), most if in_a_call else 1):
                blamed = frozenset(item.id for item, term in unmet if z3.is_true(model.eval(term, True)))
                yield Witness(self._of_model(model, action), _verdict(model, old), verdict, in_a_call, blamed)
            solver.pop()

    def _models(self, solver: z3.Solver, action: str, wishes: list[str], most: int) -> Iterator[z3.ModelRef]:
        for _ in range(most):
            model, unusual = _likeliest(solver, wishes)
            if model is None:
                return
            yield model
            deviations = self._deviations(action, model, unusual)
            if not deviations:
                return
            solver.add(z3.Not(z3.And(*deviations)))

    def essence(self, action: str, witness: Witness) -> Essence:
        """What of a witness matters; leaving any of it out, another value could change a verdict."""
        old, new = self._verdicts(action)
        pins = self._pins(action, witness.context)
        kept = {name: z3.Bool(f"pin {name}") for name in pins}
        same = z3.And(old == SEVERITY[witness.old], new == SEVERITY[witness.new])
        solver = self._pinning
        solver.push()
        solver.add(*self._background(action, witness.context), z3.Not(same))
        solver.add(*(z3.Implies(kept[name], pin) for name, pin in pins.items()))
        for name in pins:
            without = [mark for other, mark in kept.items() if other != name]
            if name in kept and solver.check(*without) == z3.unsat:
                core = {mark.decl().name() for mark in solver.unsat_core()}
                kept = {other: mark for other, mark in kept.items() if f"pin {other}" in core}
        solver.pop()
        facts = dict.fromkeys(name.partition("@")[0] for name in kept if not name.startswith("#"))
        ages = {name.removesuffix("@age") for name in kept if name.endswith("@age")} | (
            {"since_last"} if "#since_last" in kept else set()
        )
        return Essence(tuple(facts), frozenset(ages), frozenset(name[1:] for name in kept if name.startswith("#")))

    def _verdicts(self, action: str) -> tuple[z3.ArithRef, z3.ArithRef]:
        if action not in self._known_verdicts:
            found = self._terms.verdict(self._old, action), self._terms.verdict(self._new, action)
            self._known_verdicts[action] = found
        return self._known_verdicts[action]

    def _milder(self, action: str) -> z3.BoolRef:
        """The new policy is milder. That a stage denies only what the rules allow is no difference of its own: where
        neither stage lets the action happen, a question instead of a denial is no more authority.
        """
        old, new = self._verdicts(action)
        return z3.And(new < old, z3.Not(self._only_staged(action, self._old)))

    def _stricter(self, action: str) -> z3.BoolRef:
        old, new = self._verdicts(action)
        return z3.And(new > old, z3.Not(self._only_staged(action, self._new)))

    def _only_staged(self, action: str, denying: Policy) -> z3.BoolRef:
        staged = [z3.Not(self._stage_allows(policy, action)) for policy in (self._old, self._new)]
        return z3.And(self._terms.rules(denying, action) == 0, *staged)

    def _stage_allows(self, policy: Policy, action: str) -> z3.BoolRef:
        rule = policy.actions.get(action)
        effects = {} if rule is None else rule.stages
        ways = [
            self._terms.stage == index if effects[stage] == "allow"
            else z3.And(self._terms.stage == index, self._terms.approved)
            for index, stage in enumerate(STAGES) if effects.get(stage) in ("allow", "approve")
        ]  # fmt: skip
        return z3.Or(*ways)

    def _possible(self, term: z3.BoolRef) -> bool:
        self._solver.push()
        self._solver.add(term)
        found = self._solver.check()
        self._solver.pop()
        if found == z3.unknown:
            raise AssertionError("z3 did not decide a question in linear arithmetic")
        return bool(found == z3.sat)

    def _symbols(self, action: str) -> dict[str, Symbol]:
        names = dict.fromkeys((*facts_of(self._old, action), *facts_of(self._new, action)))
        return {name: self._terms.facts[name] for name in names if name in self._terms.facts}

    def _of_model(self, model: z3.ModelRef, action: str) -> Context:
        whole = self._terms.context(model)
        names = self._symbols(action)
        facts = {name: fact for name, fact in whole.facts.items() if name in names}
        # The last role stands for all that no policy names: an agent that exists makes a better example.
        role = self._unnamed[0] if self._unnamed and whole.role == self._terms.roles[-1] else whole.role
        return msgspec.structs.replace(whole, facts=facts, role=role)

    def _deviations(self, action: str, model: z3.ModelRef, unusual: list[str]) -> list[z3.BoolRef]:
        """The unusual in a model, to be ruled out in the next one."""
        symbols, found = self._symbols(action), []
        for name in unusual:
            if name.endswith("@age"):
                found.append(symbols[name.removesuffix("@age")].age_ms != 0)
            elif name in symbols:
                known = z3.is_true(model.eval(symbols[name].known, model_completion=True))
                value = model.eval(symbols[name].value, model_completion=True)
                found.append(z3.And(symbols[name].known, symbols[name].value == value) if known
                             else z3.Not(symbols[name].known))  # fmt: skip
        terms = self._terms
        for mark, term in (("#bounded", terms.stage), ("#role", terms.role), ("#minted", terms.minted)):
            if mark in unusual:
                found.append(term == model.eval(term, model_completion=True))
        return found

    def _background(self, action: str, context: Context) -> list[z3.BoolRef]:
        """What stops a whole call does not stop this one; it is told only where the action's own rules name it."""
        named = _rule_facts(self._old, action) | _rule_facts(self._new, action)
        return [
            z3.Not(self._terms.facts[name].value) for name in STOPPERS
            if name not in named and context.facts.get(name, (False, 0))[0] is False
        ]  # fmt: skip

    def _pins(self, action: str, context: Context) -> dict[str, z3.BoolRef]:
        """Each part of a context as an equation; those that matter least stand first, to be left out first."""
        terms = self._terms
        role = terms.roles.index(context.role) if context.role in terms.roles else len(terms.roles) - 1
        pins: dict[str, z3.BoolRef] = {
            "#approved": terms.approved == context.approved,
            "#minted": terms.minted == context.minted,
            "#since_last": z3.And(
                terms.granted_before == (context.since_last_ms is not None),
                terms.since_last_ms == (context.since_last_ms or 0),
            ),
            "#stage": terms.stage == STAGES.index(context.stage), "#role": terms.role == role,
        }  # fmt: skip
        symbols = self._symbols(action)
        for name, symbol in symbols.items():
            if name in context.facts:
                pins[f"{name}@age"] = symbol.age_ms == context.facts[name][1]
        named = _rule_facts(self._old, action) | _rule_facts(self._new, action)
        for name, symbol in symbols.items():
            if name in STOPPERS and name not in named:
                continue
            if name not in context.facts:
                pins[name] = z3.Not(symbol.known)
            elif symbol.domain.holds(context.facts[name][0]):
                value = symbol.domain.encode(context.facts[name][0])
                pins[name] = z3.And(symbol.known, symbol.value == value)
        return pins


def _verdict(model: z3.ModelRef, term: z3.ArithRef) -> Verdict:
    severity: int = model.eval(term, model_completion=True).as_long()
    return _VERDICTS[severity]


def _rule_facts(policy: Policy, action: str) -> set[str]:
    rule = policy.actions.get(action)
    return {atom.fact for item in (rule.require if rule else ()) for atom in atoms(item.condition)}


def _is_same(old: Policy, new: Policy, action: str) -> bool:
    """Nothing that the verdict is made of differs, so that there is no question to ask."""
    before = [{item.id for item in policy.speech.must_say if item.before == action} for policy in (old, new)]
    same_rule = action in old.actions and old.actions[action] == new.actions.get(action)
    same_types = all(old.facts.get(name) == new.facts.get(name) for name in facts_of(new, action))
    return same_rule and before[0] == before[1] and same_types


def _only(policy: Policy, actions: frozenset[str]) -> Policy:
    kept = {name: rule for name, rule in policy.actions.items() if name in actions}
    return msgspec.structs.replace(policy, actions=kept)


def _nested_windows(terms: Terms, old: Policy, new: Policy) -> Iterator[z3.BoolRef]:
    """Whatever counts grants knows all windows of a scope, and a shorter one never holds more than a longer one."""
    limits = {
        (action, limit.per, limit.in_s): terms.facts[limit.counted]
        for policy in (old, new) for action, rule in policy.actions.items() for limit in rule.limits
        if limit.per != "call" and limit.counted in terms.facts
    }  # fmt: skip
    for (action, scope, in_s), symbol in sorted(limits.items(), key=lambda entry: entry[0]):
        for (other_action, other_scope, longer_s), other in limits.items():
            if (action, scope) == (other_action, other_scope) and in_s < longer_s:
                yield symbol.known == other.known
                yield z3.Implies(symbol.known, symbol.value <= other.value)


def _mark(wish: str) -> z3.BoolRef:
    return z3.Bool(f"wish {wish}")


def _likeliest(solver: z3.Solver, wishes: list[str]) -> tuple[z3.ModelRef | None, list[str]]:
    """A model that meets as many wishes as it can, the first ones before the later; and which it does not meet."""
    marks = {name: _mark(name) for name in wishes}
    held, given_up = list(wishes), []
    while solver.check(*(marks[name] for name in held)) == z3.unsat:
        core = {mark.decl().name() for mark in solver.unsat_core()}
        blamed = [name for name in held if f"wish {name}" in core]
        if not blamed:
            return None, []
        held.remove(blamed[-1])
        given_up.append(blamed[-1])
    model = solver.model()
    # A core may blame what is not to blame: whatever can come back does. The last one given up can not.
    for name in [name for name in wishes if name in given_up[:-1]]:
        if solver.check(*(marks[other] for other in (*held, name))) == z3.sat:
            held.append(name)
            model = solver.model()
    return model, [name for name in wishes if name not in held]

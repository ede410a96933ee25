"""A case: one situation in which an action is asked for, with what a policy says there; written as a line of JSON.

In: a compiled policy and situations. Out: observations, rows for a file, and what differs when a policy is held against
such a file again. Called by `cases`, `mutants` and `voicewarden policy cases`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from voicewarden.model.action import Stage, Value, Verdict
from voicewarden.policy.compiler import CompiledPolicy, RuleOutcome
from voicewarden.policy.fact import Fact, Facts
from voicewarden.proofs.context import Context, decide_in
from voicewarden.proofs.points import DIGEST, NOW_MS, OTHER_DIGEST


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A situation, and what it is there to show."""

    action: str
    about: str
    context: Context
    other_arguments: bool = False
    """The answer to this action's question belongs to other arguments than those asked for."""
    typed: bool = True
    """Every fact has a value of its declared type, as the kernel makes sure of."""

    def facts(self) -> Facts:
        """The facts as the interpreter and the generated code take them, at `NOW_MS` for `DIGEST`."""
        facts = self.context.as_facts(NOW_MS, DIGEST)
        consent = f"consent.{self.action}"
        if self.other_arguments and consent in facts:
            facts[consent] = msgspec.structs.replace(facts[consent], digest=OTHER_DIGEST)
        return facts

    def visible(self) -> Context:
        """The context as this request may see it: an answer to other arguments is no answer."""
        if not self.other_arguments:
            return self.context
        facts = {name: fact for name, fact in self.context.facts.items() if name != f"consent.{self.action}"}
        return msgspec.structs.replace(self.context, facts=facts)


class Observation(msgspec.Struct, frozen=True):
    """All that can be seen of one decision."""

    verdict: Verdict
    """What the gate says."""
    rules_say: Verdict
    """What rules and limits alone lead to, before role, cool-down and stage."""
    rules: tuple[str, ...]
    """Rules and limits that were not met, shadows apart."""
    shadow_say: Verdict
    """What rules and limits would lead to if the shadows counted."""
    shadows: tuple[str, ...]
    """What was not met with the shadows counted; empty when no shadow is among it."""


_NOT_NAMED: Final = RuleOutcome("deny", (), "deny")


def observe(policy: CompiledPolicy, case: Case) -> Observation:
    """What a policy says in a case; an action that it does not name is denied."""
    outcome = _NOT_NAMED
    if case.action in policy.deciders:
        outcome = policy.decide(case.action, case.facts(), NOW_MS, DIGEST, case.context.minted)
    return Observation(
        verdict=decide_in(policy, case.action, case.visible()), rules_say=outcome.verdict,
        rules=tuple(item.id for item in outcome.failed), shadow_say=outcome.shadow,
        shadows=tuple(item.id for item in outcome.shadow_failed),
    )  # fmt: skip


class RowFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A known fact in a file."""

    value: Value
    age_ms: int = 0
    other_arguments: bool = False


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A case with its expected outcome, as one line of a file."""

    action: str
    about: str = ""
    facts: dict[str, RowFact] = {}
    minted: int = 0
    since_last_ms: int | None = None
    stage: Stage = "bounded"
    role: str = ""
    approved: bool = False
    expected: Verdict
    rules: tuple[str, ...] = ()
    rules_say: Verdict | None = None
    """None in a file written by hand: then only `expected` and `rules` are held against the policy."""
    shadow_say: Verdict | None = None
    shadows: tuple[str, ...] = ()

    def case(self) -> Case:
        """The situation of this row."""
        context = Context(
            facts={name: (fact.value, fact.age_ms) for name, fact in self.facts.items()}, minted=self.minted,
            since_last_ms=self.since_last_ms, stage=self.stage, role=self.role, approved=self.approved,
        )  # fmt: skip
        other = any(fact.other_arguments for fact in self.facts.values())
        return Case(action=self.action, about=self.about, context=context, other_arguments=other)


class Difference(msgspec.Struct, frozen=True):
    """A row that a policy no longer agrees with."""

    line: int
    action: str
    about: str
    expected: str
    found: str


def row_of(case: Case, seen: Observation) -> Row:
    """A case and what was observed, as a row."""
    context, consent = case.context, f"consent.{case.action}"
    facts = {
        name: RowFact(value, age_ms, case.other_arguments and name == consent)
        for name, (value, age_ms) in context.facts.items()
    }
    return Row(
        action=case.action, about=case.about, facts=facts, minted=context.minted, since_last_ms=context.since_last_ms,
        stage=context.stage, role=context.role, approved=context.approved, expected=seen.verdict, rules=seen.rules,
        rules_say=seen.rules_say, shadow_say=seen.shadow_say, shadows=seen.shadows,
    )  # fmt: skip


def differences(policy: CompiledPolicy, rows: Iterable[Row]) -> Iterator[Difference]:
    """Every row that the policy does not agree with, in order; lines count from 1."""
    for line, row in enumerate(rows, 1):
        seen = observe(policy, row.case())
        wanted, found = _told(row.expected, row.rules), _told(seen.verdict, seen.rules)
        if row.rules_say not in (None, seen.rules_say):
            wanted, found = f"{wanted}, by the rules {row.rules_say}", f"{found}, by the rules {seen.rules_say}"
        if row.shadow_say is not None and (row.shadow_say, {*row.shadows}) != (seen.shadow_say, {*seen.shadows}):
            wanted += f", with shadows {_told(row.shadow_say, row.shadows)}"
            found += f", with shadows {_told(seen.shadow_say, seen.shadows)}"
        if wanted != found:
            yield Difference(line, row.action, row.about, wanted, found)


def _told(verdict: Verdict, rules: tuple[str, ...]) -> str:
    return f"{verdict}" + (f" ({', '.join(sorted(rules))})" if rules else "")


def context_of(facts: Facts, minted: int) -> Context:
    """A context of facts at `NOW_MS`, in the stage in which limits hold."""
    return Context(facts={name: _pair(fact) for name, fact in sorted(facts.items())}, minted=minted)


def _pair(fact: Fact) -> tuple[Value, int]:
    return fact.value, NOW_MS - fact.at_ms

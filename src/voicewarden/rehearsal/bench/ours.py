"""The two deciders of this product as contestants: the generated code of live calls, and the reference interpreter.

In: a policy. Out: engines. Both give the verdict, the unmet rules with why and owner, and know unknown facts.
"""

from __future__ import annotations

from typing import Final

from voicewarden.policy.ast import Policy
from voicewarden.policy.compiler import CompiledPolicy, RuleOutcome
from voicewarden.policy.fact import Facts
from voicewarden.policy.interpreter import unmet
from voicewarden.rehearsal.bench.contexts import Case
from voicewarden.rehearsal.bench.engine import VERDICT, Engine, Work

GENERATED: Final = "voicewarden"
INTERPRETER: Final = "voicewarden interpreter"


def engines(policy: Policy) -> list[Engine]:
    """Generated code first: the others are compared with it."""
    compiled = CompiledPolicy(policy)

    def interpret(action: str, facts: Facts, now_ms: int, digest: str, minted: int) -> RuleOutcome:
        return compiled.outcome(action, unmet(policy.actions[action], facts, now_ms, digest, minted))

    def arguments(case: Case) -> tuple[str, Facts, int, str, int]:
        return case.action, case.facts, case.now_ms, case.digest, case.minted

    def read(case: Case, found: RuleOutcome) -> int:
        names = {rule.id for rule in found.failed}
        rules = policy.actions[case.action].require
        return sum(1 << index for index, rule in enumerate(rules) if rule.id in names)

    def generated(case: Case) -> Work:
        return compiled.decide, arguments(case)

    def interpreted(case: Case) -> Work:
        return interpret, arguments(case)

    return [
        Engine(GENERATED, VERDICT, generated, read, "generated Python"),
        Engine(INTERPRETER, VERDICT, interpreted, read, "Python"),
    ]

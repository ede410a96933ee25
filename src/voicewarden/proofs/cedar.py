"""A policy as Cedar: the fourth semantics, and the way to other systems.

In: a policy. Out: Cedar policies (one `permit` an action, one `forbid` a rule, with the rule's id, `otherwise`, `why`
and `owner` as annotations), the schema, and the request for a case. Called by `cedar_opinion` and `voicewarden policy
cedar`.

Cedar answers allow or deny; what the ids of the forbids that applied lead to is in `Export.otherwise`: the most severe
of them, and where that is allow, the stage. An unknown fact is an absent attribute; ages and counts are Longs. Shadow
rules are a policy set of their own (`Export.shadows`), since in Cedar every forbid that is loaded counts.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple, assert_never

from voicewarden.model.action import STAGES, Value, Verdict
from voicewarden.policy.ast import ActionRule, All, AnyOf, Atom, Condition, Limit, Policy, Rule
from voicewarden.policy.fact import Facts
from voicewarden.proofs.case import Case
from voicewarden.proofs.context import NEVER_DENIED, STOPPERS, facts_of
from voicewarden.proofs.domain import Domain, domains
from voicewarden.proofs.points import DIGEST, NOW_MS
from voicewarden.proofs.tree import items_of

_TYPES: Final = {"bool": "Bool", "enum": "String", "text": "String", "int": "Long"}
_LARGEST: Final = 2**53 - 1
"""Cedar drops a forbid whose arithmetic overflows. Within this, the largest canonical integer, none does."""


class Export(NamedTuple):
    """A policy in Cedar's words."""

    policies: str
    schema: str
    shadows: str
    """Log-only rules: to be evaluated apart, because a forbid cannot be told not to count. Empty without any."""
    otherwise: dict[str, Verdict]
    """By id of a forbid: what follows when it applies."""
    stages: frozenset[str]
    """Ids of the forbids that count only where no other applies."""


def export(policy: Policy) -> Export:
    """Write a policy as Cedar. Raises KeyError for an atom on a fact of two types, which no checked policy has."""
    return _Writer(policy).export()


class _Forbid(NamedTuple):
    id: str
    action: str
    """The scope's constraint on the action."""
    clause: str
    otherwise: Verdict
    why: str = ""
    owner: str = ""
    shadow: bool = False

    def text(self) -> str:
        notes = {"id": self.id, "otherwise": self.otherwise, "owner": self.owner, "why": self.why}
        notes |= {"shadow": "log only"} if self.shadow else {}
        lines = [f"@{name}({quoted(value)})" for name, value in notes.items() if value]
        return "\n".join((*lines, f"forbid (principal, {self.action}, resource)", self.clause + ";"))


class _Writer:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._domains = domains((policy,)).facts
        self._decided = [name for name in policy.actions if name not in NEVER_DENIED]

    def export(self) -> Export:
        forbids = [*self._stoppers()]
        stages: set[str] = set()
        for name in self._decided:
            rule = self._policy.actions[name]
            forbids += [*self._around(rule), *self._rules(rule)]
            stages.add(f"{name}.stage")
        active = [forbid for forbid in forbids if not forbid.shadow]
        shadows = [forbid for forbid in forbids if forbid.shadow]
        head = f"// Written from the voicewarden policy {self._policy.name}."
        return Export(
            policies=_file(head, (*map(_permit, self._policy.actions), *(forbid.text() for forbid in active))),
            schema=self._schema(),
            shadows=_file(head + " Log only: evaluate apart.", [one.text() for one in shadows]) if shadows else "",
            otherwise={forbid.id: forbid.otherwise for forbid in forbids},
            stages=frozenset(stages),
        )

    def _stoppers(self) -> Iterator[_Forbid]:
        if not self._decided:
            return
        scope = "action in [" + ", ".join(_action(name) for name in self._decided) + "]"
        for name in STOPPERS:
            clause = f"when {{ {_has(name)} && {_get(name)}.value != false }}"
            yield _Forbid(f"kernel.{name}", scope, clause, "deny", "What stops a call stops every action in it.")

    def _around(self, rule: ActionRule) -> Iterator[_Forbid]:
        scope = f"action == {_action(rule.name)}"
        for line in self._policy.speech.must_say:
            if line.before == rule.name:
                name = f"disclosed.{line.id}"
                clause = f"unless {{ {_has(name)} && {_get(name)}.value == true }}"
                yield _Forbid(f"{rule.name}.must_say.{line.id}", scope, clause, "deny")
        if rule.requested_by:
            roles = ", ".join(f"Agent::{quoted(role)}" for role in rule.requested_by)
            yield _Forbid(f"{rule.name}.role", scope, f"unless {{ principal in [{roles}] }}", "deny")
        if rule.cooldown_ms > 0:
            clause = f"when {{ context has since_last_ms && context.since_last_ms < {rule.cooldown_ms} }}"
            yield _Forbid(f"{rule.name}.cooldown", scope, clause, "deny")
        effects = [(quoted(stage), rule.stages.get(stage)) for stage in STAGES]
        ways = [f"context.stage == {stage}" for stage, effect in effects if effect == "allow"]
        ways += [f"(context.stage == {stage} && context.approved)" for stage, effect in effects if effect == "approve"]
        yield _Forbid(f"{rule.name}.stage", scope, f"unless {{ {' || '.join(ways) or 'false'} }}", "deny")

    def _rules(self, rule: ActionRule) -> Iterator[_Forbid]:
        scope = f"action == {_action(rule.name)}"
        for item in items_of(rule):
            met = self._condition(item.condition, rule.name) if isinstance(item, Rule) else _within(item)
            yield _Forbid(item.id, scope, f"unless {{ {met} }}", item.otherwise, item.why, item.owner, item.shadow)

    def _condition(self, condition: Condition, action: str) -> str:
        match condition:
            case Atom():
                return self._atom(condition, action)
            case All(items=items):
                return "(" + " && ".join(self._condition(item, action) for item in items) + ")" if items else "true"
            case AnyOf(items=items):
                return "(" + " || ".join(self._condition(item, action) for item in items) + ")" if items else "false"
            case _:
                assert_never(condition)

    def _atom(self, atom: Atom, action: str) -> str:
        domain, fact = self._domains[atom.fact], _get(atom.fact)
        tests = [_has(atom.fact)]
        if atom.fact == f"consent.{action}":
            tests.append(f"{fact}.digest == context.digest")
        if atom.is_ is not None:
            tests.append(_equal(f"{fact}.value", atom.is_, domain))
        if atom.in_ is not None:
            equal = [_equal(f"{fact}.value", value, domain) for value in atom.in_]
            tests.append("(" + " || ".join(equal) + ")" if equal else "false")
        tests += [f"!({_equal(f'{fact}.value', value, domain)})" for value in atom.not_in or ()]
        tests += _numeric(f"{fact}.value", atom, domain)
        if atom.within_ms is not None:
            tests += [f"{fact}.age_ms >= 0", f"{fact}.age_ms <= {atom.within_ms}"]
        if atom.known is False:
            tests.append("false")
        return "(" + " && ".join(tests) + ")"

    def _schema(self) -> str:
        lines = ["entity Agent;", "entity Call;"]
        for action in self._policy.actions:
            facts = dict.fromkeys((*facts_of(self._policy, action), *STOPPERS))
            fields = ["digest: String", "minted: Long", "since_last_ms?: Long", "stage: String", "approved: Bool"]
            # Facts in a record of their own: a policy may declare one with the name of an attribute.
            known = ", ".join(f"{quoted(name)}?: {self._type(name)}" for name in facts)
            fields.append(f"facts: {{{known}}}")
            body = ",\n    ".join(fields)
            lines.append(
                f"action {quoted(action)} appliesTo {{\n  principal: [Agent],\n  resource: [Call],\n"
                f"  context: {{\n    {body}\n  }}\n}};"
            )
        return "\n".join(lines) + "\n"

    def _type(self, name: str) -> str:
        digest = ", digest: String" if name.startswith("consent.") else ""
        return f"{{value: {_TYPES[self._domains[name].kind]}, age_ms: Long{digest}}}"


def _within(limit: Limit) -> str:
    if limit.per == "call":
        return f"context.minted < {limit.at_most}"
    return f"{_has(limit.counted)} && {_get(limit.counted)}.value + context.minted < {limit.at_most}"


def _numeric(value: str, atom: Atom, domain: Domain) -> list[str]:
    low, high = atom.between if atom.between is not None else (None, None)
    tests = [f"{value} >= {edge}" for edge in (atom.at_least, low) if edge is not None]
    tests += [f"{value} <= {edge}" for edge in (atom.at_most, high) if edge is not None]
    return tests if domain.kind == "int" or not tests else ["false"]


def _equal(value: str, wanted: Value, domain: Domain) -> str:
    """Values of different types are never equal; Cedar's validator would rather not be asked."""
    kinds = {bool: ("bool",), int: ("int",), str: ("enum", "text")}[type(wanted)]
    return f"{value} == {_literal(wanted)}" if domain.kind in kinds else "false"


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else quoted(value)


def _permit(action: str) -> str:
    return f"@id({quoted(action)})\npermit (principal, action == {_action(action)}, resource);"


def _action(name: str) -> str:
    return f"Action::{quoted(name)}"


def _has(name: str) -> str:
    return f"context.facts has {quoted(name)}"


def _get(name: str) -> str:
    return f"context.facts[{quoted(name)}]"


def _file(head: str, policies: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return "\n\n".join((head, *policies)) + "\n"


def quoted(text: str) -> str:
    """A Cedar string literal."""
    escapes = {'"': '\\"', "\\": "\\\\"}
    safe = (escapes.get(char) or (char if char.isprintable() else f"\\u{{{ord(char):x}}}") for char in text)
    return '"' + "".join(safe) + '"'


# Any: the request is plain data for cedarpy.
def request_of(case: Case, facts: Collection[str] | None = None) -> dict[str, Any]:
    """The Cedar request of a case: who asks is the principal, what the gate looks at is the context.

    `facts` are those that the action's schema knows (`context.facts_of`); all are sent without it. Raises ValueError
    for a number beyond 2^53-1.
    """
    context = case.context
    attributes: dict[str, Any] = {
        "digest": DIGEST, "minted": context.minted, "stage": context.stage, "approved": context.approved,
        "facts": _attributes({name: fact for name, fact in case.facts().items() if facts is None or name in facts}),
    }  # fmt: skip
    if context.since_last_ms is not None:
        attributes["since_last_ms"] = context.since_last_ms
    return {
        "principal": {"type": "Agent", "id": context.role},
        "action": {"type": "Action", "id": case.action},
        "resource": {"type": "Call", "id": "this"},
        "context": json.dumps(attributes),
    }


def _attributes(facts: Facts) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, fact in facts.items():
        if type(fact.value) is int and abs(fact.value) > _LARGEST:
            raise ValueError(f"{name} is beyond 2^53-1; pass such a number as a decimal string")
        made[name] = {"value": fact.value, "age_ms": NOW_MS - fact.at_ms}
        if name.startswith("consent."):
            made[name]["digest"] = fact.digest
    return made

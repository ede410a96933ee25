"""What one action of a policy must hold: consent, question, read-back and the facts it looks at.

In: a document, its declared facts and the action's name. Out: findings with file, line and field. Called by
`policy_checks`. The rules are those of the policy language in docs/, "Actions and tools" and "Deciding".
"""

import string
from collections.abc import Iterator
from typing import Final

from voicewarden.config.fact_type import fits, spoken_type
from voicewarden.config.finding import Findings
from voicewarden.config.policy_actions import ActionEntry, ConditionEntry, RuleEntry
from voicewarden.config.policy_document import PolicyDocument
from voicewarden.config.validation import shown
from voicewarden.config.yaml_file import Route, YamlFile
from voicewarden.model.action import (
    BUILT_IN_ACTIONS,
    EFFECTLESS,
    MAY_BE_ASKED_FOR,
    NEEDS_CONSENT,
    WITHOUT_EFFECTOR,
    Stage,
    StageEffect,
)
from voicewarden.policy.ast import FactType
from voicewarden.policy.vocabulary import BUILT_IN_FACTS, fact_type

_AT_MOST: Final[dict[Stage, tuple[StageEffect, ...]]] = {"observe": ("log",), "assist": ("approve", "log")}
_GOVERNED_BY: Final = {"place_call": "contact", "speak": "speech and budget", "ask": "questions, speech and budget"}
_OPERATORS: Final = {
    "bool": ("is", "within_ms", "known"),
    "enum": ("is", "in", "within_ms", "known"),
    "text": ("is", "in", "within_ms", "known"),
    "int": ("is", "in", "at_least", "at_most", "between", "within_ms", "known"),
}


def check_action(
    document: PolicyDocument, declared: dict[str, FactType], name: str, source: YamlFile, findings: Findings
) -> None:
    """Note everything that is wrong with one action."""
    if name in _GOVERNED_BY:
        source.complain(findings, ("actions", name), f"is governed by {_GOVERNED_BY[name]}; remove this entry")
        return
    checks = _ActionChecks(document, declared, name, source, findings)
    if name == "end_call":
        checks.unconditional()
        return
    checks.arguments()
    checks.question()
    checks.rules()
    checks.consent()


def check_stages(document: PolicyDocument, name: str, source: YamlFile, findings: Findings) -> None:
    """Note what an action may do at a stage that must not allow it."""
    _ActionChecks(document, {}, name, source, findings).stages()


def check_role_rules(
    document: PolicyDocument, declared: dict[str, FactType], role: str, name: str, source: YamlFile, findings: Findings
) -> None:
    """Note everything that is wrong with what one role needs beside the rules of an action."""
    route: Route = ("roles", role, "actions", name)
    if name not in document.actions or name == "end_call":
        accepted = ", ".join(sorted(set(document.actions) - {"end_call"}))
        source.complain(findings, route, f"found '{name}', which has no rules that a role could add to", accepted)
        return
    checks = _ActionChecks(document, declared, name, source, findings)
    checks.route = route
    checks.requirements(document.roles[role].actions[name].require)


class _ActionChecks:
    """The checks of one action; each notes what it finds."""

    def __init__(
        self, document: PolicyDocument, declared: dict[str, FactType], name: str, source: YamlFile, findings: Findings
    ) -> None:
        self.document = document
        self.declared = declared
        self.name = name
        self.entry: ActionEntry = document.actions[name]
        self.route: Route = ("actions", name)
        self._source = source
        self._findings = findings

    def _add(self, route: Route, what: str, accepted: str = "") -> None:
        self._source.complain(self._findings, (*self.route, *route), what, accepted)

    def unconditional(self) -> None:
        """Ending a call is never denied, so nothing may stand in its way."""
        for key in ("require", "stages", "limits", "question"):
            if getattr(self.entry, key):
                self._add((key,), "end_call is never denied and takes none; remove it")

    def arguments(self) -> None:
        """Enums name their list, nothing else does."""
        for name, argument in self.entry.args.items():
            if argument.type == "enum" and argument.source is None:
                self._add(("args", name, "from"), "is missing", "the name of a list in catalogue.yaml")
            if argument.type != "enum" and argument.source is not None:
                self._add(("args", name, "from"), "only an enum takes its values from a list; remove it")

    def stages(self) -> None:
        """At `observe` nothing acts, and at `assist` nothing without a person."""
        if self.name in EFFECTLESS:
            return
        if not self.entry.effect and self.name in BUILT_IN_ACTIONS:
            self._add(("effect",), f"{self.name} changes something in the world; remove this")
        for stage, accepted in _AT_MOST.items() if self.entry.effect else ():
            given = self.entry.stages.get(stage)
            if given is not None and given not in accepted:
                what = f"found '{given}', while nothing acts by itself at this stage"
                self._add(("stages", stage), what, f"{' or '.join(accepted)}; effect: false where nothing is changed")

    def question(self) -> None:
        """A question reads back every argument, by name and nothing else."""
        entry, args = self.entry, self.entry.args
        for index, name in enumerate(entry.read_back):
            if name not in args:
                self._add(("read_back", index), f"found '{name}', which is no argument", ", ".join(args))
        if entry.question is None:
            return
        for name in args:
            if name not in entry.read_back:
                self._add(("read_back",), f"lacks '{name}': what the model supplies must be read back")
        named = self._placeholders(entry.question)
        for name in named:
            if name not in args:
                self._add(("question",), f"found {{{name}}}, which is no argument", ", ".join(args))
        for name in entry.read_back:
            if name in args and name not in named:
                self._add(("question",), f"does not say {{{name}}}, which is in read_back")

    def _placeholders(self, question: str) -> list[str]:
        try:
            parts = [part for part in string.Formatter().parse(question) if part[1] is not None]
        except ValueError:
            self._add(("question",), "has a brace without its partner", "{argument}")
            return []
        for _, name, form, conversion in parts:
            if form or conversion or not (name or "").isidentifier():
                self._add(("question",), f"found {shown(name)} as a placeholder", "{argument} without any form")
        return [name for _, name, _, _ in parts if name and name.isidentifier()]

    def rules(self) -> None:
        """What is required, and limits whose window fits their scope."""
        self.requirements(self.entry.require)
        for index, limit in enumerate(self.entry.limits):
            if limit.otherwise == "escalate":
                self._may_escalate(("limits", index, "else"))
            if limit.per != "call" and self.name in WITHOUT_EFFECTOR:
                self._add(("limits", index, "per"), f"{self.name} happens within the call alone", "call")
            if limit.per == "call" and limit.in_s is not None:
                self._add(("limits", index, "in_s"), "a call is its own window; remove it, or count per person")
            if limit.per != "call" and limit.in_s is None:
                self._add(("limits", index, "in_s"), "is missing", f"the seconds in which grants per {limit.per} count")

    def requirements(self, rules: list[RuleEntry]) -> None:
        """Facts, operators and values exist, outcomes are possible, offers name actions."""
        for index, rule in enumerate(rules):
            route: Route = ("require", index)
            for inner, condition in _conditions(rule, route):
                self._condition(inner, condition)
            self._outcome(route, rule)

    def _outcome(self, route: Route, rule: RuleEntry) -> None:
        if rule.otherwise == "escalate":
            self._may_escalate((*route, "else"))
        if rule.otherwise == "confirm":
            if not _asks(rule, f"consent.{self.name}"):
                what = f"confirm may only come from consent.{self.name}, alone or within any"
                self._add((*route, "else"), what, "deny, escalate")
            if self.entry.question is None:
                self._add(("question",), f"is missing: require.{int(route[-1]) + 1} asks for a confirmation")
        if rule.offer is not None:
            known = sorted((set(BUILT_IN_ACTIONS) | set(self.document.actions)) - {*_GOVERNED_BY, self.name})
            if rule.offer not in known:
                self._add((*route, "offer"), f"found '{rule.offer}'", ", ".join(known))

    def _may_escalate(self, route: Route) -> None:
        if self.name in MAY_BE_ASKED_FOR:
            self._add(route, f"{self.name} is where an escalation ends and may not escalate itself", "deny, confirm")

    def _condition(self, route: Route, condition: ConditionEntry) -> None:
        given = [key for key in ("fact", "any", "all") if getattr(condition, key) is not None]
        operators = condition.operators()
        if len(given) != 1:
            self._add(route, f"found {' and '.join(given) or 'no test'}", "exactly one of fact, any, all")
        elif given != ["fact"] and operators:
            self._add((*route, operators[0]), f"is an operator on a fact and does not belong beside {given[0]}")
        elif condition.fact is not None:
            self._atom(route, condition, condition.fact)

    def _atom(self, route: Route, atom: ConditionEntry, name: str) -> None:
        fact = self._fact(route, name)
        if fact is None:
            return
        if not atom.operators():
            self._add(route, f"tests nothing about {name}", ", ".join(_OPERATORS[fact.kind]))
        if atom.known is False:
            self._add((*route, "known"), "found false: a fact that is not known meets no test", "true")
        for operator in atom.operators():
            if operator not in _OPERATORS[fact.kind]:
                self._add((*route, operator), f"{name} is {spoken_type(fact)}", ", ".join(_OPERATORS[fact.kind]))
        if fact.kind == "int" and atom.between is not None and atom.between[0] > atom.between[1]:
            self._add((*route, "between"), f"found {atom.between}", "[low, high]")
        values = [("is", atom.is_), ("at_least", atom.at_least), ("at_most", atom.at_most)]
        values += [("in", value) for value in atom.in_ or []] + [("between", value) for value in atom.between or []]
        for operator, value in values:
            if value is not None and operator in _OPERATORS[fact.kind] and not fits(fact, value):
                self._add((*route, operator), f"found {shown(value)}", spoken_type(fact))

    def _fact(self, route: Route, name: str) -> FactType | None:
        family, _, rest = name.partition(".")
        fact = fact_type(name, self.declared)
        accepted = ""
        if family == "consent" and rest != self.name:
            self._add((*route, "fact"), f"found '{name}': consent to another action", f"consent.{self.name}")
            return None
        if family == "disclosed" and rest:
            lines = [entry.id for entry in self.document.speech.must_say]
            fact, accepted = (fact if rest in lines else None), ", ".join(f"disclosed.{line}" for line in lines)
        elif family == "done" and rest:
            known = rest in self.document.actions or rest in BUILT_IN_ACTIONS
            fact, accepted = (fact if known else None), ", ".join(f"done.{action}" for action in self.document.actions)
        elif name.startswith("contact.attempts_"):
            windows = [f"contact.attempts_{window.in_s}" for window in self.document.contact.per_person]
            fact, accepted = (fact if name in windows else None), ", ".join(windows)
        if fact is None:
            everything = ", ".join(sorted({*self.declared, *BUILT_IN_FACTS}))
            self._add((*route, "fact"), f"found '{name}', which is no fact", accepted or everything)
        return fact

    def consent(self) -> None:
        """An action with consequences rests on the caller's own answer to its own question."""
        if self.name not in NEEDS_CONSENT:
            return
        if not any(_rests_on_consent(rule, self.name) for rule in self.entry.require if not rule.shadow):
            wanted = f"a rule on consent.{self.name} that is explicit"
            if self.name in MAY_BE_ASKED_FOR:
                wanted += ", or any of it and asked_for_person that is true"
            self._add(("require",), f"lacks consent.{self.name}", wanted)


def _conditions(condition: ConditionEntry, route: Route) -> Iterator[tuple[Route, ConditionEntry]]:
    yield route, condition
    for key, items in (("any", condition.any), ("all", condition.all)):
        for index, item in enumerate(items or []):
            yield from _conditions(item, (*route, key, index))


def _asks(condition: ConditionEntry, consent: str) -> bool:
    """Whether an answer to the question alone can meet the condition."""
    return condition.fact == consent or any(_asks(item, consent) for item in condition.any or [])


def _rests_on_consent(condition: ConditionEntry, action: str) -> bool:
    """Whether the condition can't hold without the caller's own word for this action."""
    if condition.fact == f"consent.{action}":
        return condition.is_ == "explicit" or condition.in_ == ["explicit"]
    if condition.fact == "asked_for_person":
        return action in MAY_BE_ASKED_FOR and condition.is_ is True
    if condition.any is not None:
        return all(_rests_on_consent(item, action) for item in condition.any)
    return any(_rests_on_consent(item, action) for item in condition.all or [])

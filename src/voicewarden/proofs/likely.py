"""Likely calls: what holds in every call of the kernel, and what in most, as terms.

In: the terms of two policies, and what is known of the agents. Out: certainties, without which a context is none that a
call can have, and wishes, by which `witness` picks the most ordinary context of many. Called by `witness`.
"""

from typing import Final

import msgspec

from voicewarden.model.action import STAGES, Stage, Value
from voicewarden.policy.ast import Policy
from voicewarden.policy.generator import atoms
from voicewarden.proofs.context import STOPPERS
from voicewarden.proofs.plans import MOST_GRANTS
from voicewarden.proofs.terms import Symbol, Terms, z3

_USUAL: Final[dict[str, Value]] = {
    "answerer": "human", "asked_for_person": False, "recording_refused": False, "message_ready": False,
    "hearing_permille": 950, "minor": False, "distress": False, "wrong_person": False,
}  # fmt: skip
_ALWAYS_KNOWN: Final = frozenset(
    [*STOPPERS, "answerer", "direction", "agent", "stage", "asked_for_person", "recording", "recording_refused",
     "minor", "distress", "wrong_person"]
)  # fmt: skip
"""Facts that the kernel sets at the start of every call and never forgets."""


class Hints(msgspec.Struct, frozen=True):
    """What calls of a release look like, so that likely witnesses come first."""

    roles: tuple[str, ...] = ()
    """Roles that exist; empty where that is not known."""
    stages: tuple[Stage, ...] = STAGES
    """Stages that calls can have."""


class Likely:
    """Certainties and wishes for one pair of policies."""

    def __init__(self, terms: Terms, old: Policy, new: Policy, hints: Hints) -> None:
        self._terms = terms
        self._old = old
        self._new = new
        self._hints = hints
        self._timed = _timed(old) | _timed(new)

    def certain(self) -> list[z3.BoolRef]:
        """What holds in every call, whatever happens in it (`kernel.facets.call.on_started`, `answerer.decide`,
        `answerer.message_ready`, `gate.mint`): without it a context is one that z3 can think of and no call can have.
        """
        terms, facts = self._terms, self._terms.facts
        said = {f"disclosed.{item.id}" for item in self._new.speech.must_say}
        known = [symbol.known for name, symbol in facts.items() if name in _ALWAYS_KNOWN or name in said]
        known += [
            z3.Not(symbol.known) for name, symbol in facts.items() if name.startswith("disclosed.") and name not in said
        ]
        true_or_unknown = [
            z3.Implies(symbol.known, symbol.value) for name, symbol in facts.items()
            if symbol.domain.kind == "bool" and (name == "message_ready" or name.startswith("done."))
        ]  # fmt: skip
        links = [*known, *true_or_unknown, *terms.in_a_call, z3.Implies(terms.minted > 0, terms.granted_before)]
        links += [symbol.age_ms >= 0 for symbol in facts.values()]
        if "answerer" in facts:
            who = facts["answerer"]
            rules = self._new.answerer
            over = {verdict for verdict, then in rules.when.items() if then == "end_call"}
            over -= {"human", "unknown", rules.default}
            links += [who.value != who.domain.encode(verdict) for verdict in sorted(over) if who.domain.holds(verdict)]
            unknown = who.value == who.domain.encode("unknown")
            links += [z3.Implies(unknown, z3.Not(facts[name].value)) for name in sorted(said) if name in facts]
            if "direction" in facts:
                inbound = facts["direction"].value == facts["direction"].domain.encode("inbound")
                person = who.value == who.domain.encode("human")
                links.append(z3.Implies(inbound, z3.Or(person, unknown)))
            if "message_ready" in facts:
                mailbox = who.value == who.domain.encode("voicemail")
                links.append(z3.Implies(facts["message_ready"].known, mailbox))
        return links

    def wishes(self, action: str, symbols: dict[str, Symbol]) -> dict[str, z3.BoolRef]:
        """What most calls are like, the most important first."""
        terms = self._terms
        others = len(terms.roles) - 1
        roles = [
            terms.role == (terms.roles.index(role) if role in terms.roles else others) for role in self._hints.roles
        ]
        stages = [terms.stage == STAGES.index(stage) for stage in STAGES if stage in self._hints.stages]
        found: dict[str, z3.BoolRef] = {
            "#counted": z3.And(
                terms.granted_before == (terms.minted > 0), terms.minted <= MOST_GRANTS, terms.since_last_ms <= 540_000
            ),
            "#role": z3.Or(*roles) if roles else z3.BoolVal(True),
            "#stages": z3.Or(*stages) if stages else z3.BoolVal(True),
            "#bounded": terms.stage == STAGES.index("bounded"), "#approved": z3.Not(terms.approved),
        }  # fmt: skip
        stoppers = {name: symbols[name] for name in STOPPERS if name in symbols}
        found |= {name: z3.And(symbol.known, z3.Not(symbol.value)) for name, symbol in stoppers.items()}
        found |= {
            name: wish for name, symbol in symbols.items()
            if name not in stoppers and (wish := self._usual(action, name, symbol)) is not None
        }  # fmt: skip
        if "answerer" in symbols:
            who = symbols["answerer"]
            found["#answerer"] = z3.Or(*(who.value == who.domain.encode(name) for name in ("human", "voicemail")))
        first = next((role for role in self._asking(action) if role in terms.roles), None)
        if first is not None:
            found["#asking"] = terms.role == terms.roles.index(first)
        found["#minted"] = terms.minted == 0
        found["#since_last"] = terms.since_last_ms == 0
        return found | self._ages(symbols)

    def _ages(self, symbols: dict[str, Symbol]) -> dict[str, z3.BoolRef]:
        """Facts are fresh; those of which no rule looks at the age have none, so that it is never told."""
        timed = {name for name, _ in self._timed}
        seen = [
            z3.Or(symbols[name].age_ms <= window, symbols[name].age_ms >= window + 1_000)
            for name, window in sorted(self._timed) if name in symbols
        ]  # fmt: skip
        found = {f"{name}@age": symbol.age_ms == 0 for name, symbol in symbols.items() if name not in timed}
        # Ages are told in whole seconds: a difference of less could not be read.
        found["#rounded"] = z3.And(*seen) if seen else z3.BoolVal(True)
        return found | {f"{name}@age": symbols[name].age_ms == 0 for name in sorted(timed) if name in symbols}

    def _asking(self, action: str) -> tuple[str, ...]:
        """Roles that ask for an action, those that both policies name first."""
        rules = [policy.actions[action] for policy in (self._old, self._new) if action in policy.actions]
        roles = dict.fromkeys(role for rule in rules for role in (*rule.requested_by, *self._hints.roles))
        both = [role for role in roles if all(role in rule.requested_by for rule in rules)]
        return tuple(dict.fromkeys((*both, *roles)))

    def _usual(self, action: str, name: str, symbol: Symbol) -> z3.BoolRef | None:
        family = name.partition(".")[0]
        if name == f"consent.{action}":
            return z3.And(symbol.known, symbol.value == symbol.domain.encode("explicit"))
        if family in ("consent", "done"):
            return z3.Not(symbol.known)
        if name in _USUAL:
            return z3.And(symbol.known, symbol.value == symbol.domain.encode(_USUAL[name]))
        if family == "counted":
            return z3.And(symbol.known, symbol.value == 0)
        if symbol.domain.kind == "bool":
            return z3.And(symbol.known, symbol.value)
        return symbol.known


def _timed(policy: Policy) -> set[tuple[str, int]]:
    """Facts whose age some rule looks at, with the oldest that it takes."""
    conditions = (item.condition for rule in policy.actions.values() for item in rule.require)
    return {
        (atom.fact, atom.within_ms)
        for condition in conditions for atom in atoms(condition) if atom.within_ms is not None
    }  # fmt: skip

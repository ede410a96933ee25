"""The cast of a checked call: which role speaks, which actions it asks for with which arguments, what is known.

In: a release. Out: a `Cast`, chosen so that every requirement of the policy can be met. Called by `scene` and
`alphabet`.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from voicewarden.kernel.arguments import sample_arguments
from voicewarden.kernel.release import Compiled
from voicewarden.model.action import MAY_BE_ASKED_FOR, Arguments, Value
from voicewarden.model.error import ConfigError
from voicewarden.policy.ast import ActionRule, Atom
from voicewarden.policy.generator import atoms

_CONTACT: Final = "contact."


class Wish(NamedTuple):
    """An action with its arguments, as a model asks for it."""

    action: str
    args: Arguments


class Cast(NamedTuple):
    """Who and what appears in a checked call."""

    release: Compiled
    agent: str
    other_agent: str
    facts: dict[str, Value]
    wish: Wish
    """Something that needs the caller's own yes."""
    changed: Wish
    """The same action with other arguments."""
    second: Wish
    """Another action that needs a yes of its own; the same as `wish` where the policy has none."""
    harmless: Wish | None
    """An action without a question."""
    transfer: Wish | None


def cast_of(release: Compiled) -> Cast:
    """Choose the cast for a release. Raises ConfigError where no action has a question: nothing can be earned."""
    rules = release.policy.policy.actions
    asked = [rule for rule in rules.values() if rule.question and rule.name not in MAY_BE_ASKED_FOR]
    agents = sorted(release.data.agents, key=lambda name: -sum(_may(rule, name) for rule in asked))
    mine = [rule for rule in asked if agents and _may(rule, agents[0])] or [
        rule for rule in rules.values() if rule.question
    ]
    if not mine:
        raise ConfigError(
            "the policy has no action with a question, so that no authority is ever earned in a call; "
            "check a policy in which at least one action requires consent"
        )
    harmless = [rule for rule in rules.values() if rule.stages and not rule.question and not rule.require and rule.args]
    transfer = rules.get("transfer")
    return Cast(
        release=release,
        agent=agents[0] if agents else "",
        other_agent=agents[1] if len(agents) > 1 else (agents[0] if agents else ""),
        facts=dict(_known(release)),
        wish=_wish(release, mine[0], 0),
        changed=_wish(release, mine[0], 1),
        second=_wish(release, mine[1 % len(mine)], 0),
        harmless=next((_wish(release, rule, 0) for rule in harmless if rule.name != "hand_over"), None),
        transfer=_wish(release, transfer, 0) if transfer else None,
    )


def _may(rule: ActionRule, agent: str) -> bool:
    return not rule.requested_by or agent in rule.requested_by


def _wish(release: Compiled, rule: ActionRule, which: int) -> Wish:
    return Wish(rule.name, sample_arguments(release.data, rule, which))


def _known(release: Compiled) -> Iterator[tuple[str, Value]]:
    """Facts of records, each with a value that the rules like: what remains is to be earned in the call."""
    policy = release.policy.policy
    looked_at = [
        atom for rule in policy.actions.values() for item in rule.require for atom in atoms(item.condition)
    ]
    for name in policy.facts:
        liked = _liked(atom for atom in looked_at if atom.fact == name)
        if liked is not None:
            yield name, liked
    for atom in looked_at:
        if atom.fact.startswith(_CONTACT):
            liked = _liked((atom,))
            if liked is not None:
                yield atom.fact, liked


def _liked(looked_at: Iterable[Atom]) -> Value | None:
    for atom in looked_at:
        if atom.is_ is not None:
            return atom.is_
        if atom.in_:
            return atom.in_[0]
        for number in (atom.at_least, atom.at_most, atom.between and atom.between[0]):
            if number is not None:
                return number
    return None

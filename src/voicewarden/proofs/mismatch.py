"""A mismatch: two semantics that disagree, in the smallest situation and policy that still show it.

In: a policy and a case in which they disagree. Out: the smallest pair, told so that it can be seen again. Called by
`agreement`.
"""

from collections.abc import Callable, Iterator

import msgspec

from voicewarden.policy.ast import ActionRule, Policy
from voicewarden.proofs.case import Case
from voicewarden.proofs.subject import Peer, Said, Subject
from voicewarden.proofs.tree import nodes, replaced


class Mismatch(msgspec.Struct, frozen=True):
    """Two semantics that disagree."""

    peer: Peer
    rule: ActionRule
    case: Case
    ours: Said
    theirs: Said

    def told(self) -> str:
        """The disagreement with everything that is needed to see it again."""
        return "\n  ".join(
            (
                f"generated code and {self.peer} differ about {self.case.action}",
                f"rules      {msgspec.json.encode(self.rule).decode()}",
                f"situation  {msgspec.json.encode(self.case).decode()}",
                f"generated  {self.ours}",
                f"{self.peer:<10} {self.theirs}",
            )
        )


def smallest(peer: Peer, policy: Policy, case: Case, subject: Callable[[Policy], Subject] = Subject) -> Mismatch:
    """Leave out actions, facts, rules and parts of rules one by one, for as long as the two still differ."""
    said = _said(peer, subject(policy), case)
    shrunk = True
    while shrunk:
        shrunk = False
        for one, small in _smaller(policy, case):
            again = _said(peer, subject(one), small)
            if again[0] != again[1]:
                policy, case, said, shrunk = one, small, again, True
                break
    return Mismatch(peer, policy.actions[case.action], case, *said)


def _said(peer: Peer, subject: Subject, case: Case) -> tuple[Said, Said]:
    return subject.ours(peer, case), subject.theirs(peer, case)


def _smaller(policy: Policy, case: Case) -> Iterator[tuple[Policy, Case]]:
    rule, context = policy.actions[case.action], case.context
    if len(policy.actions) > 1:
        yield msgspec.structs.replace(policy, actions={case.action: rule}), case
    for name in context.facts:
        facts = {other: fact for other, fact in context.facts.items() if other != name}
        yield policy, msgspec.structs.replace(case, context=msgspec.structs.replace(context, facts=facts))
    for smaller in _smaller_rules(rule):
        yield msgspec.structs.replace(policy, actions={**policy.actions, rule.name: smaller}), case


def _smaller_rules(rule: ActionRule) -> Iterator[ActionRule]:
    for index, item in enumerate(rule.require):
        around = rule.require[:index], rule.require[index + 1 :]
        yield msgspec.structs.replace(rule, require=(*around[0], *around[1]))
        for path, node in nodes(item.condition):
            if path:
                smaller = msgspec.structs.replace(item, condition=node)
                yield msgspec.structs.replace(rule, require=(*around[0], smaller, *around[1]))
            for part in getattr(node, "items", ()):
                smaller = msgspec.structs.replace(item, condition=replaced(item.condition, path, part))
                yield msgspec.structs.replace(rule, require=(*around[0], smaller, *around[1]))
    for index in range(len(rule.limits)):
        yield msgspec.structs.replace(rule, limits=rule.limits[:index] + rule.limits[index + 1 :])

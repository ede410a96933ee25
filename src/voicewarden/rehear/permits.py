"""Which actions the policy permits at a moment of a recorded call, and why not: the kernel's own gate, asked aside.

In: a release and the state of the moment. Out: a `Moment` with a decision on every action, and from many moments those
at which something changed. Called by `rehearing`. Whoever asks is the role that speaks at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from voicewarden.kernel.arguments import sample_arguments
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.gate import Request, decide, permit
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.model.action import Arguments, Verdict
from voicewarden.model.decision import Decision, Reason
from voicewarden.model.event import ActionRequested

_ASKED: Final = "rehearing"
_NOT_IN_A_CALL: Final = frozenset({"place_call"})
"""The recording begins with a call that is there already."""
_AGE: Final = re.compile(r", \d+ m?s ago")


class Moment(msgspec.Struct, frozen=True):
    """What the policy permits from this second on."""

    at_s: int
    allowed: tuple[str, ...]
    refused: dict[str, tuple[Reason, ...]]
    verdicts: dict[str, Verdict]
    """Of what is refused: whether it needs the caller's answer, a person, or is denied."""

    def news(self, before: Moment | None) -> tuple[str, ...]:
        """Actions that are refused otherwise than before, or for other reasons, whatever the age of what was found."""
        return tuple(name for name in self.refused if before is None or self._why(name) != before._why(name))

    def is_like(self, other: Moment) -> bool:
        """Whether the same is permitted, and refused for the same reasons."""
        return self.allowed == other.allowed and not self.news(other)

    def _why(self, action: str) -> object:
        refused = self.refused.get(action, ())
        return self.verdicts.get(action), [(why.rule, why.verdict, _AGE.sub("", why.found)) for why in refused]


class Asking:
    """Asks the gate about every action of a policy."""

    def __init__(self, release: Compiled) -> None:
        self._release = release
        names = sorted(release.policy.policy.actions.keys() - _NOT_IN_A_CALL)
        self._asked = {name: sample_arguments(release.data, release.data.policy.actions[name]) for name in names}

    def at(self, state: State, at_s: int) -> Moment:
        """Decide every action; nothing of it is recorded or changes the state."""
        decisions = [self._decide(state, name, args, at_s * 1000) for name, args in self._asked.items()]
        refused = [decision for decision in decisions if decision.verdict != "allow"]
        return Moment(
            at_s=at_s,
            allowed=tuple(decision.action for decision in decisions if decision.verdict == "allow"),
            refused={decision.action: why_not(decision) for decision in refused},
            verdicts={decision.action: decision.verdict for decision in refused},
        )

    def _decide(self, state: State, action: str, args: Arguments, at_ms: int) -> Decision:
        role = state.identity.agent
        request = Request(id=_ASKED, action=action, args=args, principal=role)
        event = ActionRequested(at_ms=at_ms, request=_ASKED, action=action, args=args, principal=role)
        draft = Draft(self._release, state, event)
        # Ending a call is governed by nothing and never denied, here as in `kernel.facets.actions`.
        return permit(draft, request) if action == "end_call" else decide(draft, request)


def why_not(decision: Decision) -> tuple[Reason, ...]:
    """What stood against a request; without the numbers of records, which a recording does not have."""
    return tuple(replace(reason, evidence=()) for reason in decision.reasons if reason.verdict != "allow")


def changes(moments: Iterable[Moment]) -> Iterator[Moment]:
    """The moments at which something else is permitted, or for other reasons."""
    last: Moment | None = None
    for moment in moments:
        if last is None or not moment.is_like(last):
            yield moment
        last = moment


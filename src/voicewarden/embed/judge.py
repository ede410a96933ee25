"""The gate for requests that belong to no call: a row with its facts comes in, the gate's own decision goes out.

A row stands for a call that has just begun, with the row's facts on top of what every call begins with. Called by
`voicewarden decide`. The decision is that of `kernel.gate.decide`; there is no second gate.
"""

from typing import Annotated, Any

import msgspec

from voicewarden.config.given_facts import Given, GivenFacts
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.gate import Request, decide, digest_key, permit
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import EMPTY, State
from voicewarden.kernel.step import step
from voicewarden.model.action import Arguments, Stage, Value
from voicewarden.model.arguments import plain_arguments
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision, Shadowed
from voicewarden.model.event import ActionRequested, CallStarted

__all__ = ["Given", "Judge", "Judged", "Row"]

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One request: who asks for what, and what is known."""

    action: str
    # Any: whatever a model wrote as arguments; `plain_arguments` says what they become.
    args: dict[str, Any] = {}
    facts: dict[str, Value | Given | None] = {}
    """null makes a fact unknown that every call begins with, such as `opted_out`."""
    stage: Stage | None = None
    role: str = ""
    """Who asks; left out, somebody who may."""
    agent: str = ""
    """The agent role that speaks, and that asks unless `role` says otherwise."""
    minted: _Count = 0
    """How many grants of this action the call has had."""
    at_ms: _Count = 0
    approved: bool = False
    """A person in charge approved exactly these arguments."""


class Judged(msgspec.Struct, frozen=True):
    """A decision, and what log-only rules or policies would have said instead."""

    decision: Decision
    shadows: tuple[Shadowed, ...] = ()


class Judge:
    """Decides rows under one release."""

    def __init__(self, release: Compiled) -> None:
        self._release = release
        self._given = GivenFacts(release.declared)
        self._starts: dict[tuple[str, Stage | None], State] = {}

    def judge(self, row: Row) -> Judged:
        """Decide one row. Raises ValueError that says what is wrong with it, without any of its values."""
        args = _arguments(row)
        rule = self._release.policy.policy.actions.get(row.action)
        first = rule.requested_by[0] if rule is not None and rule.requested_by else ""
        asks = row.role or row.agent or first
        request = Request(id="row", action=row.action, args=args, principal=asks)
        event = ActionRequested(at_ms=row.at_ms, request="row", action=row.action, args=args, principal=asks)
        draft = Draft(self._release, self._start(row.agent or asks, row.stage), event)
        digest = digest_of(args)
        draft.facts = self._given.laid_over(draft.facts, row.facts, row.at_ms, digest)
        if row.minted:
            draft.grants = replace(draft.grants, minted={row.action: row.minted})
        if row.approved:
            draft.consent = replace(draft.consent, approved=(digest_key(row.action, digest),))
        # Ending a call is governed by nothing and never denied, here as in `kernel.facets.actions`.
        decision = permit(draft, request) if row.action == "end_call" else decide(draft, request)
        return Judged(decision, tuple(item for item in draft.outputs if isinstance(item, Shadowed)))

    def _start(self, agent: str, stage: Stage | None) -> State:
        """The state of a call that this role has begun in this stage."""
        agents = self._release.data.agents
        role = agent if agent in agents else next(iter(agents))
        known = self._starts.get((role, stage))
        if known is None:
            began = CallStarted(
                at_ms=0, call="row", agent=role, direction="inbound", contact="", stage=agents[role].stage, epoch=0,
                release=self._release.hash, started_unix_ms=0,
            )  # fmt: skip
            known = step(self._release, EMPTY, began).state
            if stage is not None:
                draft = Draft(self._release, known, began)
                draft.identity = replace(draft.identity, stage=stage)
                draft.know("stage", stage)
                known = draft.freeze()
            self._starts[role, stage] = known
        return known


def _arguments(row: Row) -> Arguments:
    plain = plain_arguments(row.args)
    if plain is None:
        raise ValueError("args: too many or too long (accepted: 32 arguments of 2000 characters)")
    return plain

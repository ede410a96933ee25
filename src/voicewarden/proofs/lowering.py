"""Stale grants: every event that lowers authority, against an open grant of every action, over the real `kernel.step`.

In: a bare release. Out: the first grant that outlives an event which should have killed it. Called by theorems. Small
enough to try every case; longer histories are the model check's.
"""

from collections.abc import Iterator

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import Floor, GrantPart, Identity, OpenGrant, Sentence, State
from voicewarden.kernel.step import Step, step
from voicewarden.model.decision import Grant
from voicewarden.model.directive import SpendGrant
from voicewarden.model.event import (
    ActionRequested,
    AuthorityRevoked,
    AuthorityTightened,
    CallsPaused,
    Event,
    FactLearned,
    LeaseLost,
    LedgerFaltered,
    SentencePlayed,
    TimerFired,
)
from voicewarden.policy.fact import Fact
from voicewarden.proofs.bare_release import AGENTS, NOW_MS, arguments

_EPOCH = 3
_VERSION = 5
_ID = "c/1"
_WAIT = f"spend:{_ID}"
_SENTENCE = "k1"


def stale_grants(release: Compiled) -> tuple[int, str]:
    """How many cases were tried, and the first in which a stale grant is still good, in words; empty for none."""
    tried = 0
    for action in release.data.policy.actions:
        grant = _grant(release, action)
        for event in _lowerings(release):
            for handed in (False, True):
                tried += 1
                found = _outlives(step(release, _state(grant, handed=handed), event), grant)
                if found:
                    return tried, f"{action}, {_told(event)}, grant {'handed over' if handed else 'waiting'}: {found}"
        for event in (_timer(), SentencePlayed(at_ms=NOW_MS, sentence=_SENTENCE, played_ms=1, whole=True)):
            tried += 1
            if _spends(step(release, _state(grant, version=_VERSION + 1), event)):
                return tried, f"{action}: a grant of an older version was handed to its effector at {_told(event)}"
    return tried, ""


def _lowerings(release: Compiled) -> Iterator[Event]:
    epoch = _EPOCH + 1
    yield CallsPaused(at_ms=NOW_MS, epoch=epoch, operator="o")
    yield AuthorityRevoked(at_ms=NOW_MS, epoch=epoch, operator="o")
    yield AuthorityTightened(at_ms=NOW_MS, stage="observe", epoch=epoch, operator="o")
    for name in ("opted_out", "paused", "revoked"):
        yield FactLearned(at_ms=NOW_MS, fact=name, value=True, source="s")
    yield LeaseLost(at_ms=NOW_MS)
    yield LedgerFaltered(at_ms=NOW_MS)
    if "hand_over" in release.data.policy.actions:
        args = arguments(release.data.policy, "hand_over")
        rule = release.data.policy.actions["hand_over"]
        if args.get("to") == AGENTS[1] and not rule.require:
            principal = rule.requested_by[0] if rule.requested_by else AGENTS[0]
            yield ActionRequested(at_ms=NOW_MS, request="h", action="hand_over", args=args, principal=principal)


def _outlives(result: Step, grant: Grant) -> str:
    """Why this grant could still be spent. Its effector compares its version with the call's before it starts."""
    state = result.state
    if state.identity.fault == "kernel_fault":
        return "the kernel failed"
    if _spends(result):
        return "it was handed to its effector"
    if any(not opened.handed for opened in state.grants.open.values()):
        return "it waits on"
    if state.version == grant.version:
        return "the version of the call has not moved"
    return ""


def _spends(result: Step) -> bool:
    return any(isinstance(item, SpendGrant) for item in result.outputs)


def _grant(release: Compiled, action: str) -> Grant:
    return Grant(
        id=_ID, call="c", seq=1, action=action, args={}, digest="d", version=_VERSION, policy=release.policy.hash,
        epoch=_EPOCH, principal=AGENTS[0], confirmed="", minted_at_ms=NOW_MS - 1, expires_at_ms=NOW_MS + 10_000,
    )  # fmt: skip


def _state(grant: Grant, *, handed: bool = False, version: int = _VERSION) -> State:
    opened = OpenGrant(grant=grant, request="r", answered=True, after=_SENTENCE, handed=handed)
    spoken = Sentence(id=_SENTENCE, text="x", purpose="line", line="x")
    facts = {name: Fact(False, 0, 0) for name in ("opted_out", "paused", "revoked")}
    return State(
        seq=9, now_ms=NOW_MS - 1, version=version, facts=facts,
        identity=Identity(call="c", agent=AGENTS[0], stage="autonomous", epoch=_EPOCH, answered_ms=0),
        grants=GrantPart(open={_ID: opened}, minted={grant.action: 1}), timers={_WAIT: NOW_MS},
        floor=Floor(queue=(spoken,)),
    )  # fmt: skip


def _timer() -> Event:
    return TimerFired(at_ms=NOW_MS, timer=_WAIT, due_ms=NOW_MS)


def _told(event: Event) -> str:
    detail = f" {event.fact}" if isinstance(event, FactLearned) else ""
    return type(event).__name__ + detail

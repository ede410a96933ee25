"""Decisions: the gate's verdict on one request, with all reasons, and the grant that an allow leads to.

Written by the kernel, recorded by the runtime, read by reports, replay and effectors.
"""

import msgspec

from voicewarden.model.action import Arguments, Stage, Verdict


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One rule that was looked at: what it needed, what was found, and on which records that rests."""

    rule: str
    fact: str
    needed: str
    found: str
    verdict: Verdict
    """What the rule demands here; `allow` when it is met."""
    evidence: tuple[int, ...] = ()
    """Sequence numbers of the event records that the found value comes from."""
    offer: str | None = None
    """An action that may be proposed instead."""


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """The verdict on one request. On a refusal `reasons` holds every rule that was not met, on an allow every rule."""

    seq: int
    at_ms: int
    request: str
    action: str
    digest: str
    """SHA-256 of the canonical arguments."""
    principal: str
    verdict: Verdict
    would: Verdict | None = None
    """The rules' own verdict where the stage overrode it."""
    reasons: tuple[Reason, ...]
    policy: str
    """Content hash of the policy that decided."""
    version: int
    epoch: int
    stage: Stage


class Shadowed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """What a log-only rule or policy would have decided otherwise. It changes nothing; people look at it."""

    seq: int
    at_ms: int
    request: str
    action: str
    source: str
    """`rules` for the shadow rules of the active policy, else the name of the shadow policy."""
    policy: str
    """Content hash of the policy that the source belongs to."""
    verdict: Verdict
    active: Verdict
    """What was decided in earnest."""
    reasons: tuple[Reason, ...]


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True, gc=False):
    """Permission to do one thing once. The runtime seals it; the seal is never recorded."""

    id: str
    call: str
    seq: int
    action: str
    args: Arguments
    digest: str
    version: int
    """The authority state's version: a later lowering event makes the grant void."""
    policy: str
    epoch: int
    principal: str
    confirmed: str
    """Digest of the question that was read back and of the words that agreed; empty where no question was needed."""
    minted_at_ms: int
    expires_at_ms: int
    escape: bool = False
    """Minted at the call's start so that stopping never has to wait."""

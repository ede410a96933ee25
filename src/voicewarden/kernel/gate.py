"""The gate: decides one request, with every reason, and mints the one-shot grant that an allow leads to.

In: a draft and a request. Out: a `Decision` (recorded whatever it says). The order of the checks is law:
1 the call may act at all; 2 the action exists and the role may ask; 3 the arguments are of their type; 4 the rules and
limits; 5 what `confirm` has become; 6 the stage. Everything that fails in 1-3 denies.
"""

from collections.abc import Iterable

import msgspec

from voicewarden.kernel.arguments import argument_reasons
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.state import OpenGrant
from voicewarden.model.action import BUILT_IN_ACTIONS, Arguments, Verdict
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision, Grant, Reason, Shadowed
from voicewarden.policy.ast import ActionRule
from voicewarden.policy.compiler import DISAGREEMENT, CompiledPolicy, RuleOutcome
from voicewarden.policy.reasons import limit_reason, rule_reason


class Request(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is asked for, by whom."""

    id: str
    action: str
    args: Arguments
    principal: str
    turn: int | None = None


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """What one policy says to a request."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    would: Verdict | None = None
    """The rules' own verdict where the stage overrode it."""
    outcome: RuleOutcome | None = None
    """What rules and limits led to, if it came to them."""


def decide(draft: Draft, request: Request) -> Decision:
    """Decide a request and record the decision. Never raises for anything a caller or a model does."""
    digest = digest_of(request.args)
    ruling = _ruling(draft, request, draft.release.policy, digest)
    decision = _record(draft, request, digest, ruling.verdict, ruling.would, ruling.reasons)
    if ruling.would is not None:
        _await_approval(draft, request.action, digest)
    if ruling.outcome is not None and ruling.outcome.shadow_failed:
        _put_shadow_rules(draft, request, decision, ruling.outcome)
    if draft.release.shadow is not None:
        _put_shadow_policy(draft, request, decision, draft.release.shadow)
    return decision


def _ruling(draft: Draft, request: Request, policy: CompiledPolicy, digest: str) -> Ruling:
    rule = policy.policy.actions.get(request.action)
    reasons = _call_reasons(draft, request, policy)  # 1
    reasons += _action_reasons(draft, request, rule)  # 2
    if rule is not None:
        reasons += argument_reasons(draft.release.data, rule, request.args)  # 3
    if reasons or rule is None:
        return Ruling("deny", tuple(reasons))
    minted = draft.grants.minted.get(request.action, 0)
    outcome = policy.decide(request.action, draft.facts, draft.now_ms, digest, minted)  # 4
    if outcome is DISAGREEMENT:
        needed = "is the same from generated code and interpreter"
        return Ruling("deny", (deny_reason("two_opinions", "decision", needed, "it differs"),))
    explained = _explained(draft, policy, rule, digest, minted, outcome)
    return _after_rules(draft, policy, rule, digest, outcome.verdict, explained, outcome)


def _after_rules(
    draft: Draft, policy: CompiledPolicy, rule: ActionRule, digest: str, verdict: Verdict,
    explained: list[Reason], outcome: RuleOutcome,
) -> Ruling:  # fmt: skip
    would: Verdict | None = None
    if verdict == "confirm":  # 5
        exhausted = _exhausted(draft, policy, rule.name, digest)
        if exhausted is not None:
            verdict = "deny"
            explained.append(exhausted)
    elif verdict == "allow":  # 6
        staged = _stage_reason(draft, rule, digest)
        if staged is not None:
            verdict, would = "deny", "allow"
            explained.append(staged)
    if verdict != "allow":
        explained = [reason for reason in explained if reason.verdict != "allow"]
    return Ruling(verdict, tuple(explained), would, outcome)


def _put_shadow_rules(draft: Draft, request: Request, decision: Decision, outcome: RuleOutcome) -> None:
    """What would have been decided if the policy's log-only rules counted."""
    policy = draft.release.policy
    rule = policy.policy.actions[request.action]
    minted = draft.grants.minted.get(request.action, 0)
    counted = RuleOutcome(outcome.shadow, outcome.shadow_failed)
    explained = _explained(draft, policy, rule, decision.digest, minted, counted)
    ruling = _after_rules(draft, policy, rule, decision.digest, outcome.shadow, explained, counted)
    _put_shadow(draft, request, decision, ruling, "rules", policy)


def _put_shadow_policy(draft: Draft, request: Request, decision: Decision, policy: CompiledPolicy) -> None:
    """What the log-only policy beside the active one says."""
    ruling = _ruling(draft, request, policy, decision.digest)
    _put_shadow(draft, request, decision, ruling, policy.policy.name, policy)


def _put_shadow(
    draft: Draft, request: Request, decision: Decision, ruling: Ruling, source: str, policy: CompiledPolicy
) -> None:
    if ruling.verdict == decision.verdict:
        return
    draft.put(
        Shadowed(
            seq=draft.next_seq(), at_ms=draft.now_ms, request=request.id, action=request.action, source=source,
            policy=policy.hash, verdict=ruling.verdict, active=decision.verdict, reasons=ruling.reasons,
        )
    )  # fmt: skip


def refuse(draft: Draft, request: Request, reasons: Iterable[Reason]) -> Decision:
    """Record a denial whose reasons are known already."""
    return _record(draft, request, digest_of(request.args), "deny", None, tuple(reasons))


def permit(draft: Draft, request: Request, reasons: Iterable[Reason] = ()) -> Decision:
    """Record that nothing stands against a request that is governed elsewhere (speech, ending)."""
    return _record(draft, request, digest_of(request.args), "allow", None, tuple(reasons))


def deny_reason(rule: str, fact: str, needed: str, found: str, *evidence: int) -> Reason:
    """A reason of the kernel itself."""
    return Reason(f"kernel.{rule}", fact, needed, found, "deny", evidence)


def _record(
    draft: Draft, request: Request, digest: str, verdict: Verdict, would: Verdict | None, reasons: tuple[Reason, ...]
) -> Decision:
    decision = Decision(
        seq=draft.next_seq(), at_ms=draft.now_ms, request=request.id, action=request.action, digest=digest,
        principal=request.principal, verdict=verdict, would=would, reasons=reasons, policy=draft.release.policy.hash,
        version=draft.version, epoch=draft.identity.epoch, stage=draft.identity.stage,
    )  # fmt: skip
    draft.put(decision)
    return decision


def _call_reasons(draft: Draft, request: Request, policy: CompiledPolicy) -> list[Reason]:
    identity = draft.identity
    reasons: list[Reason] = []
    if not identity.call:
        reasons.append(deny_reason("not_started", "call", "has started", "no call"))
    if identity.fault:
        reasons.append(deny_reason("fault", "call", "can act safely", identity.fault))
    if identity.ended or identity.ending:
        reasons.append(deny_reason("ending", "call", "is going on", identity.ending or "ended"))
    for name in ("paused", "revoked", "opted_out"):
        fact = draft.facts.get(name)
        if fact is not None and fact.value is not False:
            reasons.append(deny_reason(name, name, "is false", "true", fact.seq))
    for item in policy.policy.speech.must_say:
        if item.before == request.action and draft.value(f"disclosed.{item.id}") is not True:
            reasons.append(deny_reason("must_say", f"disclosed.{item.id}", "was heard before this", "not heard"))
    if request.turn is not None and request.turn != draft.floor.answering:
        # An interrupted inference speaks for a situation that is over.
        reasons.append(deny_reason("stale_turn", "turn", "is the one being answered", str(request.turn)))
    return reasons


def _action_reasons(draft: Draft, request: Request, rule: ActionRule | None) -> list[Reason]:
    if rule is None:
        known = "not in the policy" if request.action in BUILT_IN_ACTIONS else "unknown action"
        return [deny_reason("default_deny", "action", "is named by the policy", known)]
    last = draft.grants.minted_at_ms.get(request.action)
    if last is not None and draft.now_ms - last < rule.cooldown_ms:
        needed = f"at least {rule.cooldown_ms} ms since the last one"
        return [deny_reason("cooldown", "time since the last one", needed, f"{draft.now_ms - last} ms")]
    if rule.requested_by and request.principal not in rule.requested_by:
        return [deny_reason("role", "role", "is one of " + ", ".join(rule.requested_by), request.principal)]
    return []


def _explained(
    draft: Draft, policy: CompiledPolicy, rule: ActionRule, digest: str, minted: int, outcome: RuleOutcome
) -> list[Reason]:
    """Why each rule and limit was met or not; those that only log stand in no list but their own."""
    consent, facts, now_ms = f"consent.{rule.name}", draft.facts, draft.now_ms
    failed = {item.id for item in outcome.failed}
    reasons = [
        rule_reason(
            item, policy.wordings[item.id], item.otherwise if item.id in failed else "allow", facts, now_ms, consent,
            digest,
        )
        for item in rule.require
        if not item.shadow or item.id in failed
    ]  # fmt: skip
    for limit in rule.limits:
        if not limit.shadow or limit.id in failed:
            reasons.append(limit_reason(limit, limit.otherwise if limit.id in failed else "allow", facts, minted))
    return reasons


def _exhausted(draft: Draft, policy: CompiledPolicy, action: str, digest: str) -> Reason | None:
    pending = draft.consent.pending
    if pending is not None and (pending.action, pending.digest) == (action, digest):
        return None  # this very question is open: the request joins it
    questions = policy.policy.questions
    asked = draft.consent.asked.get(digest_key(action, digest), 0)
    if digest_key(action, digest) in draft.consent.refused:
        return deny_reason("refused_before", f"consent.{action}", "was not refused for these arguments", "refused")
    if asked >= questions.times_per_arguments:
        return deny_reason("asked_enough", "questions", f"fewer than {questions.times_per_arguments}", str(asked))
    total = draft.consent.asked_action.get(action, 0)
    if total >= questions.times_per_action:
        return deny_reason("asked_enough", "questions", f"fewer than {questions.times_per_action}", str(total))
    return None


def digest_key(action: str, digest: str) -> str:
    """Questions are counted by action and arguments together: equal arguments of two actions are two things."""
    return f"{action}:{digest}"


def _stage_reason(draft: Draft, rule: ActionRule, digest: str) -> Reason | None:
    stage = draft.identity.stage
    effect = rule.stages.get(stage)
    if effect == "allow":
        return None
    if effect == "approve":
        if digest_key(rule.name, digest) in draft.consent.approved:
            return None
        return deny_reason("stage", "stage", "an operator's approval of these arguments", f"none, stage {stage}")
    found = "only logs" if effect == "log" else "has no entry"
    return deny_reason("stage", "stage", "allows this action", f"{stage} {found}")


def _await_approval(draft: Draft, action: str, digest: str) -> None:
    """Remember what lacked nothing but a person's approval: that is what an approval of these arguments is about."""
    rule = draft.release.policy.policy.actions[action]
    if rule.stages.get(draft.identity.stage) == "approve":
        key = digest_key(action, digest)
        others = tuple(other for other in draft.consent.awaiting if other != key)
        draft.consent = replace(draft.consent, awaiting=(*others, key)[-_MOST_AWAITING:])


def mint(draft: Draft, request: Request, decision: Decision, *, answered: bool, escape: bool = False) -> Grant:
    """Mint the grant of an allow, count it, and use the answer up: a yes serves once."""
    rule = draft.release.policy.policy.actions.get(request.action)
    seq = draft.next_seq()
    grant = Grant(
        id=f"{draft.identity.call}/{seq}", call=draft.identity.call, seq=seq, action=request.action, args=request.args,
        digest=decision.digest, version=draft.version, policy=draft.release.policy.hash, epoch=draft.identity.epoch,
        principal=request.principal, confirmed=_confirmed(draft, request, decision), minted_at_ms=draft.now_ms,
        expires_at_ms=draft.now_ms + (rule.expires_ms if rule and not escape else _ESCAPE_MS), escape=escape,
    )  # fmt: skip
    draft.put(grant)
    if escape:
        return grant
    minted = {**draft.grants.minted, request.action: draft.grants.minted.get(request.action, 0) + 1}
    opened = {**draft.grants.open, grant.id: OpenGrant(grant=grant, request=request.id, answered=answered)}
    minted_at = {**draft.grants.minted_at_ms, request.action: draft.now_ms}
    draft.grants = replace(draft.grants, open=opened, minted=minted, minted_at_ms=minted_at)
    draft.forget(f"consent.{request.action}")
    if rule is not None and rule.stages.get(draft.identity.stage) == "approve":
        _use_approval(draft, digest_key(request.action, decision.digest))
    return grant


def _use_approval(draft: Draft, key: str) -> None:
    """An approval serves once, as a yes does."""
    approved = list(draft.consent.approved)
    if key in approved:
        approved.remove(key)
        draft.consent = replace(draft.consent, approved=tuple(approved))


_ESCAPE_MS = 86_400_000
_MOST_AWAITING = 16


def _confirmed(draft: Draft, request: Request, decision: Decision) -> str:
    """The yes that this grant rests on; empty where no answer to these arguments was needed."""
    consent = draft.facts.get(f"consent.{request.action}")
    if consent is None or consent.value != "explicit" or consent.digest != decision.digest:
        return ""
    return draft.consent.confirmed.get(request.action, "")

"""The call itself: its start, its length, its end, and orders from people that lower its authority.

In: `CallStarted`, `CallAnswered`, control events, `MediaEnded`, `CallEnded`. Out: initial facts, escape grants,
deadlines.
"""

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, answerer, question, vulnerable
from voicewarden.kernel.facets.ending import end_politely, hang_up, stop_speaking
from voicewarden.kernel.gate import Request, digest_key, mint, permit
from voicewarden.kernel.state import Identity
from voicewarden.model.action import STAGES, Stage, Value
from voicewarden.model.directive import TellModel
from voicewarden.model.event import (
    AuthorityRevoked,
    AuthorityTightened,
    CallEnded,
    CallsPaused,
    CallStarted,
    CountReserved,
    FactLearned,
    MediaEnded,
    OperatorApproved,
)
from voicewarden.policy.ast import FactType
from voicewarden.policy.vocabulary import fact_type

_DAY_MS = 86_400_000
_KERNEL_OWNS = ("consent.", "disclosed.", "done.", "counted.")
_CALL_OWNS = (
    "answerer", "stage", "agent", "direction", "recording", "recording_refused", "asked_for_person", "message_ready",
    "hearing_permille", "call_ms",
)  # fmt: skip
"""Found out in the call itself, never taken from a record."""
_SETTABLE = ("opted_out", "paused", "revoked")
"""A record may only take these authorities away."""


def on_started(draft: Draft, event: CallStarted) -> None:
    """A call begins: who, which way, under what, and with which ways out."""
    if draft.identity.call:
        return
    agent = draft.release.data.agents.get(event.agent)
    draft.identity = Identity(
        call=event.call, agent=event.agent, direction=event.direction, contact=event.contact,
        stage=_lower(event.stage, agent.stage if agent else "observe"), epoch=event.epoch,
        day=max(0, event.started_unix_ms) // _DAY_MS,
    )  # fmt: skip
    for name in ("opted_out", "asked_for_person", "paused", "revoked", "recording", "recording_refused"):
        draft.know(name, False)
    vulnerable.begin(draft)
    for item in draft.release.policy.policy.speech.must_say:
        draft.know(f"disclosed.{item.id}", False)
    draft.know("direction", event.direction)
    draft.know("agent", event.agent)
    draft.know("stage", draft.identity.stage)
    draft.know("answerer", "unknown")
    for name, value in event.facts.items():
        # Who wants no calls from us may still call us: that opt-out is about our dialling.
        if not (name == "opted_out" and event.direction == "inbound"):
            learn(draft, name, value)
    if event.release != draft.release.hash:
        draft.identity = replace(draft.identity, fault="the call was started under another release")
    for action in ("speak", "end_call"):
        request = Request(id=f"escape:{action}", action=action, args={}, principal=event.agent)
        mint(draft, request, permit(draft, request), answered=True, escape=True)


def _lower(one: Stage, other: Stage) -> Stage:
    return one if STAGES.index(one) <= STAGES.index(other) else other


def learn(draft: Draft, name: str, value: Value) -> None:
    """Take a fact from an approved record; one of the wrong type or the kernel's own is left out, which denies."""
    kind = fact_type(name, draft.release.declared)
    owned = name in _CALL_OWNS or name.startswith(_KERNEL_OWNS)
    # A policy older than these facts may have declared one of that name for itself.
    owned = owned or (name in vulnerable.PLIGHTS and name not in draft.release.declared)
    if kind is None or owned or not _fits(kind, value) or (name in _SETTABLE and value is not True):
        return
    draft.know(name, value)


def _fits(kind: FactType, value: Value) -> bool:
    match kind.kind:
        case "bool":
            return isinstance(value, bool)
        case "enum":
            return isinstance(value, str) and value in kind.values
        case "int":
            return type(value) is int and kind.low <= value <= kind.high
        case "text":
            return isinstance(value, str)


def on_fact(draft: Draft, event: FactLearned) -> None:
    """A record says something; a fact that takes authority away does so at once."""
    learn(draft, event.fact, event.value)
    if event.fact in _SETTABLE and event.value is True:
        lower(draft)


def on_counted(draft: Draft, event: CountReserved) -> None:
    """What other calls have used of a limit; a count that makes no sense is none."""
    if type(event.used) is int and event.used >= 0:
        draft.know(f"counted.{event.limit}", event.used)


def on_answered(draft: Draft) -> None:
    """The line is open: the call's length counts from here."""
    if draft.identity.answered_ms is not None or draft.identity.ended:
        return
    draft.identity = replace(draft.identity, answered_ms=draft.now_ms)
    length = draft.release.policy.policy.call
    draft.start_timer("longest", length.longest_ms)
    if 0 < length.warn_before_ms < length.longest_ms:
        draft.start_timer("warn", length.longest_ms - length.warn_before_ms)
    answerer.on_answered(draft)


def on_longest(draft: Draft) -> None:
    """The call has taken as long as a call may."""
    end_politely(draft, "longest")


def on_warn(draft: Draft) -> None:
    """The call will soon have to end. Nobody is interrupted for that: it is said when the agent is through, and not at
    all once half of the time is gone.
    """
    if draft.identity.ending or draft.floor.warning:
        draft.floor = replace(draft.floor, warning=False)
    elif not (draft.floor.queue or draft.turn.open):
        draft.say_line("warn_time", "line")
    elif draft.release.data.edition >= 2:
        draft.floor = replace(draft.floor, warning=True)
        draft.start_timer("warn", draft.release.policy.policy.call.warn_before_ms // 2)


def warn_now(draft: Draft) -> None:
    """The agent is through: say what had to wait for that."""
    if draft.floor.warning and not draft.identity.ending:
        draft.floor = replace(draft.floor, warning=False)
        draft.cancel_timer("warn")
        draft.say_line("warn_time", "line")


def on_approved(draft: Draft, event: OperatorApproved) -> None:
    """A person approved exactly these arguments; equal arguments of another action are another thing."""
    pending = draft.consent.pending
    action = event.action or (pending.action if pending is not None and pending.digest == event.digest else "")
    keys = (digest_key(action, event.digest),) if action else draft.consent.awaiting
    key = next((key for key in reversed(keys) if key.endswith(f":{event.digest}")), None)
    if key is not None:
        awaiting = tuple(other for other in draft.consent.awaiting if other != key)
        draft.consent = replace(draft.consent, approved=(*draft.consent.approved, key), awaiting=awaiting)


def on_tightened(draft: Draft, event: AuthorityTightened) -> None:
    """A person lowered the stage: open grants die, speech goes on."""
    draft.identity = replace(
        draft.identity, stage=_lower(draft.identity.stage, event.stage), epoch=max(draft.identity.epoch, event.epoch)
    )
    draft.know("stage", draft.identity.stage)
    lower(draft)


def on_revoked(draft: Draft, event: AuthorityRevoked) -> None:
    """A person took the right to act away."""
    draft.identity = replace(draft.identity, epoch=max(draft.identity.epoch, event.epoch))
    draft.know("revoked", True)
    lower(draft)


def on_paused(draft: Draft, event: CallsPaused) -> None:
    """A person paused all calls: this one ends as the policy says."""
    draft.identity = replace(draft.identity, epoch=max(draft.identity.epoch, event.epoch))
    draft.know("paused", True)
    lower(draft)
    if draft.identity.answered_ms is None:
        hang_up(draft, "paused")
    elif draft.release.policy.policy.oversight.pause_finishes_calls == "politely":
        end_politely(draft, "paused", interrupt=True)
    else:
        hang_up(draft, "paused")


def lower(draft: Draft) -> None:
    """Authority went down: grants that no effector holds yet are closed, those handed over fail at their burn."""
    draft.lower()
    actions.withdraw_unspent(draft)


def fault(draft: Draft, what: str) -> None:
    """Something that authority rests on is gone: nothing acts any more, the caller hears the safe line."""
    draft.identity = replace(draft.identity, fault=what)
    lower(draft)
    if draft.identity.answered_ms is None:
        hang_up(draft, what)
    elif not draft.identity.ending:
        stop_speaking(draft)
        end_politely(draft, what, "safe")


def on_media_ended(draft: Draft, event: MediaEnded) -> None:
    """The audio is gone: with a transfer under way that is success so far, else the call is over."""
    draft.floor = replace(draft.floor, queue=(), thinking=False)
    draft.turn = replace(draft.turn, open=False, speaking=False)
    for timer in tuple(draft.timers):
        if not timer.startswith("spend:"):
            draft.cancel_timer(timer)
    if any(opened.grant.action == "transfer" and opened.handed for opened in draft.grants.open.values()):
        draft.start_timer("transfer", actions.TRANSFER_WAIT_MS)
        return
    actions.withdraw_unspent(draft)
    _leave_unanswered(draft)
    hang_up(draft, draft.identity.ending or ("caller_left" if event.clean else "line_lost"))


def _leave_unanswered(draft: Draft) -> None:
    """An open question stays on record as one that nobody answered; a yes that was cut off is none."""
    pending = draft.consent.pending
    if pending is not None and draft.release.data.edition >= 2:
        question.void(draft)
        draft.put(TellModel(action=pending.action, status="unanswered"))


def on_ended(draft: Draft, event: CallEnded) -> None:
    """Nothing more happens: what is still open stays on record as unknown."""
    for timer in tuple(draft.timers):
        draft.cancel_timer(timer)
    if draft.release.data.edition >= 2:
        actions.withdraw_unspent(draft)
    _leave_unanswered(draft)
    ending = draft.identity.ending or event.reason
    draft.identity = replace(draft.identity, ended=True, hung_up=True, ending=ending)
    draft.consent = replace(draft.consent, pending=None)
    draft.floor = replace(draft.floor, queue=(), thinking=False, answering=None)

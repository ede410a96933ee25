"""Actions: a request is decided, and what the decision says is carried out: ask, grant, escalate, refuse.

In: requests (a tool call, the kernel's own, a confirmed question) and receipts. Out: tool answers, questions, grants
handed to effectors. An effect starts only through `SpendGrant`.
"""

import re
from typing import Final

from voicewarden.kernel.arguments import spoken_arguments
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import question, silence
from voicewarden.kernel.facets.ending import drop_generation, end_politely, hang_up
from voicewarden.kernel.gate import Request, decide, deny_reason, mint, permit, refuse
from voicewarden.kernel.state import OpenGrant
from voicewarden.model.action import STAGES, Arguments, Outcome, Stage, Value, Verdict
from voicewarden.model.decision import Decision
from voicewarden.model.directive import AnswerTool, ConsultModel, SpendGrant, SwitchAgent, TellModel, ToolStatus
from voicewarden.model.event import ActionRequested, ReceiptReturned
from voicewarden.reading.claims import values

_OPAQUE: Final = re.compile(r"[A-Za-z0-9/_.@-]{20,}", re.ASCII)
"""An identifier, whose digits are no figures that anybody may name."""
_TRANSFERRED: Final[dict[Outcome, str]] = {"done": "transferred", "unknown": "transfer_unknown"}
_SAID_BEFORE: Final = {"transfer": "transfer.now"}
"""Lines that must have been heard before the effect starts: a transfer ends the agent's own voice."""
_STATUS: Final[dict[Verdict, ToolStatus]] = {
    "allow": "done", "confirm": "awaiting_confirmation", "escalate": "escalated", "deny": "denied",
}  # fmt: skip
_SAID_BEFORE_MS: Final = 7_000
TRANSFER_WAIT_MS: Final = 90_000
"""How long the line is kept for the carrier's word on a transfer after the audio has gone."""


def on_request(draft: Draft, event: ActionRequested) -> None:
    """A tool call or an order: decide it."""
    request = Request(
        id=event.request, action=event.action, args=event.args, principal=event.principal, turn=event.turn
    )
    if event.turn is not None and event.turn == draft.floor.answering:
        draft.turn = replace(draft.turn, tool_calls=draft.turn.tool_calls + 1)
        most = draft.release.policy.policy.budget.tool_calls_per_turn
        if draft.turn.tool_calls > most:
            reason = deny_reason("tool_calls", "tool calls in this turn", f"at most {most}", str(draft.turn.tool_calls))
            answer(draft, request, refuse(draft, request, (reason,)))
            return
    submit(draft, request)


def submit(draft: Draft, request: Request) -> Decision:
    """Decide a request and carry the verdict out."""
    if request.action == "end_call":
        return _end_call(draft, request)
    decision = decide(draft, request)
    pending = draft.consent.pending
    stale = any(reason.rule == "kernel.stale_turn" for reason in decision.reasons)
    if pending is not None and not stale and (pending.action, pending.digest) != (request.action, decision.digest):
        question.void(draft)
    match decision.verdict:
        case "allow":
            _allow(draft, request, decision)
        case "confirm":
            _confirm(draft, request, decision)
        case "escalate":
            answer(draft, request, decision)
            escalate(draft, request)
        case "deny":
            answer(draft, request, decision)
    return decision


def _end_call(draft: Draft, request: Request) -> Decision:
    """Hanging up is never denied; whatever the agent has said already is heard first."""
    decision = permit(draft, request)
    _answer(draft, request, "done")
    if not draft.identity.ending:
        question.void(draft)
        draft.identity = replace(draft.identity, ending="agent_ended")
        draft.cancel_timer("silence")
        draft.start_timer("goodbye", 12_000)
        if not draft.floor.queue:
            draft.say_line("goodbye", "goodbye")
    return decision


def _confirm(draft: Draft, request: Request, decision: Decision) -> None:
    pending = draft.consent.pending
    same = pending is not None and (pending.action, pending.digest) == (request.action, decision.digest)
    _answer(draft, request, "awaiting_confirmation", decision)
    drop_generation(draft)
    if not same:
        question.ask(draft, request, decision.digest)


def _allow(draft: Draft, request: Request, decision: Decision, *, answered: bool = False) -> None:
    if request.action == "hand_over":
        _hand_over(draft, request)
        return
    grant = mint(draft, request, decision, answered=answered)
    line = _SAID_BEFORE.get(request.action)
    if line is None:
        hand_to_effector(draft, grant.id)
        return
    rule = draft.release.policy.policy.actions[request.action]
    sentence = draft.say_line(line, "line", spoken_arguments(draft.release.data, rule, request.args))
    opened = replace(draft.grants.open[grant.id], after=sentence)
    draft.grants = replace(draft.grants, open={**draft.grants.open, grant.id: opened})
    draft.start_timer(f"spend:{grant.id}", _SAID_BEFORE_MS)


def redecide(draft: Draft, request: Request) -> Decision:
    """The question was answered: decide the pending request again, in the same step."""
    decision = decide(draft, request)
    match decision.verdict:
        case "allow":
            _allow(draft, request, decision, answered=True)
        case "confirm":
            # A yes that the rules do not take (too old, for instance) leads to the question once more.
            question.ask(draft, request, decision.digest)
        case "escalate":
            escalate(draft, request)
        case "deny":
            tell(draft, request.action, "denied", decision)
    return decision


def _hand_over(draft: Draft, request: Request) -> None:
    """Another role speaks: facts stay, questions, yeses and open grants do not travel."""
    agent = str(request.args.get("to", ""))
    if agent not in draft.release.data.agents:
        reason = deny_reason("arguments", "args.to", "is a configured agent", "something else")
        answer(draft, request, refuse(draft, request, (reason,)))
        return
    minted = {**draft.grants.minted, request.action: draft.grants.minted.get(request.action, 0) + 1}
    minted_at = {**draft.grants.minted_at_ms, request.action: draft.now_ms}
    draft.grants = replace(draft.grants, minted=minted, minted_at_ms=minted_at)
    question.void(draft)
    draft.lower()
    withdraw_unspent(draft)
    draft.consent = replace(draft.consent, approved=(), awaiting=(), confirmed={})
    for name in [name for name in draft.facts if name.startswith("consent.")]:
        draft.forget(name)
    stage = draft.release.data.agents[agent].stage
    draft.identity = replace(draft.identity, agent=agent, stage=_lower_stage(draft.identity.stage, stage))
    draft.know("agent", agent)
    draft.know("stage", draft.identity.stage)
    draft.put(SwitchAgent(agent=agent))
    _answer(draft, request, "done")
    consult(draft)


def _lower_stage(one: Stage, other: Stage) -> Stage:
    return min(one, other, key=STAGES.index)


def hand_to_effector(draft: Draft, grant: str) -> None:
    """The grant goes to its effector; from here on only its receipt or its burn can end it."""
    opened = draft.grants.open.get(grant)
    if opened is None or opened.handed:
        return
    if opened.grant.version != draft.version or draft.identity.ended:
        withdraw(draft, opened)
        return
    draft.cancel_timer(f"spend:{grant}")
    draft.grants = replace(draft.grants, open={**draft.grants.open, grant: replace(opened, handed=True)})
    draft.put(SpendGrant(grant=grant))


def sentence_ended(draft: Draft, sentence: str) -> None:
    """An effect that waited for a sentence may start."""
    for grant, opened in draft.grants.open.items():
        if opened.after == sentence and not opened.handed:
            hand_to_effector(draft, grant)
            return


def escalate(draft: Draft, request: Request) -> None:
    """Reach a person: a transfer, or else a call-back; each is decided on its own."""
    if request.action not in ("transfer", "schedule_callback"):
        reach_person(draft)


def reach_person(draft: Draft) -> None:
    """Ask for a transfer to the desk named last, or the role's own; for a call-back where that is refused."""
    agent = draft.release.data.agents.get(draft.identity.agent)
    if agent is None:
        return
    if draft.release.data.edition >= 2 and _is_reaching(draft):
        silence.arm(draft)  # the line that was to be heard before may have been cut
        return
    decision = submit_own(draft, "transfer", {"desk": draft.desk or agent.desk})
    if decision.verdict != "deny":
        return
    if submit_own(draft, "schedule_callback", {"when": agent.callback}).verdict == "deny":
        tell(draft, "transfer", "denied", decision)


def _is_reaching(draft: Draft) -> bool:
    """A person is being reached already: asking twice makes it no second transfer."""
    return any(item.grant.action in ("transfer", "schedule_callback") for item in draft.grants.open.values())


def submit_own(draft: Draft, action: str, args: Arguments) -> Decision:
    """A request of the kernel itself, in the name of the role that speaks."""
    request = Request(id=f"kernel:{draft.next_seq()}", action=action, args=args, principal=draft.identity.agent)
    return submit(draft, request)


def answer(draft: Draft, request: Request, decision: Decision) -> None:
    """Tell the asker what became of the request, with all reasons."""
    _answer(draft, request, _STATUS[decision.verdict], decision)
    if request.action == "place_call":
        hang_up(draft, "not_permitted")
    elif request.turn is not None and request.turn == draft.floor.answering:
        consult(draft)


def _answer(draft: Draft, request: Request, status: ToolStatus, decision: Decision | None = None) -> None:
    if request.id.startswith("kernel:"):
        return
    reasons = decision.reasons if decision else ()
    offer = next((reason.offer for reason in reasons if reason.offer), None)
    draft.put(AnswerTool(request=request.id, action=request.action, status=status, reasons=reasons, offer=offer))


def tell(draft: Draft, action: str, status: str, decision: Decision | None = None) -> None:
    """Put an outcome into the model's context and let it speak."""
    draft.put(TellModel(action=action, status=status, reasons=decision.reasons if decision else ()))
    consult(draft)


def consult(draft: Draft) -> None:
    """Let the model go on, unless the call is ending."""
    if draft.identity.ending or draft.identity.ended:
        return
    draft.ask_model()
    draft.put(ConsultModel(turn=draft.turn.number, heard=""))
    draft.start_timer("model", MODEL_DEADLINE_MS)


MODEL_DEADLINE_MS: Final = 9_000
"""Backstop over the edge's own deadlines: the caller never waits longer for a first sentence."""


def on_receipt(draft: Draft, event: ReceiptReturned) -> None:
    """An effect ended: settle its grant and let the model hear of it."""
    opened = draft.grants.open.get(event.grant)
    if opened is None:
        return
    for value in event.detail.values():
        if not _OPAQUE.fullmatch(str(value)):
            draft.heard_claims |= values(draft.release.reader, str(value))
    settle(draft, opened, event.outcome, event.detail)


def withdraw(draft: Draft, opened: OpenGrant) -> None:
    """Take back a grant that no effector holds yet: nothing has happened. What follows is the caller's to say."""
    _close(draft, opened, "refused")
    if opened.request.startswith("kernel:"):
        return
    if opened.answered:
        draft.put(TellModel(action=opened.grant.action, status="refused"))
    else:
        draft.put(AnswerTool(request=opened.request, action=opened.grant.action, status="refused"))


def withdraw_unspent(draft: Draft) -> None:
    """Take back every grant that no effector holds yet."""
    for opened in tuple(draft.grants.open.values()):
        if not opened.handed:
            withdraw(draft, opened)


def _close(draft: Draft, opened: OpenGrant, outcome: Outcome) -> None:
    """A grant is open no more; its count comes back only where it is certain that nothing happened."""
    action = opened.grant.action
    draft.grants = replace(draft.grants, open={k: v for k, v in draft.grants.open.items() if k != opened.grant.id})
    draft.cancel_timer(f"spend:{opened.grant.id}")
    if outcome in ("refused", "failed"):
        counts = {**draft.grants.minted, action: max(0, draft.grants.minted.get(action, 0) - 1)}
        minted_at = {name: at_ms for name, at_ms in draft.grants.minted_at_ms.items() if name != action}
        draft.grants = replace(draft.grants, minted=counts, minted_at_ms=minted_at)


def settle(draft: Draft, opened: OpenGrant, outcome: Outcome, detail: dict[str, Value]) -> None:
    """The effect of a grant has ended: close it, learn from it, go on."""
    _close(draft, opened, outcome)
    if outcome == "done":
        draft.know(f"done.{opened.grant.action}", True)
        for value in opened.grant.args.values():
            draft.heard_claims |= values(draft.release.reader, str(value))
    _after_effect(draft, opened, outcome, detail)


def _after_effect(draft: Draft, opened: OpenGrant, outcome: Outcome, detail: dict[str, Value]) -> None:
    action = opened.grant.action
    if action == "place_call":
        if outcome != "done":
            hang_up(draft, "not_dialled")
        return
    if action == "leave_voicemail":
        hang_up(draft, "voicemail_left" if outcome == "done" else "voicemail_failed")
        return
    if action == "transfer":
        _after_transfer(draft, opened, outcome)
        return
    if opened.request.startswith("kernel:"):
        if action == "schedule_callback":
            line = "callback.done" if outcome == "done" else "trouble"
            end_politely(draft, "callback_scheduled" if outcome == "done" else "callback_failed", line)
        return
    if opened.answered:
        draft.put(TellModel(action=action, status=outcome, result=detail))
    else:
        draft.put(AnswerTool(request=opened.request, action=action, status=outcome, result=detail))
    consult(draft)


def _after_transfer(draft: Draft, opened: OpenGrant, outcome: Outcome) -> None:
    without_sound = "transfer" in draft.timers
    draft.cancel_timer("transfer")
    if outcome == "done" or without_sound:
        hang_up(draft, _TRANSFERRED.get(outcome, "transfer_failed"))
        return
    if not draft.identity.ending:
        end_politely(draft, "transfer_failed", "transfer.failed")

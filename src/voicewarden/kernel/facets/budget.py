"""The token budget: every inference is reserved before it starts and settled after, per turn and per call.

In: `TokensReserved`, `TokensSpent`. Out: how many tokens an inference may produce; an ending when the call's are used
up.
"""

from typing import Final

from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import patience, silence
from voicewarden.kernel.facets.ending import end_politely
from voicewarden.kernel.facets.speech import falter
from voicewarden.kernel.gate import Request, deny_reason, permit, refuse
from voicewarden.model.decision import Reason
from voicewarden.model.directive import AnswerInference
from voicewarden.model.event import TokensReserved, TokensSpent

_SMALLEST_ANSWER: Final = 8
"""Tokens under which no sentence can be finished: rather none than half a sentence."""


def on_reserved(draft: Draft, event: TokensReserved) -> None:
    """An inference wants to start: give what is left, or refuse it."""
    request = Request(
        id=f"inference:{event.inference}", action="speak", args={"tokens": event.tokens},
        principal=draft.identity.agent,
    )  # fmt: skip
    reasons = _reasons(draft)
    if reasons:
        refuse(draft, request, reasons)
        draft.put(AnswerInference(inference=event.inference, tokens=0))
        if any(reason.rule == "kernel.not_consulted" for reason in reasons):
            return
        draft.floor = replace(draft.floor, thinking=False, consulted=False)
        draft.cancel_timer("model")
        if any(reason.rule == "kernel.budget.per_call" for reason in reasons):
            end_politely(draft, "budget")
        elif not draft.floor.spoke and not patience.says_something(draft):
            falter(draft)
        else:
            silence.arm(draft)
        return
    allowed = min(event.tokens, _left(draft))
    newest = max(draft.floor.generation, event.inference)
    draft.floor = replace(draft.floor, generation=newest, consulted=False, spoke=False)
    permit(draft, request)
    reserved = {**draft.budget.reserved, event.inference: allowed}
    draft.budget = replace(draft.budget, reserved=reserved)
    draft.put(AnswerInference(inference=event.inference, tokens=allowed))


def _left(draft: Draft) -> int:
    rules = draft.release.policy.policy.budget
    held = sum(draft.budget.reserved.values())
    return min(
        rules.per_turn_tokens - draft.budget.turn_spent - held, rules.per_call_tokens - draft.budget.spent - held
    )


def _reasons(draft: Draft) -> list[Reason]:
    identity, rules = draft.identity, draft.release.policy.policy.budget
    if identity.ending or identity.ended or identity.fault or draft.value("paused") is True:
        return [deny_reason("ending", "call", "is going on", identity.ending or identity.fault or "paused")]
    if draft.floor.answering is None:
        return [deny_reason("not_consulted", "model", "was asked for an answer that is still wanted", "not asked")]
    held = sum(draft.budget.reserved.values())
    reasons = []
    for rule, most, spent in (
        ("per_call", rules.per_call_tokens, draft.budget.spent),
        ("per_turn", rules.per_turn_tokens, draft.budget.turn_spent),
    ):
        if most - spent - held < _SMALLEST_ANSWER:
            reasons.append(deny_reason(f"budget.{rule}", "tokens", f"at most {most}", str(spent + held)))
    return reasons


def on_spent(draft: Draft, event: TokensSpent) -> None:
    """Settle an inference; an interrupted one is charged like any other."""
    reserved = {k: v for k, v in draft.budget.reserved.items() if k != event.inference}
    draft.budget = replace(
        draft.budget, reserved=reserved, spent=draft.budget.spent + event.tokens,
        turn_spent=draft.budget.turn_spent + event.tokens,
    )  # fmt: skip


def new_turn(draft: Draft) -> None:
    """The caller has the floor: the next answer has a turn's budget again."""
    draft.budget = replace(draft.budget, turn_spent=0)

"""Negative controls: kernels that are broken on purpose, each in one place. A check that misses them finds nothing.

In: a name of `CONTROLS`. Out: a context in which the real step runs with that part broken. Called by `report` and
tests, never in a call: the change lives in this process, as long as the context does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from voicewarden.kernel import gate
from voicewarden.kernel.draft import Draft, replace
from voicewarden.kernel.facets import actions, answers, call, question, turn
from voicewarden.kernel.gate import Request
from voicewarden.kernel.state import Pending
from voicewarden.model.action import Consent
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import SpendGrant


class Control(NamedTuple):
    """One broken kernel: what is wrong with it, the scene that shows it, and the promises of which one must break."""

    about: str
    scene: str
    promises: tuple[str, ...]
    # Any: whatever stands in that place of the kernel.
    places: tuple[tuple[Any, str, Any], ...]


def _mint_and_keep_the_yes(draft: Draft, request: Request, decision: Decision, **more: bool) -> Grant:
    facts = draft.facts
    grant = gate.mint(draft, request, decision, **more)
    draft.facts = facts
    return grant


def _hand_without_looking(draft: Draft, grant: str) -> None:
    opened = draft.grants.open.get(grant)
    if opened is None or opened.handed:
        return
    draft.cancel_timer(f"spend:{grant}")
    draft.grants = replace(draft.grants, open={**draft.grants.open, grant: replace(opened, handed=True)})
    draft.put(SpendGrant(grant=grant))


def _hand_and_forget(draft: Draft, grant: str) -> None:
    if grant in draft.grants.open:
        draft.put(SpendGrant(grant=grant))


def _void_nothing(draft: Draft) -> None:
    pass


def _allow_what_is_denied(draft: Draft, request: Request) -> Decision:
    decision = gate.decide(draft, request)
    is_denied = decision.verdict == "deny" and request.action in draft.release.policy.policy.actions
    return replace(decision, verdict="allow") if is_denied else decision


def _count_every_answer(draft: Draft, pending: Pending, answer: answers.Answer) -> Consent:
    return answer.kind


def _same_for_all(value: object) -> str:
    return "0" * 64


_start_timer = Draft.start_timer


def _start_no_answer_timer(draft: Draft, timer: str, after_ms: int) -> None:
    if timer != "answer":
        _start_timer(draft, timer, after_ms)


def _opt_out_without_lowering(draft: Draft) -> None:
    if draft.value("opted_out") is not True:
        draft.know("opted_out", True)


CONTROLS: Final[dict[str, Control]] = {
    "yes-kept": Control(
        "a grant does not use the yes up", "questions", ("own_yes",),
        ((actions, "mint", _mint_and_keep_the_yes),),
    ),
    "version-kept": Control(
        "lowering authority does not make older grants void", "orders", ("version", "lowered"),
        ((Draft, "lower", _void_nothing),),
    ),
    "grants-kept": Control(
        "lowering neither counts nor takes back what waits", "orders", ("version", "lowered"),
        ((call, "lower", _void_nothing),),
    ),
    "version-unread": Control(
        "a grant goes to its effector whatever its version", "strangers", ("live", "lowered"),
        ((actions, "hand_to_effector", _hand_without_looking),),
    ),
    "handed-twice": Control(
        "a grant that was handed over is handed over again", "orders", ("once",),
        ((actions, "hand_to_effector", _hand_and_forget),),
    ),
    "question-kept": Control(
        "other arguments do not make the open question void", "questions", ("own_yes",),
        ((question, "void", _void_nothing),),
    ),
    "digest-unread": Control(
        "a yes to some arguments counts for all", "questions", ("own_yes", "allowed"),
        ((gate, "digest_of", _same_for_all),),
    ),
    "early-yes": Control(
        "a yes counts however unsure it is and whenever it began", "questions", ("own_yes",),
        ((answers, "_counted", _count_every_answer),),
    ),
    "denied-granted": Control(
        "what was denied is granted", "questions", ("allowed", "own_yes"),
        ((actions, "decide", _allow_what_is_denied),),
    ),
    "no-deadline": Control(
        "an answer is awaited for ever", "questions", ("question", "alive"),
        ((Draft, "start_timer", _start_no_answer_timer),),
    ),
    "opt-out-unheard": Control(
        "an opt-out is noted and lowers nothing", "orders", ("version", "stopped"),
        ((turn, "opt_out", _opt_out_without_lowering),),
    ),
}  # fmt: skip


@contextmanager
def broken_kernel(name: str) -> Iterator[Control]:
    """Run the kernel with one part broken, and mend it again."""
    control = CONTROLS[name]
    whole = [(place, attribute, getattr(place, attribute)) for place, attribute, _ in control.places]
    try:
        for place, attribute, broken in control.places:
            setattr(place, attribute, broken)
        yield control
    finally:
        for place, attribute, original in whole:
            setattr(place, attribute, original)

"""What came of something that was told to a call: decisions, grants, and what to do and to tell the model now.

Made by `Call`; read by the loop around it.
"""

import msgspec

from voicewarden.kernel.draft import Output
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.directive import AnswerTool, ConsultModel, Directive, DirectiveBase, TellModel


class _Followed(msgspec.Struct, frozen=True, kw_only=True):
    """What followed, in order."""

    grants: tuple[Grant, ...] = ()
    """Everything that may be done now, each once; look at `action` before doing one."""
    directives: tuple[Directive, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the model should be told, as JSON: the answers to its tool calls and what became of earlier ones."""
        return tuple(_note(item) for item in self.directives if isinstance(item, AnswerTool | TellModel))

    @property
    def model_may_speak(self) -> bool:
        """Whether it is the model's turn now; while a question waits for the person, it is not."""
        return any(isinstance(item, ConsultModel) for item in self.directives)


class Outcome(_Followed, frozen=True, kw_only=True):
    """What a request led to."""

    decision: Decision

    @property
    def grant(self) -> Grant | None:
        """The permission for exactly what was asked; None in every case but an allow."""
        named = self.decision.action
        return next((grant for grant in self.grants if grant.action == named and not grant.escape), None)


class Answer(_Followed, frozen=True, kw_only=True):
    """What anything else led to: the person's words, a key, an approval, the end of an effect."""

    decision: Decision | None = None
    """The last verdict on an action, if one was asked for."""

    @property
    def grant(self) -> Grant | None:
        """What may be done now, if anything: usually what the person has just agreed to."""
        return next((grant for grant in self.grants if not grant.escape), None)


def outcome_of(decision: Decision, outputs: tuple[Output, ...]) -> Outcome:
    """The outcome of a request whose step put these out."""
    return Outcome(decision=decision, grants=_grants(outputs), directives=_directives(outputs))


def answer_of(outputs: tuple[Output, ...]) -> Answer:
    """The outcome of one or more other steps."""
    decisions = [item for item in outputs if isinstance(item, Decision) and item.action != "speak"]
    last = decisions[-1] if decisions else None
    return Answer(decision=last, grants=_grants(outputs), directives=_directives(outputs))


def _grants(outputs: tuple[Output, ...]) -> tuple[Grant, ...]:
    return tuple(item for item in outputs if isinstance(item, Grant))


def _directives(outputs: tuple[Output, ...]) -> tuple[Directive, ...]:
    return tuple(item for item in outputs if isinstance(item, DirectiveBase))


def _note(item: AnswerTool | TellModel) -> str:
    wanting = [f"{r.fact} must be: {r.needed} (found: {r.found})" for r in item.reasons if r.verdict != "allow"]
    body: dict[str, object] = {"action": item.action, "status": item.status, "reasons": wanting}
    if item.result:
        body["result"] = item.result
    if isinstance(item, AnswerTool) and item.offer:
        body["offer"] = item.offer
    return msgspec.json.encode(body).decode()

"""What the onlooker notes of the kernel's outputs: questions that are put, other requests, roles, grants that end.

In: what was known, and what a step put out. Out: what is known after it. Called by `invariants`.
"""

from collections.abc import Sequence

from voicewarden.kernel.arguments import spoken_arguments
from voicewarden.kernel.draft import Output, replace
from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.model import event as events
from voicewarden.model.canonical import digest_of
from voicewarden.model.decision import Decision
from voicewarden.model.directive import Speak, SwitchAgent
from voicewarden.proofs.model_check.watch import Asked, Watch, lowered


def note_question(watch: Watch, release: Compiled, outputs: Sequence[Output], after: State) -> Watch:
    """A question that this step puts to the caller: older answers to the same action are worth nothing from here on."""
    if after.consent.pending is None and not any(isinstance(item, Speak) for item in outputs):
        return watch
    decision: Decision | None = None
    spoken: list[Speak] = []
    for output in outputs:
        if isinstance(output, Decision):
            decision = output if output.verdict == "confirm" else decision
        elif isinstance(output, Speak) and output.purpose == "question":
            spoken.append(output)
    if not spoken or decision is None:
        return watch
    unheard = tuple(item.sentence for item in spoken[: _last_argument(release, decision, spoken, after) + 1])
    yeses = tuple(item for item in watch.yeses if item.action != decision.action)
    asked = Asked(action=decision.action, digest=decision.digest, unheard=unheard)
    return replace(watch, asked=asked, yeses=yeses)


def _last_argument(release: Compiled, decision: Decision, spoken: list[Speak], after: State) -> int:
    """Index of the last sentence in which an argument is said; the last of all where that can't be told."""
    pending, rule = after.consent.pending, release.policy.policy.actions[decision.action]
    if pending is None or digest_of(pending.args) != decision.digest:
        return len(spoken) - 1
    said = spoken_arguments(release.data, rule, pending.args)
    values = [value for name, value in said.items() if name in rule.read_back]
    holding = [index for index, item in enumerate(spoken) if any(value in item.text for value in values)]
    return holding[-1] if holding else len(spoken) - 1


def note_request(watch: Watch, event: events.Event, outputs: Sequence[Output]) -> Watch:
    """Another request than the one that was asked about makes the question void, unless it came too late itself."""
    if not isinstance(event, events.ActionRequested) or watch.asked is None or event.action == "hand_over":
        return watch
    first = next((item for item in outputs if isinstance(item, Decision)), None)
    if first is None or (first.action, first.digest) == (watch.asked.action, watch.asked.digest):
        return watch
    late = any(reason.rule in ("kernel.stale_turn", "kernel.tool_calls") for reason in first.reasons)
    return watch if late else replace(watch, asked=None)


def note_role(watch: Watch, outputs: Sequence[Output]) -> Watch:
    """Another role speaks: neither answers nor approvals nor open grants travel."""
    if not any(isinstance(item, SwitchAgent) for item in outputs):
        return watch
    return replace(watch, asked=None, yeses=(), approved=(), live=lowered(watch))


def approval(watch: Watch, action: str, digest: str) -> str:
    """The approval that a grant of this would rest on; empty where there is none."""
    return next((key for key in (f"{action}:{digest}", f":{digest}") if key in watch.approved), "")


def note_ended(watch: Watch, after: State) -> Watch:
    """Grants that have ended can't be spent any more: whatever names them later names no live grant."""
    if not watch.live:
        return watch
    live = tuple(item for item in watch.live if item.grant in after.grants.open)
    return watch if len(live) == len(watch.live) else replace(watch, live=live)

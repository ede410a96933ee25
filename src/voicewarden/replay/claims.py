"""Whether the proof that compares two policies says that a flip was possible.

In: flips, the recorded policies they belong to, and the other one. Out: a claim for each change, and contradictions: a
flip that the proof rules out is a fault in one of the two, never a finding about a call. Called by `voicewarden whatif`
where the solver is installed.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from voicewarden.model.action import SEVERITY
from voicewarden.policy.ast import Policy
from voicewarden.replay.whatif import NOT_ASKED, CallWhatIf, Flip

if TYPE_CHECKING:
    from voicewarden.proofs.diff import Diff

Claim = Literal[
    "proved by the rules", "by a setting", "by how often it was asked", "by the stage alone", "impossible"
]  # fmt: skip
"""The rules of this action really widen or narrow that way; something else of the policy changed, which the proof names
but does not follow; a question that was used up is not needed, or needed now; the stage, which lets it happen under
neither policy, denies before or after the question, which the proof does not count as a difference; nothing explains
it.
"""
_MILDER: Final = frozenset({"widens", "incomparable"})
_STRICTER: Final = frozenset({"narrows", "incomparable"})
_AFTER_THE_RULES: Final[dict[str, Claim]] = {
    "kernel.asked_enough": "by how often it was asked", "kernel.refused_before": "by how often it was asked",
    "kernel.stage": "by the stage alone",
}  # fmt: skip
"""What the gate looks at once the rules have spoken: other rules, and it is another of these that decides."""


class Contradiction(msgspec.Struct, frozen=True):
    """A flip that can't be: please report it."""

    flip: Flip
    claimed: str


class Claims:
    """The proofs of every pair of policies that calls are compared under."""

    def __init__(self, recorded: Mapping[str, Policy], other: Policy) -> None:
        """`recorded` is the policies that decided in earnest, by content hash. Raises MissingPart without a solver."""
        from voicewarden.proofs.diff import diff

        self._diffs = {name: diff(policy, other) for name, policy in recorded.items()}

    def claim(self, flip: Flip, policy: str) -> Claim:
        """What the proof says about one flip."""
        found = self._diffs[policy]
        relation = found.actions[flip.action].verdict if flip.action in found.actions else "equivalent"
        if flip.old != NOT_ASKED and flip.new != NOT_ASKED and relation in _directions(flip):
            return "proved by the rules"
        return _explanation(flip, found)

    def contradictions(self, calls: Iterable[CallWhatIf]) -> tuple[Contradiction, ...]:
        """Every flip that the proof rules out."""
        return tuple(
            Contradiction(flip, self._told(flip, call.policy))
            for call in calls for flip in call.flips if self.claim(flip, call.policy) == "impossible"
        )  # fmt: skip

    def _told(self, flip: Flip, policy: str) -> str:
        found = self._diffs[policy].actions.get(flip.action)
        return f"{flip.action} is {found.verdict if found else 'governed by settings, of which none differs'}"


def _directions(flip: Flip) -> frozenset[str]:
    return _MILDER if SEVERITY[flip.new] < SEVERITY[flip.old] else _STRICTER


def _explanation(flip: Flip, found: "Diff") -> Claim:
    """What else than the rules of the action itself can make it flip."""
    action = found.actions.get(flip.action)
    follows = NOT_ASKED in (flip.old, flip.new) and any(one.verdict != "equivalent" for one in found.actions.values())
    if found.settings or (action is not None and action.changes) or follows:
        return "by a setting"
    if action is not None and action.verdict != "equivalent" and "allow" not in (flip.old, flip.new):
        return next((_AFTER_THE_RULES[rule] for rule in flip.rules if rule in _AFTER_THE_RULES), "impossible")
    return "impossible"

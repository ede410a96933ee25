"""Why a rule is there and who answers for it: the policy's own words, and ours for what the kernel itself demands.

In: a release, or none when the ledger does not hold it. Out: `Rules`. Used by the call report.
"""

from typing import Final

import msgspec

from voicewarden.kernel.release import Release, decode_release
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerError

BUILT_IN_OWNER: Final = "built in"
_BUILT_IN: Final = {
    "kernel.not_started": "Nothing is allowed before the call has begun.",
    "kernel.fault": "A call that can't vouch for its own state must not act.",
    "kernel.ending": "A call that is ending starts nothing new.",
    "kernel.paused": "A person paused all calls.",
    "kernel.revoked": "A person took the right to act away.",
    "kernel.opted_out": "Somebody who asked not to be called is left alone.",
    "kernel.stale_turn": "The caller has spoken since: what was thought before that is out of date.",
    "kernel.default_deny": "What no rule allows is denied.",
    "kernel.role": "Each action names the roles that may ask for it.",
    "kernel.arguments": "Arguments must be of their declared type before anything is decided on them.",
    "kernel.refused_before": "The caller said no to exactly this; asking again would be pressure.",
    "kernel.asked_enough": "Asking again and again is pressure.",
    "kernel.stage": "The stage of autonomy limits what even a met rule may lead to.",
    "kernel.dropped": "The model's answer was cancelled before this sentence.",
    "kernel.question_open": "While a question waits for its answer, nobody talks over it.",
    "kernel.not_opened": "Nobody is spoken to before it is known who answered.",
    "kernel.tool_calls": "A limit on tool calls in a turn keeps a model from running in circles.",
    "kernel.cooldown": "The policy sets a pause between two actions of this kind.",
    "kernel.must_say": "The policy names a line that must be heard before this.",
    "kernel.repeats": "A model that says the same again has lost its thread.",
    "kernel.not_consulted": "A model speaks when it is asked, and for as long as its answer is wanted.",
    "kernel.budget.per_call": "The call's token budget keeps an agent from talking without end.",
    "kernel.budget.per_turn": "The turn's token budget keeps answers short.",
    "speech.facts": "Figures may only be said when they were approved, said by the caller or returned by a tool.",
}
_FAMILIES: Final = (
    ("speech.refuse.", "Sentences of this kind are never said by an agent."),
    ("speech.must_say.", "What must be said was not heard in time: it comes before any other word."),
)


class About(msgspec.Struct, frozen=True):
    """Why, and who answers for it."""

    why: str
    owner: str


class Rules:
    """Rules by id; knows the kernel's own always and the policy's where the release could be read."""

    def __init__(self, release: Release | None, note: str = "") -> None:
        self.release = release
        self.note = note
        """What is missing, in words; empty when all is there."""
        self._rules: dict[str, About] = {}
        for action in release.policy.actions.values() if release else ():
            for rule in action.require:
                self._rules[rule.id] = About(rule.why, rule.owner or action.owner)
            for limit in action.limits:
                self._rules[limit.id] = About(limit.why, limit.owner or action.owner)

    def about(self, rule: str) -> About | None:
        """Why this rule is there, or None when it is not known."""
        found = self._rules.get(rule)
        if found is not None:
            return found
        why = _BUILT_IN.get(rule) or next((text for start, text in _FAMILIES if rule.startswith(start)), "")
        return About(why, BUILT_IN_OWNER) if why else None

    def action(self, name: str) -> About | None:
        """Why an action is guarded."""
        found = self.release.policy.actions.get(name) if self.release else None
        return About(found.why, found.owner) if found else None

    @property
    def bands_permille(self) -> tuple[int, int]:
        """Confidence from which a deciding word counts, and under which it was not heard (the policy's, or usual)."""
        band = self.release.policy.hearing.decide if self.release else None
        return (band.accept_permille, band.confirm_permille) if band else (600, 350)


def read_rules(ledger: LedgerView, release: str) -> Rules:
    """The rules of a release by its hash; says so when the ledger does not hold it or it can't be read."""
    if not release:
        return Rules(None)  # without a beginning of the stream: that is said already
    try:
        return Rules(decode_release(ledger.get_blob(release)))
    except LedgerError:
        missing = "is not beside the ledger"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        missing = "can't be read by this version"
    return Rules(None, f"Release {release[:12]} {missing}: reasons are shown without why and owner.")

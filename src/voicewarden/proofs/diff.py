"""The difference of two policies: per action how their verdicts relate, with a call that shows what widens.

In: two policies, and a release to play calls in. Out: a `Diff`. Called by `voicewarden policy diff` and by whoever asks
for a role's approval of what widens.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.model.action import STAGES, Stage, Value, Verdict
from voicewarden.policy.ast import Policy
from voicewarden.proofs.action_changes import Change, action_changes
from voicewarden.proofs.context import NEVER_DENIED, STOPPERS
from voicewarden.proofs.likely import Hints
from voicewarden.proofs.plans import is_on_record
from voicewarden.proofs.reach import BOUNDS, Reached, Search, Target, governed_by
from voicewarden.proofs.settings_diff import Setting, settings_diff
from voicewarden.proofs.story import VERDICTS, because, seconds, shown, tell
from voicewarden.proofs.witness import Essence, Relation, Witness, Witnesses

_NO_RELEASE: Final = "no release was given to play a call in"
_MOST_EXAMPLES: Final = 4
_WOULD: Final[dict[Verdict, str]] = {
    "allow": "would be allowed", "confirm": "would have to be confirmed first",
    "escalate": "would be left to a person", "deny": "would be refused",
}  # fmt: skip
_SITUATION: Final = {"minted", "stage", "role", "approved"}


class Counterexample(msgspec.Struct, frozen=True):
    """One situation in which the new policy is milder."""

    facts: dict[str, Value | None]
    """What matters; None is unknown."""
    ages_ms: dict[str, int]
    """Ages that matter."""
    situation: dict[str, Value]
    """What matters beside facts: stage, role, minted, since_last_ms, approved."""
    old: Verdict
    new: Verdict
    call: tuple[str, ...] | None
    """A call that arrives there, told in lines; None where none was found."""
    told: str
    """The situation in one line, and why no call is shown where there is none."""


class ActionDiff(msgspec.Struct, frozen=True):
    """How the verdicts on one action relate."""

    verdict: Relation
    counterexample: Counterexample | None = None
    further: tuple[Counterexample, ...] = ()
    """Counterexamples that rest on other rules than the first."""
    changes: tuple[Change, ...] = ()
    """What the verdict does not show."""


class Diff(msgspec.Struct, frozen=True):
    """The whole difference."""

    actions: dict[str, ActionDiff]
    settings: tuple[Setting, ...]

    @property
    def widens(self) -> bool:
        """Whether anything is allowed more than before, or can't be compared."""
        return any(item.verdict in ("widens", "incomparable") for item in self.actions.values()) or any(
            setting.verdict == "widens" for setting in self.settings
        )


def diff(
    old: Policy, new: Policy, *, release: Compiled | None = None,
    defaults: tuple[Mapping[str, Value], Mapping[str, Value]] | None = None,
) -> Diff:  # fmt: skip
    """Compare two policies. Without a release nothing is played, so counterexamples have no call."""
    comparison = _Comparison(old, new, release)
    names = dict.fromkeys((*old.actions, *new.actions))
    return Diff({name: comparison.action(name) for name in names}, settings_diff(old, new, defaults))


class _Comparison:
    """One pair of policies, with what is made once for all actions."""

    def __init__(self, old: Policy, new: Policy, release: Compiled | None) -> None:
        self._old = old
        self._new = new
        self._release = release
        self._witnesses = Witnesses(old, new, _hints(release))
        self._played: tuple[Compiled, Compiled] | None = None

    def action(self, name: str) -> ActionDiff:
        """The difference in one action."""
        if name not in self._new.actions:
            return ActionDiff("equivalent" if name in NEVER_DENIED else "narrows")
        relation = self._witnesses.relation(name)
        changes = action_changes(self._old.actions[name], self._new.actions[name]) if name in self._old.actions else ()
        examples = self._counterexamples(name) if relation in ("widens", "incomparable") else []
        shown = examples[0] if examples else None
        whole = _with_changes(relation, changes)
        if shown is None and whole in ("widens", "incomparable"):
            shown = _of_changes(changes)
        return ActionDiff(whole, shown, tuple(examples[1:]), changes)

    def _counterexamples(self, action: str) -> list[Counterexample]:
        """One for each rule or group of rules that was loosened, as far as they can be told apart; those with a call
        first.
        """
        found: list[Counterexample] = []
        met: frozenset[str] = frozenset()
        for _ in range(_MOST_EXAMPLES):
            shown, blamed = self._counterexample(action, met)
            if shown is not None and shown not in found:
                found.append(shown)
            if not blamed:
                break
            met |= blamed
        if not found:
            raise AssertionError("z3 found a difference and no example of it")
        return sorted(found, key=lambda example: example.call is None)

    def _counterexample(self, action: str, met: frozenset[str]) -> tuple[Counterexample | None, frozenset[str]]:
        """An example in which the old rules in `met` hold, and the old rules that are not met in it."""
        first: tuple[Witness, Essence] | None = None
        for witness in self._witnesses.witnesses(action, met):
            essence = self._witnesses.essence(action, witness)
            first = first or (witness, essence)
            if self._release is None or not witness.in_a_call or self._is_nobody(witness, essence):
                break
            reached = self._search(self._release, action, witness, essence)
            if reached is not None:
                return self._shown(action, reached), witness.blamed
        return (None, frozenset()) if first is None else (self._unreached(*first, action), first[0].blamed)

    def _search(self, release: Compiled, action: str, witness: Witness, essence: Essence) -> Reached | None:
        if self._played is None:
            self._played = governed_by(release, self._old), governed_by(release, self._new)
        target = Target(witness.context, witness.new, frozenset(essence.facts), essence.ages)
        return Search(*self._played, action).find(target)

    def _shown(self, action: str, reached: Reached) -> Counterexample:
        """The situation that the call really arrived in, which may be another one than was looked for."""
        here = Witness(reached.context, *reached.verdicts, in_a_call=True)
        told = _situation(action, here, self._witnesses.essence(action, here))
        return msgspec.structs.replace(told, call=tuple(_told_call(action, reached)))

    def _unreached(self, witness: Witness, essence: Essence, action: str) -> Counterexample:
        example = _situation(action, witness, essence)
        if self._release is None:
            why = f"No call is shown: {_NO_RELEASE}."
        elif not witness.in_a_call:
            why = f"No call can arrive here: {self._impossible(witness, essence)}."
        elif "stage" in essence.others and witness.context.stage not in _hints(self._release).stages:
            why = f"No call arrives here: no agent of this release may go as far as the stage {witness.context.stage}."
        elif self._is_nobody(witness, essence):
            why = "No call arrives here: no agent of this release has another role than those that may ask already."
        else:
            why = f"No call was found that arrives here ({BOUNDS})."
        return msgspec.structs.replace(example, told=f"{example.told}. {why}")

    def _is_nobody(self, witness: Witness, essence: Essence) -> bool:
        """The role that asks matters, and no agent has it."""
        agents = self._release.data.agents if self._release else {}
        return "role" in essence.others and witness.context.role not in agents

    def _impossible(self, witness: Witness, essence: Essence) -> str:
        facts = {name: witness.context.facts.get(name, (None, 0))[0] for name in essence.facts}
        stopping = [name for name in STOPPERS if name in facts and facts[name] is None]
        if stopping:
            return f"{stopping[0]} is known in every call, and where it is true nothing is allowed anyway"
        unknown = [name for name, value in facts.items() if value is None and not is_on_record(name)]
        who = facts.get("answerer")
        if "message_ready" in facts and (who != "voicemail" or facts["message_ready"] is False):
            return "message_ready becomes true with a mailbox that records, and is unknown until then"
        if who is not None and self._new.answerer.when.get(str(who)) == "end_call":
            return f"a call ends at once where answerer is {who}"
        if facts.get("direction") == "inbound" and who not in (None, "human"):
            return "whoever calls is taken for a person from the answer on"
        if who == "unknown":
            return "nothing is disclosed before it is known who answered"
        if unknown:
            return f"{unknown[0]} is known in every call"
        return "these facts exclude each other in a call"


def _hints(release: Compiled | None) -> Hints:
    if release is None:
        return Hints()
    agents = release.data.agents
    highest = max((STAGES.index(agent.stage) for agent in agents.values()), default=0)
    stages: tuple[Stage, ...] = STAGES[: highest + 1]
    return Hints(tuple(agents), stages)


def _with_changes(relation: Relation, changes: tuple[Change, ...]) -> Relation:
    directions = {relation, *(change.verdict for change in changes)} - {"equivalent", "changed"}
    if directions <= {"widens"} or directions <= {"narrows"}:
        return "equivalent" if not directions else "widens" if "widens" in directions else "narrows"
    return "incomparable"


def _of_changes(changes: tuple[Change, ...]) -> Counterexample:
    """What widens although every request is decided as before."""
    told = "; ".join(change.what for change in changes if change.verdict == "widens")
    return Counterexample({}, {}, {}, "allow", "allow", None, f"Wherever it is allowed: {told}.")


def _situation(action: str, witness: Witness, essence: Essence) -> Counterexample:
    context = witness.context
    whole: dict[str, Value] = {
        "minted": context.minted, "stage": context.stage, "role": context.role, "approved": context.approved,
    }  # fmt: skip
    situation = {name: value for name, value in whole.items() if name in essence.others & _SITUATION}
    if "since_last" in essence.ages and context.since_last_ms is not None:
        situation["since_last_ms"] = context.since_last_ms
    facts = {name: context.facts[name][0] if name in context.facts else None for name in essence.facts}
    ages = {name: context.facts[name][1] for name in essence.facts if name in essence.ages and name in context.facts}
    told = _told_situation(action, facts, ages, situation, witness)
    return Counterexample(facts, ages, situation, witness.old, witness.new, None, told)


def _told_situation(
    action: str, facts: dict[str, Value | None], ages: dict[str, int], situation: dict[str, Value], witness: Witness
) -> str:
    parts = [
        f"{name} is {'unknown' if value is None else shown(value)}"
        + (f", {seconds(ages[name])} old" if ages.get(name) else "")
        for name, value in facts.items()
    ]
    if situation.get("minted"):
        times = int(situation["minted"])
        parts.append(f"{action} was granted " + ("once before" if times == 1 else f"{times} times before"))
    if "since_last_ms" in situation:
        parts.append(f"last {seconds(int(situation['since_last_ms']))} ago")
    if "role" in situation:
        parts.append(f"{situation['role'] or 'nobody'} asks")
    if "stage" in situation:
        parts.append(f"the stage is {situation['stage']}")
    if situation.get("approved"):
        parts.append("an operator approved it")
    where = f" where {', '.join(parts)}" if parts else ""
    return f"{action} is {VERDICTS[witness.new]} instead of {VERDICTS[witness.old]}{where}"


def _told_call(action: str, reached: Reached) -> list[str]:
    """The call in lines; the one that grants it says what the old policy would have done."""
    lines = tell(reached.moments)
    old = reached.old
    why = because(old)
    instead = f"under the old policy it {_WOULD[old.verdict]}" + (f": {why}" if why else "")
    ends = f" {action} is {VERDICTS[reached.new.verdict]}"
    for index in reversed(range(len(lines))):
        if ends in lines[index]:
            lines[index] = f"{lines[index]}; {instead}"
            break
    return lines


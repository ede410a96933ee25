"""Which calls a person should look at first, and why: findings with a weight and the moment that they are about.

In: one call as it is read for a report. Out: findings, heaviest first. The weights are ours: they order a list and
measure nothing. Used by the QA report.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from voicewarden.model.action import EFFECTLESS, SEVERITY, Consent
from voicewarden.model.event import HearingFaltered, ModelFaltered, SpeechFaltered
from voicewarden.replay.cases import Case
from voicewarden.replay.course import Stretch, longest_silence
from voicewarden.replay.english import reasons_in_words
from voicewarden.replay.entries import Entries
from voicewarden.replay.labels import Label
from voicewarden.replay.timeline import Timeline
from voicewarden.replay.unsettled import unsettled, unsettled_in_words
from voicewarden.replay.wording import duration, plain

UNSETTLED: Final = 1_000
"""Weight of an effect that nobody knows the outcome of: more than all else together that a call can have."""
LONG_GAP_MS: Final = 3_000
LONG_SILENCE_MS: Final = 8_000
_FAULTS: Final = frozenset({"kernel_fault", "lease_lost", "ledger_failed", "speech_failed", "model_failed"})
_POOR_ENDS: Final = frozenset(
    {"silence", "backstop", "not_understood", "budget", "longest", "transfer_failed", "transfer_unknown",
     "callback_failed", "voicemail_failed", "line_lost"}
)  # fmt: skip
_TRIED: Final = frozenset({"kernel.default_deny", "kernel.role", "kernel.arguments", "kernel.tool_calls"})
_FALTERS: Final = (
    (HearingFaltered, 10, "What the caller said could not be transcribed"),
    (ModelFaltered, 15, "The model failed"),
    (SpeechFaltered, 15, "A sentence could not be spoken"),
)


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason to look, in words that name nobody and quote nothing."""

    weight: int
    what: str
    seq: int = -1
    """The decision or record that it is about; -1 for the whole call."""
    at_ms: int = 0


def findings_of(
    entries: Entries, timeline: Timeline, cases: Sequence[Case], silences: Sequence[Stretch], gaps_ms: Sequence[int],
    *, burnt: frozenset[str], labels: Sequence[Label],
) -> tuple[Finding, ...]:  # fmt: skip
    """All reasons to look at a call."""
    found = (
        *_of_the_stream(entries, timeline), *_of_reviewers(labels, entries), *_of_effects(cases, timeline, burnt),
        *_of_consent(cases), *_of_the_model(cases), *_of_shadows(cases), *_of_waiting(silences, gaps_ms),
        *_of_falters(entries),
    )  # fmt: skip
    return tuple(sorted(found, key=lambda finding: (-finding.weight, finding.at_ms)))


def answers(cases: Iterable[Case], kind: Consent) -> dict[tuple[str, tuple[int, ...]], Case]:
    """Answers of one kind to questions: action and evidence, with the decision that met them first."""
    found: dict[tuple[str, tuple[int, ...]], Case] = {}
    for case in cases:
        for reason in case.decision.reasons:
            if "consent." in reason.fact and reason.evidence and re.search(rf"\b{kind}\b", reason.found):
                found.setdefault((case.decision.action, reason.evidence), case)
    return found


def _of_the_stream(entries: Entries, timeline: Timeline) -> Iterator[Finding]:
    for problem in entries.problems:
        yield Finding(100, problem)
    if timeline.ended in _FAULTS:
        yield Finding(60, f"A fault ended it: {plain(timeline.ended)}")
    elif timeline.ended in _POOR_ENDS:
        yield Finding(25, f"It did not end as a conversation does: {plain(timeline.ended)}")
    elif timeline.ended == "opt_out":
        yield Finding(20, "The person asked not to be called again: make sure that this was understood everywhere")
    elif not timeline.ended and entries.items:
        yield Finding(10, "No end is recorded: it is still running, or the worker died")


def _of_reviewers(labels: Sequence[Label], entries: Entries) -> Iterator[Finding]:
    for label in labels:
        if label.verdict == "wrong":
            at_ms = entries.by_seq[label.seq].record.at_ms
            yield Finding(50, f"{label.reviewer} found a decision wrong", label.seq, at_ms)


def _of_effects(cases: Sequence[Case], timeline: Timeline, burnt: frozenset[str]) -> Iterator[Finding]:
    for case in unsettled(cases, burnt.__contains__):
        yield Finding(UNSETTLED, unsettled_in_words(case, ended=bool(timeline.ended)), case.seq, case.at_ms)
    for case in cases:
        if case.receipt and case.receipt.outcome == "failed" and case.decision.action not in EFFECTLESS:
            yield Finding(30, f"“{plain(case.decision.action)}” was allowed and failed", case.seq, case.at_ms)
    persons = [case for case in cases if case.decision.action == "transfer" and case.weight == "action"]
    last = persons[-1] if persons else None
    settled = any(case.grant is not None and not _came_to_nothing(case) for case in persons)
    if last is not None and not settled:
        yield Finding(35, "A transfer to a person was asked for and did not come about", last.seq, last.at_ms)


def _came_to_nothing(case: Case) -> bool:
    """A receipt says that nothing was changed; done, and not knowing, are told otherwise."""
    return case.receipt is not None and case.receipt.outcome in ("refused", "failed")


def _of_consent(cases: Sequence[Case]) -> Iterator[Finding]:
    done = {case.decision.action: case for case in cases if case.receipt and case.receipt.outcome == "done"}
    unclear = answers(cases, "ambiguous")
    for action in dict.fromkeys(action for action, _ in unclear):
        if action in done:
            case = done[action]
            what = f"“{plain(action)}” was done after an answer that was not clear: listen to the yes"
            yield Finding(40, what, case.seq, case.at_ms)
        else:
            first = next(case for (name, _), case in unclear.items() if name == action)
            yield Finding(10, f"The answer about “{plain(action)}” was not clear", first.seq, first.at_ms)


def _of_the_model(cases: Sequence[Case]) -> Iterator[Finding]:
    held = [case for case in cases if case.weight == "held" and case.proposed]
    if held:
        what = f"The model wanted to say what it may not: {len(held)} {'sentence' if len(held) == 1 else 'sentences'}"
        yield Finding(min(15 + 5 * len(held), 30), what, held[0].seq, held[0].at_ms)
    for case in cases:
        tried = [reason for reason in case.decision.reasons if reason.rule in _TRIED]
        if case.weight == "action" and tried:
            what = f"The model tried {action_in_words(case)}. {reasons_in_words(tried)}"
            yield Finding(20, what, case.seq, case.at_ms)


def action_in_words(case: Case) -> str:
    """The action of a case; a name that no policy knows is the model's own text, and is not repeated."""
    unknown = any(reason.rule == "kernel.default_deny" for reason in case.decision.reasons)
    return "an action that the policy does not name" if unknown else f"“{plain(case.decision.action)}”"


def _of_shadows(cases: Sequence[Case]) -> Iterator[Finding]:
    for case in cases:
        for shadow in case.shadows:
            if SEVERITY[shadow.verdict] > SEVERITY[case.decision.verdict]:
                on_trial = f"the policy on trial ({shadow.source})"
                whose = "rules that only watch" if shadow.source == "rules" else on_trial
                what = f"“{plain(case.decision.action)}” went ahead where {whose} would have stopped it"
                yield Finding(25, what, case.seq, case.at_ms)


def _of_waiting(silences: Sequence[Stretch], gaps_ms: Sequence[int]) -> Iterator[Finding]:
    if gaps_ms and max(gaps_ms) >= LONG_GAP_MS:
        yield Finding(15, f"The caller waited {duration(max(gaps_ms))} for an answer")
    longest = longest_silence(silences)
    if longest is not None and longest.to_ms - longest.from_ms >= LONG_SILENCE_MS:
        length = duration(longest.to_ms - longest.from_ms)
        yield Finding(15, f"Nobody spoke for {length}", at_ms=longest.from_ms)


def _of_falters(entries: Entries) -> Iterator[Finding]:
    for kind, weight, text in _FALTERS:
        times = [entry for entry in entries.items if isinstance(entry.value, kind)]
        if times:
            first = times[0]
            often = f"{text}, {len(times)} times" if len(times) > 1 else text
            yield Finding(weight, often, first.seq, first.record.at_ms)

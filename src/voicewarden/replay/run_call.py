"""One call as the QA report counts it: how it ended, what was asked for and refused, by which rules, how fast.

In: the records of a call. Out: `CallFigures`, which holds no word that anybody said. Used by the QA report and kept in
its JSON, so that a later run can be compared with it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from voicewarden.model.event import CallerSpoke, CallerStartedSpeaking, CallerStoppedSpeaking, SentenceStarted
from voicewarden.replay.attention import Finding, answers, findings_of
from voicewarden.replay.cases import Case, read_cases
from voicewarden.replay.course import read_course
from voicewarden.replay.entries import Entries
from voicewarden.replay.labels import Label
from voicewarden.replay.timeline import read_timeline

UNKNOWN_ACTION: Final = "not named by the policy"
"""Stands for every action that no policy knows: its name is the model's own text."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often an action was asked for in a call, and what was said to it."""

    action: str
    allow: int = 0
    confirm: int = 0
    escalate: int = 0
    deny: int = 0
    done: int = 0


class CallFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call in figures."""

    call: str
    agent: str = ""
    direction: str = ""
    started_unix_ms: int = 0
    release: str = ""
    policy: str = ""
    length_ms: int = 0
    outcome: str = ""
    """Why it ended; empty where no record says so."""
    asked: tuple[Asked, ...] = ()
    refusals: dict[str, int] = {}
    """Rule to how many decisions it refused or sent to a person, actions and sentences alike."""
    questions: int = 0
    """Decisions that had to wait for the caller's yes."""
    ambiguous: int = 0
    """Answers that were not a clear yes."""
    unheard: int = 0
    """Questions to which no answer could be heard."""
    said: int = 0
    held: int = 0
    late: int = 0
    gaps_ms: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def score(self) -> int:
        """How much a person should look at this call."""
        return sum(finding.weight for finding in self.findings)


def figures_of(call: str, entries: Entries, *, burnt: frozenset[str], labels: Sequence[Label]) -> CallFigures:
    """Count one call."""
    timeline, cases = read_timeline(entries), read_cases(entries)
    gaps_ms = tuple(turn_gaps_ms(entries))
    silences = read_course(entries, timeline, ()).silences
    started = entries.started
    weights = Counter(case.weight for case in cases)
    return CallFigures(
        call=call, agent=started.agent if started else "", direction=started.direction if started else "",
        started_unix_ms=started.started_unix_ms if started else 0, release=started.release if started else "",
        policy=next((case.decision.policy for case in cases), ""), length_ms=timeline.length_ms,
        outcome=timeline.ended, asked=_asked(cases), refusals=_refusals(cases),
        questions=sum(case.weight == "action" and case.decision.verdict == "confirm" for case in cases),
        ambiguous=len(answers(cases, "ambiguous")), unheard=len(answers(cases, "none")), said=weights["said"],
        held=sum(case.weight == "held" and bool(case.proposed) for case in cases), late=weights["late"],
        gaps_ms=gaps_ms,
        findings=findings_of(entries, timeline, cases, silences, gaps_ms, burnt=burnt, labels=labels),
    )  # fmt: skip


def turn_gaps_ms(entries: Entries) -> Iterator[int]:
    """How long callers waited: from their last word to the first sound of the agent.

    Left out are turns that the agent did not answer before the caller spoke again. Where the transcriber gave no
    times, the moment counts at which the voice was found to have ended, which is some 200 ms later.
    """
    ended_ms: int | None = None
    word_ms: int | None = None
    for entry in entries.items:
        match entry.value:
            case CallerStartedSpeaking():
                ended_ms = word_ms = None
            case CallerStoppedSpeaking():
                ended_ms = entry.record.at_ms
            case CallerSpoke(words=words) if words:
                word_ms = words[-1].to_ms
            case SentenceStarted():
                since = word_ms if word_ms is not None else ended_ms
                if since is not None and entry.record.at_ms >= since:
                    yield entry.record.at_ms - since
                ended_ms = word_ms = None
            case _:
                pass


def _asked(cases: Sequence[Case]) -> tuple[Asked, ...]:
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        if case.weight == "action":
            unknown = any(reason.rule == "kernel.default_deny" for reason in case.decision.reasons)
            found = counts.setdefault(UNKNOWN_ACTION if unknown else case.decision.action, Counter())
            found[case.decision.verdict] += 1
            found["done"] += bool(case.receipt and case.receipt.outcome == "done")
    return tuple(Asked(action=action, **dict(found)) for action, found in counts.items())


def _refusals(cases: Sequence[Case]) -> dict[str, int]:
    rules: Counter[str] = Counter()
    for case in cases:
        if case.weight in ("action", "held") and case.decision.verdict in ("deny", "escalate"):
            rules.update({reason.rule for reason in case.decision.reasons if reason.verdict != "allow"})
    return dict(sorted(rules.items()))

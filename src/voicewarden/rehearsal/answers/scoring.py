"""How good a rule for who answered is: labels and verdicts with their moments in, rates and times out.

Called by `benchmarks/hearing.py` for ours and for the rules beside it, which are held to the same counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from voicewarden.model.action import AnswererVerdict
from voicewarden.rehearsal.answers.baselines import Judged
from voicewarden.rehearsal.answers.clip import Clip, Label
from voicewarden.rehearsal.answers.playing import Outcome, Verdict
from voicewarden.replay.interval import Rate, rate

TALKING: Final[frozenset[AnswererVerdict]] = frozenset({"voicemail", "menu", "screening", "unavailable"})
"""Machines that talk: the ones that can be taken for a person."""
NO_PERSON: Final[frozenset[AnswererVerdict]] = TALKING | {"fax", "busy"}
DEAD_AIR_MS: Final = 2_000
"""16 CFR 310.4(b)(1)(iv): a person who was not connected within two seconds of the greeting's end was abandoned."""


class Answer(msgspec.Struct, frozen=True):
    """One clip and what a rule made of it; `opened_at_ms` is None where nothing of ours would have been heard."""

    name: str
    label: Label
    verdicts: tuple[Verdict, ...]
    opened_at_ms: int | None

    @property
    def first(self) -> AnswererVerdict:
        """What was decided by the deadline."""
        return self.verdicts[0].verdict if self.verdicts else "unknown"

    @property
    def last(self) -> AnswererVerdict:
        """What it came to after revision."""
        return self.verdicts[-1].verdict if self.verdicts else "unknown"

    def at_ms(self, among: Iterable[AnswererVerdict]) -> int | None:
        """When one of these verdicts was reached first."""
        return next((one.at_ms for one in self.verdicts if one.verdict in among), None)


def ours(clip: Clip, outcome: Outcome) -> Answer:
    """What the product made of a clip."""
    return Answer(clip.name, clip.label, outcome.verdicts, outcome.opened_at_ms)


def theirs(clip: Clip, judged: Judged) -> Answer:
    """What another rule made of a clip. Giving up means to go on as with a person, as dialers do."""
    verdict: AnswererVerdict = "voicemail" if judged.opinion == "machine" else "human"
    opened = judged.at_ms if verdict == "human" else None
    return Answer(clip.name, clip.label, (Verdict(verdict, judged.at_ms),), opened)


class Score(msgspec.Struct, frozen=True):
    """The figures of one rule. Times are in ms and hold where the verdict was right."""

    people: int
    machines: int
    human_to_machine: Rate
    """People who were taken for a machine at any time, revised or not."""
    human_to_nobody: Rate
    """People who were given up as silence."""
    machine_to_human: Rate
    """Talking machines that passed for a person when the rule had to decide."""
    machine_to_human_in_the_end: Rate
    """The same after revision."""
    dead_air: Rate
    """People who would have heard nothing for more than two seconds after their greeting."""
    human_after_greeting_ms: tuple[int, ...]
    machine_after_onset_ms: tuple[int, ...]


def score(answers: Sequence[Answer]) -> Score:
    """Count one rule's answers."""
    people = [one for one in answers if one.label.verdict == "human"]
    machines = [one for one in answers if one.label.verdict in TALKING]
    return Score(
        people=len(people), machines=len(machines),
        human_to_machine=_share(one.at_ms(NO_PERSON) is not None for one in people),
        human_to_nobody=_share(one.last == "no_speech" for one in people),
        machine_to_human=_share(one.first not in NO_PERSON for one in machines),
        machine_to_human_in_the_end=_share(one.last not in NO_PERSON for one in machines),
        dead_air=_share(_has_dead_air(one) for one in people if one.label.greeting_end_ms is not None),
        human_after_greeting_ms=tuple(_human_times(people)),
        machine_after_onset_ms=tuple(_machine_times(machines)),
    )  # fmt: skip


def _share(found: Iterable[bool]) -> Rate:
    all_of_them = list(found)
    return rate(sum(all_of_them), len(all_of_them))


def _has_dead_air(one: Answer) -> bool:
    return one.opened_at_ms is None or one.opened_at_ms - (one.label.greeting_end_ms or 0) > DEAD_AIR_MS


def _human_times(people: Iterable[Answer]) -> Iterator[int]:
    """When people were known for people, counted from the end of their greeting; before it counts as at once."""
    for one in people:
        at_ms, end_ms = one.at_ms(("human",)), one.label.greeting_end_ms
        if at_ms is not None and end_ms is not None:
            yield max(0, at_ms - end_ms)


def _machine_times(machines: Iterable[Answer]) -> Iterator[int]:
    """When machines were known for machines, counted from their first word."""
    for one in machines:
        at_ms, onset_ms = one.at_ms(NO_PERSON), one.label.onset_ms
        if at_ms is not None and onset_ms is not None:
            yield at_ms - onset_ms


def confusion(answers: Iterable[Answer]) -> dict[AnswererVerdict, Counter[AnswererVerdict]]:
    """How often each class was taken for which, after revision."""
    table: dict[AnswererVerdict, Counter[AnswererVerdict]] = {}
    for one in answers:
        table.setdefault(one.label.verdict, Counter())[one.last] += 1
    return table


def by_kind(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    """The answers of each kind of perturbation; one that has two of them is in both."""
    found: dict[str, list[Answer]] = {}
    for one in answers:
        for kind in one.label.perturbation.kinds():
            found.setdefault(kind, []).append(one)
    return found

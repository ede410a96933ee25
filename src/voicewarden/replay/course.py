"""What ran beside the conversation: who answered as far as was known, silences, and how much of the budget was used.

In: the records of a call and, for who answered, every step of its replay. Out: `Course`. Used by the call report for
its lanes and by the QA report for its figures.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.kernel.state import State
from voicewarden.kernel.step import Step
from voicewarden.model.directive import AnswerInference, HangUp, Speak
from voicewarden.model.event import (
    CallEnded,
    CallerStartedSpeaking,
    CallerStoppedSpeaking,
    Event,
    TokensSpent,
)
from voicewarden.replay.entries import Entries
from voicewarden.replay.timeline import Segment, Sentence, Timeline

SHORTEST_SILENCE_MS: Final = 700
"""Shorter pauses are part of talking."""


class Stretch(msgspec.Struct, frozen=True):
    """A part of the call in which one thing held."""

    from_ms: int
    to_ms: int
    what: str
    seq: int = -1
    """Record of the event that it begins with; -1 where none is known."""


class Spending(msgspec.Struct, frozen=True):
    """What the model had produced and was promised, in tokens, from one moment on."""

    at_ms: int
    spent: int
    promised: int
    refused: bool = False
    """The model wanted to go on and was not let."""


class Nudge(msgspec.Struct, frozen=True):
    """A line that the agent said because of silence."""

    at_ms: int
    line: str


class Course(msgspec.Struct, frozen=True):
    """The tracks beside the conversation."""

    who: tuple[Stretch, ...]
    """Who answered; empty where the call could not be replayed."""
    silences: tuple[Stretch, ...]
    """`what` is who had spoken last: caller, agent, or nobody."""
    nudges: tuple[Nudge, ...]
    spending: tuple[Spending, ...]


class AnswererWatch:
    """Notes at every step of a replay who was thought to have answered."""

    def __init__(self) -> None:
        self._changes: list[tuple[int, str, int]] = []

    def watch(self, release: Compiled, state: State, event: Event, taken: Step) -> None:
        """One step of the replay."""
        after = taken.state
        known = "" if after.identity.answered_ms is None else after.answerer.verdict
        if not self._changes or self._changes[-1][1] != known:
            self._changes.append((after.now_ms, known, state.seq))

    def stretches(self, end_ms: int) -> tuple[Stretch, ...]:
        """What was found, an empty verdict being the time before anybody answered."""
        found = []
        for at_ms, verdict, seq in reversed(self._changes):
            found.append(Stretch(at_ms, max(at_ms, end_ms), verdict, seq))
            end_ms = at_ms
        return tuple(reversed(found))


def read_course(entries: Entries, timeline: Timeline, who: tuple[Stretch, ...]) -> Course:
    """Fold the records of a call into its tracks."""
    nudges = tuple(
        Nudge(entry.record.at_ms, entry.value.line)
        for entry in entries.items
        if isinstance(entry.value, Speak) and entry.value.line.startswith("silence.")
    )
    return Course(who, tuple(_silences(entries, timeline)), nudges, tuple(_spending(entries)))


def _silences(entries: Entries, timeline: Timeline) -> Iterator[Stretch]:
    if timeline.answered_ms is None:
        return
    end_ms = next(
        (entry.record.at_ms for entry in entries.items if isinstance(entry.value, HangUp | CallEnded)),
        timeline.length_ms,
    )
    quiet_from, last = timeline.answered_ms, "nobody"
    for from_ms, to_ms, who in sorted([*_voiced(entries, end_ms), *_spoken(timeline.items)]):
        until = min(from_ms, end_ms)
        if until - quiet_from >= SHORTEST_SILENCE_MS:
            yield Stretch(quiet_from, until, last)
        if to_ms > quiet_from:
            quiet_from, last = to_ms, who
    if end_ms - quiet_from >= SHORTEST_SILENCE_MS:
        yield Stretch(quiet_from, end_ms, last)


def _spoken(items: Iterable[object]) -> Iterator[tuple[int, int, str]]:
    for item in items:
        if isinstance(item, Segment):
            yield item.from_ms, item.to_ms, "caller"
        elif isinstance(item, Sentence) and item.heard in ("whole", "cut"):
            yield item.from_ms, item.to_ms, "agent"


def _voiced(entries: Entries, end_ms: int) -> Iterator[tuple[int, int, str]]:
    """When the caller's voice was heard, words or none."""
    began: int | None = None
    for entry in entries.items:
        match entry.value:
            case CallerStartedSpeaking():
                began = entry.record.at_ms if began is None else began
            case CallerStoppedSpeaking() if began is not None:
                yield began, entry.record.at_ms, "caller"
                began = None
            case _:
                pass
    if began is not None:
        yield began, max(began, end_ms), "caller"


def _spending(entries: Entries) -> Iterator[Spending]:
    spent = 0
    promised: dict[int, int] = {}
    for entry in entries.items:
        at_ms = entry.record.at_ms
        match entry.value:
            case AnswerInference(inference=inference, tokens=tokens):
                promised[inference] = tokens
                yield Spending(at_ms, spent, sum(promised.values()), refused=tokens == 0)
            case TokensSpent(inference=inference, tokens=tokens):
                promised.pop(inference, None)
                spent += max(0, tokens)
                yield Spending(at_ms, spent, sum(promised.values()))
            case _:
                pass


def longest_silence(silences: Sequence[Stretch]) -> Stretch | None:
    """The longest silence of a call."""
    return max(silences, key=lambda item: item.to_ms - item.from_ms, default=None)

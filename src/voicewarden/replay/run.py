"""A run: the calls of a ledger counted together, as the QA report shows them and as a later run is compared with them.

In: a ledger, or the JSON of an earlier run. Out: `Run`. Used by `voicewarden qa`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from voicewarden.ledger.view import LedgerView
from voicewarden.model.decision import Decision
from voicewarden.model.error import ConfigError
from voicewarden.replay.agreement import Agreement, Place, Precision, agreements, precision
from voicewarden.replay.entries import Entries, read_entries
from voicewarden.replay.interval import Rate, quantile, rate
from voicewarden.replay.labels import Label, read_labels
from voicewarden.replay.rules import About, Rules, read_rules
from voicewarden.replay.run_call import Asked, CallFigures, figures_of
from voicewarden.replay.wording import plain

RUN_FORMAT: Final = "vw/qa/v1"
SLOW_GAP_MS: Final = 2_000
"""A share of waits above this is compared between runs: quantiles have no simple interval."""


class Gaps(msgspec.Struct, frozen=True):
    """How long callers waited for an answer, in milliseconds."""

    count: int
    p50_ms: int
    p95_ms: int
    longest_ms: int


class Answers(msgspec.Struct, frozen=True):
    """Questions to callers, and answers that settled nothing."""

    questions: int
    unclear: int
    """Not a clear yes."""
    unheard: int
    """None could be heard."""
    calls: Rate
    """Of the calls with a question, those with an unclear answer."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Many calls."""

    calls: tuple[CallFigures, ...]
    agreements: tuple[Agreement, ...] = ()
    precision: tuple[Precision, ...] = ()
    labels: int = 0
    superseded: int = 0
    about: dict[str, About] = {}
    """Why each rule is there, by rule, as far as the ledger holds the releases."""
    notes: tuple[str, ...] = ()

    def outcomes(self) -> tuple[tuple[str, Rate], ...]:
        """How calls ended, the most frequent first."""
        counts = Counter(call.outcome for call in self.calls)
        return tuple((outcome, rate(count, len(self.calls))) for outcome, count in counts.most_common())

    def asked(self) -> tuple[Asked, ...]:
        """What was asked for in all calls together."""
        counts: dict[str, Counter[str]] = {}
        for item in (item for call in self.calls for item in call.asked):
            found = counts.setdefault(item.action, Counter())
            found.update({name: getattr(item, name) for name in ("allow", "confirm", "escalate", "deny", "done")})
        return tuple(Asked(action=action, **dict(found)) for action, found in sorted(counts.items()))

    def refusals(self) -> tuple[tuple[str, int, Rate], ...]:
        """Each rule with how many decisions it refused and the share of calls, the most frequent first."""
        decisions: Counter[str] = Counter()
        calls: Counter[str] = Counter()
        for call in self.calls:
            decisions.update(call.refusals)
            calls.update(call.refusals.keys())
        return tuple((rule, count, rate(calls[rule], len(self.calls))) for rule, count in decisions.most_common())

    def answers(self) -> Answers:
        """What became of the questions that were put to callers."""
        asked = [call for call in self.calls if call.questions]
        unclear = sum(bool(call.ambiguous) for call in asked)
        return Answers(
            sum(call.questions for call in asked), sum(call.ambiguous for call in asked),
            sum(call.unheard for call in asked), rate(unclear, len(asked)),
        )  # fmt: skip

    def gaps_ms(self) -> list[int]:
        """All waits, the shortest first."""
        return sorted(gap for call in self.calls for gap in call.gaps_ms)

    def gaps(self) -> Gaps | None:
        """Their quantiles; None where nothing was measured."""
        ordered = self.gaps_ms()
        if not ordered:
            return None
        return Gaps(len(ordered), quantile(ordered, 500), quantile(ordered, 950), ordered[-1])

    def first(self, most: int) -> tuple[CallFigures, ...]:
        """The calls to look at first."""
        worth = [call for call in self.calls if call.findings]
        return tuple(sorted(worth, key=lambda call: (-call.score, -call.started_unix_ms, call.call))[:most])

    def rates(self) -> dict[str, Rate]:
        """Everything that is compared between runs, by a name in words. All are shares of calls, because what happens
        within one call hangs together.
        """
        count = len(self.calls)
        found = {f"calls that ended with “{plain(name or 'no end')}”": share for name, share in self.outcomes()}
        for action in dict.fromkeys(item.action for call in self.calls for item in call.asked):
            asked = [item for call in self.calls for item in call.asked if item.action == action]
            name = plain(action)
            found[f"calls in which “{name}” was done"] = rate(sum(item.done > 0 for item in asked), count)
            found[f"calls in which “{name}” was refused"] = rate(sum(item.deny > 0 for item in asked), count)
        found |= {f"calls in which the rule {rule} refused something": share for rule, _, share in self.refusals()}
        found["calls with a question whose answer was not clear"] = self.answers().calls
        found["calls with a sentence of the model refused"] = rate(sum(c.held > 0 for c in self.calls), count)
        timed = [call for call in self.calls if call.gaps_ms]
        slow = sum(max(call.gaps_ms) > SLOW_GAP_MS for call in timed)
        found[f"calls with a wait over {SLOW_GAP_MS // 1000} s"] = rate(slow, len(timed))
        found["calls with something to look at"] = rate(sum(bool(c.findings) for c in self.calls), count)
        return found


class _Stored(msgspec.Struct, frozen=True):
    """What is read of an earlier run's JSON: the figures of its calls, from which all else follows."""

    format: Literal["vw/qa/v1"]
    calls: tuple[CallFigures, ...]


def read_run(ledger: LedgerView, *, each: Callable[[], None] = lambda: None) -> Run:
    """Count every call of a ledger; `each` is told of every call as it is done."""
    counting = _Counting(ledger)
    for stream in ledger.streams("call:"):
        counting.add(stream.removeprefix("call:"))
        each()
    return counting.run()


def load_run(path: Path) -> Run:
    """An earlier run from its JSON; raises ConfigError when it is none."""
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except OSError as error:
        raise ConfigError(f"the earlier run can't be read ({error.strerror})", file=str(path)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        accepted = "what `voicewarden qa LEDGER --json` printed"
        raise ConfigError("this is no run of this program", file=str(path), accepted=accepted) from error
    return Run(calls=stored.calls)


class _Counting:
    """Goes through a ledger call by call and remembers what is needed at the end."""

    def __init__(self, ledger: LedgerView) -> None:
        self._ledger = ledger
        self._calls: list[CallFigures] = []
        self._labels: list[Label] = []
        self._superseded = 0
        self._labelled: dict[Place, Decision] = {}
        self._rules: dict[str, Rules] = {}
        self._problems: list[str] = []

    def add(self, call: str) -> None:
        """One call."""
        entries = read_entries(self._ledger.read_stream(f"call:{call}"))
        labels = read_labels(self._ledger, call, (entry.record for entry in entries.items))
        self._labels += labels.current
        self._superseded += labels.superseded
        self._problems += [f"Call {call}: {problem}" for problem in labels.problems]
        for label in labels.current:
            decision = entries.by_seq[label.seq].value
            if isinstance(decision, Decision):
                self._labelled[call, label.seq] = decision
        burnt = frozenset(name for name in _grants(entries) if self._ledger.spent(name))
        figures = figures_of(call, entries, burnt=burnt, labels=labels.current)
        self._calls.append(figures)
        if figures.release and figures.release not in self._rules:
            self._rules[figures.release] = read_rules(self._ledger, figures.release)

    def run(self) -> Run:
        """Everything together."""
        named = {rule for call in self._calls for rule in call.refusals}
        judged = precision(self._labels, self._labelled)
        about = {rule: found for rule in named | {item.rule for item in judged} if (found := self._about(rule))}
        notes = [rules.note for rules in self._rules.values() if rules.note]
        return Run(
            calls=tuple(self._calls), agreements=agreements(self._labels), precision=judged, labels=len(self._labels),
            superseded=self._superseded, about=about, notes=(*self._problems, *notes),
        )  # fmt: skip

    def _about(self, rule: str) -> About | None:
        """The newest release that knows the rule says why it is there."""
        releases: Iterable[Rules] = reversed([*self._rules.values(), Rules(None)])
        return next((found for rules in releases if (found := rules.about(rule))), None)


def _grants(entries: Entries) -> Sequence[str]:
    return [f"{entry.record.stream.removeprefix('call:')}/{entry.seq}" for entry in entries.items
            if entry.record.kind == "grant"]  # fmt: skip

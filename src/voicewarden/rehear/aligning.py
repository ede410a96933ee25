"""Which words were heard right: what was said and what was heard in, a verdict on each heard word out.

Called by `calibrating`. Words are aligned by the smallest number of changes (Levenshtein 1966). Case, punctuation and
the spelling of small numbers make no difference: "3 PM" is "three p.m.".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Final = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_ALIKE: Final = {"okay": "ok", "o'clock": "oclock", "alright": "all right", "mm-hm": "mhm", "mm-hmm": "mhm", "oh": "o"}
_ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
"""Those that are not made of the number and "th"."""
_TOKEN: Final = re.compile(r"\d+(?:st|nd|rd|th)\b|\d+|[a-z]+(?:'[a-z]+)*")
_PAST: Final = {"half": "thirty", "quarter": "fifteen"}


class Aligned(NamedTuple):
    """`wrong` says of each heard word whether it was wrong; `spans` which said tokens it stands for, from and to.

    The counts are those of the word error rate: of `said` tokens so many are changed, missing, or there too much.
    """

    wrong: tuple[bool, ...]
    spans: tuple[tuple[int, int], ...]
    said: int
    changed: int
    missing: int
    extra: int

    @property
    def errors(self) -> int:
        """All changes together."""
        return self.changed + self.missing + self.extra


def plain(text: str) -> list[str]:
    """The tokens of a text as they are compared."""
    found: list[str] = []
    for word in text.lower().replace("p.m.", "pm").replace("a.m.", "am").replace("\u2019", "'").split():
        bare = word.strip('.,?!;:"()')
        for token in _TOKEN.findall(_ALIKE.get(bare, bare)):
            found += _spelled(token) if token[0].isdigit() else [token]
    return _as_written(found)


def _spelled(token: str) -> list[str]:
    """A number up to 99 as it is said, with its ending if it is an ordinal; a longer one digit by digit."""
    digits = token.rstrip("stndrh")
    if len(digits) > 2:
        return [_ONES[int(digit)] for digit in digits]
    value = int(digits)
    words = [_ONES[value]] if value < 20 else [_TENS[value // 10], *([_ONES[value % 10]] if value % 10 else [])]
    if digits != token:
        last = words[-1]
        words[-1] = _ORDINALS.get(last, f"{last.removesuffix('y')}ieth" if last.endswith("y") else f"{last}th")
    return words


def _as_written(tokens: list[str]) -> list[str]:
    """Hundreds digit by digit and "half past ten" as "ten thirty", as they come out of digits."""
    found: list[str] = []
    at = 0
    while at < len(tokens):
        here = tokens[at : at + 3]
        if here[0] in _PAST and here[1:2] == ["past"] and len(here) == 3:
            found += [here[2], _PAST[here[0]]]
            at += 3
        elif here[0] in _ONES and here[1:2] == ["hundred"]:
            rest, at = _rest(tokens, at + 2)
            found += [here[0], *(_ONES[int(digit)] for digit in f"{rest:02d}")]
        else:
            found.append(here[0])
            at += 1
    return found


def _rest(tokens: list[str], at: int) -> tuple[int, int]:
    """What is said after "hundred", and where it ends."""
    start = at + (tokens[at : at + 1] == ["and"] and tokens[at + 1 : at + 2] != [] and _value(tokens[at + 1]) > 0)
    value = _value(tokens[start]) if start < len(tokens) else 0
    if not value:
        return 0, at
    if value >= 20 and start + 1 < len(tokens) and 0 < _value(tokens[start + 1]) < 10:
        return value + _value(tokens[start + 1]), start + 2
    return value, start + 1


def _value(token: str) -> int:
    """What a number word counts; 0 for another word."""
    if token in _ONES:
        return _ONES.index(token)
    return 10 * _TENS.index(token) if token in _TENS else 0


def align(said: str, heard: Sequence[str]) -> Aligned:
    """Hold the words that were heard against what was said."""
    owners, tokens = [], []
    for index, word in enumerate(heard):
        for token in plain(word):
            owners.append(index)
            tokens.append(token)
    truth = plain(said)
    steps = _steps(truth, tokens)
    wrong = [not any(owner == index for owner in owners) for index in range(len(heard))]
    spans = [(len(truth), 0)] * len(heard)
    for at, to, right in steps:
        if to is None:
            continue
        owner = owners[to]
        wrong[owner] = wrong[owner] or not right
        low, high = spans[owner]
        # What was added stands at a place between two tokens, and covers none.
        spans[owner] = (min(low, at), max(high, at if steps.is_extra(to) else at + 1))
    return Aligned(tuple(wrong), tuple(spans), len(truth), steps.changed, steps.missing, steps.extra)


class _Steps(list[tuple[int, int | None, bool]]):
    """The way from one text to the other: place in what was said, place in what was heard, and whether they agree."""

    def __init__(self) -> None:
        super().__init__()
        self._extras: set[int] = set()
        self.changed = self.missing = 0

    @property
    def extra(self) -> int:
        """How many heard tokens nobody said."""
        return len(self._extras)

    def is_extra(self, to: int) -> bool:
        """Whether nobody said this heard token."""
        return to in self._extras

    def add_extra(self, at: int, to: int) -> None:
        """A heard token that nobody said, before this place."""
        self._extras.add(to)
        self.append((at, to, False))


def _steps(truth: Sequence[str], heard: Sequence[str]) -> _Steps:
    cost = _costs(truth, heard)
    steps = _Steps()
    at, to = len(truth), len(heard)
    while at or to:
        if at and to and cost[at][to] == cost[at - 1][to - 1] + (truth[at - 1] != heard[to - 1]):
            at, to = at - 1, to - 1
            right = truth[at] == heard[to]
            steps.changed += not right
            steps.append((at, to, right))
        elif to and cost[at][to] == cost[at][to - 1] + 1:
            to -= 1
            steps.add_extra(at, to)
        else:
            at -= 1
            steps.missing += 1
            steps.append((at, None, False))
    steps.reverse()
    return steps


def _costs(truth: Sequence[str], heard: Sequence[str]) -> list[list[int]]:
    cost = [list(range(len(heard) + 1))]
    for at, token in enumerate(truth, 1):
        row = [at]
        for to, other in enumerate(heard, 1):
            row.append(min(cost[-1][to] + 1, row[to - 1] + 1, cost[-1][to - 1] + (token != other)))
        cost.append(row)
    return cost

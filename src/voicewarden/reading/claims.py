"""Claims: a sentence in, what it states that must be grounded out. Called by the kernel for the agent's speech and,
through `values`, for approved facts, the caller's words and tool results, which ground it.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import msgspec

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.moment import NAMED_TIMES, moment_at, ordinal_at, weekday_of
from voicewarden.reading.number import Number, canonical, number_at, pieces, places
from voicewarden.reading.pattern import EDGE
from voicewarden.reading.phrase import Match

ClaimKind = Literal["number", "price", "percent", "time", "date", "superlative", "guarantee", "scarcity"]

_WORDED: tuple[ClaimKind, ...] = ("superlative", "guarantee", "scarcity")
_SIGNS = frozenset("$€£")
_BEGINNINGS = _SIGNS | frozenset(NAMED_TIMES) | {"half", "quarter", "a"}
"""With what a figure may begin that is neither written in digits nor a word of the lexicon's tables."""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something stated: its canonical value and its offsets in the text."""

    kind: ClaimKind
    value: str
    start: int
    end: int


class _Stated(NamedTuple):
    """A claim by the pieces `first` to `end` (exclusive) that make it."""

    kind: ClaimKind
    value: str
    first: int
    end: int


def claims(reader: Reader, text: str) -> tuple[Claim, ...]:
    """Return the claims of `text` in their order."""
    found = _found(reader, pieces(text))
    return _in_order(text, found) if found else ()


def _in_order(text: str, found: Iterable[_Stated]) -> tuple[Claim, ...]:
    where = places(text)
    told = [Claim(one.kind, one.value, where[one.first][0], where[one.end - 1][1]) for one in found]
    return tuple(sorted(told, key=lambda claim: (claim.start, claim.end, claim.kind)))


def ungrounded(reader: Reader, text: str, *allowed: frozenset[str]) -> tuple[str, ...]:
    """Return the values of the claims of `text` that no set of `allowed` values grounds, in their order."""
    found = _found(reader, pieces(text))
    if all(any(one.value in known for known in allowed) for one in found):
        return ()
    told = [claim.value for claim in _in_order(text, found)]
    return tuple([value for value in told if not any(value in known for known in allowed)])


def _found(reader: Reader, parts: Sequence[str]) -> list[_Stated]:
    """Find all claims: those by words first, then the figures."""
    found, uncounted = _phrases(reader, parts)
    at = 0
    for start in _starts(reader, parts):
        if start >= at:
            stated, at = _claim_at(reader, parts, start, uncounted)
            if stated is not None:
                found.append(stated)
    return found


def values(reader: Reader, text: str) -> frozenset[str]:
    """Return every canonical value that `text` grounds, in all forms in which it may be said again."""
    parts = pieces(text)
    worded, _ = _phrases(reader, parts)
    grounds = {stated.value for stated in worded}
    for at in _starts(reader, parts):
        if _is_moment(parts[at]):
            grounds |= _forms(reader, f"date:{parts[at][:10]}") | _forms(reader, f"time:{parts[at][11:16]}")
            continue
        # Every start counts here, so that "nineteen ninety nine" grounds each way to say it.
        stated, _ = _claim_at(reader, parts, at, frozenset())
        if stated is not None:
            grounds |= _forms(reader, stated.value)
    return frozenset(grounds)


def _phrases(reader: Reader, parts: Sequence[str]) -> tuple[list[_Stated], frozenset[int]]:
    """Find claims made by words, and the pieces whose number word counts nothing."""
    read = reader.pieces
    tokens = [EDGE, *[token for part in parts for token in read.get(part) or (part,)], EDGE]
    found = reader.claims.find(tokens)
    if not found:
        return [], frozenset()
    owner = [-1, *(index for index, part in enumerate(parts) for _ in read.get(part) or (part,)), -1]
    masks = [match for match in found if match.label == "not_claim"]
    told = [_worded(match, tokens, owner) for match in _longest(found, masks)]
    silent = (match for match in found if match.label == "no_count")
    return told, frozenset(owner[step] for match in silent for step in range(match.start, match.end))


def _longest(found: list[Match], masks: list[Match]) -> Iterable[Match]:
    """Yield worded claims that are in no mask and in no longer claim of their kind."""
    told = [match for match in found if match.label in _WORDED]
    for match in told:
        longer = (one for one in (*told, *masks) if one != match and (one.label == match.label or one in masks))
        if not any(one.start <= match.start and match.end <= one.end for one in longer):
            yield match


def _worded(match: Match, tokens: list[str], owner: list[int]) -> _Stated:
    steps = [step for step in range(match.start, match.end) if tokens[step] != EDGE]
    kind = next(kind for kind in _WORDED if kind == match.label)
    words = "_".join(tokens[step] for step in steps)
    return _Stated(kind, f"{kind}:{words}", owner[steps[0]], owner[steps[-1]] + 1)


def _starts(reader: Reader, parts: Sequence[str]) -> list[int]:
    """Return where a figure may start: `_claim_at` finds none at any other piece."""
    figures = reader.figures
    return [
        at
        for at, part in enumerate(parts)
        if part in figures or part[0].isdigit() or (part in _BEGINNINGS and (part != "a" or _begins(reader, parts, at)))
    ]


def _begins(reader: Reader, parts: Sequence[str], at: int) -> bool:
    """Say whether an `a` begins something: "a hundred", "a quarter past"."""
    following = parts[at + 1] if at + 1 < len(parts) else ""
    return following == "quarter" or following in reader.scales


def _is_moment(part: str) -> bool:
    """Say whether a piece is a date and a time in one, as a computer writes it."""
    return len(part) >= 16 and part[10] == "t" and part[0].isdigit()


def _claim_at(reader: Reader, parts: Sequence[str], at: int, silent: frozenset[int]) -> tuple[_Stated | None, int]:
    """Read the claim that starts at piece `at`; return it, if any, and where to read on."""
    if at in silent and not parts[at].isdecimal():
        return None, at + 1
    if _is_moment(parts[at]):
        return _Stated("date", f"date:{parts[at][:10]}", at, at + 1), at + 1
    if parts[at] in _SIGNS:
        number = number_at(reader, parts, at + 1)
        if number is not None:
            return _Stated("price", f"price:{number.value}", at, number.end), number.end
        return None, at + 1
    moment = moment_at(reader, parts, at)
    if moment is not None:
        kind: ClaimKind = "time" if moment.kind == "time" else "date"
        return _stated(kind, moment.value, parts, at, moment.end), moment.end
    if at in silent:
        return None, at + 1
    ordinal = ordinal_at(reader, parts, at)
    number = number_at(reader, parts, at)
    # `twenty first` is one number and begins with another.
    if number is not None and (ordinal is None or ordinal[1] <= number.end):
        return _quantity(reader, parts, at, number)
    return _ordinal(reader, parts, at)


def _quantity(reader: Reader, parts: Sequence[str], at: int, number: Number) -> tuple[_Stated, int]:
    """Tell a price and a percentage from a bare number."""
    following = parts[number.end] if number.end < len(parts) else ""
    if following == "%" or following in ("percent", "pct"):
        return _stated("percent", f"percent:{number.value}", parts, at, number.end + 1), number.end + 1
    if following == "per" and number.end + 1 < len(parts) and parts[number.end + 1] == "cent":
        return _stated("percent", f"percent:{number.value}", parts, at, number.end + 2), number.end + 2
    if following in reader.cents:
        return _stated("price", f"price:{_hundredth(number)}", parts, at, number.end + 1), number.end + 1
    if following in reader.currency:
        value, end = _with_cents(reader, parts, _decimal_pair(number), number.end + 1)
        return _stated("price", f"price:{value}", parts, at, end), end
    return _stated("number", f"number:{number.value}", parts, at, number.end), number.end


def _hundredth(number: Number) -> str:
    """Return cents in whole units."""
    whole, _, rest = number.value.partition(".")
    digits = whole.rjust(3, "0")
    return canonical(f"{digits[:-2]}.{digits[-2:]}{rest}")


def _decimal_pair(number: Number) -> str:
    """Read `nineteen ninety nine` before a currency as 19.99, as it is meant; digits stay as written."""
    if number.is_spelled and len(number.value) == 4 and number.value[0] == "1" and number.value[2:] != "00":
        return canonical(f"{number.value[:2]}.{number.value[2:]}")
    return number.value


def _with_cents(reader: Reader, parts: Sequence[str], value: str, end: int) -> tuple[str, int]:
    """Add `and ninety nine cents`, or a bare `ninety nine`, to a price in whole units."""
    after = end + (1 if end < len(parts) and parts[end] == "and" else 0)
    more = number_at(reader, parts, after)
    if more is None or not more.value.isdecimal() or len(more.value) != 2 or "." in value:
        return value, end
    has_cents = more.end < len(parts) and parts[more.end] in reader.cents
    if not has_cents and (after != end or not more.is_spelled):
        return value, end
    return canonical(f"{value}.{more.value}"), more.end + has_cents


def _ordinal(reader: Reader, parts: Sequence[str], at: int) -> tuple[_Stated | None, int]:
    """Read `the fifth` as a number; `first` and `second` only where a day of the month can be meant."""
    found = ordinal_at(reader, parts, at)
    if found is None:
        return None, at + 1
    value, end = found
    after = parts[end] if end < len(parts) else "."
    is_day = at > 0 and parts[at - 1] == "the" and after in (".", "!", "?", ",", "at", "of", "is", "and", "or")
    if value in (1, 2) and end == at + 1 and not is_day:
        return None, end
    return _stated("number", f"number:{value}", parts, at, end), end


def _stated(kind: ClaimKind, value: str, parts: Sequence[str], at: int, end: int) -> _Stated:
    return _Stated(kind, value, at, min(end, len(parts)))


def _forms(reader: Reader, value: str) -> set[str]:
    """Return a canonical value with all values that say the same or less."""
    kind, _, rest = value.partition(":")
    if kind == "date":
        return {value} | _date_forms(reader, rest)
    if kind in ("time", "clock"):
        return {value} | _time_forms(kind, rest)
    if kind == "month":
        return {value}
    if kind in ("price", "percent", "number"):
        return {value} | _number_forms(kind, rest)
    return {value}


def _date_forms(reader: Reader, rest: str) -> set[str]:
    *year, month, day = rest.split("-")
    name = reader.month_names.get(int(month), "")
    forms = {f"date:{month}-{day}", f"month:{name}", f"number:{int(day)}", f"number:{int(month)}"}
    if year:
        forms.add(f"number:{int(year[0])}")
        weekday = weekday_of(reader, int(year[0]), int(month), int(day))
        forms |= {f"day:{weekday}"} if weekday else set()
    return forms


def _time_forms(kind: str, rest: str) -> set[str]:
    hour, minute = (int(part) for part in rest.split(":"))
    shown = hour % 12 or 12
    forms = {f"clock:{shown}:{minute:02d}", f"number:{hour}", f"number:{shown}"}
    if kind == "clock":
        # A caller's "at three" may be said back with its half of the day: the read-back still asks for a yes.
        forms |= {f"time:{hour % 12:02d}:{minute:02d}", f"time:{hour % 12 + 12:02d}:{minute:02d}"}
    if minute:
        forms.add(f"number:{minute}")
        shorter = f"{shown}{minute:02d}"
        forms.add(f"number:{shorter}")
    return forms


def _number_forms(kind: str, rest: str) -> set[str]:
    forms = {f"number:{rest}"}
    if kind == "price" and "." in rest:
        whole, _, cents = rest.partition(".")
        forms |= {f"number:{whole}", f"number:{int(cents.ljust(2, '0')[:2])}", f"number:{whole}{cents.ljust(2, '0')}"}
    if kind == "number" and rest in _CLOCK_HOURS:
        forms |= _time_forms("clock", f"{rest}:00")
    return forms


_CLOCK_HOURS = frozenset(str(hour) for hour in range(1, 13))

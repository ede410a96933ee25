"""Numbers: words of a text in, the values they spell out. Used by `reading.claims` and `reading.moment`.

Values are canonical decimal strings without trailing zeros (`3`, `19.99`), so that no float is ever needed.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from voicewarden.reading.lexicon import Reader
from voicewarden.reading.text import fold, fold_with_offsets

# What is most frequent stands first; of two that may begin alike, the longer one does.
_PIECE = re.compile(
    r"[ap]\.m\b|[a-z]+(?:'[a-z]+)*|[.!?;,]"
    r"|\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(?::\d{2})?|\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|\d{1,2}:\d{2}|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+|[$€£%]|[^\x00-\x7f]+",
    re.ASCII,
)
_DIGITS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_LONGEST_DIGITS = 30


class Number(NamedTuple):
    """A number that pieces up to `end` (exclusive) spell."""

    value: str
    end: int
    is_spelled: bool


def pieces(text: str) -> list[str]:
    """Cut a text into words, numbers and signs, folded."""
    return _PIECE.findall(fold(text))


def places(text: str) -> list[tuple[int, int]]:
    """Return where each of the text's pieces begins and ends in it."""
    folded, offsets = fold_with_offsets(text)
    if text.isascii():
        return [found.span() for found in _PIECE.finditer(folded)]
    return [(offsets[found.start()], offsets[found.end()]) for found in _PIECE.finditer(folded)]


def canonical(digits: str) -> str:
    """Return one form for a written number: no thousands signs, no leading or trailing zeros."""
    whole, _, rest = digits.replace(",", "").partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")


def number_at(reader: Reader, parts: Sequence[str], at: int) -> Number | None:
    """Read the number that starts at piece `at`: digits, number words, or digits with a scale (`2 million`)."""
    if at >= len(parts):
        return None
    word = parts[at]
    if word[0].isdigit() and _DIGITS.fullmatch(word.replace(",", "")):
        value = canonical(word)
        if at + 1 < len(parts) and parts[at + 1] in reader.scales and "." not in value:
            return Number(_scaled(value, reader.scales[parts[at + 1]]), at + 2, False)
        return Number(value, at + 1, False)
    if word == "a" and at + 1 < len(parts) and parts[at + 1] in reader.scales:
        return _spelled(reader, parts, at + 1)
    if word in reader.numbers or word in reader.scales:
        return _spelled(reader, parts, at)
    return None


def _scaled(value: str, scale: int) -> str:
    return str(int(value) * scale) if len(value) <= _LONGEST_DIGITS else value


def _spelled(reader: Reader, parts: Sequence[str], at: int) -> Number:
    """Read number words: `fifteen hundred`, `two thousand and five`, and pairs such as `nineteen ninety nine`."""
    total, group, here = 0, 0, at
    last = 0
    while here < len(parts):
        word = parts[here]
        if word in reader.scales:
            scale = reader.scales[word]
            group = (group or 1) * scale
            if scale >= 1000:
                total, group = total + group, 0
            last = scale
        elif word in reader.numbers:
            value = reader.numbers[word]
            if last and not _continues(last, value):
                if not (group and total == 0 and 10 <= group < 100 and value >= 10):
                    break
                group *= 100
            group += value
            last = value
        elif not (word == "and" and last >= 100 and here + 1 < len(parts) and parts[here + 1] in reader.numbers):
            break
        here += 1
    return Number(str(total + group), here, True)


def _continues(last: int, value: int) -> bool:
    """Say whether a number word may follow another one within the same number."""
    if last >= 100:
        return True
    return last >= 20 and last % 10 == 0 and 0 < value < 10

"""Sentences: streamed text in, units to be gated and spoken out. Used by the speaking processor and the kernel."""

import re
from string import ascii_letters

_ABBREVIATIONS = frozenset(
    (
        "mr mrs ms dr prof st sr jr vs no inc ltd co corp ave blvd dept approx etc e.g i.e jan feb aug sept oct nov dec"
    ).split()
)
_END = re.compile("[.!?\u2026\u3002\uff01\uff1f]+[\"'\u201d\u2019)\\]]*(?=\\s|$)|\n+")
_CLAUSE = re.compile("[,;:\u2014\u2013](?=\\s)|\\s-(?=\\s)")
_OF_WORDS = f"{ascii_letters}."
_FIRST_CLAUSE_CHARS = 25


class Cutter:
    """Cuts streamed text at sentence ends, and at a clause or a space when a sentence grows too long.

    `first_clause` lets the very first unit end at a clause of at least 25 characters, so that speech starts sooner.
    """

    def __init__(self, *, max_chars: int = 160, first_clause: bool = False) -> None:
        self._max_chars = max(max_chars, 1)
        self._first_clause = first_clause
        self._rest = ""

    def feed(self, text: str) -> tuple[str, ...]:
        """Add streamed text and return the units that it completes."""
        self._rest += text
        return self._take(whole=False)

    def flush(self) -> tuple[str, ...]:
        """Return what is left, at the end of the stream."""
        units = self._take(whole=True)
        last, self._rest = self._rest.strip(), ""
        return (*units, last) if last else units

    def _take(self, *, whole: bool) -> tuple[str, ...]:
        units: list[str] = []
        while (cut := self._cut(whole=whole)) is not None:
            unit, self._rest = self._rest[:cut].strip(), self._rest[cut:]
            if unit:
                units.append(unit)
                self._first_clause = False
        return tuple(units)

    def _cut(self, *, whole: bool) -> int | None:
        """Return where the next unit ends, None if that can't be known yet."""
        text = self._rest
        end = next((found.end() for found in _END.finditer(text) if _ends(text, found, whole=whole)), None)
        if self._first_clause:
            clause = next((one.end() for one in _CLAUSE.finditer(text) if one.end() >= _FIRST_CLAUSE_CHARS), None)
            if clause is not None and (end is None or clause < end):
                return clause
        if end is not None and len(text[:end].strip()) <= self._max_chars:
            return end
        start = len(text) - len(text.lstrip())
        if len(text) - start <= self._max_chars:
            return None
        return _break(text, start, start + self._max_chars)


def split(text: str) -> tuple[str, ...]:
    """Return the sentences of a whole text."""
    ends = [found.end() for found in _END.finditer(text) if _ends(text, found, whole=True)]
    units = [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    return tuple([unit for unit in units if unit])


def _ends(text: str, found: re.Match[str], *, whole: bool) -> bool:
    """Say whether a full stop ends a sentence: not after `Mr.`, not in `3 p.m. on`, not while more may follow."""
    rest = text[found.end() :]
    if found[0].isspace():
        return True
    if not rest:
        # INVARIANT: the end of the buffer proves nothing while text streams in ("19." may become "19.99");
        # test_stream_cuts_like_the_whole.
        return whole
    if not found[0].startswith(".") or found[0].startswith(".."):
        return True
    before = text[: found.start()]
    word = before[len(before.rstrip(_OF_WORDS)) :].lstrip(".").lower()
    if not word:
        return True
    following = rest.lstrip()
    if not following and not whole:
        return False
    if word in ("a.m", "p.m"):
        return following[:1].isupper() or not following
    return word not in _ABBREVIATIONS and not (len(word) == 1 and word != "i")


def _break(text: str, start: int, limit: int) -> int:
    """Return the last clause end before `limit`, else the last space, else `limit`."""
    clauses = [one.end() for one in _CLAUSE.finditer(text, start, limit + 1)]
    if clauses and clauses[-1] - start >= _FIRST_CLAUSE_CHARS:
        return min(clauses[-1], limit)
    space = text.rfind(" ", start + 1, limit)
    return space if space > start else limit

"""What counts as "said": phrases and patterns, compared with folded text.

In come phrases of a dialogue file and the words of a caller or an agent, out go matches. `dialogue`, `history` and
`choosing` call it. A phrase matches as whole words, `/.../` is a regular expression; both see lower-case text without
punctuation.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_.]*)\}", re.ASCII)
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "`": "'"})


def fold(text: str) -> str:
    """Lower-case the text and reduce it to words, digits and apostrophes with single spaces."""
    plain = unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower()
    return " ".join(re.sub(r"[^\w']+", " ", plain).split())


@lru_cache(maxsize=4096)
def pattern(phrase: str) -> re.Pattern[str]:
    """Compile a phrase; raises `re.error` if a `/.../` is no regular expression."""
    if is_regex(phrase):
        return re.compile(phrase[1:-1])
    return re.compile(rf"(?<![\w']){re.escape(fold(phrase))}(?![\w'])")


def is_regex(phrase: str) -> bool:
    """Tell a `/regular expression/` from a plain phrase."""
    return len(phrase) > 2 and phrase.startswith("/") and phrase.endswith("/")


def first_match(phrases: Iterable[str], folded: str) -> re.Match[str] | None:
    """Find the first of the phrases, in their order, that the folded text holds."""
    return next((match for phrase in phrases if (match := pattern(phrase).search(folded))), None)


def mentioned_last(values: Mapping[str, Sequence[str]], folded: str) -> str | None:
    """Choose the value whose phrase stands last in the text: "not sales, billing" means billing."""
    ends: dict[str, int] = {}
    for value, phrases in values.items():
        for phrase in phrases:
            for match in pattern(phrase).finditer(folded):
                ends[value] = max(ends.get(value, -1), match.end())
    return max(ends, key=lambda value: ends[value]) if ends else None


def placeholders(template: str) -> list[str]:
    """List the names in braces."""
    return _PLACEHOLDER.findall(template)


def filled(template: str, values: Mapping[str, str]) -> str | None:
    """Put the values in place of the names in braces; None if one is missing."""
    if any(name not in values for name in placeholders(template)):
        return None
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], template)


@lru_cache(maxsize=1024)
def script_pattern(template: str) -> re.Pattern[str]:
    """Match an answer of the script in folded text, whatever its placeholders were filled with."""
    literal = [re.escape(fold(part)) for part in _PLACEHOLDER.split(template)[::2]]
    return re.compile(r"\b" + r"\s*.+?\s*".join(literal) + r"(?![\w'])")

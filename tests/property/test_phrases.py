"""The automaton of phrases against a plain reading of the same patterns, word by word."""

from collections.abc import Iterable, Mapping

from hypothesis import assume, example, given
from hypothesis import strategies as st

from voicewarden.model.error import ConfigError
from voicewarden.reading.phrase import Match, Phrases

EDGE = "."
CLASSES = {"k": "a|b c", "m": "$k a|c [b]"}
PARTS = st.recursive(
    st.sampled_from(("a", "b", "c", "ab", "_", "..", EDGE, "$k", "$m")),
    lambda inner: st.builds(
        lambda brackets, choices: brackets[0] + "|".join(" ".join(choice) for choice in choices) + brackets[1],
        st.sampled_from(("()", "[]")),
        st.lists(st.lists(inner, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=6,
)
PATTERNS = st.lists(PARTS, min_size=1, max_size=4).map(" ".join)
LISTS = st.dictionaries(st.sampled_from(("x", "y")), st.lists(PATTERNS, min_size=1, max_size=4), min_size=1)
TEXTS = st.lists(st.sampled_from(("a", "b", "c", "z", EDGE)), max_size=8)


def expand(word: str) -> tuple[str, ...]:
    return ("a", "b") if word == "ab" else (word,)


def choices_of(pattern: str) -> list[str]:
    """The choices of a pattern, cut at the bars that stand in no bracket."""
    depth, found = 0, [""]
    for char in pattern:
        depth += (char in "([") - (char in ")]")
        if char == "|" and depth == 0:
            found.append("")
        else:
            found[-1] += char
    return found


def first_of(pattern: str) -> tuple[str, str]:
    """The first part of a sequence, and what follows."""
    pattern = pattern.strip()
    if pattern[0] not in "([":
        end = next((at for at, char in enumerate(pattern) if char in " (["), len(pattern))
        return pattern[:end], pattern[end:]
    depth = 0
    for at, char in enumerate(pattern):
        depth += (char in "([") - (char in ")]")
        if depth == 0:
            return pattern[: at + 1], pattern[at + 1 :]
    raise AssertionError(pattern)


def ends(pattern: str, heard: list[str], starts: Iterable[int]) -> set[int]:
    """Where a sequence may end that begins at one of `starts`."""
    here = set(starts)
    while pattern.strip():
        part, pattern = first_of(pattern)
        here = part_ends(part, heard, here)
    return here


def part_ends(part: str, heard: list[str], here: set[int]) -> set[int]:
    if part[0] in "([$":
        inner = CLASSES[part[1:]] if part[0] == "$" else part[1:-1]
        there = {end for choice in choices_of(inner) for end in ends(choice, heard, here)}
        return there | here if part[0] == "[" else there
    if part == "..":
        steps = [here]
        for _ in range(4):
            steps.append(part_ends("_", heard, steps[-1]))
        return set().union(*steps)
    for word in expand(part):
        here = {at + 1 for at in here if at < len(heard) and (heard[at] == word or (word == "_" and heard[at] != EDGE))}
    return here


def plainly(lists: Mapping[str, list[str]], heard: list[str]) -> set[Match]:
    return {
        Match(start + (heard[start] == EDGE), end - (heard[end - 1] == EDGE), label)
        for label, patterns in lists.items()
        for pattern in patterns
        for start in range(len(heard))
        for end in ends(pattern, heard, {start})
    }


@example({"x": ["$m b"], "y": ["[$k] $m"]}, ["a a b".split(), "b c a b".split(), "c b b".split()])
@given(LISTS, st.lists(TEXTS, min_size=1, max_size=4))
def test_phrases_are_those_of_a_plain_reading(lists: dict[str, list[str]], texts: list[list[str]]) -> None:
    # A pattern that needs no word is refused, and only such a one.
    empty = any(0 in ends(pattern, [], {0}) for patterns in lists.values() for pattern in patterns)
    try:
        phrases = Phrases(lists, CLASSES, expand)
    except ConfigError:
        assert empty
        assume(False)
        return
    assert not empty
    for heard in texts:
        assert set(phrases.find(heard)) == plainly(lists, heard)

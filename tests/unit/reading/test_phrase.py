"""The notation of patterns, folding, and a lexicon's own mistakes."""

import msgspec
import pytest

from voicewarden.model.error import ConfigError
from voicewarden.reading.lexicon import Lexicon, Reader
from voicewarden.reading.phrase import Match, Phrases, maximal
from voicewarden.reading.text import fold, fold_with_offsets, tokens


def found(pattern: str, text: str) -> list[tuple[int, int]]:
    phrases = Phrases({"x": (pattern,)}, {"colour": "red|dark blue"}, lambda word: (word,))
    return [(match.start, match.end) for match in phrases.find(text.split())]


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        ("a b", "x a b", [(1, 3)]),
        ("a [b|c d] e", "a e a b e a c d e", [(0, 2), (2, 5), (5, 9)]),
        ("(a|b) c", "a c b c", [(0, 2), (2, 4)]),
        ("the $colour car", "the dark blue car", [(0, 4)]),
        ("a _ b", "a x b a b", [(0, 3)]),
        ("a .. b", "a 1 2 3 4 b", [(0, 6)]),
        ("a .. b", "a 1 2 3 4 5 b", []),
        ("a .. b", "a . b", []),
        (". a .", ". a . a", [(1, 2)]),
    ],
)
def test_patterns(pattern: str, text: str, spans: list[tuple[int, int]]) -> None:
    assert found(pattern, text) == spans


@pytest.mark.parametrize("pattern", ["", "[a]", "(a", "a)", "$nothing", "A", "a?"])
def test_bad_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ConfigError):
        found(pattern, "a")


def test_a_class_that_names_itself_is_refused() -> None:
    with pytest.raises(ConfigError, match="names itself"):
        Phrases({"x": ("$loop",)}, {"loop": "a|b $loop"}, lambda word: (word,))


def test_a_class_may_name_another() -> None:
    phrases = Phrases({"x": ("the $thing is $thing",)}, {"thing": "box|$colour box", "colour": "red"}, lambda w: (w,))
    assert phrases.find("the red box is box".split()) == [Match(0, 5, "x")]


def test_maximal_drops_what_a_longer_phrase_explains() -> None:
    matches = [Match(0, 1, "no"), Match(0, 2, "mixed"), Match(3, 4, "no")]
    assert maximal(matches) == [Match(0, 2, "mixed"), Match(3, 4, "no")]


@pytest.mark.parametrize("field", ["spellings", "classes", "echo_for", "numbers"])
def test_an_entry_without_two_sides_is_refused(lexicon: Lexicon, field: str) -> None:
    with pytest.raises(ConfigError):
        Reader(msgspec.structs.replace(lexicon, **{field: ("lonely",)}))


def test_every_phrase_of_the_lexicon_is_found_by_its_own_list(lexicon: Lexicon) -> None:
    """A word that tokenising can never produce would make a pattern dead; `Reader` refuses it."""
    Reader(lexicon)


def test_fold() -> None:
    assert fold("Don\u2019t \uff33\uff34\uff2f\uff30 caf\u00e9 \U0001d5ff\u200b\u2026") == "don't stop cafe r..."
    assert tokens("Don't stop, 3.5 \u0434\u0436!") == ("don't", "stop", "3", "5", "\u0434\u0436")
    plain, offsets = fold_with_offsets("\u00e6\u200bx")
    assert (plain, offsets) == ("aex", (0, 0, 2, 3))

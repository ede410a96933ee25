"""Patterns and lexicon at their edges: what is found, what is refused, and in which words."""

import re

import msgspec
import pytest

from voicewarden.model.error import ConfigError
from voicewarden.reading.lexicon import Lexicon, Reader
from voicewarden.reading.phrase import Match, Phrases, maximal

CLASSES = {"colour": "red|dark blue", "thing": "box|$colour box", "loop": "a|b $loop", "open": "(a"}


def expand(word: str) -> tuple[str, ...]:
    return {"don't": ("do", "not"), "gone": ()}.get(word, (word,))


def phrases(*patterns: str, **more: tuple[str, ...]) -> Phrases:
    return Phrases({"x": patterns, **more}, CLASSES, expand)


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [("a b", "a b a", ["0:2"]), ("a", "b", []), ("a", "", []), ("a a", "a a a", ["0:2", "1:3"]),
     ("[a] b", "a b", ["0:2", "1:2"]), ("a [b]", "a b", ["0:1", "0:2"]),
     ("[a|b c] [d] e", "b c e d e", ["0:3", "2:3", "3:5", "4:5"]),
     ("(a|b (c|d)) e", "a e b c e b d e b e", ["0:2", "2:5", "5:8"]), ("a (b|)", "a b", ["0:1", "0:2"]),
     ("$colour", "dark blue red", ["0:2", "2:3"]), ("$colour $colour", "red dark blue", ["0:3"]),
     ("$thing $thing", "red box box", ["0:3", "1:3"]), ("the $thing", "the dark blue box the red", ["0:4"]),
     ("_ b", "x b b", ["0:2", "1:3"]), ("a _", "a x a .", ["0:2"]), ("a _ _ b", "a x y b a x b", ["0:4"]),
     ("a .. b", "a b a 1 b a 1 2 3 4 b", ["0:2", "0:5", "2:5", "5:11"]), ("a .. b", "a 1 2 3 4 5 b", []),
     ("a .. .. b", "a 1 2 3 4 5 6 7 8 b", ["0:10"]), ("a .. b", "a 1 . b", []), (". a", ". a a", ["1:2"]),
     ("a .", "a a .", ["1:2"]), (". a .", ". a . a b", ["1:2"]), ("a . b", "a . b", ["0:3"]),
     ("don't", "do not", ["0:2"]),
     ("don't a|b", "do not a", None)],
)  # fmt: skip
def test_what_a_pattern_finds(pattern: str, text: str, spans: list[str] | None) -> None:
    if spans is None:
        with pytest.raises(ConfigError):
            phrases(pattern)
        return
    found = phrases(pattern)
    for _ in range(2):  # the second time from what the first has left behind
        assert sorted(f"{match.start}:{match.end}" for match in found.find(text.split())) == spans


def test_lists_share_words_and_are_told_apart_by_name() -> None:
    found = Phrases({"y": ("a b", "c"), "x": ("a b", "a", "b [c]")}, {}, expand)
    assert found.find("a b c".split()) == [
        Match(0, 1, "x"), Match(0, 2, "x"), Match(0, 2, "y"), Match(1, 2, "x"), Match(1, 3, "x"), Match(2, 3, "y")
    ]  # fmt: skip
    assert found.known == {"a", "b", "c", "."}


@pytest.mark.parametrize(
    ("pattern", "text", "field", "accepted"),
    [("", "the pattern '' is empty or has a bracket that was never opened", "x", ""),
     ("a)", "the pattern 'a)' is empty or has a bracket that was never opened", "x", ""),
     ("a]", "the pattern 'a]' is empty or has a bracket that was never opened", "x", ""),
     ("[a]", "the pattern '[a]' has no required word", "x", ""),
     ("..", "the pattern '..' has no required word", "x", ""),
     ("(a", "the pattern '(a' has an open bracket", "", "a closing )"),
     ("a [b", "the pattern 'a [b' has an open bracket", "", "a closing ]"),
     ("a (b]", "the pattern 'a (b]' has an open bracket", "", "a closing )"),
     ("A", "the pattern 'A' holds 'A', which no text contains", "", "folded words"),
     ("a, b", "the pattern 'a, b' holds 'a,', which no text contains", "", "folded words"),
     ("the $nothing", "the pattern 'the $nothing' names the unknown class $nothing", "classes", ""),
     ("$loop", "the class $loop names itself", "classes", "")],
)  # fmt: skip
def test_a_bad_pattern_is_refused_with_the_reason(pattern: str, text: str, field: str, accepted: str) -> None:
    with pytest.raises(ConfigError) as refused:
        phrases("fine", x2=("also fine",)) and phrases(pattern)
    assert (refused.value.what, refused.value.field, refused.value.accepted) == (text, field, accepted)


@pytest.mark.parametrize(
    ("field", "entry", "text", "accepted"),
    [("spellings", "lonely", "the entry 'lonely' has no two sides", "left=right"),
     ("spellings", "=right", "the entry '=right' has no two sides", "left=right"),
     ("spellings", "left= ", "the entry 'left= ' has no two sides", "left=right"),
     ("classes", "name=a", "the entry 'name=a' has no two sides", "left:right"),
     ("echo_for", "words", "the entry 'words' has no two sides", "left:right"),
     ("numbers", "three=three", "the entry 'three=three' has no whole number", "word=3"),
     ("scales", "dozen=-12", "the entry 'dozen=-12' has no whole number", "word=3"),
     ("ordinals", "first", "the entry 'first' has no two sides", "left=right")],
)  # fmt: skip
def test_a_bad_entry_is_refused_with_its_field(
    lexicon: Lexicon, field: str, entry: str, text: str, accepted: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(f'{field}: {text} (accepted: {accepted})')}$"):
        Reader(msgspec.structs.replace(lexicon, **{field: (entry,)}))


def test_the_tables_of_a_reader(lexicon: Lexicon) -> None:
    small = msgspec.structs.replace(
        lexicon, spellings=("Don't = do not", "we're=we are"), apostrophe_needed=("we're",),
        numbers=("Zero=0", "two=2"), scales=("hundred=100",),
        ordinals=("second=2",), months=("january|jan", "february"), weekdays=("monday|mon",),
        echo_for=("book appointment: book it", "book appointment: do it", "send: send it"), currency=("dollars",),
        cents=("cent",), light=("that",), negation=("not",),
    )  # fmt: skip
    reader = Reader(small)
    assert {word: reader.expand(word) for word in ("don't", "dont", "we're", "were", "x")} == {
        "don't": ("do", "not"), "dont": ("do", "not"), "we're": ("we", "are"), "were": ("were",), "x": ("x",)
    }  # fmt: skip
    assert reader.echo_keys == {
        "echo_for book appointment": {"book", "appointment"}, "echo_for send": {"send"}
    }  # fmt: skip
    labels = {match.label for text in ("book it", "do it", "send it") for match in reader.consent.find(text.split())}
    assert {"echo_for book appointment", "echo_for send"} <= labels
    assert (reader.numbers, reader.scales, reader.ordinals) == ({"zero": 0, "two": 2}, {"hundred": 100}, {"second": 2})
    assert reader.months == {"january": 1, "jan": 1, "february": 2}
    assert reader.month_names == {1: "january", 2: "february"}
    assert reader.weekdays == {"monday": "monday", "mon": "monday"} and reader.weekday_names == ("monday",)
    assert reader.plain == {"second": "2", "two": "2"}
    assert reader.counting == {"zero", "two", "second", "january", "jan", "february", "monday", "mon"}
    assert reader.figures == reader.counting | {"hundred"} and reader.figures < reader.vocabulary
    names = "consent question heard misheard answering honesty claims".split()
    lists: list[Phrases] = [getattr(reader, name) for name in names]
    assert reader.vocabulary == reader.figures.union(*(phrases.known for phrases in lists))
    assert (reader.currency, reader.cents, reader.light, reader.negation) == ({"dollars"}, {"cent"}, {"that"}, {"not"})
    assert reader.pieces == {
        "don't": ("do", "not"), "dont": ("do", "not"), "we're": ("we", "are"),
        ".": (".",), "!": (".",), "?": (".",), ";": (".",),
    }  # fmt: skip
    assert reader.language == "en" and reader.words == {}


@pytest.mark.parametrize(
    ("matches", "kept"),
    [([], []), (["0:1a"], ["0:1a"]), (["0:1a", "0:1b"], ["0:1a", "0:1b"]), (["0:1b", "0:1a"], ["0:1a", "0:1b"]),
     (["0:2a", "0:1b", "1:2c"], ["0:2a"]), (["0:2a", "1:3b"], ["0:2a", "1:3b"]),
     (["1:2a", "0:3b", "3:4c"], ["0:3b", "3:4c"]),
     (["0:3a", "1:2b", "1:2c", "2:3d"], ["0:3a"]),
     (["0:2a", "0:2a", "2:3b", "2:3c"], ["0:2a", "0:2a", "2:3b", "2:3c"])],
)  # fmt: skip
def test_only_the_longest_stay(matches: list[str], kept: list[str]) -> None:
    given = [Match(int(text[0]), int(text[2]), text[3:]) for text in matches]
    assert [f"{match.start}:{match.end}{match.label}" for match in maximal(given)] == kept

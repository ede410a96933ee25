"""Words that were heard, held against those that were said."""

import pytest

from voicewarden.rehear.aligning import align, plain


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Yes, book it!", "yes book it"),
        ("At 3 PM.", "at three pm"),
        ("three p.m.", "three pm"),
        ("21 or 555", "twenty one or five five five"),
        ("It's OK, okay?", "it's ok ok"),
        ("twenty-one", "twenty one"),
        ("the 14th, 1st and 20th", "the fourteenth first and twentieth"),
        ("May 22nd", "may twenty second"),
        ("half past ten", "ten thirty"),
        ("10:30", "ten thirty"),
        ("a quarter past", "a quarter past"),
        ("room one hundred and five", "room one zero five"),
        ("three hundred", "three zero zero"),
        ("two hundred twenty seven and more", "two two seven and more"),
        ("one hundred and me", "one zero zero and me"),
        ("a hundred", "a hundred"),
        ("...", ""),
    ],
)
def test_what_makes_no_difference(text: str, wanted: str) -> None:
    assert plain(text) == wanted.split()


@pytest.mark.parametrize(
    ("said", "heard", "wrong", "counts"),
    [
        ("yes book it", "Yes, book it.", "...", (3, 0, 0, 0)),
        ("yes book it", "Yes, look it.", ".x.", (3, 1, 0, 0)),
        ("yes book it", "book it", "..", (3, 0, 1, 0)),
        ("book it", "Oh book it", "x..", (2, 0, 0, 1)),
        ("at twenty one", "at 21", "..", (3, 0, 0, 0)),
        ("at twenty two", "at 21", ".x", (3, 1, 0, 0)),
        ("hello", "", "", (1, 0, 1, 0)),
        ("yes", "- Yes", "x.", (1, 0, 0, 0)),
    ],
)
def test_heard_words_against_said_ones(said: str, heard: str, wrong: str, counts: tuple[int, ...]) -> None:
    found = align(said, heard.split())
    assert "".join("x" if one else "." for one in found.wrong) == wrong
    assert (found.said, found.changed, found.missing, found.extra) == counts


def test_spans_say_which_said_words_a_heard_one_stands_for() -> None:
    found = align("my name is smith", ["My", "name", "is", "very", "Smyth"])
    assert found.spans == ((0, 1), (1, 2), (2, 3), (3, 3), (3, 4))
    assert align("call twenty two", ["call", "22"]).spans == ((0, 1), (1, 3))

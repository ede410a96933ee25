"""Arguments as a model wrote them, and the plain values that are left of them."""

import json
from typing import Any

import pytest

from voicewarden.model.arguments import LONGEST_TEXT, MOST_ARGUMENTS, clean_text, plain_arguments

LARGEST = 2**53 - 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [(True, True), (False, False), (0, 0), (LARGEST, LARGEST), (-LARGEST, -LARGEST), (LARGEST + 1, str(LARGEST + 1)),
     (-LARGEST - 1, str(-LARGEST - 1)), (1.5, "1.5"), (1e22, "1E+22"), (-0.25, "-0.25"), (float("nan"), "not a number"),
     (float("inf"), "not a number"), (float("-inf"), "not a number"), ("a", "a"), ("", ""), ("a\ud800b", "a?b"),
     ([1, "é"], '[1,"é"]'), ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'), (["\ud800"], '["?"]')],
)  # fmt: skip
def test_every_value_becomes_plain(value: Any, plain: Any) -> None:
    args = plain_arguments({"x": value})
    assert args == {"x": plain} and args is not None and type(args["x"]) is type(plain)


def test_a_null_is_left_out_and_what_follows_is_kept() -> None:
    assert plain_arguments({"a": None, "b": 1}) == {"b": 1}
    assert plain_arguments({}) == {}


def test_names_lose_lone_surrogates_too() -> None:
    assert plain_arguments({"a\udc00": 1}) == {"a?": 1}
    assert clean_text("plain") == "plain"


@pytest.mark.parametrize("raw", [None, [], "a", 3, [("a", 1)]])
def test_what_is_no_mapping_is_no_arguments(raw: Any) -> None:
    assert plain_arguments(raw) is None


def test_the_number_of_arguments_is_bounded() -> None:
    most = {f"a{index}": index for index in range(MOST_ARGUMENTS)}
    assert plain_arguments(most) == most
    assert plain_arguments({**most, "more": 0}) is None


@pytest.mark.parametrize("raw", [{1: "a"}, {None: None}, {"a": 1, 2: 3}])
def test_a_name_that_is_no_text_is_refused(raw: Any) -> None:
    assert plain_arguments(raw) is None


def test_the_length_of_names_and_texts_is_bounded() -> None:
    longest = "x" * LONGEST_TEXT
    assert plain_arguments({longest: longest}) == {longest: longest}
    assert plain_arguments({longest + "x": 1}) is None
    assert plain_arguments({longest + "x": None}) is None
    assert plain_arguments({"a": longest + "x"}) is None
    as_json = ["x" * (LONGEST_TEXT - 4)]
    assert plain_arguments({"a": as_json}) == {"a": json.dumps(as_json)}
    assert plain_arguments({"a": ["x" * (LONGEST_TEXT - 3)]}) is None

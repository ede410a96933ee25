"""Canonical bytes to the letter: what is written, what leaves the profile, and how the refusal is worded."""

import re
from hashlib import sha256
from typing import Any

import pytest

from voicewarden.model.canonical import canonical_bytes, check_profile, digest_of

LARGEST = 2**53 - 1
HUGE = "an integer beyond 2^53-1 has no canonical form; pass it as a decimal string"
NO_FORM = "has no canonical form; use integers or decimal strings"


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert canonical_bytes({"b": [1, True, None], "a": "é"}) == '{"a":"é","b":[1,true,null]}'.encode()


def test_a_digest_is_the_sha256_of_the_bytes_in_hex() -> None:
    assert digest_of({"b": 1, "a": 2}) == sha256(b'{"a":2,"b":1}').hexdigest()


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "é", 0, LARGEST, -LARGEST, [], (), {}, [1, [2, {"a": None}]], (1, "a"), {"a": {"b": [0]}}],
)
def test_plain_data_keeps_to_the_profile(value: Any) -> None:
    check_profile(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [(LARGEST + 1, f"$: {HUGE}"), (-LARGEST - 1, f"$: {HUGE}"), ({"a": [0, LARGEST + 1]}, f"$.a[1]: {HUGE}"),
     ((0, {"b": 2**60}), f"$[1].b: {HUGE}"), ({1: 0}, "$: a key must be a string"),
     ([{"a": {2: 0}}], "$[0].a: a key must be a string"), (1.0, f"$: float {NO_FORM}"),
     ({"x": b"1"}, f"$.x: bytes {NO_FORM}"), ([{1}], f"$[0]: set {NO_FORM}")],
)  # fmt: skip
def test_what_leaves_the_profile_is_named_with_its_place(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        check_profile(value)


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff"]}])
def test_a_lone_surrogate_has_no_bytes(value: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        check_profile(value)

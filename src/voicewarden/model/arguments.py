"""Arguments from outside, as the plain values that a policy can judge and a record can hold.

In: the decoded JSON of a tool call. Out: `Arguments`, or None for what can't be one. Called wherever a request comes
in. """

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from voicewarden.model.action import Arguments, Value

MOST_ARGUMENTS: Final = 32
LONGEST_TEXT: Final = 2_000
_LARGEST_INTEGER: Final = 2**53 - 1


# Any: whatever a model wrote as JSON.
def plain_arguments(raw: Any) -> Arguments | None:
    """Numbers with a fraction and huge integers become decimal strings, lists and objects their JSON, nulls are left
    out.
    """
    if not isinstance(raw, Mapping) or len(raw) > MOST_ARGUMENTS:
        return None
    args: Arguments = {}
    for name, value in raw.items():
        if not isinstance(name, str) or len(name) > LONGEST_TEXT:
            return None
        if value is None:
            continue
        try:
            plain = _plain(value)
        except (RecursionError, ValueError):  # nested too deep for JSON, or no JSON at all
            return None
        if isinstance(plain, str) and len(plain) > LONGEST_TEXT:
            return None
        args[clean_text(name)] = plain
    return args


def _plain(value: Any) -> Value:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_INTEGER else str(Decimal(value))
    if isinstance(value, float):
        return str(Decimal(repr(value))) if value == value and abs(value) != float("inf") else "not a number"
    if isinstance(value, str):
        return clean_text(value)
    return clean_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")))


def clean_text(text: str) -> str:
    """The text without lone surrogates, which no UTF-8 record can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")

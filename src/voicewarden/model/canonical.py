"""Canonical bytes: one byte sequence for one value, in every process and Python version.

In: msgspec structs, dicts, lists, strings, integers, booleans, None. Out: compact UTF-8 JSON with sorted keys, and
SHA-256 over it. Floats are refused, because their text differs between encoders (RFC 8785 is met for this restricted
profile). Called by the ledger, the kernel and the configuration room.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import msgspec

_LARGEST_INTEGER: Final = 2**53 - 1
"""RFC 8785 numbers are IEEE 754 doubles: a larger integer would not survive another implementation."""


# Any: canonical bytes exist for every value of the restricted profile, and the check below is the type.
canonical_bytes: Final[Callable[[Any], bytes]] = msgspec.json.Encoder(order="sorted").encode
"""Encode a value as canonical JSON. Hot path: the profile is guaranteed by the record types, not checked again."""


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical bytes, 64 lower-case hex digits."""
    return sha256(canonical_bytes(value)).hexdigest()


def check_profile(value: Any, path: str = "$") -> None:
    """Raise ValueError when plain data leaves the canonical profile: a float, a huge integer, a key of another type."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, str):
        value.encode("utf-8")  # a lone surrogate has no UTF-8 form
        return
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise ValueError(f"{path}: an integer beyond 2^53-1 has no canonical form; pass it as a decimal string")
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{path}: a key must be a string")
            check_profile(item, f"{path}.{key}")
        return
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check_profile(item, f"{path}[{index}]")
        return
    raise ValueError(f"{path}: {type(value).__name__} has no canonical form; use integers or decimal strings")

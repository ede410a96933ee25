"""Two versions of one record side by side, field by field.

In: a `Difference`. Out: rows of field, what replay expects and what the ledger holds. Called by the commands that
replay, for terminals and as JSON.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from voicewarden.model.record import Record
from voicewarden.replay.exact import Difference

_ABSENT = ""


class Row(msgspec.Struct, frozen=True):
    """One field of a record in both versions; empty where a version has no such field."""

    field: str
    expected: str
    found: str

    @property
    def differs(self) -> bool:
        """Whether this field is where the two versions part."""
        return self.expected != self.found


def side_by_side(difference: Difference) -> tuple[Row, ...]:
    """All fields of both versions, in the order in which they are written."""
    if difference.expected is None or difference.found is None:
        return _one_sided(difference)
    expected, found = _fields(difference.expected), _fields(difference.found)
    names = dict.fromkeys((*expected, *found))
    rows = tuple(Row(name, expected.get(name, _ABSENT), found.get(name, _ABSENT)) for name in names)
    if any(row.differs for row in rows):
        return rows
    # The same fields: other bytes say the same, or the chain was made over something else.
    return tuple(
        Row(name, value, of(difference.found)) for name, of in _RAW.items() for value in (of(difference.expected),)
    )


def as_data(difference: Difference) -> dict[str, object]:
    """A difference as JSON: where it is, and the fields that differ."""
    return {
        "call": difference.call, "seq": difference.seq, "what": difference.what,
        "fields": [msgspec.to_builtins(row) for row in side_by_side(difference) if row.differs],
    }  # fmt: skip


def _one_sided(difference: Difference) -> tuple[Row, ...]:
    expected = {} if difference.expected is None else _fields(difference.expected)
    found = {} if difference.found is None else _fields(difference.found)
    named = Row("record", difference.replayed if difference.expected is None else "is there",
                difference.recorded if difference.found is None else "is there")  # fmt: skip
    return (
        named,
        *(Row(name, value, _ABSENT) for name, value in expected.items()),
        *(Row(name, _ABSENT, value) for name, value in found.items()),
    )


def _fields(record: Record) -> dict[str, str]:
    head = {"kind": record.kind, "at_ms": str(record.at_ms)}
    try:
        body = json.loads(record.body)
    except (ValueError, UnicodeDecodeError):
        body = record.body.decode(errors="replace")
    return {**head, **dict(_flat("", body))}


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Leaves of plain data by their path, such as `reasons[0].found`."""
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from _flat(f"{path}.{key}" if path else str(key), inner)
        case list() if value:
            for index, inner in enumerate(value):
                yield from _flat(f"{path}[{index}]", inner)
        case str():
            yield path or "body", value
        case _:
            yield path or "body", json.dumps(value)


_RAW: Final[dict[str, Callable[[Record], str]]] = {
    "bytes": lambda record: record.body.decode(errors="replace"),
    "stream": lambda record: record.stream,
    "number": lambda record: str(record.seq),
    "previous hash": lambda record: record.prev_hash,
    "hash": lambda record: record.hash,
}

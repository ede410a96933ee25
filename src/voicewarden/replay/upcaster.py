"""Upcasters: records of an older shape, turned into today's, so that old calls go on replaying.

In: the stored bytes of an event or of what a step put out. Out: canonical bytes of today's shape, or None where nobody
knows the name. A shape carries its version in its name: an event that changes gets a new name, the old one is entered
here, and what is stored is never touched. Called by `exact` for what it can't read or does not find equal.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.record import RecordKind

# Any: a shape that no type describes any more.
Shape = dict[str, Any]
Upcast = Callable[[Shape], Shape]
Kind = RecordKind | Literal["release"]
Named = tuple[Kind, str]
"""A kind of record and the name that stands in its `event` or `directive` field; empty for kinds without a name. The
release that governed a call is one of these: it lies in a blob, and is turned into today's only if it can't be read."""

_NAME_FIELDS: Final[dict[str, str]] = {"event": "event", "directive": "directive"}
_MOST_STEPS: Final = 64


class Upcasters:
    """Old shapes by kind and name, each with what turns it into the next one."""

    def __init__(self, upcasts: Mapping[Named, Upcast]) -> None:
        self._upcasts = dict(upcasts)

    def __bool__(self) -> bool:
        return bool(self._upcasts)

    def today(self, kind: Kind, body: bytes) -> bytes | None:
        """The bytes of today's shape; None for a name that is not old. Raises ValueError for a ring of names."""
        if not self._upcasts:
            return None
        shape = _shape_of(body)
        if shape is None or (kind, _name(kind, shape)) not in self._upcasts:
            return None
        for _ in range(_MOST_STEPS):
            upcast = self._upcasts.get((kind, _name(kind, shape)))
            if upcast is None:
                return canonical_bytes(shape)
            was = _name(kind, shape)
            shape = upcast(dict(shape))
            if was == _name(kind, shape) == "":
                # A kind without names has one old shape only: nothing says that it was reached.
                return canonical_bytes(shape)
        raise ValueError(f"the upcasters of {kind} {_name(kind, shape)!r} lead in a ring; each must name a newer one")


def _name(kind: Kind, shape: Shape) -> str:
    return str(shape.get(_NAME_FIELDS.get(kind, ""), ""))


def _shape_of(body: bytes) -> Shape | None:
    try:
        shape = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return shape if isinstance(shape, dict) else None


UPCASTERS: Final = Upcasters({})
"""Those of this version: no shape that a released version wrote has changed yet."""

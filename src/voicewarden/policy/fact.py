"""A fact of a call: its value and where it comes from. What atoms look at."""

import msgspec

from voicewarden.model.action import Value


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A value with its provenance: when it became true, and the event record that said so."""

    value: Value
    at_ms: int
    seq: int
    digest: str = ""
    """Only for `consent.*`: the digest of the arguments that the answer belongs to."""


Facts = dict[str, Fact]
"""Name to fact. Treated as immutable: a change copies it."""

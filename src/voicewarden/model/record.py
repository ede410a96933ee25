"""Records: how events, decisions, grants and directives are written down.

A stream is one chain: `call:<id>`, `contact:<id>`, `control`, `worker:<id>`. `hash` covers everything of the record and
the hash before it, so that a changed, removed or reordered record breaks the chain at that place.
"""

from hashlib import sha256 as _sha256
from typing import Final, Literal

import msgspec

RecordKind = Literal["event", "decision", "shadow", "grant", "directive", "note"]
_DOMAIN: Final = "vw/rec/v1\x00"
GENESIS: Final = "0" * 64
"""The hash before the first record of a stream."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One line of a stream; `body` is canonical bytes, `seq` counts from 0 without a gap."""

    stream: str
    seq: int
    at_ms: int
    kind: RecordKind
    body: bytes
    prev_hash: str
    hash: str
    stored: bytes = b""
    """What is written down and hashed where that is not `body`: a body that was sealed, and opened for the reader."""


def chain_hash(stream: str, seq: int, at_ms: int, kind: str, body: bytes, prev_hash: str) -> str:
    """Hash of a record: SHA-256 over the domain, the previous hash, the header line and the stored body bytes."""
    return _sha256(f"{_DOMAIN}{prev_hash}|{stream}|{seq}|{at_ms}|{kind}|".encode() + body).hexdigest()


def make_record(stream: str, seq: int, at_ms: int, kind: RecordKind, body: bytes, prev_hash: str) -> Record:
    """Chain `body` behind `prev_hash`."""
    # Every record of every call passes here, so `chain_hash` is written out; test_step holds the two equal.
    header = f"{_DOMAIN}{prev_hash}|{stream}|{seq}|{at_ms}|{kind}|".encode()
    return Record(stream, seq, at_ms, kind, body, prev_hash, _sha256(header + body).hexdigest())

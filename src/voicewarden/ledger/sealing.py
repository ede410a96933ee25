"""Sealing and opening: what is said in a call is encrypted under keys of that call, one a class of content.

In: the data keys of a stream, bodies of records and recordings. Out: sealed bodies (`model/content.py` has their form)
and sealed blobs, or what was in them. Called by the loop of a call through `kernel.records_of`, and by `LedgerView`.

AES-256-GCM. A record's nonce is its number in the stream, and a stream has one writer, so that none comes twice; what
is authenticated with it is the stream, the number, the kind and the clear part. A blob's nonce is random and stands
before it. Digests in a clear part are keyed hashes under a key that is made of the data key, and goes with it.
"""

import os
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicewarden.model.content import clear_part, has_content, is_sealed, sealed_body, shape_of, split_sealed
from voicewarden.model.error import LedgerBroken
from voicewarden.model.record import Record

DATA_KEY_BYTES: Final = 32
_BOX: Final = "vw/box/v1\x00"
_BLOB: Final = b"vw/blob/v1\x00"
_NONCE_BYTES: Final = 12
_BLIND_BYTES: Final = 16
_BLIND_PERSON: Final = b"vw/blind/v1"


class WordsKey:
    """The key of what was said in one stream: seals its records once, in order, and opens them."""

    def __init__(self, stream: str, key: bytes) -> None:
        self.stream = stream
        self._box = AESGCM(key)
        self._head = f"{_BOX}{stream}|"
        blinding = blake2b(b"", key=key, person=_BLIND_PERSON, digest_size=DATA_KEY_BYTES).digest()
        # Copying a state that has taken in the key costs less than taking it in again for every digest.
        self._blinding = blake2b(key=blinding, digest_size=_BLIND_BYTES)
        self._next = 0

    def seal(self, kind: str, seq: int, value: object, body: bytes) -> bytes:
        """The body as it is to be stored: sealed where the value carries content. See `kernel.records.Seal`."""
        shape = type(value)
        if not has_content(shape):
            return body
        if seq < self._next:
            # INVARIANT: no number is sealed twice; test_sealing.py, test_a_number_is_sealed_once.
            raise LedgerBroken(f"record {seq} of a call was to be sealed again; begin another call under another id")
        self._next = seq + 1
        clear = clear_part(shape, body, self.blind)
        box = self._box.encrypt(seq.to_bytes(_NONCE_BYTES, "big"), body, self._bound(kind, seq, clear))
        return sealed_body(b2a_base64(box, newline=False), clear)

    def open(self, kind: str, seq: int, stored: bytes) -> bytes | None:
        """What was sealed; None where that is not what this key sealed at this place."""
        try:
            box, clear = split_sealed(stored)
            sealed = a2b_base64(box, strict_mode=True)
            return self._box.decrypt(seq.to_bytes(_NONCE_BYTES, "big"), sealed, self._bound(kind, seq, clear))
        except (InvalidTag, Base64Error, ValueError):
            return None

    def misfit(self, kind: str, seq: int, stored: bytes) -> str:
        """What is wrong with a sealed body whose key this is; empty when it opens and its clear part says the same."""
        body = self.open(kind, seq, stored)
        if body is None:
            return "it does not open with the key of its call"
        shape = shape_of(kind, msgspec.json.decode(body))
        clear = b"{}" if shape is None else clear_part(shape, body, self.blind)
        return "" if clear == split_sealed(stored)[1] else "its clear part says something else than what was sealed"

    def opened(self, record: Record) -> Record:
        """The record with its body opened and `stored` as it is written; as it was where there is nothing to open."""
        if not is_sealed(record.body):
            return record
        body = self.open(record.kind, record.seq, record.body)
        if body is None:
            return record
        return Record(
            record.stream, record.seq, record.at_ms, record.kind, body, record.prev_hash, record.hash, record.body
        )

    def blind(self, text: str) -> str:
        """A keyed hash: equal texts of a stream have equal ones, and without the key none can be tried."""
        state = self._blinding.copy()
        state.update(text.encode())
        return "~" + state.hexdigest()

    def _bound(self, kind: str, seq: int, clear: bytes) -> bytes:
        return f"{self._head}{seq}|{kind}|".encode() + clear


class AudioKey:
    """The key of the recordings of one stream."""

    def __init__(self, stream: str, key: bytes) -> None:
        self._box = AESGCM(key)
        self._bound = _BLOB + stream.encode()

    def seal(self, content: bytes) -> bytes:
        """The blob to store."""
        nonce = os.urandom(_NONCE_BYTES)
        return _BLOB + nonce + self._box.encrypt(nonce, content, self._bound)

    def open(self, blob: bytes) -> bytes:
        """What was sealed; raises LedgerBroken where that is not what this key sealed."""
        begin = len(_BLOB) + _NONCE_BYTES
        try:
            return self._box.decrypt(blob[len(_BLOB) : begin], blob[begin:], self._bound)
        except (InvalidTag, ValueError) as error:
            raise LedgerBroken("a recording does not open with its call's key; restore it from a backup") from error


def is_sealed_blob(blob: bytes) -> bool:
    """Whether a blob was sealed."""
    return blob.startswith(_BLOB)

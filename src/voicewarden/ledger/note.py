"""Signed notes (c2sp.org/signed-note) and co-signatures (c2sp.org/tlog-cosignature): text and keys in, text out.

A note is a text, an empty line, and signature lines `— name base64(key id || signature)`. Type 0x01 is an Ed25519
signature over the text, type 0x04 the same by a witness over the text with a time in front. Called by checkpoints, the
sequencer, the witness, verification and proofs.
"""

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from voicewarden.model.error import LedgerBroken, LedgerError

ED25519: Final = 1
COSIGNATURE: Final = 4
_SIGNATURE_BYTES: Final = {ED25519: 64, COSIGNATURE: 72}
_PUBLIC_BYTES: Final = 32
_MOST_SIGNATURES: Final = 64
_LARGEST_NOTE: Final = 65_536
_PRIVATE: Final = "PRIVATE+KEY"
_DASH: Final = "— "


class VerifierKey(NamedTuple):
    """A public key with its name and what it signs with; `text` is its one-line form (a vkey)."""

    name: str
    algorithm: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name+id+key`; raises LedgerError for anything else."""
        name, _, rest = text.strip().partition("+")
        identity, _, data = rest.partition("+")
        try:
            raw = decode64(data)
        except ValueError:
            raw = b""
        if len(raw) != 1 + _PUBLIC_BYTES or raw[0] not in _SIGNATURE_BYTES or not is_key_name(name):
            raise LedgerError("this is no public key; a key looks like `name+89abcdef+BASE64`, as the ledger prints it")
        found = cls(name, raw[0], raw[1:])
        if found.id.hex() != identity:
            raise LedgerError("this public key does not match the id in its middle; copy the whole line again")
        return found

    @property
    def id(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        return sha256(f"{self.name}\n".encode() + bytes([self.algorithm]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The one line that others are given."""
        return f"{self.name}+{self.id.hex()}+{encode64(bytes([self.algorithm]) + self.public)}"


class SignerKey(NamedTuple):
    """A private key with its name; `voicewarden keys` or the witness's own store has it."""

    name: str
    algorithm: int
    private: Ed25519PrivateKey

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` wrote; raises LedgerError without showing any of it."""
        parts = text.strip().removeprefix(f"{_PRIVATE}+").split("+", 2)
        try:
            raw = decode64(parts[2])
            found = cls(parts[0], raw[0], Ed25519PrivateKey.from_private_bytes(raw[1:]))
            if found.algorithm not in _SIGNATURE_BYTES or found.public.id.hex() != parts[1]:
                raise ValueError("another key")
        except (ValueError, IndexError):
            raise LedgerError("this is no private key of a witness; restore it from a backup") from None
        return found

    @property
    def public(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.algorithm, self.private.public_key().public_bytes_raw())

    @property
    def secret_text(self) -> str:
        """The one line that is kept in a file of mode 0600."""
        raw = bytes([self.algorithm]) + self.private.private_bytes_raw()
        return f"{_PRIVATE}+{self.name}+{self.public.id.hex()}+{encode64(raw)}"


class Signature(NamedTuple):
    """One signature line."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line with its end."""
        return f"{_DASH}{self.name} {encode64(self.key_id + self.value)}\n"

    @property
    def unix_s(self) -> int:
        """When a witness co-signed; of a plain signature, 0."""
        return int(struct.unpack(">Q", self.value[:8])[0]) if len(self.value) == _SIGNATURE_BYTES[COSIGNATURE] else 0


class Note(NamedTuple):
    """A text that ends with a newline, and the signatures under it."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read a note; raises LedgerError when it is none."""
        text, found, lines = raw.rpartition("\n\n")
        if not found or not lines.endswith("\n") or len(raw.encode("utf-8", "replace")) > _LARGEST_NOTE:
            raise LedgerError("this is no signed note: it ends with an empty line and signature lines under it")
        if any(ord(character) < 32 and character != "\n" for character in raw):
            raise LedgerError("this is no signed note: it has control characters in it; copy the file as it is")
        signatures = tuple(map(parse_signature, lines[:-1].split("\n")))
        if len(signatures) > _MOST_SIGNATURES:
            raise LedgerError(f"this note has more than {_MOST_SIGNATURES} signatures; leave unknown ones out")
        return cls(text + "\n", signatures)

    @property
    def raw(self) -> str:
        """The note as it is stored and sent."""
        return self.text + "\n" + "".join(signature.line for signature in self.signatures)

    def with_signatures(self, more: Iterable[Signature]) -> Self:
        """The same note with further signatures, each once."""
        return self._replace(signatures=tuple(dict.fromkeys((*self.signatures, *more))))

    def signed_by(self, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Those of the keys that signed. Unknown signatures count for nothing; a wrong one of a known key raises."""
        found = []
        for signature in self.signatures:
            for key in keys:
                if (key.name, key.id) == (signature.name, signature.key_id):
                    if not _holds(self.text, signature, key):
                        raise LedgerBroken(f"the signature of {key.name} does not hold: text or signature was altered")
                    found.append(key)
        return tuple(dict.fromkeys(found))

    def cosigned_unix_s(self, key: VerifierKey) -> int:
        """When this witness co-signed, 0 if it did not."""
        times = [item.unix_s for item in self.signatures if (item.name, item.key_id) == (key.name, key.id)]
        return max(times, default=0)


def sign(text: str, key: SignerKey, *, unix_s: int = 0) -> Signature:
    """Sign a text; a witness's key co-signs it as of `unix_s`."""
    if key.algorithm == ED25519:
        value = key.private.sign(text.encode())
    else:
        value = struct.pack(">Q", unix_s) + key.private.sign(_with_time(text, unix_s))
    return Signature(key.name, key.public.id, value)


def parse_signature(line: str) -> Signature:
    """Read a signature line without its end; raises LedgerError when it is none."""
    name, _, data = line.removeprefix(_DASH).partition(" ")
    try:
        raw = decode64(data)
    except ValueError:
        raw = b""
    if not line.startswith(_DASH) or not is_key_name(name) or len(raw) < 5:
        raise LedgerError("this is no signature line: it reads `— name BASE64`")
    return Signature(name, raw[:4], raw[4:])


def is_key_name(name: str) -> bool:
    """Whether a key may be named so: something, without spaces and plus signs."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and name.isprintable()


def encode64(raw: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(raw).decode("ascii")


def decode64(text: str) -> bytes:
    """The bytes of exactly what `encode64` writes; raises ValueError for any other spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("this is not base64") from error
    if encode64(raw) != text:
        raise ValueError("this base64 has a second spelling")
    return raw


def _holds(text: str, signature: Signature, key: VerifierKey) -> bool:
    if len(signature.value) != _SIGNATURE_BYTES[key.algorithm]:
        return False
    signed = text.encode() if key.algorithm == ED25519 else _with_time(text, signature.unix_s)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature.value[-64:], signed)
    except InvalidSignature:
        return False
    return True


def _with_time(text: str, unix_s: int) -> bytes:
    return f"cosignature/v1\ntime {unix_s}\n{text}".encode()

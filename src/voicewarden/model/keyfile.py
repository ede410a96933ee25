"""The file of one secret key, as `config/keys.py` writes it and the ledger's vault reads it.

In: the bytes of a `NAME.GENERATION.key` file. Out: a `KeyFile`, with the id under which it may be shown.
"""

import hashlib
from typing import Final, Literal

import msgspec

KeyName = Literal["grant-seal", "checkpoint-signing", "contact-pepper", "content-wrapping"]
WRAPPING: Final[KeyName] = "content-wrapping"
"""The key under which the data keys of calls lie in the vault."""
SECRET_BYTES: Final = 32
_ID_DOMAIN: Final = b"vw/key-id/v1\x00"


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One secret of an installation; a later generation of the same name is the newer one."""

    name: KeyName
    generation: int
    created: str
    """ISO 8601, UTC."""
    secret: bytes
    """In base64 in the file."""

    def secret_id(self) -> str:
        """What may be shown of a secret: 16 hex digits of its hash under a domain."""
        return hashlib.sha256(_ID_DOMAIN + self.name.encode() + b"\x00" + self.secret).hexdigest()[:16]


def parse_key_file(content: bytes) -> KeyFile:
    """Read a key file. Raises ValueError when it is none, or holds a secret of another length."""
    key = msgspec.json.decode(content, type=KeyFile)
    if len(key.secret) != SECRET_BYTES:
        raise ValueError("wrong length")
    return key

"""The keys under which data keys lie in a vault: found where an installation keeps its keys.

In: a folder of keys as `config/keys.py` makes it. Out: the `content-wrapping` keys by id, the newest first, and data
keys wrapped and unwrapped with them. Called by `Vault`. Reading goes on without a key that can't be read: what it would
open then stays sealed.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicewarden.model.keyfile import WRAPPING, parse_key_file

KEYS_VARIABLE: Final = "VOICEWARDEN_KEYS_DIR"
"""Names the folder of keys for whoever reads a ledger whose keys are not where they were when it was written."""
WrappingKeys = Mapping[str, bytes]
_DOMAIN: Final = "vw/key/v1\x00"
_NONCE_BYTES: Final = 12


def read_wrapping_keys(folder: Path) -> dict[str, bytes]:
    """The wrapping keys in a folder, the newest first; none where there are none that may be read."""
    found = []
    try:
        for path in sorted(folder.glob(f"{WRAPPING}.*.key")):
            key = parse_key_file(path.read_bytes())
            if key.name == WRAPPING:
                found.append(key)
    except (OSError, ValueError):
        pass
    return {key.secret_id(): key.secret for key in sorted(found, key=lambda key: -key.generation)}


def find_wrapping_keys(*folders: Path | None) -> dict[str, bytes]:
    """Those of the folder that the environment names, then those of each folder given."""
    named = os.environ.get(KEYS_VARIABLE)
    found: dict[str, bytes] = {}
    for folder in (Path(named) if named else None, *folders):
        if folder is not None:
            found |= read_wrapping_keys(folder)
    return found


def wrap(key: bytes, under: bytes, stream: str, content: str) -> bytes:
    """A data key as it may be written down; bound to its stream and class."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(under).encrypt(nonce, key, _bound(stream, content))


def unwrap(wrapped: bytes, under: bytes, stream: str, content: str) -> bytes | None:
    """The data key; None where this is not what was wrapped for this stream and class."""
    try:
        return AESGCM(under).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _bound(stream, content))
    except (InvalidTag, ValueError):
        return None


def _bound(stream: str, content: str) -> bytes:
    return f"{_DOMAIN}{stream}|{content}".encode()

"""Keys: a directory comes in, the secrets of this installation go out; `cli` hands them to whoever needs one.

`grant-seal` seals grants, `checkpoint-signing` (Ed25519) signs the ledger's checkpoints, `contact-pepper` keys the
hashes of telephone numbers. They are made on the first start. Rotation adds a new key and keeps the old ones for
verification. One file a key, mode 0600, in a directory of mode 0700; anything wider is refused.
"""

import base64
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.model.error import ConfigError

KeyName = Literal["grant-seal", "checkpoint-signing", "contact-pepper"]
KEY_NAMES: Final[tuple[KeyName, ...]] = get_args(KeyName)
_CREATION_ORDER: Final[tuple[KeyName, ...]] = ("contact-pepper", "checkpoint-signing", "grant-seal")
SECRET_BYTES: Final = 32
_PEPPER_WARNING: Final = (
    "rotating contact-pepper changes the hash of every telephone number: opt-outs and attempts are found again only as "
    "long as the old pepper is kept for look-ups, and destroying it would make people callable who said no"
)


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What may be shown of a key."""

    name: KeyName
    id: str
    """First 16 hex digits of a hash: of the public key for signing, of the secret under a domain for the others."""
    created: str
    """ISO 8601, UTC."""
    active: bool


class _StoredKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: KeyName
    generation: int
    created: str
    secret: str

    def secret_bytes(self) -> bytes:
        return base64.b64decode(self.secret, validate=True)

    def id(self) -> str:
        secret = self.secret_bytes()
        if self.name == "checkpoint-signing":
            public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
            return hashlib.sha256(public).hexdigest()[:16]
        return hashlib.sha256(b"vw/key-id/v1\x00" + self.name.encode() + b"\x00" + secret).hexdigest()[:16]


class Keys:
    """The opened keys. Nothing of a secret is in its text forms."""

    def __init__(self, directory: Path, stored: dict[KeyName, list[_StoredKey]]) -> None:
        self._directory = directory
        self._stored = stored

    @classmethod
    def open(cls, directory: Path) -> "Keys":
        """Open the keys, making those that do not exist yet. Raises ConfigError for wide modes or broken files."""
        _prepare(directory)
        with _locked(directory):
            stored = _read_all(directory)
            for name in _missing(directory, stored):
                stored[name].append(_create(directory, name, 1))
        return cls(directory, stored)

    @property
    def grant_seal(self) -> bytes:
        """The active 32 bytes that seal grants."""
        return self._newest("grant-seal").secret_bytes()

    @property
    def grant_seals(self) -> dict[str, bytes]:
        """All seals by id, the active one first; old ones verify what was sealed before a rotation."""
        return {key.id(): key.secret_bytes() for key in self._stored["grant-seal"]}

    @property
    def checkpoint_signing(self) -> Ed25519PrivateKey:
        """The active key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._newest("checkpoint-signing").secret_bytes())

    @property
    def checkpoint_public(self) -> dict[str, bytes]:
        """The raw public keys by id, the active one first."""
        return {
            key.id(): Ed25519PrivateKey.from_private_bytes(key.secret_bytes()).public_key().public_bytes_raw()
            for key in self._stored["checkpoint-signing"]
        }

    @property
    def contact_peppers(self) -> tuple[bytes, ...]:
        """All peppers, the active one first: write with the first, look up with each."""
        return tuple(key.secret_bytes() for key in self._stored["contact-pepper"])

    def active_id(self, name: KeyName) -> str:
        """The id of the key that is used for new things."""
        return self._newest(name).id()

    def list(self) -> tuple[KeyInfo, ...]:
        """Every key without its secret, the active one of each name first."""
        return tuple(
            KeyInfo(name=name, id=key.id(), created=key.created, active=index == 0)
            for name in KEY_NAMES
            for index, key in enumerate(self._stored[name])
        )

    def rotate(self, name: KeyName, *, confirmed: bool = False) -> KeyInfo:
        """Make a new active key and keep the old. The pepper has to be confirmed: the ConfigError says why."""
        if name not in KEY_NAMES:
            raise ConfigError(f"found {name!r}, which is no key", field="keys", accepted=", ".join(KEY_NAMES))
        if name == "contact-pepper" and not confirmed:
            raise ConfigError(_PEPPER_WARNING, field="keys", accepted="the same command with its confirmation")
        with _locked(self._directory):
            stored = _read_all(self._directory)
            key = _create(self._directory, name, stored[name][0].generation + 1 if stored[name] else 1)
            stored[name].insert(0, key)
        self._stored = stored
        return KeyInfo(name=name, id=key.id(), created=key.created, active=True)

    def _newest(self, name: KeyName) -> _StoredKey:
        return self._stored[name][0]


def _prepare(directory: Path) -> None:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the directory of the keys can't be made: {error.strerror}", file=str(directory)) from None
    _demand_private(directory, 0o700)


def _demand_private(path: Path, wanted: int) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        what = f"others may read it (mode {mode:04o}); look whether a key has leaked, then run chmod {wanted:o} on it"
        raise ConfigError(what, file=str(path), accepted=f"mode {wanted:04o}")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Two processes that start for the first time at once must not make two sets of keys."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_all(directory: Path) -> dict[KeyName, list[_StoredKey]]:
    stored: dict[KeyName, list[_StoredKey]] = {name: [] for name in KEY_NAMES}
    for path in sorted(directory.glob("*.key")):
        _demand_private(path, 0o600)
        try:
            key = msgspec.json.decode(path.read_bytes(), type=_StoredKey)
            if len(key.secret_bytes()) != SECRET_BYTES:
                raise ValueError("wrong length")
        except (OSError, ValueError, msgspec.DecodeError):
            raise ConfigError("is no key file; restore it from the backup of the keys", file=str(path)) from None
        stored[key.name].append(key)
    for keys in stored.values():
        keys.sort(key=lambda key: key.generation, reverse=True)
    return stored


def _missing(directory: Path, stored: dict[KeyName, list[_StoredKey]]) -> list[KeyName]:
    """What a first start has yet to make. A key that is gone while a later one exists was lost, and is not replaced."""
    missing = [name for name in _CREATION_ORDER if not stored[name]]
    for name in missing:
        later = _CREATION_ORDER[_CREATION_ORDER.index(name) :]
        if any(stored[other] for other in later):
            what = f"the key {name} is gone; restore it from the backup, for a new one can't verify or find what is old"
            raise ConfigError(what, file=str(directory))
    return missing


def _create(directory: Path, name: KeyName, generation: int) -> _StoredKey:
    """Write a new key completely before it gets its name, so that a crash leaves no half key."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    secret = base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    key = _StoredKey(name=name, generation=generation, created=created, secret=secret)
    path = directory / f"{name}.{generation:04d}.key"
    draft = path.with_suffix(".new")
    content = json.dumps(msgspec.to_builtins(key), sort_keys=True).encode() + b"\n"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(draft, path)
    except OSError as error:
        raise ConfigError(f"the key can't be written: {error.strerror}", file=str(path)) from None
    return key

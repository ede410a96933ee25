"""Keys: a directory comes in, the secrets of this installation go out; `cli` hands them to whoever needs one.

`grant-seal` seals grants, `checkpoint-signing` (Ed25519) signs the ledger's checkpoints, `contact-pepper` keys the
hashes of telephone numbers, `content-wrapping` wraps the data keys of what was said in calls. They are made on the
first start. Rotation adds a new key and keeps the old ones for verification. One file a key, mode 0600, in a directory
of mode 0700; anything wider is refused.
"""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from voicewarden.model.error import ConfigError
from voicewarden.model.keyfile import SECRET_BYTES, WRAPPING, KeyFile, KeyName, parse_key_file

KEY_NAMES: Final[tuple[KeyName, ...]] = get_args(KeyName)
_CREATION_ORDER: Final[tuple[KeyName, ...]] = ("contact-pepper", "checkpoint-signing", "grant-seal", WRAPPING)
"""The last came later than the others; that it was lost is noticed by the vault, whose keys are wrapped with it."""
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


def _id_of(key: KeyFile) -> str:
    if key.name != "checkpoint-signing":
        return key.secret_id()
    public = Ed25519PrivateKey.from_private_bytes(key.secret).public_key().public_bytes_raw()
    return hashlib.sha256(public).hexdigest()[:16]


class Keys:
    """The opened keys. Nothing of a secret is in its text forms."""

    def __init__(self, directory: Path, stored: dict[KeyName, list[KeyFile]]) -> None:
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
        return self._newest("grant-seal").secret

    @property
    def grant_seals(self) -> dict[str, bytes]:
        """All seals by id, the active one first; old ones verify what was sealed before a rotation."""
        return {_id_of(key): key.secret for key in self._stored["grant-seal"]}

    @property
    def checkpoint_signing(self) -> Ed25519PrivateKey:
        """The active key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self._newest("checkpoint-signing").secret)

    @property
    def checkpoint_public(self) -> dict[str, bytes]:
        """The raw public keys by id, the active one first."""
        return {
            _id_of(key): Ed25519PrivateKey.from_private_bytes(key.secret).public_key().public_bytes_raw()
            for key in self._stored["checkpoint-signing"]
        }

    @property
    def directory(self) -> Path:
        """Where they lie."""
        return self._directory

    @property
    def wrapping(self) -> dict[str, bytes]:
        """The keys that wrap data keys by id, the active one first; old ones open what was wrapped before."""
        return {key.secret_id(): key.secret for key in self._stored[WRAPPING]}

    @property
    def contact_peppers(self) -> tuple[bytes, ...]:
        """All peppers, the active one first: write with the first, look up with each."""
        return tuple(key.secret for key in self._stored["contact-pepper"])

    def active_id(self, name: KeyName) -> str:
        """The id of the key that is used for new things."""
        return _id_of(self._newest(name))

    def list(self) -> tuple[KeyInfo, ...]:
        """Every key without its secret, the active one of each name first."""
        return tuple(
            KeyInfo(name=name, id=_id_of(key), created=key.created, active=index == 0)
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
        return KeyInfo(name=name, id=_id_of(key), created=key.created, active=True)

    def _newest(self, name: KeyName) -> KeyFile:
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


def _read_all(directory: Path) -> dict[KeyName, list[KeyFile]]:
    stored: dict[KeyName, list[KeyFile]] = {name: [] for name in KEY_NAMES}
    for path in sorted(directory.glob("*.key")):
        _demand_private(path, 0o600)
        try:
            key = parse_key_file(path.read_bytes())
        except (OSError, ValueError, msgspec.DecodeError):
            raise ConfigError("is no key file; restore it from the backup of the keys", file=str(path)) from None
        stored[key.name].append(key)
    for keys in stored.values():
        keys.sort(key=lambda key: key.generation, reverse=True)
    return stored


def _missing(directory: Path, stored: dict[KeyName, list[KeyFile]]) -> list[KeyName]:
    """What a first start has yet to make. A key that is gone while a later one exists was lost, and is not replaced."""
    missing = [name for name in _CREATION_ORDER if not stored[name]]
    for name in missing:
        later = _CREATION_ORDER[_CREATION_ORDER.index(name) :]
        if any(stored[other] for other in later):
            what = f"the key {name} is gone; restore it from the backup, for a new one can't verify or find what is old"
            raise ConfigError(what, file=str(directory))
    return missing


def _create(directory: Path, name: KeyName, generation: int) -> KeyFile:
    """Write a new key completely before it gets its name, so that a crash leaves no half key."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    key = KeyFile(name=name, generation=generation, created=created, secret=secrets.token_bytes(SECRET_BYTES))
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

"""People: who may sign for an erasure, each with a public key.

In: `people.yaml` beside the settings. Out: public keys by name, or a ConfigError that says what to do. Called by
`voicewarden ledger erase`. `person_key` makes a key pair for one of them, whose private half stays with that person.
"""

import base64
import os
from pathlib import Path
from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field

from voicewarden.config.finding import Findings
from voicewarden.config.validation import Document, validate
from voicewarden.config.yaml_file import read_yaml
from voicewarden.model.error import ConfigError

FILE: Final = "people.yaml"
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.@-]{0,63}$")]


class Person(Document):
    """Somebody with a key of their own, what they may sign for, and why."""

    name: Name
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
    may: Annotated[list[Literal["erase"]], Field(min_length=1)]
    why: Annotated[str, Field(min_length=1, max_length=500)]


class PeopleDocument(Document):
    """The file."""

    people: list[Person] = Field(default_factory=list)


def may_erase(config_dir: Path) -> dict[str, bytes]:
    """The public keys of those who may sign for an erasure, by name. Raises ConfigError for a name or key twice."""
    path = config_dir / FILE
    if not path.exists():
        raise ConfigError(
            "there is nobody who may sign for an erasure; list two people with name, key (`voicewarden keys person` "
            "makes it), may: [erase] and why",
            file=str(path), field="people",
        )  # fmt: skip
    source, findings = read_yaml(path), Findings()
    found: dict[str, bytes] = {}
    for place, person in enumerate(validate(PeopleDocument, source).people):
        key = base64.b64decode(person.key)
        if person.name in found or key in found.values():
            source.complain(findings, ("people", place), "this name or key stands here twice", "one key a person")
        found[person.name] = key
    findings.raise_if_any()
    return found


def make_person_key(path: Path, passphrase: bytes = b"") -> str:
    """Write a new private key to a file that only its owner can read; returns the public key for `people.yaml`."""
    key = Ed25519PrivateKey.generate()
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise ConfigError(f"the key can't be written: {error.strerror}", file=str(path)) from None
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def read_person_key(path: Path, passphrase: bytes = b"") -> Ed25519PrivateKey:
    """Read a person's private key. Raises ConfigError when it is none, or the passphrase is missing or wrong."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase or None)
    except OSError as error:
        raise ConfigError(f"the key can't be read: {error.strerror}", file=str(path)) from None
    except (ValueError, TypeError):
        what = "is no key of a person, or its passphrase is missing or wrong"
        raise ConfigError(what, file=str(path), accepted="a file of `voicewarden keys person`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError("is no Ed25519 key", file=str(path), accepted="a file of `voicewarden keys person`")
    return key

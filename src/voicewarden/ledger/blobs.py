"""Blobs: bytes named by their SHA-256, in files beside the ledger (recordings, releases).

In: bytes. Out: their name, or the bytes of a name. They are files and not rows, because ten megabytes of audio in the
write-ahead log would hold up the grants behind it, and because erasing one must not touch the chain.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from voicewarden.ledger.schema import sync_directory
from voicewarden.ledger.sealing import is_sealed_blob
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull

_LOOKED_AT: Final = 64


def blob_folder(ledger: Path) -> Path:
    """Where the blobs of a ledger are."""
    return ledger.with_name(ledger.name + ".blobs")


def put_blob(folder: Path, data: bytes) -> str:
    """Store bytes durably and return their name. Blocks on the disk: call it off the event loop."""
    name = hashlib.sha256(data).hexdigest()
    target = _place(folder, name)
    if target.exists():
        return name
    temporary = target.with_name(f".{name}.{os.getpid()}.{id(data)}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(temporary, data)
        os.replace(temporary, target)
        for directory in (target.parent, folder, folder.parent):
            sync_directory(directory)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LedgerFull(
            f"{folder}: a blob can't be stored ({error.strerror}); make room on the disk or give write access"
        ) from error
    return name


def get_blob(folder: Path, name: str) -> bytes:
    """The bytes of a name; raises LedgerBroken when they are not what was stored."""
    if len(name) != 64 or not all(digit in "0123456789abcdef" for digit in name):
        raise LedgerError("a blob is named by 64 lower-case hex digits; pass a name that a record holds")
    try:
        data = _place(folder, name).read_bytes()
    except OSError as error:
        raise LedgerError(
            f"{folder}: blob {name[:12]} can't be read ({error.strerror}); copy the blob folder along with the ledger"
        ) from error
    if hashlib.sha256(data).hexdigest() != name:
        raise LedgerBroken(f"{folder}: blob {name[:12]} was changed after it was stored; restore it from a backup")
    return data


def delete_recording(folder: Path, name: str) -> bool:
    """Delete a sealed recording; False when it is gone, or is none: a release is never deleted. Blocks on the disk."""
    target = _place(folder, name)
    try:
        with target.open("rb") as file:
            if not is_sealed_blob(file.read(_LOOKED_AT)):
                return False
        target.unlink()
        sync_directory(target.parent)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LedgerError(f"{folder}: blob {name[:12]} can't be deleted ({error.strerror}); allow it") from error
    return True


def _place(folder: Path, name: str) -> Path:
    return folder / name[:2] / name


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

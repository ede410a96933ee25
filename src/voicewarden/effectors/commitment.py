"""Takes down what a caller committed to: the effector of `advance_commitment`.

In: a grant over what was agreed. Out: *done* once one line of JSON, named by the grant, is on the disk. The file is for
whoever honours the commitments; the same grant is written once, however often it is tried.
"""

import asyncio
import fcntl
import os
from pathlib import Path

import msgspec

from voicewarden.effectors.act import act
from voicewarden.model.action import Arguments
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Grant
from voicewarden.model.ports import Receipt, Spending


class CommitmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file."""

    grant: str
    call: str
    args: Arguments
    confirmed: str
    """Digest of the question and of the words that agreed."""


class Commitment:
    """Appends to one file; implements `model.ports.Effector`."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    async def spend(self, spending: Spending) -> Receipt:
        """Take down what was granted."""
        grant = spending.grant

        async def note(args: Arguments) -> Receipt:
            return await asyncio.to_thread(self._note, grant, args)

        return await act(spending, note)

    def lines(self) -> tuple[CommitmentLine, ...]:
        """Everything taken down so far; blocks on the disk."""
        return _lines(self._path.read_bytes()) if self._path.exists() else ()

    def _note(self, grant: Grant, args: Arguments) -> Receipt:
        line = CommitmentLine(grant=grant.id, call=grant.call, args=args, confirmed=grant.confirmed)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return Receipt("failed", {"why": str(error.strerror)})
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            known = self._path.read_bytes()
            if all(old.grant != grant.id for old in _lines(known)):
                _append(handle, known, canonical_bytes(line) + b"\n")
                _sync_folder(self._path.parent)
        finally:
            os.close(handle)
        return Receipt("done", {"commitment": grant.id})


def _append(handle: int, known: bytes, line: bytes) -> None:
    """A line that a crash cut short was never acknowledged: it is overwritten."""
    whole = known.rfind(b"\n") + 1
    try:
        os.ftruncate(handle, whole)
        os.pwrite(handle, line, whole)
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, whole)
        raise


def _lines(data: bytes) -> tuple[CommitmentLine, ...]:
    whole = data[: data.rfind(b"\n") + 1]
    return tuple(msgspec.json.decode(line, type=CommitmentLine) for line in whole.splitlines())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

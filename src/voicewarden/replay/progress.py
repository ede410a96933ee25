"""The progress of work over many calls: what is finished is written down, so that a second run does only the rest.

In: finished calls. Out: a file with a line each, and what a file of an earlier run holds. Called by `batch`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from voicewarden.model.error import LedgerError
from voicewarden.replay.exact import Replayed
from voicewarden.replay.whatif import CallWhatIf

R = TypeVar("R", Replayed, CallWhatIf)


class Done(msgspec.Struct, Generic[R], frozen=True):
    """One call and what came of it; a line of a progress file."""

    ledger: str
    head: str
    """Hash of the call's last record."""
    result: R


class Progress(Generic[R]):
    """A file to which every finished call is added; without a path, nothing is kept."""

    def __init__(self, path: Path | None, job: str, kind: type[R]) -> None:
        """Raises LedgerError for a file of another job."""
        self._path = path
        self._first = msgspec.json.encode({"job": job})
        self._file: int | None = None
        # Any: which results a file holds is only known here.
        line: Any = Done[kind]  # type: ignore[valid-type]  # a class chosen at run time
        self._decoder = msgspec.json.Decoder(line)
        self.known: dict[tuple[str, str, str], R] = {}
        if path is not None and path.exists():
            self._read(path)

    def _read(self, path: Path) -> None:
        first, *lines = path.read_bytes().split(b"\n")
        if first != self._first:
            raise LedgerError(f"{path}: is the progress of another job; name another file, or remove this one")
        for line in lines:
            try:
                done = self._decoder.decode(line)
            except msgspec.MsgspecError:
                continue  # cut off when the last run was: that call is done again
            self.known[done.ledger, done.result.call, done.head] = done.result

    def __enter__(self) -> "Progress[R]":
        if self._path is not None:
            begun = self._path.exists() and self._path.stat().st_size > 0
            self._file = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            # A line that was cut off gets its end, so that the next one begins at a beginning.
            os.write(self._file, b"\n" if begun else self._first + b"\n")
        return self

    def write(self, done: Sequence[Done[R]]) -> None:
        """Add calls that are finished."""
        if self._file is not None:
            os.write(self._file, b"".join(msgspec.json.encode(item) + b"\n" for item in done))

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

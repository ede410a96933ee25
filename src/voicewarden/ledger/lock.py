"""The lock file that keeps a second writer away.

In: the ledger's path. Out: a held lock, or a `LedgerError` naming the process that holds it. Called by `Ledger.open`.
The kernel drops the lock when its process dies, so a crash leaves nothing to clean up.
"""

import fcntl
import os
from pathlib import Path

from voicewarden.model.error import LedgerError


class WriterLock:
    """An exclusive advisory lock on `<ledger>.lock`, held until `release`."""

    def __init__(self, ledger: Path) -> None:
        path = ledger.with_name(ledger.name + ".lock")
        try:
            self._handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(
                f"{ledger}: its lock file can't be opened ({error.strerror}); give this user write access to the folder"
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip()
            os.close(self._handle)
            raise LedgerError(
                f"{ledger}: process {holder or 'unknown'} is writing this ledger, and there can be one writer only; "
                "stop it, go through the running server, or open the ledger for reading"
            ) from error
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next writer in; releasing twice is no error."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

"""A disk that fails on request: an SQLite VFS whose operations raise once a fault was chosen, or from the n-th on."""

import itertools
from pathlib import Path
from typing import Literal

import apsw

Fault = Literal["", "full", "write", "sync", "sync_file", "read_only"]
"""What every operation of its kind meets; `sync_file` is a sync of anything but the write-ahead log."""
Injected = Literal["io", "full", "short"]
"""What the n-th operation meets: EIO, ENOSPC, or (a write only) half of it and then ENOSPC."""
_NUMBERS = itertools.count()


class FailingDisk(apsw.VFS):
    """Behaves like the default VFS until it is told otherwise; `syncs` counts the syncs of the write-ahead log.

    `fault` fails every operation of its kind, `full_while` every write while that file exists. `fail_at` fails the one
    operation of that number with `injected`, and none after it; `operations` counts those that `injected` can meet:
    reads, writes, syncs and truncations for `io`, else writes alone.
    """

    def __init__(self) -> None:
        self.name = f"failing-disk-{next(_NUMBERS)}"
        self.fault: Fault = ""
        self.full_while: Path | None = None
        self.injected: Injected = "io"
        self.fail_at = -1
        self.failed = ""
        """Kind and file of the operation that `fail_at` failed; empty while none was."""
        self.operations = 0
        self.syncs = 0
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file that asks this disk before it does anything."""
        shown = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self, name, Path(shown or "").name, flags)


class _File(apsw.VFSFile):
    def __init__(
        self, disk: FailingDisk, name: str | apsw.URIFilename | None, file: str, flags: list[int]
    ) -> None:
        self._disk = disk
        self._file = file
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__("", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:
        if self._is_due("read"):
            raise apsw.IOError("a read failed (injected)")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        disk = self._disk
        if self._is_due("write"):
            if disk.injected == "io":
                raise apsw.IOError("a write failed (injected)")
            if disk.injected == "short":
                super().xWrite(bytes(data)[: len(data) // 2], offset)
            raise apsw.FullError("no room is left (injected)")
        if disk.fault == "full" or (disk.full_while is not None and disk.full_while.exists()):
            raise apsw.FullError("no room is left (injected)")
        if disk.fault == "write":
            raise apsw.IOError("a write failed (injected)")
        if disk.fault == "read_only":
            raise apsw.ReadOnlyError("the disk was mounted anew, for reading alone (injected)")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        # A disk without room may say so as late as here, and here it is no longer known what was lost.
        fault = self._disk.fault
        if self._is_due("sync") or fault == "sync" or (fault == "sync_file" and not self._is_log):
            raise apsw.IOError("a sync failed (injected)")
        self._disk.syncs += self._is_log
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        if self._is_due("truncate"):
            raise apsw.IOError("a truncation failed (injected)")
        super().xTruncate(size)

    def _is_due(self, kind: str) -> bool:
        disk = self._disk
        if kind != "write" and disk.injected != "io":
            return False
        number, disk.operations = disk.operations, disk.operations + 1
        if number != disk.fail_at:
            return False
        disk.failed = f"{kind} {self._file}"
        return True

"""A disk that fails on request: an SQLite VFS whose writes or syncs raise once a fault was chosen."""

import itertools
from typing import Literal

import apsw

Fault = Literal["", "full", "write", "sync", "read_only"]
_NUMBERS = itertools.count()


class FailingDisk(apsw.VFS):
    """Behaves like the default VFS until `fault` says otherwise; `syncs` counts the syncs of the write-ahead log."""

    def __init__(self) -> None:
        self.name = f"failing-disk-{next(_NUMBERS)}"
        self.fault: Fault = ""
        self.syncs = 0
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file that asks this disk before it writes or syncs."""
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._disk.fault == "full":
            raise apsw.FullError("no room is left (injected)")
        if self._disk.fault == "write":
            raise apsw.IOError("a write failed (injected)")
        if self._disk.fault == "read_only":
            raise apsw.ReadOnlyError("the disk was mounted anew, for reading alone (injected)")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        if self._disk.fault == "sync":
            raise apsw.IOError("a sync failed (injected)")
        self._disk.syncs += self._is_log
        super().xSync(flags)

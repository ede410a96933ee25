"""A disk whose power can fail: an SQLite VFS that records what reached it, and the file images that may be left.

A sync makes everything written to that file before it certain. Of what was written after the last sync, any part may
have arrived, in any order, and a write may be torn at 512 bytes. Not covered: lost directory entries, lying hardware.
"""

import itertools
import random
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import apsw

_NUMBERS = itertools.count()
_REAL = apsw.vfs_names()[0]
"""By its name: the default may be one of these."""
SECTOR_BYTES = 512


class Operation(NamedTuple):
    """One thing that happened, in order: `write`, `truncate`, `sync` or `delete` a file, or an `ack` of the ledger."""

    what: str
    file: str
    offset: int = 0
    data: bytes = b""


class RecordedDisk(apsw.VFS):
    """The default VFS with a diary of every file.

    As the `default` it takes what is opened without a VFS of its own; `syncs=False` makes it a disk that lies.
    """

    def __init__(self, *, default: bool = False, syncs: bool = True) -> None:
        self.name = f"recorded-disk-{next(_NUMBERS)}"
        self.diary: list[Operation] = []
        self._syncs = syncs
        super().__init__(self.name, _REAL, default)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file; what happens to the database or its log is written down."""
        shown = name.filename() if isinstance(name, apsw.URIFilename) else name
        return _File(self.diary, Path(shown or "").name, name, flags, syncs=self._syncs)

    def xDelete(self, name: str, sync_directory: bool) -> None:
        """Delete a file; its directory entry counts as gone at once."""
        super().xDelete(name, sync_directory)
        self.diary.append(Operation("delete", Path(name).name))

    def ack(self, place: str) -> None:
        """The ledger told somebody that this is durable."""
        self.diary.append(Operation("ack", place))


class _File(apsw.VFSFile):
    def __init__(
        self, diary: list[Operation], file: str, name: str | apsw.URIFilename | None, flags: list[int], *, syncs: bool
    ) -> None:
        self._diary = diary
        self._file = file
        self._syncs = syncs
        super().__init__(_REAL, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._diary.append(Operation("write", self._file, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self._diary.append(Operation("truncate", self._file, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        if self._syncs:
            self._diary.append(Operation("sync", self._file))


def images_after(
    diary: list[Operation], end: int, chance: random.Random, *, start: Mapping[str, bytes] = MappingProxyType({})
) -> dict[str, bytes]:
    """What the files may hold when the power fails after `end` operations; `start` is what they held before."""
    certain = {file: bytearray(content) for file, content in start.items()}
    loose: dict[str, list[Operation]] = {}
    for operation in diary[:end]:
        if operation.what == "ack":
            continue
        if operation.what == "delete":
            certain.pop(operation.file, None)
            loose.pop(operation.file, None)
            continue
        loose.setdefault(operation.file, []).append(operation)
        if operation.what == "sync":
            for earlier in loose.pop(operation.file):
                _apply(certain.setdefault(operation.file, bytearray()), earlier)
    for file, operations in loose.items():
        share = chance.choice((0.0, 0.5, 0.9, 1.0))
        kept = [_torn(operation, chance) for operation in operations if chance.random() < share]
        chance.shuffle(kept)
        for operation in kept:
            _apply(certain.setdefault(file, bytearray()), operation)
    return {file: bytes(content) for file, content in certain.items()}


def _torn(operation: Operation, chance: random.Random) -> Operation:
    sectors = len(operation.data) // SECTOR_BYTES
    if operation.what != "write" or sectors < 2 or chance.random() < 0.7:
        return operation
    return operation._replace(data=operation.data[: SECTOR_BYTES * chance.randrange(1, sectors)])


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.what == "truncate":
        del content[operation.offset :]
    elif operation.what == "write":
        if len(content) < operation.offset:
            content.extend(bytes(operation.offset - len(content)))
        content[operation.offset : operation.offset + len(operation.data)] = operation.data

"""Ballast: a file that takes up room on the ledger's disk, so that there is some to give up when the disk is full.

In: a path and a size. Out: the file, or the room it took. Made by whoever serves calls; thrown off by the writer thread
when a write finds no room, so that running calls can still record how they ended.
"""

import logging
import os
from pathlib import Path
from typing import Final

from voicewarden.ledger.schema import sync_directory

_LOG: Final = logging.getLogger(__name__)
_SPARE: Final = 4
"""The ballast must not fill the disk by itself: so many times its size have to be free."""


class Ballast:
    """The ballast of one ledger."""

    def __init__(self, ledger: Path, size_bytes: int) -> None:
        self.path = ledger.with_name(ledger.name + ".ballast")
        self.size_bytes = size_bytes

    @property
    def is_there(self) -> bool:
        """Whether there is anything to throw off."""
        return self.path.exists()

    def make(self) -> bool:
        """Take up the room, unless there is too little; says whether it is taken. Blocks on the disk."""
        try:
            if self.is_there and self.path.stat().st_size == self.size_bytes:
                return True
            room = os.statvfs(self.path.parent)
            if room.f_bavail * room.f_frsize < _SPARE * self.size_bytes:
                _LOG.warning("the ledger's disk has no room for %d bytes of ballast; make room", self.size_bytes)
                return False
            self._take_up()
        except OSError as error:
            _LOG.warning("the ballast of the ledger's disk can't be made (%s); check the disk", error.strerror)
            return False
        return True

    def throw_off(self) -> bool:
        """Give the room up; False when there is none to give. After this the file system has it back."""
        try:
            self.path.unlink()
            sync_directory(self.path.parent)
        except OSError:
            return False
        return True

    def _take_up(self) -> None:
        draft = self.path.with_name(self.path.name + ".new")
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        try:
            # Not a hole: blocks that nobody else gets.
            os.posix_fallocate(handle, 0, self.size_bytes)
            os.fsync(handle)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        os.replace(draft, self.path)
        sync_directory(draft.parent)

"""Backup: a copy of a ledger in a folder, made while a server goes on writing, and checked before it counts.

In: a ledger's path and a folder. Out: the same files there, and what was found in them. Called by
`voicewarden ledger backup`. To restore is to copy the files back while no server runs.

1. The tree is copied before the ledger, and put in place after it: in the folder, too, the ledger has all that its tree
   holds, whenever somebody pulls the plug.
2. Each copy is one state of its file, whatever is written meanwhile.
3. A copy that stands there is replaced only by one that begins with the same records: a ledger that was rewritten, or
   another one, does not take the place of a good copy.
4. Blobs come last, so that all that the copied records name are there. They never change: those that are there stay.
5. Keys are copied on demand only. Whoever has them and the ledger can read what was said, and erasing a call means
   nothing while a copy of its key lies somewhere.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import apsw

from voicewarden.ledger.blobs import blob_folder
from voicewarden.ledger.damage import damage
from voicewarden.ledger.schema import sync_directory
from voicewarden.ledger.treefile import tree_path
from voicewarden.ledger.vaultfile import vault_path
from voicewarden.ledger.verify import Problem, Verification, verify
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import LedgerBroken, LedgerError, LedgerFull

_STEP_PAGES: Final = 256
_BREATHE_S: Final = 0.002
"""Between two megabytes, so that the disk is left to the calls."""
_PIECE_BYTES: Final = 1 << 20

Told = Callable[[str, int, int], None]
"""Is told what is being copied, how much of it is done, and how much there is."""


class BackedUp(NamedTuple):
    """What now lies in the folder; it is good when there are no problems."""

    ledger: Path
    records: int
    bytes_copied: int
    has_tree: bool
    has_keys: bool
    """Whether keys lie in the folder: those of now, or those of an earlier backup."""
    blobs_copied: int
    blobs_kept: int
    problems: tuple[Problem, ...]


def back_up(ledger: Path, folder: Path, *, with_keys: bool = False, told: Told = lambda *_: None) -> BackedUp:
    """Copy a ledger with everything that belongs to it, and check the copy. Raises LedgerError for none."""
    copy = folder / ledger.name
    try:
        _make_folder(ledger, folder)
        # An unfinished copy of an earlier attempt is begun anew; blobs that came across stay.
        tree = _copied(tree_path(ledger), tree_path(copy), told) if tree_path(ledger).is_file() else None
        records = _copied(ledger, copy, told)
        _demand_continues(copy, records)  # 3
        size = sum(draft.stat().st_size for draft in (records, tree) if draft)
        _put(records, copy)
        if tree is not None:
            _put(tree, tree_path(copy))
        copied, kept, problems = _copy_blobs(blob_folder(ledger), blob_folder(copy), told)
        if with_keys and vault_path(ledger).is_file():  # 5
            _put(_copied(vault_path(ledger), vault_path(copy), told), vault_path(copy))
    except OSError as error:
        raise LedgerFull(
            f"{folder}: the backup can't be written ({error.strerror}); name a folder, new or of an earlier backup, on "
            "a disk with room"
        ) from error
    except apsw.Error as error:
        raise LedgerError(
            f"{ledger}: the backup failed ({type(error).__name__}: {error}); look at both disks, and run it again"
        ) from error
    damaged = [Problem("", -1, what) for what in damage(copy)]
    with LedgerView(copy) as view:
        found = Verification(False, 0, ()) if damaged else verify(view)
    return BackedUp(
        copy, found.records, size, tree is not None, vault_path(copy).is_file(), copied, kept,
        (*damaged, *found.problems, *problems),
    )  # fmt: skip


def _make_folder(ledger: Path, folder: Path) -> None:
    if not ledger.is_file():
        raise LedgerError(f"{ledger}: there is no ledger here; name an existing ledger file")
    if folder.resolve() == ledger.resolve().parent:
        raise LedgerError(f"{folder}: this is the ledger's own folder; name another one, on another disk")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _copied(source: Path, target: Path, told: Told) -> Path:
    """A durable copy of one state of an SQLite file, under the name of a draft."""
    draft = target.with_name(target.name + ".new")
    for suffix in ("", "-journal", "-wal", "-shm"):
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as original,
        closing(apsw.Connection(str(draft), flags=apsw.SQLITE_OPEN_READWRITE)) as copy,
    ):
        # A transaction that has begun to read sees one state; without it the copy would begin anew at every commit. (2)
        original.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()
        with copy.backup("main", original, "main") as backup:
            while not backup.done:
                backup.step(_STEP_PAGES)
                told(source.name, backup.page_count - backup.remaining, backup.page_count)
                time.sleep(_BREATHE_S)
        # No side files: the copy is one file until somebody opens it for writing.
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()
    _sync(draft)
    return draft


def _put(draft: Path, target: Path) -> None:
    for suffix in ("-wal", "-shm"):
        # Of a copy that was opened here: its log does not belong to the new file.
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    os.replace(draft, target)
    sync_directory(target.parent)


def _demand_continues(copy: Path, draft: Path) -> None:
    """The copy that stands there is the beginning of the new one."""
    if not copy.is_file():
        return
    with LedgerView(copy) as old, LedgerView(draft) as new, old.state() as before, new.state() as after:
        last = before.last()
        if last and [row.hash for row in before.rows(last - 1)] != [row.hash for row in after.rows(last - 1, last)]:
            raise LedgerBroken(
                f"{copy}: the copy here holds {last} records, and the ledger does not begin with them; it is left as "
                "it is: verify both, or back up into an empty folder"
            )


def _copy_blobs(source: Path, target: Path, told: Told) -> tuple[int, int, list[Problem]]:
    blobs = sorted(_blobs(source))
    copied = kept = 0
    problems = []
    for number, blob in enumerate(blobs, start=1):
        place = target / blob.parent.name / blob.name
        if place.is_file() and place.stat().st_size == blob.stat().st_size:
            kept += 1
        elif _copy_blob(blob, place):
            copied += 1
        else:
            problems.append(Problem("", -1, f"blob {blob.name[:12]} is not what was stored, and was not copied"))
        told("blobs", number, len(blobs))
    return copied, kept, problems


def _blobs(folder: Path) -> Iterator[Path]:
    """Blobs that are complete; one that is being written has a name of its own."""
    return (path for path in folder.glob("??/*") if len(path.name) == 64)


def _copy_blob(blob: Path, place: Path) -> bool:
    """Copy a blob unless its bytes are not those of its name; one that is erased just now counts as copied."""
    for directory in (place.parent.parent, place.parent):
        directory.mkdir(mode=0o700, exist_ok=True)
    draft = place.with_name(f".{place.name}.new")
    digest = sha256()
    try:
        with blob.open("rb") as source, draft.open("wb") as target:
            draft.chmod(0o600)
            while piece := source.read(_PIECE_BYTES):
                digest.update(piece)
                target.write(piece)
    except FileNotFoundError:
        return True
    if digest.hexdigest() != blob.name:
        draft.unlink()
        return False
    _sync(draft)
    os.replace(draft, place)
    for directory in (place.parent, place.parent.parent):
        sync_directory(directory)
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A ledger of text calls: the golden scripts once more, written by the real store.

The ledger of this form's first version lies in `tests/ledgers`, packed, and must replay for ever. It is made once, with
`python -m tests.replay.text_ledger`, when there is a new form; an old one is never made anew.
"""

import asyncio
import io
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fakes.rig import TOP, shipped

from voicewarden.kernel.release import encode_release
from voicewarden.ledger.store import Ledger

LEDGERS = TOP / "tests" / "ledgers"
FIRST = LEDGERS / "first.tar.xz"


def write_ledger(path: Path, names: Sequence[str] = ()) -> Path:
    """A ledger with these calls, each under `golden-NAME`, and the release that governed them; all without names."""
    # The scripted model needs a web server, which whoever only reads a ledger may not have.
    from tests.replay.golden import SCRIPTS, run

    with Ledger.open(path) as ledger:
        ledger.put_blob(encode_release(shipped().data))
        for name in names or SCRIPTS:
            ledger.submit(asyncio.run(run(name)))
    return path


def unpack(archive: Path, folder: Path) -> Path:
    """The ledger of an archive, in a folder of its own."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "ledger.db"


def pack(target: Path) -> None:
    """Make an archive of a ledger, the same bytes for the same ledger but for what SQLite itself varies."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        ledger = write_ledger(Path(folder) / "ledger.db")
        with tarfile.open(target, "w:xz") as packed:
            for path in sorted(item for item in Path(folder).rglob("*") if item.is_file() and item.suffix != ".lock"):
                entry = tarfile.TarInfo(path.relative_to(ledger.parent).as_posix())
                content = path.read_bytes()
                entry.size = len(content)
                packed.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    pack(FIRST)

"""The tamper campaign: every byte of a small ledger's files is changed, every record of it is cut off.

    python -m tests.campaign.tamper [--passes 1] [--processes 2] [--json FILE]

The witness's store and the log's public key are the only things that the forger can't reach. Each change has to be
found by verification, or to change nothing that anybody reads: bytes that SQLite does not use. What is in no chain and
no tree (see "What is not detected" in docs/ledger-format.md) is counted by itself. Exit 1 for anything that was missed.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw
from tests.fakes.chain import Chain
from tests.fakes.log import LOG, DirectClient, forger, open_witness, sequenced

from voicewarden.ledger import Claim, Ledger, verify
from voicewarden.ledger.damage import damage
from voicewarden.ledger.treecheck import TreeCheck
from voicewarden.ledger.treefile import tree_path
from voicewarden.model.error import LedgerError

FILES: Final = ("ledger.db", "ledger.db.tree")
OUTSIDE: Final = frozenset({"burns", "counts", "meta", "sqlite_schema", "tree:meta", "tree:sqlite_schema"})
"""Tables whose rows are in no chain and no tree."""
_RECOUNT: Final = (
    "UPDATE streams SET next_seq = coalesce((SELECT max(seq) + 1 FROM records WHERE stream = streams.id), 0), "
    "hash = coalesce((SELECT hash FROM records WHERE stream = streams.id ORDER BY seq DESC LIMIT 1), '')"
)


def build(folder: Path) -> Path:
    """A ledger of three streams with spent grants, signed for and co-signed to its last record."""
    path = folder / FILES[0]
    witness = open_witness(folder / "witness")
    one, two, contact = Chain("call:one"), Chain("call:two"), Chain("contact:someone")
    with Ledger.open(path) as ledger:
        for turn in range(4):
            for chain in (one, two):
                args = {"turn": turn}
                ledger.submit([*chain.events(2), chain.decision("book", args), chain.grant("book", args)])
                grant = f"{chain.call}/{chain.seq - 1}"
                ledger.burn(grant, chain.call, 1, 0, claims=[Claim("limit", ("all",), None, -1, turn)])
                ledger.submit([chain.receipt(grant)])
            ledger.submit(contact.events(2))
            ledger.flush()
            sequenced(ledger, DirectClient(witness))
    witness.close()
    for file in FILES:
        connection = apsw.Connection(str(folder / file))
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.close()
    return path


def findings(path: Path) -> list[str]:
    """What verification says with the witness's store and the log's key at hand, each finding with its place."""
    try:
        tree_check = TreeCheck.open(path, keys=[LOG], witness_store=path.parent / "witness")
        damaged = [*damage(path)]
        if damaged:
            tree_check.finish()
            return damaged
        with Ledger.read(path) as view:
            found = verify(view, tree_check)
    except LedgerError as error:
        return [f"unreadable: {error}"]
    return [f"record {item.id} ({item.call} {item.seq}): {item.what}" for item in found.problems]


def content(path: Path) -> dict[str, list[Any]]:
    """Everything that a reader of either file can see, by table."""
    tables: dict[str, list[Any]] = {}
    for prefix, file in (("", path), ("tree:", tree_path(path))):
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        tables[f"{prefix}marks"] = [connection.execute("PRAGMA application_id").get]
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        for name in (*names, "sqlite_schema"):
            columns = "type, name, tbl_name, sql" if name == "sqlite_schema" else "*"
            tables[prefix + name] = sorted(connection.execute(f"SELECT {columns} FROM {name}").fetchall())
        connection.close()
    return tables


def flipped(job: tuple[str, str, int, int, int]) -> Counter[str]:
    """Change each byte of a stretch of one file, one at a time; what became of each."""
    source, file, begin, end, seed = job
    chance = random.Random(f"{file} {begin} {seed}")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=Path(source).parent) as scratch:
        path = Path(shutil.copytree(source, Path(scratch) / "l")) / FILES[0]
        original = content(path)
        target = path.with_name(file)
        whole = target.read_bytes()
        for offset in range(begin, min(end, len(whole))):
            changed = bytes([whole[offset] ^ chance.randrange(1, 256)])
            with target.open("r+b") as opened:
                opened.seek(offset)
                opened.write(changed)
            counts[f"{file}: {_judged(path, original)}"] += 1
            for side in ("-journal", "-wal", "-shm"):
                target.with_name(file + side).unlink(missing_ok=True)
            target.write_bytes(whole)
    return counts


def _judged(path: Path, original: dict[str, list[Any]]) -> str:
    found = findings(path)
    if found:
        named = any(item.startswith("record ") and item[7] != "0" for item in found)
        return "found, record named" if named else "found, place in the file named"
    seen = content(path)
    changed = {name for name in seen.keys() | original.keys() if seen.get(name) != original.get(name)}
    if not changed:
        return "changes nothing that is read"
    return f"in no chain and no tree ({', '.join(sorted(changed))})" if changed <= OUTSIDE else f"MISSED ({changed})"


def rewritten(folder: Path) -> Counter[str]:
    """Change each byte of each column of each record by itself, and look whether that very record is named."""
    counts: Counter[str] = Counter()
    path = folder / FILES[0]
    with forger(path) as connection:
        rows = connection.execute("SELECT id, at_ms, seq, kind, body, prev_hash, hash FROM records").fetchall()
        for number, *values in rows:
            for name, value in zip(("at_ms", "seq", "kind", "body", "prev_hash", "hash"), values, strict=True):
                for other in _variants(value):
                    connection.execute(f"UPDATE records SET {name} = ? WHERE id = ?", (other, number))
                    found = findings(path)
                    named = any(item.startswith(f"record {number} ") for item in found)
                    counts["found, record named" if named else "found" if found else f"MISSED ({name})"] += 1
                connection.execute(f"UPDATE records SET {name} = ? WHERE id = ?", (value, number))
    return counts


# Any: what the columns hold.
def _variants(value: Any) -> Iterator[Any]:
    if isinstance(value, int):
        yield value + 1_000
        return
    raw = value.encode() if isinstance(value, str) else value
    for at in range(len(raw)):
        other = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        yield other.decode() if isinstance(value, str) else other


def _cut(path: Path, keep: int, how: str) -> None:
    with forger(path) as connection:
        connection.execute("DELETE FROM records WHERE id > ?", (keep,))
        if how != "rows alone":
            connection.execute(_RECOUNT)
    if how == "rows, heads and a tree signed anew":
        tree_path(path).unlink()
        with Ledger.open(path) as ledger:
            sequenced(ledger)


def cut(source: Path) -> Counter[str]:
    """Cut the ledger behind each of its records, as a mere thief and as somebody who holds the log's key."""
    counts: Counter[str] = Counter()
    with Ledger.read(source / FILES[0]) as view, view.state() as state:
        last = state.last()
    for keep in range(last):
        for how in ("rows alone", "rows and heads", "rows, heads and a tree signed anew"):
            with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
                path = Path(shutil.copytree(source, Path(scratch) / "l")) / FILES[0]
                _cut(path, keep, how)
                found = findings(path)
            named = any(item.startswith(f"record {keep + 1} ") for item in found)
            counts[f"{how}: {'found, first record named' if named else 'found' if found else 'MISSED'}"] += 1
    for file in FILES:
        size = (source / file).stat().st_size
        for length in range(0, size, 512):
            with tempfile.TemporaryDirectory(dir=source.parent) as scratch:
                path = Path(shutil.copytree(source, Path(scratch) / "l")) / FILES[0]
                os.truncate(path.with_name(file), length)
                counts[f"{file} cut short: {'found' if findings(path) else 'MISSED'}"] += 1
    return counts


def main() -> None:
    """Run the campaign and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=1, help="values tried for each byte of the files")
    parser.add_argument("--stride", type=int, default=1, help="leave bytes out, for a quick look")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as scratch:
        source = Path(scratch) / "source"
        source.mkdir()
        assert not findings(build(source))
        figures: dict[str, dict[str, int]] = {}
        for name, part in _parts(source, options):
            figures[name] = dict(sorted(part.items()))
            print(f"{name}: {part.total():,}", flush=True)
            for what, count in sorted(part.items()):
                print(f"  {count:>8,}  {what}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    raise SystemExit(1 if any("MISSED" in what for part in figures.values() for what in part) else 0)


def _parts(source: Path, options: argparse.Namespace) -> Iterator[tuple[str, Counter[str]]]:
    work = Path(tempfile.mkdtemp(dir=source.parent)) / "l"
    shutil.copytree(source, work)
    yield "columns of records, byte by byte", rewritten(work)
    yield "cuts", cut(source)
    jobs = [
        (str(source), file, begin, begin + 64, seed)
        for seed in range(options.passes)
        for file in FILES
        for begin in range(0, (source / file).stat().st_size, 64 * options.stride)
    ]
    counts: Counter[str] = Counter()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for number, part in enumerate(pool.imap_unordered(flipped, jobs)):
            counts += part
            if sys.stderr.isatty():
                print(f"\rbytes of the files: {number} of {len(jobs)} stretches", end="", file=sys.stderr, flush=True)
    yield "bytes of the files", counts


if __name__ == "__main__":
    main()

"""Faults of the disk: one operation fails, each in its turn, while calls book; the writer stops and nothing is lost.

In: a folder, what is injected, how long a run is. Out: the operations that failed; an AssertionError where a failure
went unnoticed or took something with it. A slice stands in tests/unit/ledger/test_recovery.py, every single operation
is run by `scripts/crash-campaign`.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fakes.chain import Chain
from tests.fakes.disk import FailingDisk, Injected

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.ledger.unknown import unknown_grants
from voicewarden.model.error import LedgerError


class Run:
    """Calls that book; what was acknowledged, and what the ledger said when it failed."""

    def __init__(self, path: Path, disk: FailingDisk, turns: int) -> None:
        self.durable: list[tuple[str, int, str]] = []
        self.burnt: list[str] = []
        self.error: LedgerError | None = None
        self.is_told = True
        self._disk = disk
        try:
            ledger = Ledger.open(path, vfs=disk.name)
        except LedgerError as error:
            self.error = error
            return
        self._work(ledger, turns)
        try:
            ledger.close()
        except LedgerError as error:
            self.error = self.error or error
        self.is_told = self.error is not None or ledger.broken

    def _work(self, ledger: Ledger, turns: int) -> None:
        store = ledger._writer._store
        assert isinstance(store, SqliteStore)
        store._fold_pages = 8
        chains = [Chain(f"call:{number}") for number in range(3)]
        try:
            for turn in range(turns):
                chain = chains[turn % 3]
                args = {"turn": turn}
                ledger.submit(chain.events(1))
                ledger.submit([chain.decision("book", args), chain.grant("book", args)], on_durable=self._heard(chain))
                if turn % 2 == 0 and ledger.burn(f"{chain.call}/{chain.seq - 1}", chain.call, 1, 0):
                    self.burnt.append(f"{chain.call}/{chain.seq - 1}")
            ledger.flush()
        except LedgerError as error:
            self.error = error

    def _heard(self, chain: Chain) -> Callable[[Exception | None], None]:
        place = (chain.stream, chain.seq - 1, chain.last)

        def heard(error: Exception | None) -> None:
            if error is None:
                self.durable.append(place)

        return heard


def faults(path: Path, injected: Injected, *, turns: int, every: int = 1, first: int = 0) -> Iterator[str]:
    """A run for every n-th operation of the disk that fails, once, until a run meets no failure any more."""
    at = first
    while True:
        disk = FailingDisk()
        disk.injected, disk.fail_at = injected, at
        place = path / f"{injected}-{at}" / "ledger.db"
        run = Run(place, disk, turns)
        check(place, disk, run)
        shutil.rmtree(place.parent, ignore_errors=True)
        if not disk.failed:
            return
        yield disk.failed
        at += every


def check(path: Path, disk: FailingDisk, run: Run) -> None:
    """A write or sync that failed stopped the writer, nothing acknowledged is lost, and what is there holds."""
    kind = disk.failed.partition(" ")[0]
    if kind in ("write", "sync") and not disk.failed.endswith("-journal"):
        folding = disk.injected != "io" and kind == "write" and disk.failed.endswith("ledger.db")
        assert run.is_told or folding, f"{disk.failed} went unnoticed"
    if not path.is_file():
        return
    with Ledger.open(path) as ledger:
        found = verify(ledger)
        assert found.ok, (disk.failed, found.problems[:3])
        for stream, seq, digest in run.durable:
            record = next(item for item in ledger.read_stream(stream) if item.seq == seq)
            assert record.hash == digest, f"{disk.failed} lost an acknowledged grant"
        assert all(ledger.spent(grant) for grant in run.burnt)
        # What was spent has no receipt here: all of it is UNKNOWN, acknowledged or not, and none can be spent again.
        unknown = {item.grant for item in unknown_grants(ledger)}
        assert unknown >= set(run.burnt)
        assert not any(ledger.burn(grant, "again", 1, 0) for grant in unknown)

"""Power cuts: a ledger with its tree and its keys is recorded as it reaches the disk, and cut off at any moment.

In: a folder for scratch files, a seed. Out: every loss that was found in what the disk may hold after a cut. Run by
`scripts/crash-campaign` at length, and in a small slice by tests/property/test_ledger_power.py, together with the
careless ledgers that it must find losses in.
"""

import random
import shutil
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec
from tests.fakes.chain import Chain
from tests.fakes.log import ORIGIN, PRIVATE
from tests.fakes.power import Operation, RecordedDisk, images_after

from voicewarden.ledger import Ledger, verify
from voicewarden.ledger.port import Work
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.sequencer import Sequencer
from voicewarden.ledger.sqlite_store import SqliteStore
from voicewarden.ledger.treefile import TreeFile
from voicewarden.ledger.vault import Vault
from voicewarden.model.content import is_sealed
from voicewarden.model.decision import Decision, Grant
from voicewarden.model.error import GrantRefused, LedgerError
from voicewarden.model.event import CallerSpoke
from voicewarden.model.record import Record

Care = Literal["full", "normal", "off"]
"""How the ledger under test syncs: as it should, never for a grant (NORMAL), or not at all. The last two must lose."""
WRAPPING: Final = {"w1": bytes(range(32))}
TURNS: Final = 40
_FOLD_PAGES: Final = 12
_SHAPES: Final[dict[str, type]] = {"event": CallerSpoke, "decision": Decision, "grant": Grant}


class Recording(NamedTuple):
    """What the files held before, and everything that happened to them in order."""

    start: dict[str, bytes]
    diary: list[Operation]


class SealedChain(Chain):
    """A stream whose words are sealed before they are chained."""

    def __init__(self, stream: str, key: WordsKey) -> None:
        super().__init__(stream)
        self._key = key

    def _next(self, kind: str, body: bytes) -> Record:
        # Any: whatever the record's kind holds.
        value: Any = msgspec.json.decode(body, type=_SHAPES[kind])
        return super()._next(kind, self._key.seal(kind, self.seq, value, body))  # type: ignore[arg-type]


def record(folder: Path, seed: int, care: Care = "full") -> Recording:
    """The diary of a ledger that takes sealed calls, spends grants and is signed for, its log being folded often."""
    path = folder / "ledger.db"
    folder.mkdir()
    with Ledger.open(path) as ledger:
        ledger.submit(Chain("contact:someone").events(5))
        _vault(path).close()
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        sequencer.close()
    start = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".lock"}
    disk = RecordedDisk(default=True, syncs=care != "off")
    try:
        _work(path, disk, random.Random(seed), care)
    finally:
        disk.unregister()
    shutil.rmtree(folder)
    return Recording(start, disk.diary)


def _vault(path: Path) -> Vault:
    return Vault.open(path, WRAPPING, path.parent / "keys")


def _work(path: Path, disk: RecordedDisk, chance: random.Random, care: Care) -> None:
    with Ledger.open(path) as ledger:
        store = ledger._writer._store
        assert isinstance(store, SqliteStore)
        store._fold_pages = _FOLD_PAGES
        if care == "normal":
            _never_sync(store)
        vault = _vault(path)
        sequencer = Sequencer(ledger, PRIVATE, ORIGIN)
        chains: list[SealedChain] = []
        for turn in range(TURNS):
            if turn % 8 == 0:
                stream = f"call:{turn}"
                chains = [*chains[-2:], SealedChain(stream, vault.make(stream, turn).words)]
                disk.ack(f"key {stream} -")
            chain = chance.choice(chains)
            _submit(ledger, chain, disk, turn, waits=chance.random() < 0.5)
            if chance.random() < 0.3:
                signed = sequencer.sequence()
                disk.ack(f"signed {signed.checkpoint.size if signed else 0} -")
        end = len(disk.diary)
        sequencer.close()
        vault.close()
    # What comes after is the polite end, which no cut interrupts here: it would be one of the moments before.
    del disk.diary[end:]


def _submit(ledger: Ledger, chain: Chain, disk: RecordedDisk, turn: int, *, waits: bool) -> None:
    ledger.submit(chain.events(2))
    args = {"turn": turn}
    records = [chain.decision("book", args), chain.grant("book", args)]
    grant = f"{chain.call}/{chain.seq - 1}"
    place = f"{chain.stream} {chain.seq - 1} {chain.last}"
    done = threading.Event()

    def acknowledge(error: Exception | None) -> None:
        assert error is None
        disk.ack(place)
        done.set()

    ledger.submit(records, on_durable=acknowledge)
    if waits:
        assert done.wait(30)
        assert ledger.burn(grant, chain.call, 1, 0)
        disk.ack(f"burnt {grant} -")


def _never_sync(store: SqliteStore) -> None:
    honest = store.commit

    def careless(work: Sequence[Work], *, durable: bool) -> list[bool | GrantRefused]:
        return honest(work, durable=False)

    store.commit = careless  # type: ignore[method-assign]


def losses(recording: Recording, folder: Path, seed: int, count: int) -> Iterator[Counter[str]]:
    """What is wrong after each of so many cuts at moments of chance; an empty counter where nothing is."""
    chance = random.Random(seed)
    for number in range(count):
        end = chance.randrange(0, len(recording.diary) + 1)
        place = folder / str(number)
        place.mkdir()
        for file, content in images_after(recording.diary, end, chance, start=recording.start).items():
            (place / file).write_bytes(content)
        acknowledged = [item.file.split() for item in recording.diary[:end] if item.what == "ack"]
        yield Counter(_found(place / "ledger.db", acknowledged))
        shutil.rmtree(place)


def _found(path: Path, acknowledged: list[list[str]]) -> Iterator[str]:
    try:
        with _opened(path) as ledger:
            yield from _missing(ledger, acknowledged)
    except LedgerError:
        yield "unreadable"
    except (AttributeError, TypeError, ValueError):
        yield "not what a ledger holds"


@contextmanager
def _opened(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path, create=False) as ledger:
        ledger.seal_with(_vault(path))
        yield ledger


def _missing(ledger: Ledger, acknowledged: list[list[str]]) -> Iterator[str]:
    """Which acknowledgements a ledger does not keep, and what else does not hold."""
    if not verify(ledger).ok:
        yield "does not verify"
    held: dict[tuple[str, int], str] = {}
    for name in ledger.streams():
        for item in ledger.read_stream(name):
            held[item.stream, item.seq] = item.hash
            if is_sealed(item.body):
                yield "sealed for ever"
    tree = TreeFile.read(ledger.path)
    newest = tree.newest() if tree else None
    signed = newest.checkpoint.size if newest else 0
    if tree:
        tree.close()
    for what, place, digest in acknowledged:
        match what:
            case "burnt":
                kept = ledger.spent(place)
            case "signed":
                kept = int(place) <= signed
            case "key":
                kept = ledger.vault is not None and ledger.vault.has(place, "words")
            case stream:
                kept = held.get((stream, int(place))) == digest
        if not kept:
            yield f"{what if what in ('burnt', 'signed', 'key') else 'grant'} lost"

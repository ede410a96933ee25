"""Work over every call of many ledgers: cut into chunks, done by a pool, taken up again where it was left.

In: ledgers (files, or folders that hold some), a job, a pool. Out: one result a call, as they are ready. With a
progress file, what was done once is read from there: a call is named by its ledger, its id and the hash of its last
record, so that a call that has gone on since is done again, as is one that lacked its release or its key. Called by
`voicewarden replay` and `voicewarden whatif`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from voicewarden.kernel.release import Compiled
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.view import LedgerView
from voicewarden.model.canonical import digest_of
from voicewarden.model.error import LedgerError
from voicewarden.policy.ast import Policy
from voicewarden.replay.exact import Releases, Replayed, replay_call
from voicewarden.replay.exchange import Exchanges
from voicewarden.replay.pool import Pool
from voicewarden.replay.progress import Done, Progress, R
from voicewarden.replay.whatif import CallWhatIf, whatif_call

_CHUNK_RECORDS: Final = 4_000
_OPEN_LEDGERS: Final = 4


class Todo(msgspec.Struct, frozen=True):
    """One call that is to be worked on."""

    ledger: str
    call: str
    head: str
    """Hash of its last record."""
    records: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is done with each call: replayed, or asked under another policy."""

    policy: bytes = b""
    """Canonical bytes of the other policy; empty for an exact replay."""

    @property
    def name(self) -> str:
        """What a progress file belongs to."""
        return f"whatif {digest_of(msgspec.Raw(self.policy))}" if self.policy else "replay"


class Chunk(msgspec.Struct, frozen=True):
    """Some calls of one ledger, for one process."""

    job: Job
    todo: tuple[Todo, ...]


def find_ledgers(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The ledgers that are named or lie in folders that are named. Raises LedgerError where there is none."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(path.rglob("*.db")) if path.is_dir() else [path]
        if not inside:
            raise LedgerError(f"{path}: holds no ledger (a file that ends in .db); name a ledger or a folder of some")
        found |= dict.fromkeys(inside)
    return tuple(found)


def list_calls(ledgers: Iterable[Path], calls: Sequence[str] = ()) -> list[Todo]:
    """Every call of these ledgers, or those named; one that no ledger holds raises LedgerError."""
    found: list[Todo] = []
    for path in ledgers:
        with Ledger.read(path) as view:
            for stream in view.streams("call:"):
                call = stream.removeprefix("call:")
                if not calls or call in calls:
                    records, head = view.head(stream)
                    found.append(Todo(str(path), call, head, records))
    missing = set(calls) - {item.call for item in found}
    if missing:
        raise LedgerError(f"no such call: {', '.join(sorted(missing))}; leave --call out to see those there are")
    return found


def work_off(
    job: Job, todo: Sequence[Todo], pool: Pool, kind: type[R], *, progress: Path | None = None,
    each: Callable[[], None] = lambda: None,
) -> list[Done[R]]:  # fmt: skip
    """Do the job with every call; results in the order of `todo`, `each` told of every one that is done."""
    kept = Progress(progress, job.name, kind)
    known = {key: result for key, result in kept.known.items() if _is_settled(result)}
    done = {key: Done(item.ledger, item.head, known[key]) for item in todo if (key := _key(item)) in known}
    left = [item for item in todo if _key(item) not in done]
    with kept:
        for _ in done:
            each()
        for finished in pool.map(work_on, chunks(job, left)):
            kept.write(finished)
            done |= {(item.ledger, item.result.call, item.head): item for item in finished}
            for _ in finished:
                each()
    return [done[_key(item)] for item in todo]


# Any: the kind of the results follows from the job, which is data here so that another process can read it.
def work_on(chunk: Chunk) -> list[Done[Any]]:
    """Do a chunk; runs in whichever process the pool chooses."""
    return [Done(item.ledger, item.head, _work(chunk.job, item)) for item in chunk.todo]


def _work(job: Job, item: Todo) -> Replayed | CallWhatIf:
    view, releases = _opened(item.ledger, job.policy)
    stored = view.read_stream(f"call:{item.call}")
    if isinstance(releases, Exchanges):
        return whatif_call(stored, releases)
    try:
        return replay_call(stored, releases)
    except (LedgerError, msgspec.MsgspecError) as error:
        return Replayed(item.call, 0, note=str(error))


@lru_cache(maxsize=_OPEN_LEDGERS)
def _opened(ledger: str, policy: bytes) -> tuple[LedgerView, Releases]:
    """A ledger and its releases made ready, kept between the chunks of a process."""
    view = Ledger.read(Path(ledger))
    if not policy:
        return view, Releases(view.get_blob, _compiled())
    return view, Exchanges(view.get_blob, msgspec.json.decode(policy, type=Policy), _compiled())


@lru_cache(maxsize=1)
def _compiled() -> dict[str, Compiled]:
    """The releases of this process, whichever ledger they were read from first."""
    return {}


def chunks(job: Job, todo: Iterable[Todo]) -> Iterator[Chunk]:
    """Calls of one ledger together, about as many records each."""
    chunk: list[Todo] = []
    for item in todo:
        if chunk and (chunk[0].ledger != item.ledger or sum(one.records for one in chunk) >= _CHUNK_RECORDS):
            yield Chunk(job, tuple(chunk))
            chunk = []
        chunk.append(item)
    if chunk:
        yield Chunk(job, tuple(chunk))


def _is_settled(result: Replayed | CallWhatIf) -> bool:
    """Whether doing it again could say nothing else; a key or a release that was missing may be there by now."""
    if isinstance(result, CallWhatIf):
        return not result.problem
    return not (result.sealed or result.note)


def _key(item: Todo) -> tuple[str, str, str]:
    return item.ledger, item.call, item.head

"""Golden calls: recorded calls in a folder, kept as tests of a policy's decisions.

In: records and the release that governed them. Out: `NAME.jsonl` with a record a line, `releases/` beside it with each
release under its hash; and, of a folder, what became of every call that was run again. Called by `voicewarden pin`,
`voicewarden check-golden` and the tests of this repository.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec

from voicewarden.model.canonical import canonical_bytes, digest_of
from voicewarden.model.error import LedgerError
from voicewarden.model.record import GENESIS, Record, RecordKind
from voicewarden.replay.exact import Releases, Replayed, replay_call

RELEASES: Final = "releases"
_NAME_DIGITS: Final = 16


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One record as it stands in a file; stream and previous hash follow from the lines before it."""

    seq: int
    at_ms: int
    kind: RecordKind
    body: msgspec.Raw
    hash: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class Checked(msgspec.Struct, frozen=True):
    """What became of one golden call."""

    name: str
    replayed: Replayed


_LINES: Final = msgspec.json.Decoder(Line)


def dump_golden(records: Sequence[Record]) -> str:
    """Records as lines that a person can read and compare."""
    lines = (
        {"seq": record.seq, "at_ms": record.at_ms, "kind": record.kind, "body": json.loads(record.body),
         "hash": record.hash}
        for record in records
    )  # fmt: skip
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def write_golden(folder: Path, name: str, records: Sequence[Record], release: bytes) -> Path:
    """Store a call and the canonical bytes of its release; returns the call's file. Raises OSError."""
    beside = folder / RELEASES / f"{digest_of(msgspec.Raw(release))[:_NAME_DIGITS]}.json.gz"
    beside.parent.mkdir(parents=True, exist_ok=True)
    if not beside.exists():
        beside.write_bytes(gzip.compress(release, 9, mtime=0))
    path = folder / f"{name}.jsonl"
    path.write_text(dump_golden(records), encoding="utf-8")
    return path


def read_golden(path: Path) -> list[Record]:
    """Records of a golden call as a ledger would give them. Raises LedgerError for a file that is none."""
    records: list[Record] = []
    try:
        for text in path.read_text(encoding="utf-8").removesuffix("\n").split("\n"):
            line = _LINES.decode(text)
            body = canonical_bytes(msgspec.json.decode(line.body))
            stream = records[0].stream if records else f"call:{_call_of(body)}"
            last = records[-1].hash if records else GENESIS
            records.append(Record(stream, line.seq, line.at_ms, line.kind, body, last, line.hash))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LedgerError(
            f"{path}: line {len(records) + 1} is no record of a golden call; pin the call again"
        ) from error
    except OSError as error:
        raise LedgerError(f"{path}: can't be read ({error.strerror}); name a file of `voicewarden pin`") from error
    return records


def _call_of(body: bytes) -> str:
    started = msgspec.json.decode(body)
    return str(started.get("call", "")) if isinstance(started, dict) else ""


def golden_release(folder: Path, name: str) -> bytes:
    """Canonical bytes of a release by its hash. Raises LedgerError when it does not lie beside the calls."""
    path = folder / RELEASES / f"{name[:_NAME_DIGITS]}.json.gz"
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError) as error:
        raise LedgerError(
            f"{path}: the release of these calls can't be read; keep the folder {RELEASES} beside them"
        ) from error


def check_golden(folder: Path) -> Iterator[Checked]:
    """Run every golden call of a folder again, in the order of their names. Raises LedgerError for an empty folder."""
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise LedgerError(f"{folder}: holds no golden calls; make one with `voicewarden pin LEDGER CALL --dir ...`")
    releases = Releases(lambda name: golden_release(folder, name))
    for path in paths:
        try:
            replayed = replay_call(read_golden(path), releases)
        except (LedgerError, msgspec.MsgspecError) as error:
            replayed = Replayed(path.stem, 0, note=str(error))
        yield Checked(path.stem, replayed)

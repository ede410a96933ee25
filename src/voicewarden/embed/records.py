"""Records of an embedded call in a file: one line of JSON each, as docs/ledger-format.md has them. A record that was
sealed stands there as it reads, and beside that as it is `stored`, which the chain goes over.

In: records. Out: a file that any program can verify, and records again. Called by `Call.save` and by users.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from voicewarden.model.error import LedgerBroken, LedgerError
from voicewarden.model.record import GENESIS, Record, chain_hash


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write a file anew. Raises LedgerError when it can't be written."""
    try:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for item in records:
                fields = {
                    "stream": item.stream, "seq": item.seq, "at_ms": item.at_ms, "kind": item.kind,
                    "body": item.body.decode(), "prev_hash": item.prev_hash, "hash": item.hash,
                }  # fmt: skip
                if item.stored:
                    fields["stored"] = item.stored.decode()
                file.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n")
    except OSError as error:
        raise LedgerError(f"{path}: the records can't be written ({error.strerror}); name another place") from error


def read_records(path: Path | str) -> list[Record]:
    """Read a file back, from its first record on. Raises LedgerBroken where a line is none of ours or the chain of
    hashes does not hold, and LedgerError where the file can't be read. What was cut off its end can't be seen.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise LedgerError(f"{path}: can't be read ({error.strerror}); name a file of records") from error
    except UnicodeDecodeError as error:
        raise LedgerBroken(f"{path}: is no UTF-8; take the file as it was written") from error
    records: list[Record] = []
    # A record may hold every line break that Unicode has but this one.
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        try:
            item = json.loads(line)
            record = Record(
                item["stream"], item["seq"], item["at_ms"], item["kind"], item["body"].encode(), item["prev_hash"],
                item["hash"], item.get("stored", "").encode(),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            raise LedgerBroken(f"{path}:{number}: is no record; take the file as it was written") from None
        before = records[-1].hash if records else GENESIS
        said = (record.stream, record.seq, record.at_ms, record.kind, record.stored or record.body, before)
        if record.seq != len(records) or record.hash != chain_hash(*said):
            raise LedgerBroken(f"{path}:{number}: the chain of hashes does not hold; the file was altered")
        records.append(record)
    return records

"""Sealed ledgers for tests: recorded calls once more, under keys of their own."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from tests.replay.golden import load_release_blob

from voicewarden.config.keys import Keys
from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.vault import Vault
from voicewarden.model.decision import Decision, Grant, Shadowed
from voicewarden.model.directive import Directive
from voicewarden.model.event import Event
from voicewarden.model.record import GENESIS, Record, make_record

DECODERS = {
    "event": msgspec.json.Decoder(Event), "decision": msgspec.json.Decoder(Decision),
    "shadow": msgspec.json.Decoder(Shadowed), "grant": msgspec.json.Decoder(Grant),
    "directive": msgspec.json.Decoder(Directive),
}  # fmt: skip


def seal_records(records: Iterable[Record], key: WordsKey) -> list[Record]:
    """The same call as it is written where what is said is sealed."""
    made: list[Record] = []
    for record in records:
        value = DECODERS[record.kind].decode(record.body)
        body = key.seal(record.kind, record.seq, value, record.body)
        last = made[-1].hash if made else GENESIS
        made.append(make_record(record.stream, record.seq, record.at_ms, record.kind, body, last))
    return made


def open_vault(ledger: Path) -> Vault:
    """The vault of a ledger, with keys in `keys` beside it."""
    keys = Keys.open(ledger.parent / "keys")
    return Vault.open(ledger, keys.wrapping, keys.directory)


def write_sealed(path: Path, calls: Sequence[list[Record]], *, unix_ms: int = 0) -> Path:
    """A ledger with these calls, sealed, and the release that governed them."""
    with Ledger.open(path) as ledger:
        vault = open_vault(path)
        ledger.seal_with(vault)
        for records in calls:
            ledger.put_blob(load_release_blob(json.loads(records[0].body)["release"]))
            ledger.submit(seal_records(records, vault.make(records[0].stream, unix_ms).words))
        ledger.flush()
    return path

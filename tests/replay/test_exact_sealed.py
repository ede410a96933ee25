"""Exact replay of sealed calls: what was opened is compared, and the chain goes over what is stored."""

import msgspec
import pytest
from tests.fakes.rig import Rig, shipped

from voicewarden.kernel.release import encode_release
from voicewarden.model.record import GENESIS, Record, make_record
from voicewarden.replay.exact import Difference, Releases, replay_call
from voicewarden.replay.side_by_side import side_by_side


def seal(body: bytes) -> bytes:
    """Stands for a sealed body: other bytes, from which nothing can be compared."""
    return b'{"$box":"' + body.hex().encode() + b'","$class":"words"}'


def sealed(records: list[Record]) -> list[Record]:
    """As a view with the key reads them: opened bodies, a chain over the sealed ones."""
    made: list[Record] = []
    for record in records:
        last = made[-1].hash if made else GENESIS
        stored = make_record(record.stream, record.seq, record.at_ms, record.kind, seal(record.body), last)
        made.append(msgspec.structs.replace(stored, body=record.body, stored=stored.body))
    return made


@pytest.fixture(scope="module")
def stream() -> list[Record]:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "done")
    return sealed(rig.records)


def replayed(records: list[Record]) -> Difference | None:
    found = Releases(lambda _: encode_release(shipped().data), {shipped().hash: shipped()})
    return replay_call(records, found).difference


def test_an_opened_call_replays(stream: list[Record]) -> None:
    assert replayed(stream) is None


def test_a_changed_sealed_byte_is_found_although_it_opens(stream: list[Record]) -> None:
    at = len(stream) // 2
    touched = msgspec.structs.replace(stream[at], stored=stream[at].stored.replace(b"$class", b"$klass"))
    difference = replayed([*stream[:at], touched, *stream[at + 1 :]])
    assert difference is not None and difference.seq == at
    rows = {row.field: row for row in side_by_side(difference)}
    assert rows["hash"].differs and not rows["bytes"].differs


def test_an_opened_body_that_was_never_written_is_found(stream: list[Record]) -> None:
    at = next(place for place, record in enumerate(stream) if b'"verdict":"confirm"' in record.body)
    lied = msgspec.structs.replace(stream[at], body=stream[at].body.replace(b'"confirm"', b'"allow"'))
    difference = replayed([*stream[:at], lied, *stream[at + 1 :]])
    assert difference is not None and difference.seq == at


def test_a_record_that_its_key_does_not_open_is_found(stream: list[Record]) -> None:
    at = next(place for place, record in enumerate(stream) if b'"CallerSpoke"' in record.body)
    shut = msgspec.structs.replace(stream[at], body=stream[at].stored, stored=b"")
    difference = replayed([*stream[:at], shut, *stream[at + 1 :]])
    assert difference is not None and difference.seq == at


def test_a_broken_chain_before_a_difference_is_what_is_told(stream: list[Record]) -> None:
    broken, changed = len(stream) // 3, len(stream) // 2
    records = list(stream)
    records[broken] = msgspec.structs.replace(records[broken], hash="0" * 64)
    records[changed] = msgspec.structs.replace(records[changed], body=b"{}")
    difference = replayed(records)
    assert difference is not None and difference.seq == broken

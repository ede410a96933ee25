"""Exact replay finds the first record that it would have written differently, whatever was done to a stream."""

import json

import msgspec
import pytest
from tests.fakes.chain import make_grant
from tests.fakes.rig import Rig, shipped

from voicewarden.kernel.release import encode_release
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.directive import SpendGrant
from voicewarden.model.error import LedgerError
from voicewarden.model.record import Record, make_record
from voicewarden.replay.exact import Difference, Releases, replay_call


def releases() -> Releases:
    found = Releases(lambda name: encode_release(shipped().data))
    found._compiled[shipped().hash] = shipped()
    return found


@pytest.fixture(scope="module")
def stream() -> list[Record]:
    rig = Rig()
    rig.question()
    rig.hear("yes, book it")
    rig.receipt(rig.grants[0], "done")
    return rig.records


def rechained(records: list[Record]) -> list[Record]:
    """The same bodies with hashes that fit: what somebody who can write the ledger would leave behind."""
    made: list[Record] = []
    for record in records:
        last = made[-1].hash if made else "0" * 64
        made.append(make_record(record.stream, len(made), record.at_ms, record.kind, record.body, last))
    return made


def with_body(record: Record, **changes: object) -> Record:
    body = {**json.loads(record.body), **changes}
    return msgspec.structs.replace(record, body=canonical_bytes(body))


def first_of(records: list[Record], kind: str, skip: int = 0) -> int:
    return [index for index, record in enumerate(records) if record.kind == kind][skip]


def difference(records: list[Record]) -> Difference:
    found = replay_call(records, releases()).difference
    assert found is not None, "nothing was found"
    return found


def test_an_untouched_stream_has_no_difference(stream: list[Record]) -> None:
    replayed = replay_call(stream, releases())
    assert (replayed.call, replayed.difference) == ("c1", None)


def test_a_changed_decision_is_found(stream: list[Record]) -> None:
    at = next(i for i, r in enumerate(stream) if r.kind == "decision" and b'"verdict":"confirm"' in r.body)
    found = difference(rechained([*stream[:at], with_body(stream[at], verdict="allow"), *stream[at + 1 :]]))
    assert found.seq == at
    assert '"verdict":"allow"' in found.recorded and '"verdict":"confirm"' in found.replayed


def test_a_changed_event_is_found_where_its_hash_changes(stream: list[Record]) -> None:
    at = next(i for i, r in enumerate(stream) if b'"CallerSpoke"' in r.body)
    touched = with_body(stream[at], text="no")
    assert difference([*stream[:at], touched, *stream[at + 1 :]]).seq == at


def test_a_yes_that_was_never_said_is_found(stream: list[Record]) -> None:
    at = next(i for i, r in enumerate(stream) if b'"CallerSpoke"' in r.body)
    said = json.loads(stream[at].body)
    silenced = with_body(stream[at], words=[], text="")
    assert said["words"]
    assert difference(rechained([*stream[:at], silenced, *stream[at + 1 :]])).seq > at


def test_a_removed_record_is_found(stream: list[Record]) -> None:
    at = first_of(stream, "grant", skip=2)
    assert difference(rechained([*stream[:at], *stream[at + 1 :]])).seq == at


def test_a_stream_that_breaks_off_in_a_step_is_found(stream: list[Record]) -> None:
    at = first_of(stream, "grant", skip=2)
    assert difference(stream[:at]).recorded == "nothing"


@pytest.mark.parametrize("kind", ["grant", "directive", "decision"])
def test_a_record_that_was_added_is_found(stream: list[Record], kind: str) -> None:
    """A forged grant behind a whole step is a difference, and no exception."""
    bodies = {
        "grant": canonical_bytes(make_grant("c1", len(stream), "transfer", {"desk": "sales"})),
        "directive": canonical_bytes(SpendGrant(grant="c1/9")),
        "decision": next(record.body for record in stream if record.kind == "decision"),
    }
    last = stream[-1]
    forged = make_record(last.stream, last.seq + 1, last.at_ms, kind, bodies[kind], last.hash)  # type: ignore[arg-type]
    assert difference([*stream, forged]).seq == forged.seq


def test_a_note_inside_a_call_is_found(stream: list[Record]) -> None:
    last = stream[-1]
    note = make_record(last.stream, last.seq + 1, last.at_ms, "note", b"{}", last.hash)
    assert difference([*stream, note]).seq == note.seq


def test_an_event_that_cannot_be_read_is_found(stream: list[Record]) -> None:
    last = stream[-1]
    odd = make_record(last.stream, last.seq + 1, last.at_ms, "event", b'{"event":"Unheard"}', last.hash)
    assert difference([*stream, odd]).seq == odd.seq


def test_a_stream_without_a_beginning_is_found(stream: list[Record]) -> None:
    assert difference(stream[1:]).recorded == "no CallStarted"
    assert difference([]).recorded == "no CallStarted"


def test_a_release_that_is_not_what_its_name_promises_is_an_error(stream: list[Record]) -> None:
    altered = msgspec.structs.replace(shipped().data, name="another")
    with pytest.raises(LedgerError, match="content"):
        replay_call(stream, Releases(lambda name: encode_release(altered)))

"""Structural replay: without its key a call is checked by what stays readable, and what does not fit is found."""

from pathlib import Path

import msgspec
import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import open_vault, seal_records, write_sealed
from tests.replay.golden import load

from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.store import Ledger
from voicewarden.model.record import GENESIS, Record, make_record
from voicewarden.replay.exact import Releases, replay_call, replay_ledger
from voicewarden.replay.structural import check_structure

PATHS = sorted((TOP / "tests" / "calls").glob("*.jsonl"))
CALL = load(TOP / "tests" / "calls" / "booked.jsonl")
SEALED = seal_records(CALL, WordsKey(CALL[0].stream, bytes(32)))


def chained(records: list[Record]) -> list[Record]:
    """The same bodies in a chain that holds."""
    made: list[Record] = []
    for record in records:
        last = made[-1].hash if made else GENESIS
        made.append(make_record(record.stream, len(made), record.at_ms, record.kind, record.body, last))
    return made


def first(kind: str, part: bytes) -> int:
    return next(at for at, record in enumerate(SEALED) if record.kind == kind and part in record.body)


def changed(at: int, old: bytes, new: bytes) -> list[Record]:
    assert old in SEALED[at].body
    return chained(
        [*SEALED[:at], msgspec.structs.replace(SEALED[at], body=SEALED[at].body.replace(old, new)), *SEALED[at + 1 :]]
    )


def expected(records: list[Record]) -> str:
    found = check_structure(records).misfit
    return "" if found is None else found.expected


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_call_without_its_key_is_whole(path: Path) -> None:
    records = load(path)
    found = check_structure(seal_records(records, WordsKey(records[0].stream, bytes(32))))
    assert found.misfit is None
    assert found.events == sum(record.kind == "event" for record in records)


def test_a_record_that_was_taken_out_is_found() -> None:
    cut = SEALED[:30] + SEALED[31:]
    assert check_structure(cut).misfit == (30, "a record that continues the chain")


def test_a_grant_without_its_allow_is_found() -> None:
    allow = first("decision", b'"action":"book"')
    at = next(i for i, r in enumerate(SEALED) if i >= allow and r.kind == "decision" and b'"verdict":"allow"' in r.body
              and b'"action":"book"' in r.body)  # fmt: skip
    assert "behind an allow of its own" in expected(changed(at, b'"verdict":"allow"', b'"verdict":"deny"'))


def test_a_grant_for_other_arguments_is_found() -> None:
    at = first("grant", b'"action":"book"')
    assert "behind an allow of its own" in expected(changed(at, b'"digest":"~', b'"digest":"~0'))


def test_a_receipt_and_an_order_of_a_grant_that_nobody_minted_are_found() -> None:
    for kind, part in (("event", b"ReceiptReturned"), ("directive", b"SpendGrant")):
        at = first(kind, part)
        assert expected(changed(at, b'"grant":"', b'"grant":"x')) == "a grant that was minted before"


def test_a_sentence_of_the_model_without_leave_is_found() -> None:
    at = first("directive", b'"purpose":"model"')
    assert expected(changed(at, b'"sentence":"', b'"sentence":"x')) == "an allow to speak it, before it"


def test_a_call_begins_once_and_its_time_never_goes_back() -> None:
    assert "at its beginning" in expected(chained(SEALED[1:]))
    assert "at its beginning" in expected(chained([SEALED[0], SEALED[0]]))
    back = msgspec.structs.replace(SEALED[-1], at_ms=0)
    assert "ms or later" in expected(chained([*SEALED[:-1], back]))


def test_an_open_record_among_sealed_ones_is_found() -> None:
    at = first("event", b"CallerSpoke")
    assert "no key opens" in expected(chained([*SEALED[:at], CALL[at], *SEALED[at + 1 :]]))


def test_erased_calls_are_no_mismatch_and_others_replay_exactly(tmp_path: Path) -> None:
    other = load(TOP / "tests" / "calls" / "refused.jsonl")
    path = write_sealed(tmp_path / "ledger.db", [CALL, other])
    with Ledger.read(path) as view:
        calls = [view.read_stream(records[0].stream) for records in (CALL, other)]
        shut = Releases(lambda _: pytest.fail("a release was asked for"))
        vault = open_vault(path)
        vault.destroy([CALL[0].stream], ("words",), 1)
        vault.close()
        erased = replay_call(calls[0], shut)
        assert erased.ok and erased.sealed and erased.events == sum(record.kind == "event" for record in CALL)
        assert replay_ledger(view)[0].sealed and not replay_ledger(view)[1].sealed


def test_a_call_of_which_only_the_first_record_does_not_open_is_a_mismatch(tmp_path: Path) -> None:
    path = write_sealed(tmp_path / "ledger.db", [CALL])
    with Ledger.read(path) as view:
        read = list(view.read_stream(CALL[0].stream))
    shut = msgspec.structs.replace(read[0], body=read[0].stored, stored=b"")
    result = replay_call([shut, *read[1:]], Releases(lambda _: b""))
    assert result.difference is not None and not result.sealed

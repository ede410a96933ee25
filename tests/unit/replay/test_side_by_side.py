"""The first record that differs, both versions field by field."""

import json

import msgspec
from tests.fakes.rig import Rig

from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.record import Record
from voicewarden.replay.exact import Difference
from voicewarden.replay.side_by_side import as_data, side_by_side

replace = msgspec.structs.replace


def decision() -> Record:
    rig = Rig()
    rig.ask("book", service="consultation", start="2026-12-01T15:00")
    return next(record for record in rig.records if b'"verdict":"confirm"' in record.body)


def differing(record: Record, **changes: object) -> Difference:
    body = canonical_bytes({**json.loads(record.body), **changes})
    return Difference("c1", record.seq, replace(record, body=body), record)


def test_every_field_stands_in_both_versions() -> None:
    rows = {row.field: row for row in side_by_side(differing(decision(), verdict="allow"))}
    assert (rows["verdict"].expected, rows["verdict"].found) == ("confirm", "allow")
    assert [name for name, row in rows.items() if row.differs] == ["verdict"]
    assert rows["kind"].expected == "decision" and "reasons[0].rule" in rows


def test_a_field_that_one_version_lacks_is_empty_there() -> None:
    rows = {row.field: row for row in side_by_side(differing(decision(), would="allow"))}
    assert (rows["would"].expected, rows["would"].found) == ("", "allow")


def test_equal_fields_with_another_chain_show_the_hashes() -> None:
    record = decision()
    rows = side_by_side(Difference("c1", record.seq, replace(record, hash="0" * 64), record))
    assert [row.field for row in rows if row.differs] == ["hash"]


def test_equal_fields_in_other_bytes_show_the_bytes() -> None:
    record = decision()
    rows = side_by_side(Difference("c1", record.seq, replace(record, body=b" " + record.body), record))
    assert [row.field for row in rows if row.differs] == ["bytes"]


def test_a_record_that_is_missing_or_added_is_shown_alone() -> None:
    record = decision()
    (named, *rows) = side_by_side(Difference("c1", record.seq, None, record))
    assert named.found == "nothing" and all(row.found == "" for row in rows) and rows
    (named, *rows) = side_by_side(Difference("c1", record.seq, record, None, "an event, or nothing"))
    assert named.expected == "an event, or nothing" and all(row.expected == "" for row in rows) and rows
    assert side_by_side(Difference("c1", 0, None, None, "no CallStarted"))[0].found == "no CallStarted"


def test_a_body_that_is_no_json_is_shown_as_it_is() -> None:
    record = decision()
    rows = {row.field: row for row in side_by_side(Difference("c1", 1, replace(record, body=b"\xff{"), record))}
    assert rows["body"].expected == "" and "{" in rows["body"].found


def test_json_holds_what_differs() -> None:
    data = as_data(differing(decision(), verdict="allow"))
    assert data["fields"] == [{"field": "verdict", "expected": "confirm", "found": "allow"}]
    json.dumps(data)

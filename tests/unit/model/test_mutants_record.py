"""A record's hash covers everything of it, in one pinned layout."""

from hashlib import sha256

import pytest

from voicewarden.model.record import GENESIS, chain_hash, make_record

HEADER = b"vw/rec/v1\x00" + b"0" * 64 + b"|call:c1|7|120|event|"


def test_the_hash_is_over_domain_previous_hash_header_and_body() -> None:
    expected = sha256(HEADER + b'{"a":1}').hexdigest()
    assert chain_hash("call:c1", 7, 120, "event", b'{"a":1}', GENESIS) == expected


def test_a_made_record_holds_what_it_was_given_and_its_hash() -> None:
    record = make_record("call:c1", 7, 120, "event", b'{"a":1}', GENESIS)
    assert (record.stream, record.seq, record.at_ms, record.kind) == ("call:c1", 7, 120, "event")
    assert (record.body, record.prev_hash) == (b'{"a":1}', "0" * 64)
    assert record.hash == chain_hash("call:c1", 7, 120, "event", b'{"a":1}', GENESIS)


@pytest.mark.parametrize("change", range(6))
def test_any_change_changes_the_hash(change: int) -> None:
    told = ("call:c1", 7, 120, "event", b"{}", GENESIS)
    other = ("call:c2", 8, 121, "note", b"[]", "1" * 64)
    changed = [*told[:change], other[change], *told[change + 1 :]]
    assert chain_hash(*changed) != chain_hash(*told)  # type: ignore[arg-type]  # the table mixes the fields' types

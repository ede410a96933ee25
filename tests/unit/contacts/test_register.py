"""Contacts: a no is remembered at once and for good, a person is counted however they were reached."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.disk import FailingDisk

from voicewarden.contacts import Contacts
from voicewarden.ledger import Ledger, verify
from voicewarden.model.error import ConfigError, LedgerError

PEPPER = b"sixteen bytes or more"
NOW = 1_790_000_000_000
DAY = 86_400


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


@pytest.fixture
def contacts(ledger: Ledger) -> Contacts:
    return Contacts(ledger, PEPPER)


@pytest.mark.parametrize("spelling", ["+1 415 555 0123", "(415) 555-0123", "1-415-555-0123", "+14155550123"])
def test_one_person_has_one_name(contacts: Contacts, spelling: str) -> None:
    assert contacts.contact_id(spelling) == contacts.contact_id("415.555.0123")
    assert len(contacts.contact_id(spelling)) == 64


def test_the_name_needs_the_pepper_and_the_region(ledger: Ledger) -> None:
    other = Contacts(ledger, b"another pepper of enough bytes")
    german = Contacts(ledger, PEPPER, default_region="DE")
    first = Contacts(ledger, PEPPER)
    assert first.contact_id("+14155550123") != other.contact_id("+14155550123")
    assert german.contact_id("030 1234567") == first.contact_id("+49 30 1234567")


@pytest.mark.parametrize("number", ["", "anonymous", "17", "+999999999999999999", "415 555 0123 0123 0123"])
def test_what_is_no_number_is_refused_without_quoting_it(contacts: Contacts, number: str) -> None:
    with pytest.raises(ConfigError, match="international") as caught:
        contacts.contact_id(number)
    if number:
        assert number not in str(caught.value)


def test_a_short_pepper_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="guessed"):
        Contacts(ledger, b"short")


def test_a_stranger(contacts: Contacts) -> None:
    assert contacts.facts("someone", now_unix_ms=NOW, windows_s=(DAY,)) == {
        "opted_out": False, "contact.consent": "none", f"contact.attempts_{DAY}": 0,
    }  # fmt: skip


async def test_an_opt_out_is_durable_and_stays(ledger: Ledger) -> None:
    contacts = Contacts(ledger, PEPPER)
    person = contacts.contact_id("+14155550123")
    await contacts.record_consent(person, "written", unix_ms=NOW, source="form")
    await contacts.record_opt_out(person, call="one", unix_ms=NOW, how="words")
    with Ledger.read(ledger.path) as view:
        assert [record.kind for record in view.read_stream(f"contact:{person}")] == ["note", "note"]
    later = Contacts(ledger, PEPPER)
    assert later.facts(person, now_unix_ms=NOW) == {"opted_out": True, "contact.consent": "none"}
    await later.record_consent(person, "written", unix_ms=NOW + 1, source="form")
    assert later.facts(person, now_unix_ms=NOW) == {"opted_out": True, "contact.consent": "written"}
    assert verify(ledger).ok


async def test_an_opt_out_counts_before_it_is_durable(contacts: Contacts) -> None:
    writing = asyncio.create_task(contacts.record_opt_out("p", call="one", unix_ms=NOW, how="key"))
    await asyncio.sleep(0)
    assert contacts.facts("p", now_unix_ms=NOW)["opted_out"] is True
    await writing


async def test_an_opt_out_survives_a_failing_disk(tmp_path: Path) -> None:
    disk = FailingDisk()
    ledger = Ledger.open(tmp_path / "failing.db", vfs=disk.name)
    contacts = Contacts(ledger, PEPPER)
    disk.fault = "full"
    for _ in range(2):
        with pytest.raises(LedgerError):
            await contacts.record_opt_out("p", call="one", unix_ms=NOW, how="words")
    assert contacts.facts("p", now_unix_ms=NOW)["opted_out"] is True
    disk.fault = ""
    ledger.close()


async def test_attempts_are_counted_by_window_and_once_a_call(contacts: Contacts) -> None:
    for call, ago_s in (("a", 10), ("b", 3_599), ("c", 3_601), ("d", DAY + 1), ("a", 5)):
        await contacts.record_attempt("p", call=call, unix_ms=NOW - ago_s * 1000)
    await contacts.record_attempt("p", call="ahead", unix_ms=NOW + 5_000)
    facts = contacts.facts("p", now_unix_ms=NOW, windows_s=(3_600, DAY, 7 * DAY))
    assert [facts[f"contact.attempts_{window}"] for window in (3_600, DAY, 7 * DAY)] == [3, 4, 5]
    assert contacts.facts("q", now_unix_ms=NOW, windows_s=(DAY,))[f"contact.attempts_{DAY}"] == 0


async def test_notes_at_once_keep_one_chain(ledger: Ledger, contacts: Contacts) -> None:
    await asyncio.gather(*(contacts.record_attempt("p", call=f"c{n}", unix_ms=NOW) for n in range(40)))
    assert contacts.facts("p", now_unix_ms=NOW, windows_s=(DAY,))[f"contact.attempts_{DAY}"] == 40
    assert ledger.head("contact:p")[0] == 40
    assert verify(ledger).ok


async def test_a_consent_level_is_one_of_the_known(contacts: Contacts) -> None:
    for level in ("inquiry", "oral", "written", "none"):
        await contacts.record_consent("p", level, unix_ms=NOW, source="form")  # type: ignore[arg-type]
        assert contacts.facts("p", now_unix_ms=NOW)["contact.consent"] == level
    with pytest.raises(ConfigError, match="level"):
        await contacts.record_consent("p", "shouted", unix_ms=NOW, source="x")  # type: ignore[arg-type]

"""Counts of limits over a window: by action and subject, over all calls but one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from voicewarden.contacts import Cap, Contacts, Counts, Subject, claim
from voicewarden.ledger import Ledger
from voicewarden.model.error import GrantRefused

NOW = 1_790_000_000_000
DAY = 86_400
PERSON = Cap("book.limits.1", "book", "person", DAY, 2)
CAMPAIGN = Cap("book.limits.2", "book", "campaign", DAY, 3)
AGENT = Cap("book.limits.3", "book", "agent", 3_600, 4)
ANNA = Subject(("anna",), "spring", "booking")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        yield opened


def book(ledger: Ledger, call: str, subject: Subject, *caps: Cap, now: int = NOW, seq: int = 1) -> bool:
    """Burn a grant of this call against these limits."""
    claims = [claim(cap, subject, now_unix_ms=now) for cap in caps]
    return ledger.burn(f"{call}/{seq}", call, 0, 0, claims=claims)


def test_what_other_calls_used_is_counted_by_subject(ledger: Ledger) -> None:
    counts = Counts(ledger)
    caps = (PERSON, CAMPAIGN, AGENT)
    book(ledger, "a", ANNA, *caps)
    book(ledger, "b", ANNA._replace(person=("bert",)), *caps)
    book(ledger, "c", ANNA._replace(campaign="", agent="closing"), *caps)
    used = [counts.used(cap, ANNA, call="now", now_unix_ms=NOW) for cap in caps]
    assert used == [2, 2, 2], "one of the three differs in each"
    assert [counts.used(cap, ANNA, call="a", now_unix_ms=NOW) for cap in caps] == [1, 1, 1]
    elsewhere = Subject(("carl",), "autumn", "transfer")
    assert [counts.used(cap, elsewhere, call="now", now_unix_ms=NOW) for cap in caps] == [0, 0, 0]


def test_calls_outside_of_any_campaign_count_together(ledger: Ledger) -> None:
    counts = Counts(ledger)
    outside = ANNA._replace(campaign="")
    book(ledger, "a", outside, CAMPAIGN)
    assert counts.used(CAMPAIGN, outside, call="b", now_unix_ms=NOW) == 1
    assert counts.used(CAMPAIGN, ANNA, call="b", now_unix_ms=NOW) == 0


def test_an_action_counts_for_itself_alone(ledger: Ledger) -> None:
    book(ledger, "a", ANNA, PERSON)
    other = PERSON._replace(action="send_message")
    assert Counts(ledger).used(other, ANNA, call="b", now_unix_ms=NOW) == 0


def test_the_number_of_a_rule_does_not_matter(ledger: Ledger) -> None:
    book(ledger, "a", ANNA, PERSON)
    renumbered = PERSON._replace(limit="book.limits.7", in_s=7 * DAY)
    assert Counts(ledger).used(renumbered, ANNA, call="b", now_unix_ms=NOW) == 1


def test_windows_end(ledger: Ledger) -> None:
    counts = Counts(ledger)
    book(ledger, "a", ANNA, PERSON, AGENT)
    later = NOW + 3_600_000
    assert counts.used(PERSON, ANNA, call="b", now_unix_ms=later) == 1
    assert counts.used(AGENT, ANNA, call="b", now_unix_ms=later - 1) == 1
    assert counts.used(AGENT, ANNA, call="b", now_unix_ms=later) == 0


def test_what_led_to_nothing_counts_no_more(ledger: Ledger) -> None:
    counts = Counts(ledger)
    book(ledger, "a", ANNA, PERSON, AGENT)
    counts.give_back("a/1")
    ledger.flush()
    assert counts.used(PERSON, ANNA, call="b", now_unix_ms=NOW) == 0
    assert counts.used(AGENT, ANNA, call="b", now_unix_ms=NOW) == 0


def test_a_person_is_known_by_older_names_too(ledger: Ledger) -> None:
    old, new = b"the pepper of last year", b"the pepper of this year"
    before = Subject(Contacts(ledger, old).names("+14155550123"), "", "booking")
    after = Subject(Contacts(ledger, new, older=(old,)).names("(415) 555-0123"), "", "booking")
    assert after.person[1:] == before.person
    book(ledger, "a", before, PERSON)
    assert Counts(ledger).used(PERSON, after, call="c", now_unix_ms=NOW) == 1
    assert book(ledger, "b", after, PERSON)
    with pytest.raises(GrantRefused):
        book(ledger, "c", after, PERSON)

"""Booking: once, in a free time within the hours, durably, whoever else books at the same moment."""

import asyncio
import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Event
from tests.fakes.effect import FakeSpending

from voicewarden.effectors.calendar import Booking, Hours
from voicewarden.effectors.calendar_store import CalendarStore
from voicewarden.effectors.local_time import moment_of, text_of
from voicewarden.model.error import ConfigError
from voicewarden.model.ports import Receipt

ZONE = ZoneInfo("America/New_York")
HOURS = Hours(zone=ZONE, minutes={"consultation": 30, "haircut": 60})
TUESDAY = date(2026, 12, 1)
AT_THREE = {"service": "consultation", "start": "2026-12-01T15:00"}


@pytest.fixture
def store(tmp_path: Path) -> CalendarStore:
    return CalendarStore(tmp_path / "calendar")


def put(store: CalendarStore, **properties: object) -> None:
    """Put an event of somebody else into the calendar."""
    event = Event()
    for name, value in properties.items():
        event.add(name, value)
    assert store.add(f"other-{properties['dtstart']}", lambda _: event) == "added"


async def book(store: CalendarStore, args: dict[str, str], seq: int = 4) -> Receipt:
    return await Booking(store, HOURS).spend(FakeSpending("book", dict(args), seq=seq))


async def test_a_booking_stands_in_the_file(store: CalendarStore) -> None:
    receipt = await book(store, AT_THREE)
    assert receipt == Receipt("done", {"uid": "one/4", **AT_THREE, "end": "2026-12-01T15:30"})
    calendar = Calendar.from_ical(store.path.read_bytes())
    (event,) = calendar.walk("VEVENT")
    assert str(event["UID"]) == "one/4"
    assert str(event["X-VOICEWARDEN-CALL"]) == "one"
    assert event.decoded("DTSTART") == datetime(2026, 12, 1, 20, 0, tzinfo=UTC)
    assert store.path.stat().st_mode & 0o077 == 0
    assert sorted(file.name for file in store.path.parent.iterdir()) == [".lock", "calendar.ics"]


async def test_the_same_grant_books_once(store: CalendarStore) -> None:
    assert await book(store, AT_THREE) == await book(store, AT_THREE)
    assert len(store.read().walk("VEVENT")) == 1


async def test_a_taken_time_is_refused_with_free_ones(store: CalendarStore) -> None:
    await book(store, AT_THREE)
    receipt = await book(store, {"service": "haircut", "start": "2026-12-01T14:30"}, seq=9)
    assert receipt.outcome == "refused"
    assert receipt.detail["conflict"] is True
    assert receipt.detail["free"] == "2026-12-01T09:00,2026-12-01T09:30,2026-12-01T10:00"
    assert len(store.read().walk("VEVENT")) == 1


async def test_a_neighbouring_time_is_free(store: CalendarStore) -> None:
    await book(store, AT_THREE)
    for seq, start in ((5, "2026-12-01T15:30"), (6, "2026-12-01T14:30")):
        assert (await book(store, {**AT_THREE, "start": start}, seq=seq)).outcome == "done"


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("2026-12-01T08:59", "closed"), ("2026-12-01T17:31", "closed"), ("2026-12-05T15:00", "closed"),
        ("2026-12-01T23:45", "closed"), ("yesterday", "invalid"), ("2026-02-30T10:00", "invalid"),
        ("2027-03-14T02:30", "invalid"), ("", "invalid"), ("2026-12-01T15:00[Nowhere/Land]", "invalid"),
    ],
)  # fmt: skip
async def test_an_impossible_time_is_refused(store: CalendarStore, start: str, found: str) -> None:
    receipt = await book(store, {**AT_THREE, "start": start})
    assert receipt.outcome == "refused"
    assert found in receipt.detail
    assert not store.path.exists()


async def test_a_service_that_is_not_offered_is_refused(store: CalendarStore) -> None:
    assert await book(store, {**AT_THREE, "service": "surgery"}) == Receipt("refused", {"invalid": "service"})
    with pytest.raises(ConfigError, match="haircut"):
        Booking(store, HOURS).free("surgery", TUESDAY)


async def test_the_past_is_refused_when_there_is_a_clock(store: CalendarStore) -> None:
    booking = Booking(store, HOURS, earliest=lambda: datetime(2026, 12, 1, 15, 1, tzinfo=ZONE))
    receipt = await booking.spend(FakeSpending("book", dict(AT_THREE)))
    assert receipt.detail["past"] is True
    assert booking.free("consultation", TUESDAY)[0] == datetime(2026, 12, 1, 15, 30, tzinfo=ZONE)


async def test_parallel_bookings_of_one_time_give_one_appointment(store: CalendarStore) -> None:
    receipts = await asyncio.gather(*(book(store, AT_THREE, seq=seq) for seq in range(12)))
    assert sorted(receipt.outcome for receipt in receipts) == ["done"] + ["refused"] * 11
    assert len(store.read().walk("VEVENT")) == 1


async def test_parallel_bookings_of_different_times_are_all_kept(store: CalendarStore) -> None:
    starts = [f"2026-12-01T{hour:02}:{minute}" for hour in range(9, 17) for minute in ("00", "30")]
    receipts = await asyncio.gather(
        *(book(store, {**AT_THREE, "start": start}, seq=seq) for seq, start in enumerate(starts))
    )
    assert {receipt.outcome for receipt in receipts} == {"done"}
    assert len(store.read().walk("VEVENT")) == len(starts)


def test_free_times_leave_out_what_is_taken(store: CalendarStore) -> None:
    at = lambda hour, minute=0: datetime(2026, 12, 1, hour, minute, tzinfo=ZONE)  # noqa: E731
    put(store, dtstart=at(9), dtend=at(12))
    put(store, dtstart=at(12, 30), dtend=at(13), transp="TRANSPARENT")
    put(store, dtstart=at(14), dtend=at(16), status="CANCELLED")
    put(store, dtstart=datetime(2026, 12, 1, 16, 15), dtend=datetime(2026, 12, 1, 17))
    free = [text_of(slot)[11:] for slot in Booking(store, HOURS).free("haircut", TUESDAY)]
    assert free == ["12:00", "12:30", "13:00", "13:30", "14:00", "14:30", "15:00", "17:00"]
    assert Booking(store, HOURS).free("haircut", date(2026, 12, 5)) == ()


def test_days_and_recurrences_take_time(store: CalendarStore) -> None:
    put(store, dtstart=date(2026, 12, 2))
    weekly = Event()
    weekly.add("dtstart", datetime(2026, 11, 3, 9, 0, tzinfo=ZONE))
    weekly.add("dtend", datetime(2026, 11, 3, 17, 0, tzinfo=ZONE))
    weekly.add("rrule", {"freq": "weekly"})
    weekly.add("exdate", datetime(2026, 12, 8, 9, 0, tzinfo=ZONE))
    store.add("weekly", lambda _: weekly)
    booking = Booking(store, HOURS)
    assert booking.free("haircut", date(2026, 12, 2)) == ()
    assert [text_of(slot)[11:] for slot in booking.free("haircut", TUESDAY)] == ["17:00"]
    assert len(booking.free("haircut", date(2026, 12, 8))) == 17


@pytest.mark.parametrize("damage", [b"garbage", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00"])
async def test_a_damaged_calendar_is_left_alone(store: CalendarStore, damage: bytes) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(damage)
    receipt = await book(store, AT_THREE)
    assert receipt.outcome == "failed"
    assert "backup" in str(receipt.detail["why"])
    assert store.path.read_bytes() == damage


async def test_a_full_disk_is_a_failure_and_changes_nothing(
    store: CalendarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await book(store, AT_THREE)
    before = store.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    receipt = await book(store, {**AT_THREE, "start": "2026-12-01T10:00"}, seq=9)
    monkeypatch.undo()
    assert receipt == Receipt("failed", {"why": "No space left on device"})
    assert store.path.read_bytes() == before
    assert sorted(file.name for file in store.path.parent.iterdir()) == [".lock", "calendar.ics"]


def test_a_local_time_may_carry_its_zone() -> None:
    berlin = moment_of("2026-12-01T15:00[Europe/Berlin]", ZONE)
    assert berlin is not None
    assert text_of(berlin) == "2026-12-01T09:00"
    assert moment_of(15, ZONE) is None
    assert moment_of(None, ZONE) is None

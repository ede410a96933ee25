"""Retention: what is older than its period goes, with one note a run; what is held, and what is younger, stays."""

from pathlib import Path

import pytest
from tests.fakes.rig import TOP
from tests.fakes.sealed import open_vault, seal_records
from tests.replay.golden import load

from voicewarden.ledger.forgetting import ContentExpired, forgotten, read_forgotten
from voicewarden.ledger.retention import Period, find_due, retain
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.content import is_sealed

NAMES = ("booked", "refused", "person")
CALLS = {name: load(TOP / "tests" / "calls" / f"{name}.jsonl") for name in NAMES}
IDS = {name: records[0].stream.removeprefix("call:") for name, records in CALLS.items()}
DAY = 86_400_000
NOW = 1_000 * DAY
PERIODS = [Period("audio", 90, "disputes", "ann"), Period("words", 365, "the law", "ann")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Calls of 400, 100 and 10 days ago."""
    place = tmp_path / "ledger.db"
    with Ledger.open(place) as ledger:
        vault = open_vault(place)
        ledger.seal_with(vault)
        for (name, records), days in zip(CALLS.items(), (400, 100, 10), strict=True):
            ledger.submit(seal_records(records, vault.make(f"call:{IDS[name]}", NOW - days * DAY).words))
        ledger.flush()
    return place


def notes(ledger: Ledger) -> list[ContentExpired]:
    found = read_forgotten(record.body for record in ledger.read_stream("control"))
    return [note for note in found if isinstance(note, ContentExpired)]


def test_each_class_goes_when_its_period_is_over(path: Path) -> None:
    with Ledger.open(path) as ledger:
        retain(ledger, PERIODS, NOW)
        vault = ledger.vault
        assert vault is not None
        kept = {(name, content) for name in NAMES for content in ("words", "audio")
                if vault.has(f"call:{IDS[name]}", content)}  # type: ignore[arg-type]  # fmt: skip
        assert kept == {("refused", "words"), ("person", "words"), ("person", "audio")}
        assert is_sealed(next(iter(ledger.read_stream(f"call:{IDS['booked']}"))).body)
        assert not is_sealed(next(iter(ledger.read_stream(f"call:{IDS['refused']}"))).body)
        audio, words = notes(ledger)
        assert (audio.classes, audio.days, audio.calls) == (("audio",), 90, (IDS["booked"], IDS["refused"]))
        assert (words.classes, words.calls, words.why) == (("words", "audio"), (IDS["booked"],), "the law")
        assert forgotten(ledger) == {IDS["booked"]: ("words", "audio"), IDS["refused"]: ("audio",)}
        found = verify(ledger)
        assert found.ok and any("after 365 days: intact" in note.what for note in found.notes)


def test_a_second_run_finds_nothing_and_writes_nothing(path: Path) -> None:
    with Ledger.open(path) as ledger:
        retain(ledger, PERIODS, NOW)
        assert [due.calls for due in retain(ledger, PERIODS, NOW)] == [(), ()]
        assert len(notes(ledger)) == 2


def test_a_dry_run_destroys_nothing(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert [due.calls for due in find_due(ledger, PERIODS, NOW)] == [
            (IDS["booked"], IDS["refused"]), (IDS["booked"],)
        ]  # fmt: skip
        assert notes(ledger) == []
        assert not is_sealed(next(iter(ledger.read_stream(f"call:{IDS['booked']}"))).body)


def test_a_held_call_stays_and_the_note_says_so(path: Path) -> None:
    with Ledger.open(path) as ledger:
        assert ledger.vault is not None
        ledger.vault.hold(f"call:{IDS['booked']}", "carol", "case 7", NOW)
        assert retain(ledger, PERIODS, NOW)[1].held == (IDS["booked"],)
        [audio] = notes(ledger)
        assert audio.calls == (IDS["refused"],) and audio.held == (IDS["booked"],)
        ledger.vault.lift(f"call:{IDS['booked']}", "carol", "closed", NOW)
        assert retain(ledger, PERIODS, NOW)[1].calls == (IDS["booked"],)


def test_a_ledger_where_nothing_is_sealed_is_left_alone(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit(CALLS["booked"])
        ledger.flush()
        assert retain(ledger, PERIODS, NOW) == find_due(ledger, PERIODS, NOW) == []

"""What people look at works on sealed calls as before, and says so where the words of a call are gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.rig import shipped
from tests.fakes.sealed import open_vault, seal_records, write_sealed
from tests.replay.golden import CALLS, load, load_release_blob
from tests.unit.replay.test_pin import PRIVATE, private_call

from voicewarden.ledger.sealing import WordsKey
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.view import LedgerView
from voicewarden.model.error import ContentSealed
from voicewarden.replay.entries import read_entries
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.exchange import Exchanges
from voicewarden.replay.flips import flips_of
from voicewarden.replay.labels import find_decision
from voicewarden.replay.pin import pin_call
from voicewarden.replay.report import write_report
from voicewarden.replay.run import read_run
from voicewarden.replay.whatif import whatif_call

CALL = load(CALLS / "booked.jsonl")
STREAM = CALL[0].stream
NAME = STREAM.removeprefix("call:")
SAID = "Tuesday at three"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_sealed(tmp_path / "ledger.db", [CALL])


@pytest.fixture
def erased(path: Path) -> Iterator[LedgerView]:
    """The same ledger when the keys of its call are gone."""
    vault = open_vault(path)
    vault.destroy([STREAM], ("words", "audio"), 1)
    vault.close()
    with Ledger.read(path) as view:
        yield view


def test_a_sealed_call_reads_like_an_open_one(path: Path) -> None:
    with Ledger.read(path) as view:
        entries = read_entries(view.read_stream(STREAM))
        page = write_report(view, NAME, path.with_name("call.html")).read_text(encoding="utf-8")
    assert entries.problems == ()
    assert [item.value for item in entries.items] == [item.value for item in read_entries(CALL).items]
    assert SAID in page and "is sealed" not in page


def test_a_sealed_call_can_be_pinned(path: Path) -> None:
    with Ledger.read(path) as view:
        releases = Releases(load_release_blob)
        whole = pin_call(view.read_stream(STREAM), releases, "a", redact=False)
        named = pin_call(view.read_stream(STREAM), releases, "a")
    assert list(whole.records) == CALL
    assert replay_call(named.records, releases).difference is None


def test_the_page_of_an_erased_call_shows_its_structure(erased: LedgerView) -> None:
    entries = read_entries(erased.read_stream(STREAM))
    assert [type(item.value) for item in entries.items] == [type(item.value) for item in read_entries(CALL).items]
    assert entries.problems == (
        "What was said is sealed, and its key is not here or was destroyed: only the structure can be shown.",
    )
    page = write_report(erased, NAME, erased.path.with_name("call.html")).read_text(encoding="utf-8")
    assert "only the structure can be shown" in page and SAID not in page
    run = read_run(erased)
    assert [call.call for call in run.calls] == [NAME]
    assert flips_of(erased)[0] > 0


def test_a_decision_of_an_erased_call_can_still_be_labelled(erased: LedgerView) -> None:
    seq = next(record.seq for record in CALL if record.kind == "decision" and b'"action":"book"' in record.body)
    entry, decision = find_decision(erased, NAME, seq)
    assert (decision.action, entry.record.kind) == ("book", "decision")
    assert all(reason.found == "(sealed)" for reason in decision.reasons)


def test_an_erased_call_can_not_be_a_test_nor_be_asked_under_another_policy(erased: LedgerView) -> None:
    with pytest.raises(ContentSealed, match="can't be a test"):
        pin_call(erased.read_stream(STREAM), Releases(load_release_blob), "a")
    found = whatif_call(erased.read_stream(STREAM), Exchanges(load_release_blob, shipped().policy.policy))
    assert "sealed" in found.problem


def test_nothing_that_identifies_somebody_stands_in_a_sealed_call() -> None:
    written = seal_records(private_call().records, WordsKey("call:c1", bytes(32)))
    shown = b"".join(record.body for record in written).decode().lower()
    boxes = [record.body.split(b'"')[3] for record in written if record.body.startswith(b'{"$box"')]
    for box in boxes:
        shown = shown.replace(box.decode().lower(), "")
    # Who works here and gave an order is named on purpose.
    shown = shown.replace('"operator":"xaver"', "")
    for private in (*PRIVATE, *shipped().data.destinations.values()):
        assert private.lower() not in shown

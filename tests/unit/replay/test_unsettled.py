"""An effect that nobody knows the outcome of is named before all else, whether the call has an end or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.recorded_call import booking_call

from voicewarden.kernel.release import encode_release
from voicewarden.ledger.store import Ledger
from voicewarden.model.record import Record
from voicewarden.replay.attention import UNSETTLED, Finding
from voicewarden.replay.cases import read_cases
from voicewarden.replay.entries import read_entries
from voicewarden.replay.report import write_report
from voicewarden.replay.run import Run, read_run
from voicewarden.replay.run_call import CallFigures
from voicewarden.replay.unsettled import unsettled

HEADING = "What a person has to settle"
SAMPLE = booking_call()


LAST_HANDED = max(place for place, record in enumerate(SAMPLE.records) if b'"SpendGrant"' in record.body)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        opened.put_blob(encode_release(SAMPLE.release.data))
        yield opened


def store(ledger: Ledger, records: list[Record]) -> None:
    ledger.submit(records)
    ledger.flush()


def first_finding(ledger: Ledger, call: str) -> str:
    found = next(item for item in read_run(ledger).calls if item.call == call)
    assert found.findings[0].weight == UNSETTLED
    return found.findings[0].what


def test_a_call_that_ended_without_a_result(ledger: Ledger, tmp_path: Path) -> None:
    store(ledger, SAMPLE.records)
    assert first_finding(ledger, "sample-1") == "Nobody knows whether “transfer” was done: ask there"
    page = write_report(ledger, "sample-1", tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.index(HEADING) < page.index("At a glance")
    assert "Nobody knows whether “transfer” was done: ask there (record" in page


def test_a_call_whose_worker_died_after_it_handed_a_grant_over(ledger: Ledger, tmp_path: Path) -> None:
    store(ledger, SAMPLE.records[: LAST_HANDED + 1])
    assert first_finding(ledger, "sample-1").startswith("“transfer” was begun, and neither its result nor the end")
    page = write_report(ledger, "sample-1", tmp_path / "page.html").read_text(encoding="utf-8")
    assert HEADING in page and "unless the call is still going on" in page


def test_a_grant_that_was_spent_before_its_order_was_written() -> None:
    before = SAMPLE.records[:LAST_HANDED]
    cases = read_cases(read_entries(before))
    grant = next(case.grant for case in reversed(cases) if case.grant and case.decision.action == "transfer")
    assert unsettled(cases, lambda _: False) == ()
    assert [case.grant for case in unsettled(cases, {grant.id}.__contains__)] == [grant]


def test_an_effect_of_unknown_outcome_outweighs_everything_else() -> None:
    heavy = CallFigures(call="heavy", findings=tuple(Finding(weight, "odd") for weight in (100, 60, 50, 50, 40, 35)))
    unknown = CallFigures(call="unknown", findings=(Finding(UNSETTLED, "nobody knows"),))
    assert [call.call for call in Run(calls=(heavy, unknown)).first(2)] == ["unknown", "heavy"]

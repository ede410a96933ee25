"""Labels: in a stream of their own, about exact bytes, never overwritten, the last word of a reviewer counting."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.fakes.recorded_call import booking_call
from typer.testing import CliRunner

from voicewarden.cli.label import label as label_command
from voicewarden.ledger.store import Ledger
from voicewarden.ledger.verify import verify
from voicewarden.model.decision import Decision
from voicewarden.model.error import LedgerError
from voicewarden.replay.entries import read_entries
from voicewarden.replay.labels import Labels, LabelVerdict, add_label, read_labels
from voicewarden.replay.report import write_report

SAMPLE = booking_call()
BOOKED = next(
    entry.seq for entry in reversed(read_entries(SAMPLE.records).items)
    if isinstance(entry.value, Decision) and entry.value.action == "book"
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        booking_call().store(opened)
        yield opened


def mark(
    ledger: Ledger, verdict: LabelVerdict, reviewer: str = "ann", *, seq: int = BOOKED, at: int = 1, reason: str = "ok!"
) -> None:
    add_label(ledger, "sample-1", seq, verdict, reason=reason, reviewer=reviewer, unix_ms=at)


def labels(ledger: Ledger) -> Labels:
    return read_labels(ledger, "sample-1", ledger.read_stream("call:sample-1"))


def test_last_word_of_a_reviewer_counts_and_both_stay(ledger: Ledger) -> None:
    mark(ledger, "right", at=1)
    mark(ledger, "wrong", at=2)
    mark(ledger, "right", "bo", at=3)
    found = labels(ledger)
    assert [(label.reviewer, label.verdict) for label in found.about(BOOKED)] == [("ann", "wrong"), ("bo", "right")]
    assert found.superseded == 1
    assert len(list(ledger.read_stream("review:sample-1"))) == 3


def test_call_itself_is_not_written_to_and_everything_verifies(ledger: Ledger) -> None:
    before = ledger.head("call:sample-1")
    mark(ledger, "right")
    assert ledger.head("call:sample-1") == before
    assert verify(ledger).ok


@pytest.mark.parametrize(
    ("seq", "reviewer", "reason", "said"),
    [
        (0, "ann", "fine by me", "record 0 of this call is no decision; its decisions are the records 1, 3"),
        (99_999, "ann", "fine by me", "is no decision"),
        (BOOKED, "", "fine by me", "a reviewer is a name"),
        (BOOKED, "<b>", "fine by me", "a reviewer is a name"),
        (BOOKED, "ann", "  ", "a label needs a reason"),
    ],
)
def test_what_can_not_be_a_label_is_refused(
    ledger: Ledger, seq: int, reviewer: str, reason: str, said: str
) -> None:
    with pytest.raises(LedgerError, match=said):
        mark(ledger, "right", reviewer, seq=seq, reason=reason)
    assert list(ledger.read_stream("review:sample-1")) == []


def test_call_that_is_not_there_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="holds no call never"):
        add_label(ledger, "never", 1, "right", reason="fine by me", reviewer="ann", unix_ms=1)


def test_label_on_other_bytes_does_not_count(ledger: Ledger) -> None:
    mark(ledger, "right")
    ledger.append("review:sample-1", 1, "note", b'{"note":"something else"}')
    ledger.flush()
    found = read_labels(ledger, "sample-1", ())
    assert found.current == ()
    assert [problem.rpartition(" ")[0] for problem in found.problems] == [
        "Note 0 of the reviewers is about a record that is not there any",
        "Note 1 of the reviewers can't be read by this",
    ]


def test_report_shows_labels_on_the_card(ledger: Ledger, tmp_path: Path) -> None:
    mark(ledger, "wrong", reason="the <b>date</b> was not read back")
    source = write_report(ledger, "sample-1", tmp_path / "r.html").read_text("utf-8")
    assert 'ann found this <strong class="label wrong">WRONG</strong>: the &lt;b&gt;date&lt;/b&gt; was not' in source


def run(path: Path, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(label_command)
    found = CliRunner().invoke(app, [str(path), *arguments])
    return found.exit_code, found.output if found.exception is None else f"{found.output}{found.exception}"


def test_command_writes_and_says_what_was_labelled(ledger: Ledger) -> None:
    ledger.close()
    given = ("sample-1", str(BOOKED), "wrong", "--reason", "too soon", "--reviewer", "ann")
    code, said = run(ledger.path, *given)
    assert code == 0
    assert f"Book was allowed: all 6 rules were met.\nann found this wrong: record {BOOKED} of sample-1" in said
    code, said = run(ledger.path, *given, "--json")
    assert (code, '"verdict": "wrong"' in said) == (0, True)


def test_command_respects_the_writer_that_runs(ledger: Ledger) -> None:
    given = ("sample-1", str(BOOKED), "wrong", "--reason", "too soon", "--reviewer", "ann")
    code, said = run(ledger.path, *given)
    assert code != 0
    assert "is writing this ledger, and there can be one writer only" in said


def test_command_takes_two_words_only(ledger: Ledger) -> None:
    code, _ = run(ledger.path, "sample-1", str(BOOKED), "maybe", "--reason", "too soon", "--reviewer", "ann")
    assert code == 2

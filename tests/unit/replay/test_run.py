"""The QA report: figures of a run, what to look at first, drift against an earlier run, its page and its command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.fakes.recorded_call import SampleCall, booking_call
from typer.testing import CliRunner

from voicewarden.cli.run_report import qa
from voicewarden.ledger.store import Ledger
from voicewarden.model.decision import Decision
from voicewarden.model.error import ConfigError
from voicewarden.model.event import CallEnded, ModelFaltered
from voicewarden.replay.drift import FEWEST_CALLS, drift_between
from voicewarden.replay.entries import read_entries
from voicewarden.replay.interval import rate
from voicewarden.replay.labels import LabelVerdict, add_label
from voicewarden.replay.run import Run, load_run, read_run
from voicewarden.replay.run_call import UNKNOWN_ACTION, Asked, CallFigures, turn_gaps_ms
from voicewarden.replay.run_report import write_run_report


def plain_call(name: str) -> SampleCall:
    """A question that is answered, nothing more."""
    sample = SampleCall(name, quote_open=True)
    sample.answered()
    sample.says("is the studio open on monday", 930)
    sample.thinks("I will look that up.")
    sample.play()
    sample.end()
    return sample


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.db") as opened:
        booking_call("booked").store(opened)
        plain_call("plain").store(opened)
        yield opened


def figures(ledger: Ledger, call: str) -> CallFigures:
    return next(item for item in read_run(ledger).calls if item.call == call)


def whys(found: CallFigures) -> list[str]:
    return [finding.what for finding in found.findings]


def test_call_is_counted(ledger: Ledger) -> None:
    found = figures(ledger, "booked")
    assert (found.agent, found.direction, found.outcome) == ("booking", "inbound", "caller_hung_up")
    assert found.asked == (
        Asked(action="look_up", allow=1), Asked(action="book", allow=1, confirm=2, done=1),
        Asked(action="transfer", allow=1),
    )  # fmt: skip
    assert found.refusals == {"speech.facts": 1}
    assert (found.questions, found.ambiguous, found.said, found.held) == (2, 1, 3, 1)


def test_waits_run_from_the_last_word_to_the_first_sound(ledger: Ledger) -> None:
    entries = read_entries(ledger.read_stream("call:plain"))
    # 40 ms of the word's slot, 200 + 300 to the end of the turn, 300 of thinking, 250 until it is played.
    assert list(turn_gaps_ms(entries)) == [1090]


def test_what_to_look_at_and_why(ledger: Ledger) -> None:
    found = whys(figures(ledger, "booked"))
    assert found == [
        "Nobody knows whether “transfer” was done: ask there",
        "“book” was done after an answer that was not clear: listen to the yes",
        "The model wanted to say what it may not: 1 sentence",
    ]
    assert whys(figures(ledger, "plain")) == []


def test_weightiest_call_stands_first_and_quiet_ones_not_at_all(ledger: Ledger) -> None:
    faltering = plain_call("faltering")
    faltering.happen(ModelFaltered(at_ms=faltering.now_ms, generation=1, what="timeout"))
    faltering.store(ledger)
    assert [call.call for call in read_run(ledger).first(5)] == ["booked", "faltering"]
    assert [call.call for call in read_run(ledger).first(1)] == ["booked"]


def test_name_of_an_action_that_nobody_knows_is_not_repeated(ledger: Ledger) -> None:
    sample = SampleCall("rogue")
    sample.answered()
    sample.says("hello", 930)
    sample.thinks(action="tell_secret_of_mrs_miller")
    sample.play()
    sample.end()
    sample.store(ledger)
    found = figures(ledger, "rogue")
    assert [item.action for item in found.asked] == [UNKNOWN_ACTION]
    assert whys(found) == [
        "The model tried an action that the policy does not name. The policy does not name this action, and what it "
        "does not name is refused."
    ]


def test_call_without_its_end_and_one_with_a_fault(ledger: Ledger) -> None:
    sample = SampleCall("running")
    sample.answered()
    sample.store(ledger)
    failed = SampleCall("failed")
    failed.answered()
    failed.happen(CallEnded(at_ms=failed.now_ms, reason="lease_lost"))
    failed.store(ledger)
    assert whys(figures(ledger, "running")) == ["No end is recorded: it is still running, or the worker died"]
    assert whys(figures(ledger, "failed")) == ["A fault ended it: lease lost"]


def mark(ledger: Ledger, action: str, verdict: LabelVerdict, reviewer: str) -> None:
    entries = read_entries(ledger.read_stream("call:booked"))
    seq = [e.seq for e in entries.items if isinstance(e.value, Decision) and e.value.action == action][-1]
    add_label(ledger, "booked", seq, verdict, reason="as I heard it", reviewer=reviewer, unix_ms=1)


def test_labels_become_agreement_and_precision(ledger: Ledger) -> None:
    mark(ledger, "book", "right", "ann")
    mark(ledger, "book", "wrong", "bo")
    mark(ledger, "transfer", "wrong", "ann")
    run = read_run(ledger)
    assert [(item.rule, item.right.hits, item.right.of, item.disputed) for item in run.precision] == [
        ("book allowed", 0, 0, 1), ("transfer allowed", 0, 1, 0),
    ]  # fmt: skip
    assert [(item.first, item.second, item.both, item.same) for item in run.agreements] == [("ann", "bo", 1, 0)]
    assert "ann found a decision wrong" in whys(run.first(1)[0])


def many(name: str, count: int, **more: int) -> Run:
    return Run(
        calls=tuple(
            CallFigures(call=f"{name}-{index}", outcome="done", gaps_ms=(500,), held=int(index < more.get("held", 0)))
            for index in range(count)
        )
    )


def test_drift_is_shown_where_it_is_beyond_chance() -> None:
    drift = drift_between(many("old", 100, held=5), many("new", 100, held=30))
    assert [(row.name, row.says) for row in drift.rows if row.says != "no change shown"] == [
        ("calls with a sentence of the model refused", "higher"),
        ("calls with a question whose answer was not clear", "insufficient data"),
    ]
    back = drift_between(many("new", 100, held=30), many("old", 100, held=5))
    assert back.rows[0].says == "lower"


def test_drift_of_few_calls_is_not_told() -> None:
    drift = drift_between(many("old", 100), many("new", FEWEST_CALLS - 1, held=20))
    assert {row.says for row in drift.rows} == {"insufficient data"}


def test_calls_of_both_runs_are_not_compared_with_themselves() -> None:
    drift = drift_between(many("a", 50), many("a", 80, held=60))
    assert (drift.old_calls, drift.new_calls, drift.in_both) == (50, 30, 50)
    held = next(row for row in drift.rows if "sentence" in row.name)
    assert held.new == rate(10, 30)


def test_run_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"calls": []}')
    with pytest.raises(ConfigError, match="this is no run"):
        load_run(tmp_path / "old.json")
    with pytest.raises(ConfigError, match="can't be read"):
        load_run(tmp_path / "gone.json")


def test_page_shows_all_parts_and_says_that_it_is_small(ledger: Ledger, tmp_path: Path) -> None:
    mark(ledger, "book", "right", "ann")
    run = read_run(ledger)
    drift = drift_between(many("old", 50), run)
    page = write_run_report(
        run, drift, tmp_path / "qa.html", ledger="ledger.db", first=5, reports={"booked": "calls/booked.html"}
    )
    source = page.read_text("utf-8")
    for part in ("Only 2 calls", "caller hung up", "speech.facts", "Figures may only be said", "p95",
                 "50 calls then, 2 now", "insufficient data", "1 labels count", "Network and handset"):  # fmt: skip
        assert part in source
    assert 'href="calls/booked.html#r' in source
    assert "haircut" not in source


def test_page_of_an_empty_ledger_says_so_everywhere(tmp_path: Path) -> None:
    source = write_run_report(
        Run(calls=()), None, tmp_path / "qa.html", ledger="x", first=5, reports={}
    ).read_text("utf-8")
    for part in ("Nothing stands out", "No rule refused", "No question was put", "No wait could be", "No earlier run",
                 "No decision was labelled yet"):  # fmt: skip
        assert part in source


def command(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(qa)
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return found.exit_code, found.stdout


def test_command_round_trip(ledger: Ledger, tmp_path: Path) -> None:
    code, printed = command(ledger.path, "--json")
    assert code == 0
    earlier = tmp_path / "old.json"
    earlier.write_text(printed)
    kept = json.loads(printed)
    assert kept["summary"]["calls"] == 2
    assert "haircut" not in printed
    assert load_run(earlier).calls == read_run(ledger).calls
    code, said = command(ledger.path, "--against", earlier, "--out", tmp_path / "o" / "qa.html",
                         "--reports", tmp_path / "o" / "calls")  # fmt: skip
    assert code == 0
    assert "against 2 calls: 0 changes shown" in said
    assert (tmp_path / "o" / "calls" / "booked.html").exists()
    assert 'href="calls/booked.html' in (tmp_path / "o" / "qa.html").read_text("utf-8")


def test_reports_need_a_page(ledger: Ledger, tmp_path: Path) -> None:
    assert command(ledger.path, "--reports", tmp_path)[0] == 2

"""The tracks beside the conversation: who answered, silences, the budget, and shadows on the cards."""

from pathlib import Path

from tests.fakes.recorded_call import SampleCall, booking_call

from voicewarden.ledger.store import Ledger
from voicewarden.model.canonical import canonical_bytes
from voicewarden.model.decision import Decision, Reason, Shadowed
from voicewarden.model.event import TimerFired, ToneHeard
from voicewarden.model.record import Record, make_record
from voicewarden.replay.cases import read_cases
from voicewarden.replay.course import AnswererWatch, Course, Nudge, Stretch, longest_silence, read_course
from voicewarden.replay.entries import read_entries
from voicewarden.replay.exact import Releases, replay_call
from voicewarden.replay.report import write_report
from voicewarden.replay.timeline import read_timeline


def course_of(sample: SampleCall, ledger: Ledger | None = None) -> Course:
    entries = read_entries(sample.records)
    timeline = read_timeline(entries)
    answerer = AnswererWatch()
    if ledger is not None:
        replay_call(sample.records, Releases(ledger.get_blob), watch=answerer.watch)
    return read_course(entries, timeline, answerer.stretches(timeline.length_ms))


def test_who_answered_comes_from_the_replay(tmp_path: Path) -> None:
    sample = booking_call()
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        sample.store(ledger)
        found = course_of(sample, ledger).who
    assert [(item.from_ms, item.what) for item in found] == [(0, ""), (400, "human")]
    assert found[0].to_ms == 400
    assert course_of(sample).who == ()


def test_silence_is_where_nobody_speaks_and_says_who_spoke_last() -> None:
    sample = SampleCall()
    sample.answered()
    quiet_from = sample.now_ms
    sample.now_ms += 5_000
    sample.says("are you there", 930)
    found = course_of(sample).silences
    assert found == (Stretch(quiet_from, quiet_from + 5_600, "agent"),)
    assert longest_silence(found) == found[0]
    assert longest_silence(()) is None


def test_line_that_was_said_because_of_silence_is_a_nudge() -> None:
    sample = SampleCall()
    sample.answered()
    due_ms = sample.call.state.timers["silence"]
    sample.now_ms = due_ms
    sample.happen(TimerFired(at_ms=due_ms, timer="silence", due_ms=due_ms))
    assert course_of(sample).nudges == (Nudge(due_ms, "silence.reprompt"),)


def test_noise_of_the_line_is_no_talking() -> None:
    sample = SampleCall()
    sample.answered()
    quiet_from = sample.now_ms
    sample.now_ms += 2_000
    sample.happen(ToneHeard(at_ms=sample.now_ms, tone="other", hz=400, ms=200))
    sample.end()
    assert course_of(sample).silences == (Stretch(quiet_from, sample.now_ms, "agent"),)


def test_budget_rises_with_what_was_produced() -> None:
    found = course_of(booking_call()).spending
    assert [(item.spent, item.promised) for item in found[:4]] == [(0, 80), (20, 0), (20, 80), (40, 0)]
    assert not any(item.refused for item in found)


def test_refused_inference_is_marked() -> None:
    sample = SampleCall()
    sample.thinks("Too early.")
    assert [item.refused for item in course_of(sample).spending] == [True, False]


def shadowed(sample: SampleCall, action: str) -> list[Record]:
    """The records of a call with a shadow behind the last decision on an action."""
    entries = read_entries(sample.records)
    last = [e for e in entries.items if isinstance(e.value, Decision) and e.value.action == action][-1]
    assert isinstance(last.value, Decision)
    reason = Reason("book.require.9", "quote_open", "is true", "false, 3 s ago", "deny")
    shadow = Shadowed(
        seq=last.seq + 1, at_ms=last.value.at_ms, request=last.value.request, action=action, source="strict",
        policy="p", verdict="deny", active=last.value.verdict, reasons=(reason,),
    )  # fmt: skip
    kept = sample.records[: last.seq + 1]
    at_ms = last.record.at_ms
    return [*kept, make_record(kept[0].stream, last.seq + 1, at_ms, "shadow", canonical_bytes(shadow), kept[-1].hash)]


def test_shadow_stands_on_the_card_of_its_decision(tmp_path: Path) -> None:
    sample = booking_call()
    records = shadowed(sample, "book")
    cases = read_cases(read_entries(records))
    assert [case.decision.verdict for case in cases if case.shadows] == ["allow"]
    with Ledger.open(tmp_path / "ledger.db") as ledger:
        ledger.submit(records)
        ledger.flush()
        source = write_report(ledger, "sample-1", tmp_path / "r.html").read_text("utf-8")
    assert "The policy on trial (“strict”) would have said" in source
    assert "It changed nothing." in source
    assert "“quote open”: no." in source
    assert "Watching rules would have said" in source



"""The rhythm of speech, from frame verdicts."""

from voicewarden.sensors.cadence import Cadence, CadenceMeter


def after(pattern: str) -> Cadence:
    """The cadence of a pattern, one character a 20 ms frame: x is voice."""
    meter = CadenceMeter()
    for mark in pattern:
        meter.feed(voiced=mark == "x")
    return meter.measure()


def test_silence() -> None:
    assert after("." * 50) == Cadence(
        at_ms=1000,
        onset_ms=None,
        since_onset_ms=0,
        speech_ms=0,
        longest_run_ms=0,
        bursts=0,
        longest_gap_ms=0,
        trailing_silence_ms=1000,
    )


def test_a_short_hello() -> None:
    assert after("." * 10 + "x" * 20 + "." * 30) == Cadence(
        at_ms=1200,
        onset_ms=200,
        since_onset_ms=1000,
        speech_ms=400,
        longest_run_ms=400,
        bursts=1,
        longest_gap_ms=0,
        trailing_silence_ms=600,
    )


def test_two_bursts_and_their_gap() -> None:
    found = after("x" * 20 + "." * 25 + "x" * 50)
    assert (found.bursts, found.longest_gap_ms, found.longest_run_ms, found.speech_ms) == (2, 500, 1000, 1400)
    assert found.trailing_silence_ms == 0


def test_the_live_burst_counts_like_a_finished_one() -> None:
    live = after("x" * 20 + "." * 25 + "x" * 50 + ".")
    done = after("x" * 20 + "." * 25 + "x" * 50 + "." * 20)
    for name in ("onset_ms", "speech_ms", "longest_run_ms", "bursts", "longest_gap_ms"):
        assert getattr(live, name) == getattr(done, name)


def test_short_gaps_are_bridged() -> None:
    found = after("xxxxx...xxxxx......xxxxx" + "." * 20)
    assert (found.bursts, found.speech_ms) == (1, 480)


def test_a_click_is_silence() -> None:
    found = after("..xx" + "." * 30)
    assert found.onset_ms is None
    assert found.trailing_silence_ms == found.at_ms
    assert after("..xx" + "." * 30 + "x" * 10).onset_ms == 680


def test_what_was_the_line_is_forgotten_on_the_same_clock() -> None:
    meter = CadenceMeter()
    for mark in "." * 10 + "x" * 100:
        meter.feed(voiced=mark == "x")
    meter.forget()
    for mark in "." * 40 + "x" * 20:
        meter.feed(voiced=mark == "x")
    found = meter.measure()
    assert (found.at_ms, found.onset_ms, found.speech_ms, found.bursts, found.longest_gap_ms) == (3400, 3000, 400, 1, 0)
